"""The calm windows that the confidence is calibrated on: where they are cut, and what is counted."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks import calm_windows
from benchmarks.calm_windows import Case, bundles, by_set, choose, cut, cuts, left_out, reliability, systems
from rca.analyze.confidence import Standing
from rca.bundle import write_bundle
from rca.model.incident import Bundle, Interval, Span, Symptom, Window
from rca.model.logs import LogCounts, LogLine
from rca.model.signals import Kind, SignalFrame, SignalKey
from rca.model.tuning import Tuning

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS, ONSET_ROW = 60, 45


def at(row: float) -> datetime:
    return START + timedelta(minutes=row)


@pytest.fixture
def incident() -> Bundle:
    random = np.random.default_rng(1)
    values = 50 + random.standard_normal((ROWS, 3))
    values[ONSET_ROW:, 1] += 300
    keys = tuple(SignalKey(name, "latency_p99_ms", kind=Kind.LATENCY) for name in ("cart", "stock", "web"))
    times = START.timestamp() + 60.0 * np.arange(ROWS, dtype=np.float64)
    counts = LogCounts(times, ("cart",), ("INFO",), np.ones((ROWS, 1, 1)))
    return Bundle(
        id="one",
        window=Window(Interval(START, at(ROWS)), onset=at(ONSET_ROW)),
        symptom=Symptom("web"),
        metrics=SignalFrame(times, values, keys),
        logs=tuple(LogLine(at(row), "cart", "INFO", f"row {row}") for row in range(ROWS)),
        log_counts=counts,
        spans=tuple(Span(f"{row:032x}", f"{row:016x}", None, "cart", "read", at(row), 1.0) for row in range(ROWS)),
    )


def case(
    value: float, *, fault: bool, set_: str = "a", cut: bool = False, services: str = "xyz", onset: str = "given"
) -> Case:
    standing = Standing(value, value, value, 0.0, 1.0, 1.0, 12, 12.0)
    return Case(set_, "one", onset, cut, fault, fault, frozenset(services), standing)


def test_nothing_of_the_incident_is_in_a_cut(incident: Bundle) -> None:
    found = list(cuts(incident))
    assert len(found) == 3
    for calm in found:
        assert calm.metrics is not None
        assert calm.window.onset is not None
        assert calm.metrics.times[-1] < at(ONSET_ROW).timestamp()
        assert calm.window.span.end <= at(ONSET_ROW)
        assert calm.window.span.start < calm.window.onset < calm.window.span.end
        assert {line.at for line in calm.logs} == {span.start for span in calm.spans}
        assert max(line.at for line in calm.logs) < calm.window.span.end
        assert calm.log_counts is not None
        assert calm.log_counts.times[-1] + 60 <= calm.window.span.end.timestamp()
        assert calm.symptom is None


def test_the_first_cut_is_as_long_as_the_incident(incident: Bundle) -> None:
    calm = next(cuts(incident))
    assert calm.window.onset == at(ONSET_ROW - (ROWS - ONSET_ROW))
    assert calm.window.span.end == at(ONSET_ROW)


def test_a_cut_of_a_window_with_a_baseline_before_it_has_one_too(incident: Bundle) -> None:
    collected = replace(incident, window=replace(incident.window, span=Interval(at(30), at(ROWS))))
    window = next(cuts(collected)).window
    assert window.onset is not None
    assert window.span.start > START
    assert window.onset - window.span.start == window.span.end - window.onset


def test_without_an_onset_only_the_beginning_is_taken_for_calm(incident: Bundle) -> None:
    unknown = replace(incident, window=replace(incident.window, onset=None))
    assert all(calm.window.span.end <= at(0.4 * ROWS) for calm in cuts(unknown))


def test_lines_from_shortly_before_the_onset_make_a_cut_of_their_own(incident: Bundle) -> None:
    late = tuple(LogLine(at(40 + i / 10), "cart", "INFO", f"line {i}") for i in range(100))
    calm = list(cuts(replace(incident, logs=late)))[-1]
    assert calm.window.onset == at(42.5)
    assert calm.window.span.end == at(ONSET_ROW)
    assert len(calm.logs) == 50


def test_too_few_rows_make_no_cut(incident: Bundle) -> None:
    assert incident.metrics is not None
    short = replace(incident.metrics, times=incident.metrics.times[:3], values=incident.metrics.values[:3])
    early = replace(incident, window=replace(incident.window, onset=at(3)), logs=())
    assert not list(cuts(replace(incident, metrics=short)))
    assert not list(cuts(replace(incident, metrics=None)))
    assert not list(cuts(early))


def test_a_cut_keeps_no_counts_of_buckets_that_are_not_whole(incident: Bundle) -> None:
    first, second = at(10).timestamp(), at(10.5).timestamp()
    assert cut(replace(incident, log_counts=None), 0, first - 60, second).log_counts is None
    kept = cut(incident, 0, first - 60, second).log_counts
    assert kept is not None
    assert kept.times[-1] == at(9).timestamp()


@pytest.fixture
def folder(tmp_path: Path, incident: Bundle) -> Path:
    """Two faults with the same baseline, a calm bundle, and one without a label."""
    folder = tmp_path / "shop"
    folder.mkdir()
    assert incident.metrics is not None
    worse = incident.metrics.values.copy()
    worse[ONSET_ROW:, 0] += 100
    calm = 50 + np.random.default_rng(2).standard_normal((ROWS, 3))
    for name, values in (("one", incident.metrics.values), ("two", worse), ("calm", calm), ("other", calm)):
        write_bundle(replace(incident, id=name, metrics=replace(incident.metrics, values=values)), folder / name)
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("case", "root_cause_service"), ("one", "stock"), ("two", "stock"), ("calm", "")]
        )
    return folder


def test_a_baseline_that_two_bundles_share_is_cut_once(folder: Path) -> None:
    told = [(each.name, each.cut) for each in bundles(folder)]
    assert told.count(("one", True)) == 3
    assert told.count(("two", True)) == 0
    assert told.count(("calm", True)) == 3
    assert [name for name, calm in told if not calm] == ["calm", "one", "two"]


def test_the_tables_are_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["calm_windows", str(folder)])
    calm_windows.main()
    said = capsys.readouterr().out
    assert "| shop | 0.00 / 0.00 / 0.00 |" in said  # the faults are plain, whatever is told of the onset
    assert "| (abstained) | 0 of 3 (0%) | 3 | 12 |" in said  # the calm bundle, and the cuts of two baselines


def test_the_threshold_has_the_least_sum_of_errors() -> None:
    apart = {"a": ([2.0, 3.0], [0.5, 1.0])}
    assert choose(apart) == 2.0
    assert choose({**apart, "b": ([1.5, 1.6], [0.1, 1.0])}) == 1.5


def test_each_system_is_left_out_of_the_choice_of_its_threshold() -> None:
    cases = [
        case(value, fault=fault, set_=name, services=name)
        for name, fault, values in (
            ("a", True, (2, 3)),
            ("a", False, (0.5, 1)),
            ("b", True, (9, 9)),
            ("b", False, (5, 6)),
        )
        for value in values
    ]
    rows = list(left_out(cases, 1.5))
    assert rows[0][:4] == ("a", "2 / 2", "9.00", "1.00 / 1.00")
    assert rows[1] == ("b", "2 / 2", "2.00", "0.00 / 0.00", "0.00 / 0.00")
    assert rows[2][-1] == "0.00 / 0.50"


def test_a_set_without_faults_goes_with_the_system_whose_services_it_has() -> None:
    cases = [
        case(1, fault=True, set_="a", services="xyz"),
        case(1, fault=True, set_="b", services="uvw"),
        case(1, fault=False, set_="calm", services="vw"),
        case(1, fault=False, set_="calm", services="q"),
    ]
    assert systems(cases) == ["a", "b", "b", "calm"]


def test_each_word_has_its_shares() -> None:
    tuning = Tuning()
    cases = [
        case(tuning.high_from, fault=True),
        case(tuning.high_from, fault=False),
        case(tuning.medium_from, fault=True),
        case(0.1, fault=False),
        case(0.1, fault=False, cut=True),
    ]
    rows = list(reliability(cases, tuning))
    assert rows[0] == ("high", "1 of 2 (50%)", "1", "0")
    assert rows[1] == ("medium", "1 of 1 (100%)", "0", "0")
    assert rows[3] == ("(abstained)", "0 of 1 (0%)", "1", "1")
    assert list(by_set(cases, tuning)) == [("a", "0.00 / - / -", "0.50 / - / -", "1.00 / - / -")]
