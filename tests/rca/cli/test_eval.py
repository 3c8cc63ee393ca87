import json
from pathlib import Path

import pytest

from tests.command import Invoke


@pytest.fixture
def labelled(bundle: Path) -> Path:
    """A set of one: the recorded incident, and what caused it."""
    folder = bundle.parent / "set"
    folder.mkdir()
    bundle.rename(folder / bundle.name)
    case = bundle.name.removesuffix(".tar.gz").removesuffix(".zip")
    (folder / "labels.csv").write_text(f"case,root_cause_service,root_cause_type\n{case},redis,latency\n")
    return folder


def test_a_set_is_measured(invoke: Invoke, labelled: Path) -> None:
    outcome = invoke("eval", labelled, "--onset", "+90s")
    assert outcome.code == 0
    head, first, total = outcome.out.splitlines()
    assert head.split()[:3] == ["set", "cases", "AC@1"]
    assert first.split()[:3] == ["set", "1", "1.00"]
    assert total.split()[0] == "macro"


def test_json_and_markdown_are_for_scripts_and_pages(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    document = json.loads(invoke("eval", labelled, "--format", "json").out)
    assert document["macro"]["ac@1"] == 1.0
    target = tmp_path / "table.md"
    assert invoke("eval", labelled, "-o", target).code == 0
    assert target.read_text().startswith("| set | cases |")


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (("--min-ac1", "0.9"), 0),
        (("--max-wrongly-abstained", "0"), 0),
        (("--min-abstained", "0.5"), 11),
    ],
)
def test_a_minimum_makes_it_a_gate(invoke: Invoke, labelled: Path, gate: tuple[str, str], code: int) -> None:
    assert invoke("eval", labelled, *gate).code == code


def test_a_missed_label_fails_the_gate_and_says_so(invoke: Invoke, labelled: Path) -> None:
    labels = labelled / "labels.csv"
    labels.write_text(labels.read_text().replace(",redis,", ",gateway,"))
    outcome = invoke("eval", labelled, "--min-ac1", "0.9")
    assert outcome.code == 11
    assert "gate failed: AC@1 is 0.00, below 0.90" in outcome.err


def test_what_cannot_be_meant_is_a_usage_error(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    assert invoke("eval", labelled, "--onset", "soon").code == 2
    assert invoke("eval", labelled, "--format", "html").code == 2
    assert invoke("eval", tmp_path / "nowhere").code == 2
