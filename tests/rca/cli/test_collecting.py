from pathlib import Path

import pytest

from rca.bundle import content_hash, read_bundle
from rca.cli.collecting import keeping
from rca.config.load import load_config
from rca.errors import UsageError
from rca.model.incident import Bundle


@pytest.fixture
def recorded(bundle: Path) -> Bundle:
    return read_bundle(bundle)


def test_a_bundle_is_kept_under_its_hash_beside_what_is_done_with_it(tmp_path: Path, recorded: Bundle) -> None:
    loaded = load_config(flags={"data_dir": tmp_path / "data"})
    notes: list[str] = []
    with keeping(recorded, loaded, None, note=notes.append, overwrite=False) as (hashed, place):
        assert hashed.sha256 == content_hash(recorded)
    assert place.parent == tmp_path / "data/bundles"
    assert hashed.sha256[:8] in place.name
    assert read_bundle(place).sha256 == hashed.sha256
    assert not notes


def test_a_bundle_that_cannot_be_kept_does_not_take_the_report(tmp_path: Path, recorded: Bundle) -> None:
    reported: list[str] = []
    with (
        pytest.raises(UsageError, match="there is no folder"),
        keeping(recorded, load_config(), tmp_path / "none/x.zip", note=reported.append, overwrite=False),
    ):
        reported.append("shown")
    assert reported == ["shown"]


def test_a_data_directory_that_cannot_be_used_costs_a_note_and_no_error(tmp_path: Path, recorded: Bundle) -> None:
    (tmp_path / "file").write_text("in the way")
    loaded = load_config(flags={"data_dir": tmp_path / "file"})
    notes: list[str] = []
    with keeping(recorded, loaded, None, note=notes.append, overwrite=False) as (hashed, place):
        assert hashed.sha256
    assert not place.exists()
    (note,) = notes
    assert note.startswith("not kept: can't write the bundle")
    assert "--save" in note
