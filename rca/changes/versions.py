"""Versions of dependencies and images, and sizes of machines."""

import re
from collections.abc import Iterator, Sequence

from rca.changes.diff import FileDiff
from rca.changes.findings import Finding
from rca.changes.tokens import Tokens

_VERSION = re.compile(r"(?<![\w.])[\^~>=<v]{0,2}(\d+)\.(\d+)(?:\.(\d+))?[\w.+-]*")
_MAJOR = re.compile(r"(?<![\w.])[\^~>=<v]{0,2}(\d+)(?![\w.])")
_IMAGE = re.compile(
    r"^(?:FROM|image:?|repository:?|tag:?)\s+[\"']?(?P<name>[\w./-]+?)(?::(?P<tag>[\w.-]+))?(?:@\S+)?[\"']?(?:\s+AS\s+\S+)?$",
    re.IGNORECASE,
)
_SIZES = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8, "metal": 64}
_SIZE = re.compile(r"\b(?:db\.|cache\.)?([a-z]+\d[a-z\d]*)\.(\d*)(nano|micro|small|medium|large|xlarge|metal)\b")
_CORES = re.compile(r"\b[a-z]\d[a-z]?-(?:standard|highmem|highcpu|custom)-(\d+)\b|\bStandard_[A-Z]+(\d+)")
_DISTRIBUTION = re.compile(
    r"alpine|slim|distroless|bookworm|bullseye|buster|focal|jammy|noble|ubi\d?|musl|windows|scratch"
)


def versions(file: FileDiff, pairs: Sequence[tuple[Tokens, Tokens]]) -> Iterator[Finding]:
    """Versions and machines that are other ones."""
    for old, new in pairs:
        yield from _machine(file, old.line.code, new.line.code)
        before, after = _IMAGE.match(old.line.code), _IMAGE.match(new.line.code)
        if before and after and file.language in {"docker", "config"}:
            yield from _image(file, before, after)
        elif file.language == "dependencies":
            yield from _dependency(file, old.line.code, new.line.code)


def _dependency(file: FileDiff, old: str, new: str) -> Iterator[Finding]:
    a, b = _VERSION.search(old), _VERSION.search(new)
    if not a or not b:
        a, b = _MAJOR.search(old), _MAJOR.search(new)
    if not a or not b or a[0] == b[0]:
        return
    potency, size = _step([int(part or 0) for part in a.groups()], [int(part or 0) for part in b.groups()])
    name = re.sub(r"[\"',:=<>~^]", " ", old[: a.start()]).split()
    yield Finding(
        "dependency", potency, f"{name[-1] if name else 'a dependency'} {a[0]} to {b[0]} ({size})", file.path
    )


def _step(old: list[int], new: list[int]) -> tuple[float, str]:
    """How much a step of versions can do: 0.x counts its minor versions as major ones."""
    if old[0] != new[0]:
        return (0.5 if new[0] > old[0] else 0.55), "major"
    if old[1:2] != new[1:2]:
        return (0.4, "minor, before 1.0") if old[0] == 0 else (0.25, "minor")
    return 0.1, "patch"


def _image(file: FileDiff, old: re.Match[str], new: re.Match[str]) -> Iterator[Finding]:
    a, b = f"{old['name']}:{old['tag'] or ''}", f"{new['name']}:{new['tag'] or ''}"
    if a == b:
        return
    told = f"image {a.rstrip(':')} to {b.rstrip(':')}"
    if old["name"] != new["name"] or _DISTRIBUTION.findall(a) != _DISTRIBUTION.findall(b):
        yield Finding("base_image", 0.68, told, file.path)
        return
    x, y = re.findall(r"\d+", old["tag"] or ""), re.findall(r"\d+", new["tag"] or "")
    if x and y:
        potency, size = _step([int(v) for v in x[:3]], [int(v) for v in y[:3]])
        yield Finding("base_image", potency, f"{told} ({size})", file.path)
    else:
        yield Finding("base_image", 0.35, told, file.path)


def _machine(file: FileDiff, old: str, new: str) -> Iterator[Finding]:
    a, b = _power(old), _power(new)
    if a is None or b is None or a[1] == b[1]:
        return
    ratio = b[0] / a[0]
    told = f"machine {a[1]} to {b[1]}"
    if ratio < 1:
        yield Finding("machine", min(0.9, 0.45 + 0.15 / ratio), f"{told}: smaller", file.path)
    else:
        yield Finding("machine", 0.4 if ratio == 1 else 0.25, told, file.path)


def _power(code: str) -> tuple[float, str] | None:
    if match := _SIZE.search(code):
        return _SIZES[match[3]] * int(match[2] or 1), match[0]
    if match := _CORES.search(code):
        return float(match[1] or match[2]), match[0]
    return None
