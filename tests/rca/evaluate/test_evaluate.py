import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rca.analyze import analyze
from rca.errors import UsageError
from rca.evaluate import Accuracy, CaseResult, Label, Onset, evaluate, macro, measure, read_labels
from rca.evaluate import run as running
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import Confidence, Report, ToolInfo
from rca.model.signals import SignalFrame

TOOL = ToolInfo("0", "test")
START = datetime(2026, 3, 1, tzinfo=UTC)


def write_case(folder: Path, name: str, faulty: str | None) -> None:
    """A hand-made bundle: three services, one of which may saturate its CPU."""
    case = folder / name
    case.mkdir(parents=True)
    noise = np.random.default_rng(5).standard_normal((40, 3))
    values = 20 + noise
    services = ["a", "b", "c"]
    if faulty:
        values[30:, services.index(faulty)] += 60
    rows = ["timestamp," + ",".join(f"{name}|cpu_percent" for name in services)]
    rows += [
        f"{START.timestamp() + 60 * i:.0f}," + ",".join(f"{v:.4f}" for v in row) for i, row in enumerate(values)
    ]
    (case / "metrics.csv").write_text("\n".join(rows) + "\n")
    end = START + timedelta(minutes=40)
    header = {
        "format_version": 1,
        "id": name,
        "window": {"start": START.isoformat(), "end": end.isoformat()},
        "onset": (START + timedelta(minutes=30)).isoformat(),
    }
    (case / "bundle.json").write_text(json.dumps(header))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    for name, faulty in (("x1", "a"), ("x2", "b")):
        write_case(tmp_path / "faults", name, faulty)
    write_case(tmp_path / "calm", "y1", None)
    (tmp_path / "faults" / "labels.csv").write_text(
        "case,root_cause_service,root_cause_type\nx1,a,cpu\nx2,c;b,cpu\n"
    )
    (tmp_path / "calm" / "labels.csv").write_text("case,root_cause_service,root_cause_type\ny1,,normal\n")
    return tmp_path


@pytest.mark.parametrize("onset", ["given", "hidden", "+90s"])
def test_every_set_of_a_folder_is_measured(sets: Path, onset: str) -> None:
    found = evaluate(sets, tool=TOOL, onset=Onset.parse(onset))
    calm, faults = found.sets
    assert (faults.name, faults.cases, faults.ac[1], faults.accuracy.mrr) == ("faults", 2, 1.0, 1.0)
    assert (faults.wrongly_abstained, faults.rightly_abstained) == (0.0, None)
    assert (calm.ac[1], calm.rightly_abstained, calm.abstained) == (None, 1.0, 1.0)
    assert found.macro.ac[1] == 1.0


def test_one_set_alone_is_measured_and_written_as_the_contract_says(sets: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    document = evaluate(sets / "faults", tool=TOOL, progress=lambda *said: seen.append(said)).to_json()
    assert seen == [(0, 2, "faults/x1"), (1, 2, "faults/x2")]
    assert document["schema_version"] == 1
    assert document["sets"][0]["ac@1"] == 1.0
    assert [case["rank_of_truth"] for case in document["cases"]] == [1, 1]
    assert document["cases"][0]["ranking"][0] == "a"
    json.dumps(document)


def test_labels_are_read_after_the_last_ranking(sets: Path) -> None:
    labels = sets / "faults" / "labels.csv"
    text = labels.read_text()

    def swap(done: int, _total: int, _case: str) -> None:
        labels.write_text(text if done else "case,root_cause_service\n")

    assert evaluate(sets / "faults", tool=TOOL, progress=swap).sets[0].ac[1] == 1.0


def test_a_case_without_a_label_is_ranked_and_not_counted(sets: Path) -> None:
    (sets / "faults" / "labels.csv").write_text("case,root_cause_service\nx1,a\n")
    found = evaluate(sets / "faults", tool=TOOL)
    assert found.sets[0].cases == 1
    assert found.to_json()["cases"][1]["rank_of_truth"] is None


def test_a_folder_without_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labelled set"):
        evaluate(tmp_path, tool=TOOL)


def test_the_analysis_sees_neither_a_name_nor_a_note(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = json.loads((sets / "faults" / "x1" / "bundle.json").read_text())
    header |= {"title": "a is at fault", "notes": "it was a", "system": "shop-a"}
    (sets / "faults" / "x1" / "bundle.json").write_text(json.dumps(header))
    seen: list[Bundle] = []

    def spy(bundle: Bundle, **more: Any) -> Report:
        seen.append(bundle)
        return analyze(bundle, **more)

    monkeypatch.setattr(running, "analyze", spy)
    evaluate(sets / "faults", tool=TOOL)
    assert [(b.id, b.title, b.notes, b.system, b.sources) for b in seen] == [("", "", "", "", ())] * 2


def test_the_file_of_labels_is_opened_after_the_last_analysis(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def analysed(bundle: Bundle, **more: Any) -> Report:
        happened.append("analysis")
        return analyze(bundle, **more)

    def opened(path: Path, *arguments: Any, **more: Any) -> Any:
        if path.name == "labels.csv":
            happened.append("labels")
        return original(path, *arguments, **more)

    original = Path.open
    monkeypatch.setattr(running, "analyze", analysed)
    monkeypatch.setattr(Path, "open", opened)
    evaluate(sets, tool=TOOL)
    assert happened == ["analysis"] * 3 + ["labels"] * 2


def test_labels_say_more_where_they_can(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "case,root_cause_service,root_cause_type,root_cause_change,decoys\n"
        "1,a; b,cpu,abc,d1;d2\n2,a,node,none,d3\n3,a,cpu,,\n"
    )
    labels = read_labels(tmp_path)
    assert labels["1"] == Label("1", frozenset({"a", "b"}), "cpu", "abc", frozenset({"d1", "d2"}))
    assert [labels[case].change for case in "123"] == ["abc", "", None]


def test_a_case_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("case,root_cause_service\n1,a\n1,b\n")
    with pytest.raises(UsageError, match="names the case 1 twice"):
        read_labels(tmp_path)


def test_labels_without_their_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="lacks a column"):
        read_labels(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        read_labels(tmp_path / "missing")


def test_an_onset_is_given_hidden_or_shifted() -> None:
    onset = START + timedelta(minutes=5)
    bundle = Bundle("b", Window(Interval(START, START + timedelta(hours=1)), onset), resolution_seconds=300)
    assert Onset.parse("given").applied(bundle).window.onset == onset
    assert Onset.parse("hidden").applied(bundle).window.onset is None
    assert Onset.parse("-60s").applied(bundle).window.onset == onset - timedelta(minutes=1)
    assert Onset.parse("+2m").applied(bundle).window.onset == onset + timedelta(minutes=2)
    assert Onset.parse("+1row").applied(bundle).window.onset == onset + timedelta(minutes=5)
    times = START.timestamp() + np.array([0.0, 10.0, 20.0, 40.0])
    measured = replace(bundle, metrics=SignalFrame(times, np.zeros((4, 0)), ()))
    assert Onset.parse("-2rows").applied(measured).window.onset == onset - timedelta(seconds=20)
    unknown = Bundle("b", Window(bundle.window.span))
    assert Onset.parse("+90s").applied(unknown) is unknown
    with pytest.raises(UsageError, match="can't be 'soon'"):
        Onset.parse("soon")


def result(case: str, *ranking: str, abstained: bool = False) -> CaseResult:
    return CaseResult("s", case, ranking, abstained, Confidence.HIGH, None, 0.5, baselines={"z": ("b",)})


def test_accuracy_by_hand() -> None:
    labels = {name: Label(name, frozenset({"a"})) for name in ("1", "2", "3")} | {"4": Label("4", frozenset())}
    results = [
        result("1", "a", "b"),
        result("2", "b", "c", "a", abstained=True),
        result("3", "b"),
        result("4", "b", abstained=True),
        result("unlabelled", "a"),
    ]
    score = measure("s", results, labels)
    assert (score.cases, score.faults) == (4, 3)
    assert score.ac == pytest.approx({1: 1 / 3, 2: 1 / 3, 3: 2 / 3, 4: 2 / 3, 5: 2 / 3})
    assert score.accuracy.avg5 == pytest.approx(8 / 15)
    assert score.accuracy.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert (score.abstained, score.rightly_abstained) == (0.5, 1.0)
    assert score.wrongly_abstained == pytest.approx(1 / 3)
    assert score.baselines["z"].ac[1] == 0.0
    assert score.baselines["random"].ac[1] == pytest.approx((1 / 2 + 1 / 3) / 3)


def test_the_mean_over_sets_counts_each_the_same() -> None:
    labels = {"1": Label("1", frozenset({"a"})), "2": Label("2", frozenset({"a"})), "4": Label("4", frozenset())}
    right = measure("x", [result("1", "a")], labels)
    wrong = measure("y", [result("1", "b"), result("2", "b")], labels)
    calm = measure("z", [result("4", "b", abstained=True)], labels)
    assert isinstance(right.accuracy, Accuracy)
    mean = macro([right, wrong, calm])
    assert (mean.ac[1], mean.rightly_abstained, mean.cases) == (0.5, 1.0, 4)
    assert macro([]).ac[1] is None


def test_the_right_change_or_rightly_none_counts_for_the_trigger() -> None:
    def blaming(case: str, commit: str | None, *, change: bool = True) -> CaseResult:
        return replace(result(case, "a"), trigger=commit, blames_change=change)

    nobody, anybody = frozenset[str](), frozenset({"a"})
    labels = {
        "guilty": Label("guilty", anybody, change="abc", decoys=frozenset({"def"})),
        "lured": Label("lured", anybody, change="abc", decoys=frozenset({"def"})),
        "none": Label("none", anybody, change=""),
        "none, a deploy blamed": Label("none, a deploy blamed", anybody, change=""),
        "unknown": Label("unknown", nobody),
    }
    results = [
        blaming("guilty", "abc"),
        blaming("lured", "def"),
        blaming("none", None, change=False),
        blaming("none, a deploy blamed", None),
        blaming("unknown", "abc"),
    ]
    score = measure("s", results, labels)
    assert (score.trigger, score.decoy) == (0.5, 0.5)


def test_each_type_of_fault_is_measured_by_itself() -> None:
    labels = {
        "1": Label("1", frozenset({"a"}), "cpu"),
        "2": Label("2", frozenset({"a"}), "loss"),
        "3": Label("3", frozenset(), "normal"),
    }
    score = measure("s", [result("1", "a"), result("2", "b"), result("3", "a")], labels)
    assert {name: one.ac[1] for name, one in score.types.items()} == {"cpu": 1.0, "loss": 0.0}
