import json
from dataclasses import replace
from pathlib import Path

import pytest

from rca.bundle import read_bundle, write_bundle
from tests.command import Invoke


@pytest.fixture
def kept(invoke: Invoke, bundle: Path) -> str:
    outcome = invoke("incidents", "add", bundle, "--title", "Redis again")
    assert outcome.code == 0
    return str(outcome.out.strip())


def test_an_added_incident_is_listed_shown_and_found(invoke: Invoke, kept: str) -> None:
    assert kept in invoke("incidents", "list").out
    shown = invoke("incidents", "show", kept[:16]).out
    assert "Redis again" in shown
    assert "not confirmed" in shown
    assert kept in invoke("incidents", "search", "redis", "timed").out
    assert "no kept incident" in invoke("incidents", "search", "unheard-of").err


def test_confirming_records_what_people_found(invoke: Invoke, kept: str) -> None:
    assert invoke("incidents", "confirm", kept, "--service", "cart", "--resolution", "raised the pool").code == 0
    document = json.loads(invoke("incidents", "show", kept, "--format", "json").out)
    assert (document["cause"], document["resolution"], document["confirmed"]) == ("cart", "raised the pool", True)
    listed = invoke("incidents", "list")
    assert "fixed by: raised the pool" in listed.out
    assert "when you know" not in listed.err


@pytest.mark.parametrize("words", [("list",), ("search", "redis")])
def test_a_list_says_whose_fix_is_not_recorded_and_how_to_add_it(
    invoke: Invoke, kept: str, words: tuple[str, ...]
) -> None:
    told = invoke("incidents", *words)
    assert "fixed by: not recorded" in told.out
    assert f"rca incidents confirm {kept} --service NAME --resolution 'what fixed it'" in told.err
    invoke("incidents", "confirm", kept, "--service", "cart")
    assert f"rca incidents confirm {kept} --resolution 'what fixed it'" in invoke("incidents", *words).err
    assert f"confirm {kept} --resolution 'what" in invoke("incidents", "show", kept).out


def test_a_later_incident_names_the_like_one_and_its_fix(
    invoke: Invoke, kept: str, bundle: Path, tmp_path: Path
) -> None:
    invoke("incidents", "confirm", kept, "--resolution", "raised the pool")
    assert json.loads(invoke("replay", bundle, "--format", "json").out)["similar"] == [], "not itself"
    again = tmp_path / "again.zip"
    write_bundle(replace(read_bundle(bundle), id="incident-again", title="Another night"), again)
    (similar,) = json.loads(invoke("replay", again, "--format", "json").out)["similar"]
    assert similar["incident"] == kept
    assert similar["resolution"] == "raised the pool"


def test_a_cause_that_nothing_on_record_speaks_of_is_noted(invoke: Invoke, kept: str) -> None:
    told = invoke("incidents", "confirm", kept, "--service", "reids").err
    assert "nothing on record speaks of reids" in told
    assert "redis" in told
    assert "nothing on record" not in invoke("incidents", "confirm", kept, "--service", "redis").err


def test_adding_with_a_cause_confirms_it(invoke: Invoke, bundle: Path) -> None:
    name = invoke("incidents", "add", bundle, "--service", "redis").out.strip()
    assert "confirmed" in invoke("incidents", "show", name).out


def test_an_unknown_cause_is_refused_before_anything_is_kept(invoke: Invoke, bundle: Path) -> None:
    outcome = invoke("incidents", "add", bundle, "--service", "rediss")
    assert outcome.code == 2
    assert "Did you mean redis" in outcome.err
    assert "no incident is kept" in invoke("incidents", "list").err


def test_adding_twice_is_refused_unless_forced(invoke: Invoke, kept: str, bundle: Path) -> None:
    outcome = invoke("incidents", "add", bundle)
    assert outcome.code == 2
    assert kept in outcome.err
    assert invoke("incidents", "add", bundle, "--force").code == 0


def test_forgetting_removes_it(invoke: Invoke, kept: str) -> None:
    assert invoke("incidents", "forget", kept).code == 0
    assert json.loads(invoke("incidents", "list", "--format", "json").out) == []
    assert invoke("incidents", "show", kept).code == 2


def test_incidents_move_by_export_and_import(invoke: Invoke, kept: str, tmp_path: Path) -> None:
    target = tmp_path / "incidents.json"
    assert invoke("incidents", "export", "-o", target).code == 0
    assert invoke("incidents", "import", target).code == 2, "it is kept already"
    invoke("incidents", "forget", kept)
    assert invoke("incidents", "import", target).code == 0
    assert kept in invoke("incidents", "list").out


def test_an_export_is_json_and_never_called_otherwise(invoke: Invoke, kept: str, tmp_path: Path) -> None:
    target = tmp_path / "incidents.csv"
    outcome = invoke("incidents", "export", "-o", target)
    assert outcome.code == 2
    assert "Let it end in .json" in outcome.err
    assert not target.exists()
    assert kept in invoke("incidents", "export").out
    assert invoke("incidents", "export", "-o", tmp_path / "X.JSON").code == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"incidents": [{}]}', "not json", "[" * 100_000])
def test_a_file_that_was_not_exported_is_refused(invoke: Invoke, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert invoke("incidents", "import", path).code == 2
    assert invoke("incidents", "import", tmp_path / "none.json").code == 2
