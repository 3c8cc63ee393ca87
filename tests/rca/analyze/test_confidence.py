"""How far an incident stands out of what the system usually shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.analyze import AnalysisOptions, analyze
from rca.analyze.assess import rank_bundle
from rca.analyze.confidence import Standing, level, needed, standing
from rca.analyze.prepare import prepare
from rca.model.incident import Bundle, Interval
from rca.model.report import Confidence, ToolInfo
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning
from tests.rca.analyze.conftest import MakeBundle

Quiet = Callable[[int, float, float], FloatArray]
LATE = np.where(np.arange(60) >= 45, 1.0, 0.0)
CHAIN = [("edge", "web"), ("web", "db"), ("db", "web")]  # with a circle


def stood(bundle: Bundle, tuning: Tuning | None = None) -> Standing:
    options = AnalysisOptions(tuning=tuning or Tuning())
    ranked, evidence = rank_bundle(bundle, prepare(bundle, options.tuning.rows), options)
    assert ranked is not None
    return standing(ranked, evidence, options.tuning)


def shows(bundle: Bundle, service: str) -> float:
    """What a service shows beyond its score."""
    ranked, _ = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions())
    assert ranked is not None
    mine = np.array([name == service for name in ranked.structure.services])
    return level(mine, ranked.services, ranked.mixed, ranked.structure, Tuning()) - float(
        ranked.mixed.score[mine][0]
    )


@pytest.fixture
def slow_caller(make_bundle: MakeBundle, quiet: Quiet) -> Bundle:
    """A store whose processor is busy, and its caller's caller, which is slow."""
    return make_bundle(
        {
            "db|cpu_percent": quiet(1, 20, 1) + 70 * LATE,
            "web|cpu_percent": quiet(2, 20, 1),
            "edge|latency_p99_ms": quiet(3, 50, 1) + 400 * LATE,
            "bystander|latency_p99_ms": quiet(4, 50, 1),
        },
        CHAIN,
    )


def test_symptoms_count_for_whom_the_callers_depend_on(slow_caller: Bundle) -> None:
    assert shows(slow_caller, "db") > 1.0
    assert shows(slow_caller, "db") == pytest.approx(shows(slow_caller, "edge"))


def test_symptoms_count_for_nobody_else(slow_caller: Bundle) -> None:
    assert shows(slow_caller, "bystander") < 0.3


def test_a_resource_that_moves_without_a_symptom_stands_out_less(slow_caller: Bundle) -> None:
    assert slow_caller.metrics is not None
    keys = [key.service for key in slow_caller.metrics.keys]
    values = slow_caller.metrics.values.copy()
    values[:, keys.index("edge")] = values[:, keys.index("bystander")]
    alone = replace(slow_caller, metrics=replace(slow_caller.metrics, values=values))
    with_symptom, without = stood(slow_caller), stood(alone)
    assert with_symptom.first == pytest.approx(without.first, abs=0.2)
    assert with_symptom.value > without.value + 0.5


def test_of_suspects_level_with_each_other_the_names_decide_nothing(make_bundle: MakeBundle, quiet: Quiet) -> None:
    def of(*names: str) -> Standing:
        one, other, caller = names
        busy = quiet(1, 20, 1) + 70 * LATE
        columns = {
            f"{one}|cpu_percent": busy,
            f"{other}|cpu_percent": busy,
            f"{caller}|client_latency_p99_ms": quiet(3, 50, 1) + 40 * LATE,
        }
        return stood(make_bundle(columns, [(caller, other)]))

    assert of("a", "b", "c").level == pytest.approx(of("b", "a", "c").level)


def test_the_baseline_is_measured_like_the_incident(slow_caller: Bundle) -> None:
    found = stood(slow_caller)
    assert found.windows == Tuning().pseudo_ends
    assert found.usual is not None
    assert 0 < found.usual <= found.most < found.level
    assert 1 < found.apart < found.windows  # they overlap
    assert found.value == pytest.approx(found.level / needed(found.usual, found.apart, Tuning()))


def test_nobody_knows_what_is_usual_without_a_baseline(slow_caller: Bundle) -> None:
    tuning = Tuning()
    assert needed(None, 0.0, tuning) == tuning.confidence_offset + tuning.usual_elsewhere
    ranked, evidence = rank_bundle(slow_caller, prepare(slow_caller, RowTuning()), AnalysisOptions())
    assert ranked is not None
    chosen = replace(ranked, search=replace(ranked.search, baseline=(0.0, 1.0)))
    found = standing(chosen, evidence, tuning)
    assert (found.usual, found.most, found.windows, found.apart) == (None, 0.0, 0, 0.0)


@given(usual=st.floats(0, 20), apart=st.floats(0, 12), more=st.floats(0.5, 12))
def test_the_more_calm_windows_the_less_counts_what_is_usual_elsewhere(
    usual: float, apart: float, more: float
) -> None:
    tuning = Tuning()
    elsewhere = tuning.usual_elsewhere
    few, many = (needed(usual, windows, tuning) - tuning.confidence_offset for windows in (apart, apart + more))
    assert abs(many - usual) <= abs(few - usual) + 1e-12  # rounding, where what is usual here is so elsewhere
    assert min(usual, elsewhere) - 1e-9 <= few <= max(usual, elsewhere) + 1e-9


def test_windows_of_a_short_incident_overlap_less(slow_caller: Bundle) -> None:
    assert slow_caller.metrics is not None
    frame = slow_caller.metrics
    early = replace(frame, times=frame.times[:47], values=frame.values[:47])
    end = slow_caller.window.span.start + timedelta(minutes=47)
    window = replace(slow_caller.window, span=Interval(slow_caller.window.span.start, end))
    short = replace(slow_caller, metrics=early, window=window)
    assert stood(short).apart > stood(slow_caller).apart


@pytest.mark.parametrize("rows", [6, 8])
def test_a_baseline_of_a_few_rows_makes_nobody_sure(slow_caller: Bundle, tool: ToolInfo, rows: int) -> None:
    assert slow_caller.metrics is not None
    first = 45 - rows
    frame = slow_caller.metrics
    short = replace(frame, times=frame.times[first:], values=frame.values[first:])
    window = slow_caller.window
    span = Interval(window.span.start + timedelta(minutes=first), window.span.end)
    cut = replace(slow_caller, metrics=short, window=replace(window, span=span))
    assert analyze(cut, tool=tool).verdict.confidence is not Confidence.HIGH
    assert analyze(slow_caller, tool=tool).verdict.confidence is Confidence.HIGH


def test_a_healthy_system_is_left_alone(make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo) -> None:
    """Ten services that only fluctuate, of which nineteen windows of twenty at least should name nobody."""
    named = 0
    for seed in range(20):
        columns = {
            f"s{i}|{metric}": quiet(1000 * seed + 10 * i + k, 50, 5)
            for i in range(10)
            for k, metric in enumerate(("latency_p99_ms", "cpu_percent", "error_rate"))
        }
        edges = [(f"s{i}", f"s{i + 1}") for i in range(9)]
        named += not analyze(make_bundle(columns, edges), tool=tool).verdict.abstained
    assert named <= 1
