"""The files of a bundle as bytes, out of a folder or an archive that may be damaged or malicious.

Nothing is ever unpacked to disk. Everything that is read is bounded: entries, bytes, and what a packed byte may
become.
"""

import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from rca.bundle import layout
from rca.errors import BundleError

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")
_FOREIGN_TREES = ("__MACOSX",)


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found.

    Attributes:
        name: What to call the bundle when it doesn't say so itself.
        files: The known files by the name under which they are stored, as stored.
        ignored: Names of the other entries, sorted.
    """

    name: str
    files: dict[str, bytes]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file: its size as declared, and how to get its bytes."""

    name: str
    size: int
    read: Callable[[], bytes]


def load(path: Path) -> Contents:
    """Read every known file of a bundle.

    Raises:
        BundleError: It isn't there, isn't a bundle, or can't be trusted; nothing of it is used then.
    """
    try:
        if path.is_dir():
            return _select(path, _folder_entries(path))
        return _load_archive(path)
    except FileNotFoundError:
        raise BundleError(f"there is no bundle at {path}", hint=layout.WHAT_A_BUNDLE_IS) from None
    except OSError as error:
        raise BundleError(f"can't read {path}: {error.strerror or error}") from error


def inflate(data: bytes, what: str, limit: int = layout.MAX_BYTES) -> bytes:
    """Unpack gzip, every member of it, checking length and checksum.

    Args:
        data: The packed bytes.
        what: What to call them in an error.
        limit: How many bytes may come out.

    Raises:
        BundleError: Truncated, corrupt, followed by something else, or a bomb.
    """
    parts: list[bytes] = []
    size = 0
    rest = data
    while rest:
        if not rest.startswith(_GZIP):
            raise BundleError(f"{what}: followed by {len(rest)} bytes that aren't gzip")
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            try:
                part = unpacker.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise BundleError(f"{what}: corrupt gzip data ({error})") from None
            size += len(part)
            check_size(what, size, len(data), limit)
            parts.append(part)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
            if not part and not rest and not unpacker.eof:
                raise BundleError(f"{what}: truncated, the gzip data end too early")
    if not data:
        raise BundleError(f"{what}: empty, not gzip")
    return b"".join(parts)


def check_size(what: str, size: int, packed: int, limit: int = layout.MAX_BYTES) -> None:
    """Refuse what is too large, or grows too much when it is unpacked.

    Raises:
        BundleError: It is; the same bounds hold for what is written.
    """
    if size > limit:
        raise BundleError(f"{what}: more than {limit // layout.MEBIBYTE} MiB unpacked; refused")
    if size > layout.RATIO_FROM and size > packed * layout.MAX_RATIO:
        raise BundleError(f"{what}: unpacks to more than {layout.MAX_RATIO} times its size; refused as a bomb")


def _load_archive(path: Path) -> Contents:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{path} is neither a file nor a folder", hint=layout.WHAT_A_BUNDLE_IS)
    if status.st_size > layout.MAX_BYTES:
        raise BundleError(f"{path} is larger than {layout.MAX_BYTES // layout.MEBIBYTE} MiB; refused")
    data = path.read_bytes()
    if data.startswith(_GZIP):
        return _select(path, _tar_entries(inflate(data, path.name), path.name))
    if data.startswith(_ZIP):
        return _load_zip(path, data)
    what = "is empty" if not data else "is neither a .tar.gz nor a .zip"
    raise BundleError(f"{path} {what}, so not a bundle", hint=layout.WHAT_A_BUNDLE_IS)


def _select(path: Path, entries: Iterable[_Entry]) -> Contents:
    """Find the bundle among the entries and read its known files, all checks first."""
    by_name: dict[str, _Entry] = {}
    total = 0
    for entry in entries:
        name = _safe_name(entry.name)
        if name in by_name:
            raise BundleError(f"{path.name} holds {name!r} twice")
        by_name[name] = entry
        total += entry.size
        if len(by_name) > layout.MAX_ENTRIES:
            raise BundleError(f"{path.name} holds more than {layout.MAX_ENTRIES} entries; refused")
        if total > layout.MAX_BYTES:
            raise BundleError(f"{path.name}: more than {layout.MAX_BYTES // layout.MEBIBYTE} MiB; refused")
    root = _root(path, by_name)
    known = {layout.HEADER, *layout.OPTIONAL, *(f"{name}.gz" for name in layout.OPTIONAL)}
    files: dict[str, bytes] = {}
    ignored: list[str] = []
    for name in sorted(by_name):
        inner = name.removeprefix(root)
        if name.startswith(root) and inner in known:
            files[inner] = by_name[name].read()
        elif not _is_clutter(name):
            ignored.append(name)
    for name in layout.OPTIONAL:
        if name in files and f"{name}.gz" in files:
            raise BundleError(f"{path.name} holds both {name} and {name}.gz", hint="Remove the wrong one.")
    return Contents(_stem(path), files, tuple(ignored))


def _root(path: Path, names: Iterable[str]) -> str:
    """The folder inside the archive in which the bundle lies: empty, or `name/`."""
    headers = [name for name in names if PurePosixPath(name).name == layout.HEADER and not _is_clutter(name)]
    if layout.HEADER in headers:
        return ""
    tops = [name.removesuffix(layout.HEADER) for name in headers if name.count("/") == 1]
    if len(tops) == 1 and not path.is_dir():
        return tops[0]
    if tops:
        raise BundleError(
            f"{path} isn't a bundle, it holds {len(tops)} of them ({min(tops)}, …)",
            hint="Name one of them; `rca eval` takes a folder of labelled ones.",
        )
    raise BundleError(f"{path} isn't a bundle: no {layout.HEADER} in it", hint=layout.WHAT_A_BUNDLE_IS)


def _safe_name(name: str) -> str:
    """The normalised name of an entry.

    Raises:
        BundleError: It could lead out of the bundle.
    """
    parts = PurePosixPath(name).parts
    if not parts or _UNSAFE.search(name) or name.startswith("/") or ".." in parts:
        raise BundleError(f"it holds an entry with the unsafe name {name!r}; nothing of it was used")
    return "/".join(parts)


def _is_clutter(name: str) -> bool:
    """Whether an operating system left this behind."""
    return PurePosixPath(name).name.startswith(".") or name.split("/", 1)[0] in _FOREIGN_TREES


def _stem(path: Path) -> str:
    return re.sub(r"(\.tar\.gz|\.tgz|\.zip)$", "", path.resolve().name, flags=re.IGNORECASE)


def _folder_entries(path: Path) -> Iterable[_Entry]:
    """The files of a folder, and the headers one level below it, which tell a folder of bundles."""
    root = path.resolve()
    with os.scandir(root) as found:
        for item in found:
            target = Path(item.path).resolve()
            if item.is_symlink() and not (target.is_relative_to(root) and target.exists()):
                raise BundleError(f"{item.name} in {path} links to somewhere outside of the bundle, or to nothing")
            if item.is_dir():
                if (Path(item.path) / layout.HEADER).is_file():
                    yield _Entry(f"{item.name}/{layout.HEADER}", 0, bytes)
                continue
            status = item.stat()
            if not stat.S_ISREG(status.st_mode):
                raise BundleError(f"{item.name} in {path} isn't a regular file")
            yield _Entry(item.name, status.st_size, Path(item.path).read_bytes)


def _tar_entries(data: bytes, what: str) -> Iterable[_Entry]:
    """The files of a tar archive, of which nothing may be left over."""
    end = 0
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            for member in archive:
                end = max(end, member.offset_data)
                if member.isdir():
                    _safe_name(member.name)
                    continue
                if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                    raise BundleError(
                        f"{member.name!r} in the archive is a link, a device or the like; nothing of it was used"
                    )
                content = data[member.offset_data : member.offset_data + member.size]
                if len(content) != member.size:
                    raise BundleError(f"{what}: truncated, {member.name!r} in it ends too early")
                end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                yield _Entry(member.name, member.size, lambda content=content: content)  # type: ignore[misc]  # a default binds the loop's value
    except (
        tarfile.TarError,
        ValueError,
        OverflowError,
        EOFError,
        struct.error,
        IndexError,
        RecursionError,
    ) as error:
        raise BundleError(f"{what}: not a sound tar archive ({error})", hint=layout.WHAT_A_BUNDLE_IS) from None
    rest = data[end:]
    if len(rest) < tarfile.BLOCKSIZE or rest.strip(b"\0"):
        raise BundleError(f"{what}: truncated or damaged, it doesn't end as a tar archive does")


def _load_zip(path: Path, data: bytes) -> Contents:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for info in archive.infolist():
                _safe_name(info.orig_filename)
            return _select(path, [_zip_entry(archive, info) for info in archive.infolist() if not info.is_dir()])
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError) as error:
        raise BundleError(f"{path} is truncated or corrupt: {error}") from None


def _zip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    if info.flag_bits & 0x1:
        raise BundleError(f"{info.filename!r} is encrypted", hint="Unpack it yourself, then replay the folder.")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise BundleError(
            f"{info.filename!r} in the archive is a link, a device or the like; nothing of it was used"
        )
    check_size(info.filename, info.file_size, info.compress_size)
    return _Entry(info.orig_filename, info.file_size, lambda: archive.read(info))
