"""A text that is another one: an address, a name that others rely on, a pattern, a query, or only words."""

import re
from collections.abc import Callable

from rca.changes.diff import FileDiff
from rca.changes.findings import Finding
from rca.changes.tokens import Tokens

_MOST = 60
_SNIPPET = 70
_HOST = re.compile(
    r"(?:[a-z]+://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/\S*)?"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?|[\w-]+:\d{2,5}",
    re.IGNORECASE,
)
_PATHLIKE = re.compile(r"[\w.${}:-]*/[\w./${}:*-]+")
_ENV = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NAME = re.compile(r"[\w.:%{}$-]+")
_HOLE = re.compile(r"%[sdvq]|\$?\{\w*\}")
_ANY_HOLE = re.compile(r"%[sdvq]|\$?\{[^{}]*\}")
_VERSION = re.compile(r"[\^~>=<v]*\d+\.\d+(?:\.\d+)?[\w.+-]*")
_PROSE = re.compile(
    r"\b(?:raise|throw|panic|error|errorf|errors|exception|message|title|label|description|help|placeholder|usage"
    r"|comment|summary|tooltip|caption|text|log|reason|hint|doc|note|name|user agent)\b"
)
_REGEX = re.compile(r"\b(?:re|regex\w*|reg exp|pattern\w*|matches|regexp|match|must compile|grok)\b")
_SQL = re.compile(r"\b(?:select|insert|update|delete|join|where|from)\b", re.IGNORECASE)
_FILE_NAME = re.compile(
    r".*\.(?:go|py|java|ts|js|html?|css|md|sh|ya?ml|json|toml|xml|txt|sql|tf|png|svg|log|pem|crt)"
)
_IMAGES = frozenset({"from", "image:", "image"})

# What two texts are, the first that fits; the kind of change, its potency, and what it is called.
_RULES: tuple[tuple[Callable[[str, str], bool], str, float, str], ...] = (
    (lambda old, new: bool(_HOST.fullmatch(old) and _HOST.fullmatch(new) and not _FILE_NAME.fullmatch(new)),
     "endpoint", 0.78, "address"),
    (lambda old, new: len(_HOLE.findall(new)) < len(_HOLE.findall(old)) and " " not in new,
     "key", 0.74, "a part of a key is gone,"),
    (lambda old, new: ("/" in old) != ("/" in new) and old.rpartition("/")[2] == new.rpartition("/")[2],
     "endpoint", 0.3, "found by its name, now by its place,"),
    (lambda old, new: bool(_PATHLIKE.search(old) or _PATHLIKE.search(new)), "endpoint", 0.74, "path"),
    (lambda old, new: bool(_SQL.search(old) or _SQL.search(new)), "slow_query", 0.5, "query"),
    (lambda old, new: bool(_ENV.fullmatch(old) or _ENV.fullmatch(new)), "key", 0.78, "name"),
)  # fmt: skip
_IN_CODE: tuple[tuple[Callable[[str, str], bool], str, float, str], ...] = (
    (lambda old, new: " " in old.strip() and " " in new.strip(), "logic", 0.08, "a text,"),
    (lambda old, new: bool(_NAME.fullmatch(old) or _NAME.fullmatch(new)), "key", 0.72, "name"),
    (lambda _old, _new: True, "key", 0.5, "text"),
)


def is_prose(words: str) -> bool:
    """Whether a line's texts are for people: messages, titles, logs."""
    return _PROSE.search(words) is not None


def text_finding(file: FileDiff, old: str, new: str, at: Tokens, *, prose: bool, key: bool) -> Finding | None:
    """What it means that a text is another one; None where something else compares it (versions, images).

    Args:
        file: Where it is.
        old: The text that was.
        new: The text that is.
        at: The added line.
        prose: It is written for people.
        key: It stands where a key stands.
    """
    told = f"{cut(old)} to {cut(new)}"
    version = file.language == "dependencies" or (_VERSION.fullmatch(old) and _VERSION.fullmatch(new))
    same = file.language == "docker" and old.rstrip("/") == new.rstrip("/")
    if version or same or (at.tokens and at.tokens[0].lower() in _IMAGES):
        return None
    if _REGEX.search(at.line.words) and not file.config_like:
        return Finding("regex", 0.6, f"pattern {told}", file.path)
    if prose or (_HOLE.search(old) and _ANY_HOLE.sub("{}", old) == _ANY_HOLE.sub("{}", new)):
        return Finding("logic", 0.06, f"a text, {told}", file.path)
    rules = _RULES if file.config_like or file.language == "sql" else _RULES + _IN_CODE
    for fits, kind, potency, name in rules:
        if fits(old, new):
            return Finding(kind, potency, f"{name} {told}", file.path)
    if file.language == "sql":
        return Finding("slow_query", 0.42, told, file.path)
    kind, potency = ("key", 0.68) if key else ("setting", 0.5)
    return Finding(kind, potency, f"{kind} {told}", file.path)


def cut(text: str) -> str:
    """A text shortened to what a line of a terminal holds."""
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def snippet(code: str) -> str:
    """Code on one line, shortened."""
    code = " ".join(code.split())
    return code if len(code) <= _SNIPPET else code[: _SNIPPET - 1] + "…"
