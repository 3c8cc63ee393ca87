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
    with keeping(recorded, loaded, None, overwrite=False) as (hashed, place):
        assert hashed.sha256 == content_hash(recorded)
    assert place.parent == tmp_path / "data/bundles"
    assert hashed.sha256[:8] in place.name
    assert read_bundle(place).sha256 == hashed.sha256


def test_a_bundle_that_cannot_be_kept_does_not_take_the_report(tmp_path: Path, recorded: Bundle) -> None:
    reported = []
    with (
        pytest.raises(UsageError, match="there is no folder"),
        keeping(recorded, load_config(), tmp_path / "none/x.zip", overwrite=False),
    ):
        reported.append("shown")
    assert reported == ["shown"]
