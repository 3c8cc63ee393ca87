"""Archives that nobody should trust."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rca.bundle import archive, layout, read_bundle
from rca.errors import BundleError, ExitCode

MakeFolder = Callable[..., Path]


def tar_of(*entries: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            tar.addfile(info, io.BytesIO(entry[1]))
    return out.getvalue()


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return out.getvalue()


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "/etc/passwd"
    return info


def refusal(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    assert caught.value.exit_code is ExitCode.BAD_BUNDLE
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def good(folder: MakeFolder) -> bytes:
    return (folder() / "bundle.json").read_bytes()


@pytest.mark.parametrize("prefix", ["", "./", "case/", "./case/"])
@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_the_bundle_may_lie_at_the_top_or_in_one_folder(
    tmp_path: Path, good: bytes, prefix: str, form: str
) -> None:
    path = tmp_path / "misnamed.bin"
    entries = [(f"{prefix}bundle.json", good), (f"{prefix}inner.zip", zip_of(("../x", b"")))]
    path.write_bytes(zip_of(*entries) if form == "zip" else gzip.compress(tar_of(*entries), mtime=0))
    bundle = read_bundle(path)
    assert bundle.id == "one"
    assert "inner.zip" in bundle.gaps[0].what


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
@pytest.mark.parametrize(
    "name",
    ["../evil", "case/../../evil", "/etc/passwd", "C:evil", "C:\\evil", "a\\b", "a\nb", "..", "a/.."],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, good: bytes, name: str, form: str) -> None:
    path = tmp_path / "case"
    entries = [("bundle.json", good), (name, b"x")]
    path.write_bytes(zip_of(*entries) if form == "zip" else gzip.compress(tar_of(*entries), mtime=0))
    assert "unsafe name" in refusal(path)


def test_names_of_folders_are_checked_too(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "case"
    path.write_bytes(zip_of(("bundle.json", good), ("../evil/", b"")))
    assert "unsafe name" in refusal(path)
    path.write_bytes(gzip.compress(tar_of(special("../evil", tarfile.DIRTYPE), ("bundle.json", good))))
    assert "unsafe name" in refusal(path)
    path.write_bytes(gzip.compress(tar_of(special("case", tarfile.DIRTYPE), ("case/bundle.json", good))))
    assert read_bundle(path).id == "one"


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, good: bytes, kind: bytes) -> None:
    path = tmp_path / "case.tar.gz"
    path.write_bytes(gzip.compress(tar_of(("bundle.json", good), special("logs.jsonl", kind))))
    assert "a link, a device" in refusal(path)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, good: bytes) -> None:
    link = zipfile.ZipInfo("logs.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "case.zip"
    path.write_bytes(zip_of(("bundle.json", good), (link, b"/etc/passwd")))
    assert "a link, a device" in refusal(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path, good: bytes) -> None:
    data = bytearray(zip_of(("bundle.json", good)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "case.zip"
    path.write_bytes(data)
    assert "is encrypted" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twin", ["bundle.json", "./bundle.json"])
def test_a_name_that_occurs_twice_is_refused(tmp_path: Path, good: bytes, twin: str) -> None:
    path = tmp_path / "case"
    path.write_bytes(zip_of(("bundle.json", good), (twin, good)))
    assert "twice" in refusal(path)
    path.write_bytes(gzip.compress(tar_of(("bundle.json", good), (twin, good))))
    assert "twice" in refusal(path)


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_every_truncation_is_refused(tmp_path: Path, good: bytes, form: str) -> None:
    entries = [("bundle.json", good), ("logs.jsonl", b"")]
    whole = zip_of(*entries) if form == "zip" else gzip.compress(tar_of(*entries), mtime=0)
    path = tmp_path / "case"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        refusal(path)


def test_a_tar_that_was_cut_before_it_was_packed_is_refused(tmp_path: Path, good: bytes) -> None:
    whole = tar_of(("bundle.json", good), ("notes.txt", b"x" * 2000))
    path = tmp_path / "case.tar.gz"
    for length in (300, 512, 700, 1024, 1536, 2000, 3584):
        path.write_bytes(gzip.compress(whole[:length], mtime=0))
        refusal(path)
    damaged = bytearray(whole)
    damaged[1024 + 3] ^= 0xFF
    path.write_bytes(gzip.compress(bytes(damaged), mtime=0))
    assert "truncated or damaged" in refusal(path)


def test_a_damaged_zip_is_refused(tmp_path: Path, good: bytes) -> None:
    data = bytearray(zip_of(("bundle.json", good)))
    data[60] ^= 0xFF
    path = tmp_path / "case.zip"
    path.write_bytes(data)
    assert "truncated or corrupt" in refusal(path)


@pytest.mark.parametrize("form", ["zip", "tar.gz", "inner"])
def test_a_bomb_is_refused(tmp_path: Path, good: bytes, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "RATIO_FROM", 1 << 20)
    zeros = bytes(4 << 20)
    packed = {
        "zip": zip_of(("bundle.json", good), ("logs.jsonl", zeros)),
        "tar.gz": gzip.compress(tar_of(("bundle.json", good), ("logs.jsonl", zeros))),
        "inner": zip_of(("bundle.json", good), ("logs.jsonl.gz", gzip.compress(zeros, mtime=0))),
    }
    path = tmp_path / "case"
    path.write_bytes(packed[form])
    assert "bomb" in refusal(path)


def test_more_than_the_bounds_is_refused(tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(zip_of(("bundle.json", good), *((f"x{n}", b"") for n in range(20))))
    monkeypatch.setattr(layout, "MAX_ENTRIES", 10)
    assert "more than 10 entries" in refusal(path)
    monkeypatch.setattr(layout, "MAX_BYTES", 1 << 20)
    random = os.urandom(700_000)
    path.write_bytes(zip_of(("bundle.json", good), ("a", random), ("b", random)))
    assert "larger than 1 MiB" in refusal(path)
    path.write_bytes(zip_of(("bundle.json", good), ("a", bytes(700_000)), ("b", bytes(700_000))))
    assert "more than 1 MiB" in refusal(path)
    with pytest.raises(BundleError, match="more than 1 MiB unpacked"):
        archive.inflate(gzip.compress(bytes(2 << 20), mtime=0), "x", layout.MAX_BYTES)


def test_gzip_of_several_members_is_whole() -> None:
    assert archive.inflate(gzip.compress(b"a", mtime=0) + gzip.compress(b"b"), "x") == b"ab"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"MZ\x90", "neither a .tar.gz nor a .zip"),
        (gzip.compress(b"hello", mtime=0), "thing: not a sound tar archive"),
        (zip_of(("readme.txt", b"")), "no bundle.json in it"),
        (zip_of(("a/b/bundle.json", b"")), "no bundle.json in it"),
        (zip_of(("a/bundle.json", b""), ("b/bundle.json", b"")), "holds 2 of them"),
        (zip_of(("__MACOSX/bundle.json", b"")), "no bundle.json in it"),
    ],
)
def test_something_else_is_told_from_a_bundle(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_folder_that_is_none_says_so(tmp_path: Path, folder: MakeFolder) -> None:
    assert "there is no bundle at" in refusal(tmp_path / "nowhere")
    assert "no bundle.json" in refusal(tmp_path)
    folder()
    assert "holds 1 of them" in refusal(tmp_path)
    assert "neither a file nor a folder" in refusal(Path(os.devnull))


def test_what_a_folder_links_to_outside_is_refused(folder: MakeFolder) -> None:
    path = folder({"real.jsonl": b""})
    (path / "logs.jsonl").symlink_to("real.jsonl")
    assert read_bundle(path).logs == ()
    (path / "events.jsonl").symlink_to("/etc/hostname")
    assert "links to somewhere outside" in refusal(path)
    (path / "events.jsonl").unlink()
    (path / "events.jsonl").symlink_to("nothing")
    assert "or to nothing" in refusal(path)
    (path / "events.jsonl").unlink()
    os.mkfifo(path / "events.jsonl")
    assert "isn't a regular file" in refusal(path)


def test_a_file_that_may_not_be_read_is_an_error_with_its_reason(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    path = folder()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "Permission denied" in refusal(path)
