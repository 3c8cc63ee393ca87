"""A bundle to disk: whole or not at all, and the same bytes for the same bundle."""

import hashlib
import os
import re
import secrets
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from rca.bundle import layout
from rca.bundle.archive import check_size
from rca.bundle.documents import Sealed, documents, pretty
from rca.bundle.header import write_header
from rca.errors import UsageError
from rca.model.incident import Bundle

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_FILE_MODE = 0o644
_OTHER_FORMATS = re.compile(
    r"\.(tar|gz|bz2|xz|zst|7z|rar|tbz2?|txz|json|csv|jsonl|ndjson|txt|log|md|html?|pdf|xml|ya?ml|toml|parquet)$",
    re.IGNORECASE,
)
"""Endings that promise a file; a folder of such a name would surprise whoever asked for it."""


def write_bundle(bundle: Bundle | Sealed, path: Path, *, overwrite: bool = False) -> None:
    """Write a bundle: a `.tar.gz` (`.tgz`) or a `.zip` by its suffix, otherwise a folder.

    It appears under its name when it is complete; a failure or an interrupt leaves what was there before.

    Args:
        bundle: What to write; a sealed one takes half of the work.
        path: Where; the folder it lies in must exist.
        overwrite: Replace a bundle (never a folder that holds anything else) that is there.

    Raises:
        UsageError: There is something of that name, or the place can't be written to.
        BundleError: The bundle is larger than what can be read back.
    """
    check_target(path, overwrite=overwrite)
    build = _builder(path)
    sealed = bundle if isinstance(bundle, Sealed) else Sealed(bundle, documents(bundle))
    files = stored_files(sealed)
    try:
        if build is None:
            _replace_folder(path, files)
        else:
            _replace_file(path, build(files, _top(sealed.bundle.id)))
    except OSError as error:
        raise UsageError(
            f"can't write the bundle {path}: {error.strerror or error}",
            hint="Nothing was left behind; free some space there or name another place.",
        ) from error


def stored_files(sealed: Sealed) -> dict[str, bytes]:
    """Every file of a bundle as it is stored, by name, with the header's `files` filled in.

    Raises:
        BundleError: The bundle is larger than what can be read back.
    """
    found = {name: document for name, document in sealed.documents.items() if name != layout.HEADER}
    total = sum(len(data) for data, _ in found.values())
    check_size("the bundle", total, total, layout.MAX_BYTES)
    files: dict[str, bytes] = {}
    records: dict[str, dict[str, str | int]] = {}
    for name, (data, rows) in found.items():
        stored = layout.stored(name)
        files[stored] = gzip(data) if stored != name else data
        check_size(name, len(data), len(files[stored]))
        records[stored] = {"sha256": hashlib.sha256(files[stored]).hexdigest()}
        if rows is not None:
            records[stored]["rows"] = rows
    files[layout.HEADER] = pretty(write_header(sealed.bundle) | {"files": dict(sorted(records.items()))})
    return dict(sorted(files.items()))


def gzip(data: bytes) -> bytes:
    """The data as gzip without name, time or operating system: the same bytes on every Python."""
    packer = zlib.compressobj(level=6, wbits=-15)
    packed = packer.compress(data) + packer.flush()
    return _GZIP_HEADER + packed + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _builder(path: Path) -> Callable[[dict[str, bytes], str], bytes] | None:
    """What makes the archive; None for a folder."""
    name = path.name.lower()
    if name.endswith((".tar.gz", ".tgz")):
        return _tar
    if name.endswith(".zip"):
        return _zip
    if _OTHER_FORMATS.search(name):
        raise UsageError(
            f"a bundle can't be written as {path.name}",
            hint="Name it .tar.gz or .zip, or give a name without a suffix for a folder.",
        )
    return None


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where a bundle can't be written, so that nobody learns it after a minute of collecting.

    Raises:
        UsageError: As of `write_bundle`.
    """
    try:
        _check_target(path, overwrite=overwrite)
    except OSError as error:  # a folder on the way is somebody else's
        raise UsageError(f"can't write the bundle {path}: {error.strerror}", hint="Name another place.") from error


def _check_target(path: Path, *, overwrite: bool) -> None:
    archive = _builder(path) is not None
    if not path.parent.is_dir():
        raise UsageError(
            f"can't write the bundle {path}: there is no folder {path.parent}",
            hint="Make it, or name another place.",
        )
    if not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"can't write the bundle {path}: the folder {path.parent} can't be written to",
            hint="Name another place.",
        )
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise UsageError(f"{path} exists", hint="Choose another name, or replace it with --force.")
    if path.is_dir() and (archive or not _is_replaceable(path)):
        raise UsageError(
            f"{path} is a folder with something else than a bundle in it; it was left alone",
            hint="Choose another name.",
        )
    if path.is_file() and not archive:
        raise UsageError(
            f"{path} is a file, and a bundle of that name is a folder; it was left alone",
            hint="Choose another name, or end it with .tar.gz or .zip.",
        )


def _is_replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or holds a bundle and nothing that isn't part of one."""
    known = {layout.HEADER, *layout.OPTIONAL, *(f"{name}.gz" for name in layout.OPTIONAL)}
    names = {item.name for item in folder.iterdir()}
    return not names or (layout.HEADER in names and names <= known)


def _replace_file(path: Path, data: bytes) -> None:
    temporary = _beside(path)
    try:
        _write_new(temporary, data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _replace_folder(path: Path, files: dict[str, bytes]) -> None:
    temporary, former = _beside(path), _beside(path)
    try:
        temporary.mkdir()
        for name, data in files.items():
            _write_new(temporary / name, data)
        if path.is_dir():
            path.rename(former)
        temporary.rename(path)
    except BaseException:
        if former.is_dir() and not path.exists():
            former.rename(path)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _beside(path: Path) -> Path:
    """A free, hidden name in the same folder, so that the last step is a rename."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.tmp")


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _top(identity: str) -> str:
    """The name of the one folder in an archive, so that unpacking doesn't litter."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", identity).strip(".-")[:60] or "bundle"


def _tar(files: dict[str, bytes], top: str) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mode, info.mtime = len(data), _FILE_MODE, 0
            archive.addfile(info, BytesIO(data))
    return gzip(out.getvalue())


def _zip(files: dict[str, bytes], top: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(f"{top}/{name}", _ZIP_EPOCH)
            info.create_system, info.external_attr = _UNIX, _FILE_MODE << 16
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()
