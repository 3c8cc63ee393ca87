import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rca.errors import UsageError
from rca.evaluate import CaseResult, Label, Onset, evaluate, macro, measure, read_labels
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import Confidence, ToolInfo

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
    assert (faults.name, faults.cases, faults.ac[1], faults.mrr) == ("faults", 2, 1.0, 1.0)
    assert (faults.wrongly_abstained, faults.rightly_abstained) == (0.0, None)
    assert (calm.ac[1], calm.rightly_abstained, calm.abstained) == (None, 1.0, 1.0)
    assert found.macro.ac[1] == 1.0


def test_one_set_alone_is_measured_and_written_as_the_contract_says(sets: Path) -> None:
    seen: list[str] = []
    document = evaluate(sets / "faults", tool=TOOL, progress=seen.append).to_json()
    assert seen == ["faults/x1", "faults/x2"]
    assert document["schema_version"] == 1
    assert document["sets"][0]["ac@1"] == 1.0
    assert [case["rank_of_truth"] for case in document["cases"]] == [1, 1]
    assert document["cases"][0]["ranking"][0] == "a"
    json.dumps(document)


def test_labels_are_read_after_the_last_ranking(sets: Path) -> None:
    labels = sets / "faults" / "labels.csv"
    text = labels.read_text()

    def swap(case: str) -> None:
        labels.write_text("case,root_cause_service\n" if case.endswith("x1") else text)

    assert evaluate(sets / "faults", tool=TOOL, progress=swap).sets[0].ac[1] == 1.0


def test_a_case_without_a_label_is_ranked_and_not_counted(sets: Path) -> None:
    (sets / "faults" / "labels.csv").write_text("case,root_cause_service\nx1,a\n")
    found = evaluate(sets / "faults", tool=TOOL)
    assert found.sets[0].cases == 1
    assert found.to_json()["cases"][1]["rank_of_truth"] is None


def test_a_folder_without_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labelled set"):
        evaluate(tmp_path, tool=TOOL)


def test_labels_without_their_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="lacks a column"):
        read_labels(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        read_labels(tmp_path / "missing")


def test_an_onset_is_given_hidden_or_shifted() -> None:
    onset = START + timedelta(minutes=5)
    bundle = Bundle("b", Window(Interval(START, START + timedelta(hours=1)), onset))
    assert Onset.parse("given").applied(bundle).window.onset == onset
    assert Onset.parse("hidden").applied(bundle).window.onset is None
    assert Onset.parse("-60s").applied(bundle).window.onset == onset - timedelta(minutes=1)
    unknown = Bundle("b", Window(bundle.window.span))
    assert Onset.parse("+90s").applied(unknown) is unknown
    with pytest.raises(UsageError, match="can't be 'soon'"):
        Onset.parse("soon")


def result(case: str, *ranking: str, abstained: bool = False) -> CaseResult:
    return CaseResult("s", case, ranking, abstained, Confidence.HIGH, None, 0.5, ("b",))


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
    assert score.avg5 == pytest.approx(8 / 15)
    assert score.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert (score.abstained, score.rightly_abstained) == (0.5, 1.0)
    assert score.wrongly_abstained == pytest.approx(1 / 3)
    assert score.simple_ac1 == 0.0


def test_the_mean_over_sets_counts_each_the_same() -> None:
    labels = {"1": Label("1", frozenset({"a"})), "2": Label("2", frozenset({"a"})), "4": Label("4", frozenset())}
    right = measure("x", [result("1", "a")], labels)
    wrong = measure("y", [result("1", "b"), result("2", "b")], labels)
    calm = measure("z", [result("4", "b", abstained=True)], labels)
    mean = macro([right, wrong, calm])
    assert (mean.ac[1], mean.rightly_abstained, mean.cases) == (0.5, 1.0, 4)
    assert macro([]).ac[1] is None
