from dataclasses import replace
from pathlib import Path

from rca.bundle import read_bundle, write_bundle
from tests.command import Invoke

SECRET = "jane.doe@example.org"


def leaky(bundle: Path, tmp_path: Path) -> Path:
    recorded = read_bundle(bundle)
    lines = (replace(recorded.logs[0], message=f"mail to {SECRET} failed"), *recorded.logs[1:])
    path = tmp_path / "leaky.zip"
    write_bundle(replace(recorded, logs=lines), path)
    return path


def test_an_old_bundle_is_redacted_into_a_new_one(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "clean.tar.gz"
    outcome = invoke("redact", leaky(bundle, tmp_path), "-o", target)
    assert outcome.code == 0
    assert "1 email" in outcome.err
    assert not any(SECRET in line.message for line in read_bundle(target).logs)
    again = tmp_path / "again.tar.gz"
    assert "nothing was found" in invoke("redact", target, "-o", again).err
    assert read_bundle(again).sha256 == read_bundle(target).sha256


def test_it_needs_a_target_that_is_not_there_yet(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    assert "-o is missing" in invoke("redact", bundle).err
    target = tmp_path / "there.zip"
    target.write_text("precious")
    assert invoke("redact", bundle, "-o", target).code == 2
    assert target.read_text() == "precious"
