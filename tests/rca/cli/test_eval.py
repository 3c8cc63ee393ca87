import json
import sys
from pathlib import Path

import pytest

from rca.cli.base import Run
from rca.cli.eval import progress
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
    head, first = outcome.out.splitlines()[:2]
    assert head.split()[:3] == ["set", "cases", "AC@1"]
    assert first.split()[:3] == ["set", "1", "1.00"]


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


def test_changes_are_judged_by_ones_own_words_too(
    invoke: Invoke, labelled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = tmp_path / "words"
    words.mkdir()
    (words / "gone.toml").write_text('[[gone]]\nkind = "lock_gon"\npotency = 0.9\nwords = ["raise fence"]\n')
    assert invoke("eval", labelled).code == 0
    asked = invoke("eval", labelled, "--vocabulary", words)
    monkeypatch.setenv("RCA_CHANGES_VOCABULARY", str(words))
    for outcome in (asked, invoke("eval", labelled)):
        assert outcome.code == 2
        assert "no kind is called 'lock_gon'" in outcome.err


def test_what_cannot_be_meant_is_a_usage_error(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    assert invoke("eval", labelled, "--onset", "soon").code == 2
    assert invoke("eval", labelled, "--format", "html").code == 2
    assert invoke("eval", tmp_path / "nowhere").code == 2


def test_several_sets_get_their_mean_and_every_table(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    for name in ("one", "two"):
        (tmp_path / "sets" / name).symlink_to(labelled)
    case = next(path for path in labelled.iterdir() if path.name != "labels.csv").name.split(".")[0]
    labels = f"case,root_cause_service,root_cause_type,root_cause_change\n{case},redis,latency,none\n"
    (labelled / "labels.csv").write_text(labels)
    outcome = invoke("eval", tmp_path / "sets", "--verbose")
    assert [line.split()[0] for line in outcome.out.split("\n\n")[0].splitlines()[1:]] == ["one", "two", "macro"]
    heads = [table.splitlines()[0].split()[:2] for table in outcome.out.split("\n\n")]
    assert heads == [["set", "cases"], ["set", "ranker"], ["set", "fault"], ["set", "right"]]
    assert "2/2 two/" in outcome.err
    assert "2 cases in" in outcome.err


def test_labels_without_a_bundle_and_bundles_without_a_label_are_named(invoke: Invoke, labelled: Path) -> None:
    labels = labelled / "labels.csv"
    head, first = labels.read_text().splitlines()
    labels.write_text(f"{head}\n{first}\nlost,redis,latency\n")
    outcome = invoke("eval", labelled)
    assert "no bundle, so not counted: set/lost" in outcome.err
    assert "no label" not in outcome.err
    assert "1 case in" in outcome.err
    labels.write_text(f"{head}\nlost,redis,latency\n")
    assert f"no label, so not counted: set/{first.split(',')[0]}" in invoke("eval", labelled).err


def test_quiet_says_nothing_beside_the_result(invoke: Invoke, labelled: Path) -> None:
    assert invoke("eval", labelled, "--quiet").err == ""


def test_a_set_without_faults_has_one_table(invoke: Invoke, labelled: Path) -> None:
    labels = labelled / "labels.csv"
    labels.write_text(labels.read_text().replace(",redis,latency", ",,normal"))
    assert "\n\n" not in invoke("eval", labelled).out


def test_on_a_terminal_one_line_of_progress_is_written_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show = progress(Run())
    assert show is not None
    show(0, 2, "s/a")
    show(1, 2, "s/b")
    assert capsys.readouterr().err == "\r\x1b[K1/2 s/a\r\x1b[K2/2 s/b\r\x1b[K"


def test_a_file_whose_ending_names_no_format_is_refused(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    outcome = invoke("eval", labelled, "-o", tmp_path / "table.pdf")
    assert outcome.code == 2
    assert "no format for 'table.pdf'" in outcome.err
    assert invoke("eval", labelled, "-o", tmp_path / "table.txt").code == 0
