from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rca.analyze import analyze
from rca.analyze.prepare import adopt, prepare
from rca.model.incident import Bundle, Span
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray, SignalFrame, SignalKey
from rca.model.tuning.rows import RowTuning
from tests.rca.analyze.conftest import ROWS


def spans(bundle: Bundle) -> tuple[Span, ...]:
    at = bundle.window.span.start
    return (
        Span("t1", "a", None, "web", "GET", at, 90.0),
        Span("other", "b", "a", "orders", "call", at, 50.0),
        Span("other", "c", "b", "db", "query", at, 20.0),
    )


def test_orphans_go_back_to_the_trace_of_their_parent(checkout: Bundle) -> None:
    assert {span.trace_id for span in adopt(spans(checkout))} == {"t1"}


def test_nothing_is_guessed_where_an_id_occurs_twice(checkout: Bundle) -> None:
    twice = (*spans(checkout), Span("t2", "a", None, "web", "GET", checkout.window.span.start, 1.0))
    assert [span.trace_id for span in adopt(twice)] == ["t1", "other", "other", "t2"]


def test_spans_complete_the_graph(checkout: Bundle) -> None:
    bare = replace(checkout, graph=type(checkout.graph)(), spans=spans(checkout))
    assert [(edge.caller, edge.callee) for edge in prepare(bare, RowTuning()).graph.edges()] == [
        ("orders", "db"),
        ("web", "orders"),
    ]


def test_a_raw_counter_becomes_its_increase(checkout: Bundle) -> None:
    assert checkout.metrics is not None
    times = checkout.metrics.times
    total = np.cumsum(np.arange(len(times)) % 3 + 1.0)
    total[40:] -= total[40]  # a restart
    flat = np.zeros(len(times))
    keys = (SignalKey("a", "errors_total"), SignalKey("a", "failures_total"), SignalKey("a", "request_errors"))
    frame = SignalFrame(times, np.array([total, flat, total]).T, keys)
    values = prepare(replace(checkout, metrics=frame), RowTuning()).frame.values
    assert values[1:40, 0].tolist() == np.diff(total[:40]).tolist()
    assert values[40, 0] == 0
    assert np.array_equal(values[:, 1], flat)
    assert np.array_equal(values[:, 2], total)


def prepared(bundle: Bundle, columns: Mapping[str, FloatArray]) -> dict[str, list[float]]:
    """The columns (`service|metric`) as the analysis sees them, each as long as the bundle's."""
    assert bundle.metrics is not None
    keys = tuple(SignalKey(service, metric) for service, metric in (name.split("|") for name in columns))
    frame = SignalFrame(bundle.metrics.times, np.array(list(columns.values())).T, keys)
    values = prepare(replace(bundle, metrics=frame), RowTuning()).frame.values
    return dict(zip(columns, values.T.tolist(), strict=True))


def test_a_counter_of_rare_events_becomes_its_increase_too(checkout: Bundle) -> None:
    assert checkout.metrics is not None
    rows = np.arange(len(checkout.metrics.times))
    events = np.isin(rows, [7, 30, 50, 51, 52]).astype(np.float64)
    once = (rows == 50).astype(np.float64)
    late = np.isin(rows, [50, 51, 52]).astype(np.float64)
    found = prepared(
        checkout,
        {
            "a|errors_total": np.cumsum(events),
            "b|errors_total": np.cumsum(once),
            "c|request-errors-total": np.cumsum(events),
            "b|failures_total": np.cumsum(once),  # nobody's of this name is a counter beyond doubt
            "d|errors_total": 3 * late,  # falls as no counter does
        },
    )
    assert found["a|errors_total"] == events.tolist()
    assert found["b|errors_total"] == once.tolist()
    assert found["c|request-errors-total"] == events.tolist()
    assert found["b|failures_total"] == np.cumsum(once).tolist()
    assert found["d|errors_total"] == (3 * late).tolist()


def test_a_rate_of_rare_events_and_what_fills_up_stay_as_they_are(checkout: Bundle) -> None:
    assert checkout.metrics is not None
    rows = np.arange(len(checkout.metrics.times))
    columns = {
        "a|errors_total": np.where(rows >= 50, 5.0, np.isin(rows, [7, 30])),
        "a|queue_messages_total": np.maximum(rows - 45.0, 0.0),
    }
    assert prepared(checkout, columns) == {name: column.tolist() for name, column in columns.items()}


def test_rows_outside_the_window_are_not_looked_at(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    away = SignalFrame(checkout.metrics.times + 8 * 3600, checkout.metrics.values, checkout.metrics.keys)
    report = analyze(replace(checkout, metrics=away), tool=tool)
    assert report.verdict.abstained
    assert "metrics in the window" in {gap.what for gap in report.gaps}


def test_targets_scraped_at_their_own_seconds_rank_as_if_at_once(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    phase = {name: -11.0 * i for i, name in enumerate(frame.services)}  # what is seen at a minute came just before
    times = np.array(sorted({at + shift for at in frame.times for shift in phase.values()}))
    values = np.full((len(times), len(frame.keys)), np.nan)
    for column, key in enumerate(frame.keys):
        values[np.isin(times, frame.times + phase[key.service]), column] = frame.values[:, column]
    window = replace(
        checkout.window, onset=checkout.window.onset and checkout.window.onset - timedelta(seconds=59)
    )
    scattered = replace(checkout, metrics=SignalFrame(times, values, frame.keys), window=window)
    report, plain = analyze(scattered, tool=tool), analyze(checkout, tool=tool)
    assert [s.service for s in report.suspects] == [s.service for s in plain.suspects]
    assert any("put together into rows of 60 s" in gap.why for gap in report.gaps)
    assert prepare(scattered, RowTuning()).frame.values.shape == (ROWS, len(frame.keys))


def test_an_empty_series_is_told(checkout: Bundle) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    values = frame.values.copy()
    values[:, 0] = np.nan
    found = prepare(replace(checkout, metrics=SignalFrame(frame.times, values, frame.keys)), RowTuning())
    assert [gap.what for gap in found.gaps] == ["1 series"]


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_no_value_is_too_large_or_too_small(checkout: Bundle, tool: ToolInfo, factor: float) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    huge = SignalFrame(frame.times, frame.values * factor, frame.keys)
    assert len(analyze(replace(checkout, metrics=huge), tool=tool).suspects) == 4


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_handful_of_rows_is_survived_and_nobody_named(checkout: Bundle, tool: ToolInfo, rows: int) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    few = SignalFrame(frame.times[-rows:], frame.values[-rows:], frame.keys)
    report = analyze(replace(checkout, metrics=few), tool=tool)
    assert report.verdict.abstained
    assert report.span.end - report.span.start == timedelta(hours=1)


def test_a_raw_counter_that_was_not_asked_for_a_while_rises_no_faster(checkout: Bundle) -> None:
    assert checkout.metrics is not None
    times = checkout.metrics.times
    there = np.r_[0:20, 30 : len(times)]
    total = 2 * np.arange(len(there), dtype=np.float64)
    total[20:] += 20  # of the ten rows that are missing
    frame = SignalFrame(times[there], total[:, None], (SignalKey("a", "errors_total"),))
    values = prepare(replace(checkout, metrics=frame), RowTuning()).frame.values
    assert values[1:, 0].tolist() == [2.0] * (len(there) - 1)
