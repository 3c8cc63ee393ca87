"""What is said of changes, baselines and confidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rca.analyze import analyze
from rca.analyze.confidence import Standing
from rca.analyze.evidence import _subject, change_text
from rca.analyze.verdict import verdict
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import Confidence, EvidenceKind, ToolInfo
from rca.model.signals import Bad, FloatArray, Kind, SignalFrame, SignalKey
from rca.model.tuning import Tuning
from tests.rca.analyze.conftest import MakeBundle

Quiet = Callable[[int, float, float], FloatArray]
LATE = np.where(np.arange(60) >= 45, 1.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (0.004, 0.021, "ratio", "x5.25, 0.4 % to 2.1 %"),
        (0.02, 5.0, "s", "x250, 20 ms to 5 s"),
        (0.0, 0.3, "ratio", "from 0 % to 30 %"),
        (99.9, 40.0, "%", "down 60 %, 99.9 % to 40 %"),
        (100.0, 101.0, "", "from 100 to 101"),
        (0.0, 0.588, "1/min", "from 0/min to 0.588/min"),
    ],
)
def test_a_change_is_told_as_a_person_would(before: float, after: float, unit: str, text: str) -> None:
    assert change_text(before, after, unit) == text


@pytest.mark.parametrize(
    ("metric", "unit", "said"),
    [
        ("pod_restarts_total", "", "restarts"),
        ("restarts", "1/min", "restarts"),
        ("PodRestartCount", "", "restarts"),
        ("job_uptime_seconds", "s", "job uptime seconds"),
        ("time_since_restart_ms", "ms", "time since restart ms"),
        ("uptime_days", "", "uptime days"),
        ("node_oom_kills", "1/min", "node oom kills"),
        ("container_crashes", "", "container crashes"),
    ],
)
def test_only_restarts_are_called_restarts(metric: str, unit: str, said: str) -> None:
    assert _subject(SignalKey("db", metric, None, Kind.RESTARTS, Bad.UP, unit), "") == said


STOOD = Standing(value=1.2, level=3.0, first=2.0, second=1.0, usual=1.5, most=2.0, windows=12, apart=12.0)


@pytest.mark.parametrize(
    ("standing", "abstained", "confidence"),
    [
        (replace(STOOD, value=1.14), True, Confidence.LOW),
        (replace(STOOD, value=1.15), False, Confidence.LOW),
        (replace(STOOD, value=1.25, second=1.6), False, Confidence.LOW),
        (replace(STOOD, value=1.25, second=1.5), False, Confidence.MEDIUM),
        (replace(STOOD, value=2.19), False, Confidence.MEDIUM),
        (replace(STOOD, value=2.2), False, Confidence.HIGH),
        (replace(STOOD, value=2.2, second=2.0), False, Confidence.HIGH),
        (replace(STOOD, value=9.0, windows=5), False, Confidence.MEDIUM),
        (replace(STOOD, value=9.0, first=0.0, second=0.0), True, Confidence.LOW),
    ],
)
def test_confidence_has_three_words(standing: Standing, abstained: bool, confidence: Confidence) -> None:  # noqa: FBT001 - a column
    said = verdict(["a", "b"], standing, (), None, ("a",), Tuning())
    assert (said.abstained, said.confidence) == (abstained, confidence)


@pytest.mark.parametrize(
    ("standing", "reasons"),
    [
        (
            STOOD,
            (
                "a departs from normal x2.0 as far as in calm times (12 windows compared)",
                "its score is x2.0 that of the second suspect (b)",
            ),
        ),
        (
            replace(STOOD, usual=2.5, second=1.9),
            (
                "a departs from normal only x1.2 as far as in calm times (12 windows compared)",
                "its score is only x1.1 that of the second suspect (b)",
            ),
        ),
        (
            replace(STOOD, usual=0.0, second=0.0),
            (
                "a departs from normal far further than in calm times (12 windows compared)",
                "nobody else stands out",
            ),
        ),
    ],
)
def test_the_reasons_are_told_with_their_numbers(standing: Standing, reasons: tuple[str, ...]) -> None:
    assert verdict(["a", "b"], standing, (), None, ("a",), Tuning()).reasons == reasons


@pytest.mark.parametrize(
    ("usual", "summary"),
    [
        (2.5, "Nothing departs further from normal than is usual in calm times."),
        (1.5, "The data don't single out a service."),
        (None, "The data don't single out a service."),
    ],
)
def test_an_abstention_says_whether_anything_is_out_of_the_ordinary(usual: float | None, summary: str) -> None:
    assert verdict(["a", "b"], replace(STOOD, value=1.0, usual=usual), (), None, (), Tuning()).summary == summary


def test_without_a_comparison_nothing_is_called_sure() -> None:
    stood = Standing(value=9.0, level=9.0, first=9.0, second=0.0, usual=None, most=0.0, windows=0, apart=0.0)
    said = verdict(["a"], stood, (), None, ("a", "b"), Tuning())
    assert said.confidence is Confidence.MEDIUM
    assert said.reasons == (
        "no comparison with the baseline's own windows was possible",
        "nobody else stands out",
    )


def test_edges_hosts_and_instances_are_told_apart(make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo) -> None:
    host = quiet(1, 20, 1) + 60 * LATE
    bundle = make_bundle(
        {
            "web|call_latency_p50_ms_to:db": quiet(2, 30, 1) + 200 * LATE,
            "db|latency_p50_ms": quiet(3, 10, 0.5),
            "web|node_cpu_percent": host,
            "db|node_cpu_percent": host,
        },
        [("web", "db")],
    )
    assert bundle.metrics is not None
    keys = tuple(replace(k, instance="pod-1") if "node" in k.metric else k for k in bundle.metrics.keys)
    frame = SignalFrame(bundle.metrics.times, bundle.metrics.values, keys)
    report = analyze(replace(bundle, metrics=frame), tool=tool)
    edge = next(item for item in report.evidence if item.kind is EvidenceKind.EDGE and item.service == "db")
    assert "between it and web" in edge.text
    texts = " / ".join(item.text for item in report.evidence)
    assert edge.metric == "call_latency_p50_ms_to"
    assert "of calls to db" not in texts  # the same measurement, told of the callee
    assert "its host's CPU on pod-1 x" in texts


def test_a_latency_whose_unit_nobody_knows_is_told_so(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    slow = quiet(1, 10, 0.5) + 200 * LATE
    bundle = make_bundle({"db|latency_p99": slow, "web|latency_p99_ms": slow}, [("web", "db")])
    told = {item.service: item.text for item in analyze(bundle, tool=tool).evidence}
    assert told["db"].endswith("(unit unknown)")
    assert "unit" not in told["web"]


def test_a_call_is_told_of_its_caller_where_that_ranks_higher(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    bundle = make_bundle(
        {
            "web|call_latency_p50_ms_to:db": quiet(2, 30, 1) + 200 * LATE,
            "db|latency_p50_ms": quiet(3, 10, 0.5) + 200 * LATE,
            "web|cpu_percent": quiet(4, 20, 1) + 70 * LATE,
        },
        [("web", "db")],
    )
    texts = [item.text for item in analyze(bundle, tool=tool).evidence]
    assert sum("calls to db" in text or "between it and web" in text for text in texts) <= 1


def test_a_long_series_is_thinned_for_the_plot(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    values = np.random.default_rng(1).standard_normal(2000) + 20
    values[1500:] += 80
    report = analyze(make_bundle({"a|cpu_percent": values, "b|cpu_percent": values[::-1] * 0 + 3}), tool=tool)
    assert 100 < len(report.evidence[0].points) <= 241


def test_a_short_torn_or_later_baseline_is_said(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    frame, window = checkout.metrics, checkout.window
    torn = [*range(30), *range(42, 60)]
    report = analyze(
        replace(checkout, metrics=SignalFrame(frame.times[torn], frame.values[torn], frame.keys)), tool=tool
    )
    assert any("torn in 1 place:" in gap.why for gap in report.gaps)
    short = analyze(
        replace(checkout, metrics=SignalFrame(frame.times[38:], frame.values[38:], frame.keys)), tool=tool
    )
    assert any("rows: what is usual is a guess" in gap.why for gap in short.gaps)
    later = Window(
        Interval(window.span.start + timedelta(minutes=45), window.span.end),
        None,
        Interval(window.span.end, window.span.end + timedelta(minutes=45)),
    )
    turned = SignalFrame(frame.times + 45 * 60, np.roll(frame.values, -45, axis=0), frame.keys)
    after = analyze(replace(checkout, metrics=turned, window=later), tool=tool)
    assert any("lies after the incident" in gap.why for gap in after.gaps)


def test_nothing_that_moves_has_no_onset(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    report = analyze(
        make_bundle({"a|cpu_percent": np.full(60, 3.0), "b|cpu_percent": np.full(60, 4.0)}), tool=tool
    )
    assert report.onset.at is None
    assert report.verdict.abstained
    assert report.verdict.summary == "The data don't single out a service."
    assert any(gap.what == "constant series" for gap in report.gaps)
    assert report.span.start == datetime(2026, 3, 1, 12, tzinfo=UTC)
