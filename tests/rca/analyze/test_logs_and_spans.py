from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rca.analyze import AnalysisOptions, analyze
from rca.analyze.assess import rank_bundle
from rca.analyze.prepare import prepare
from rca.model.incident import Alert, Bundle, Event, EventKind, Span, Symptom
from rca.model.logs import LogLine
from rca.model.report import EvidenceKind, ToolInfo
from rca.model.tuning.rows import RowTuning
from tests.frames import columns
from tests.rca.analyze.conftest import traced
from topology import Edge, Node, NodeKind, ServiceGraph


def lines(bundle: Bundle, *, shift: timedelta = timedelta(0)) -> tuple[LogLine, ...]:
    """Calm lines all along; `orders` fails from the onset on."""
    start = bundle.window.span.start + shift
    calm = [
        LogLine(start + timedelta(seconds=10 * i), name, "INFO", f"served request {i}")
        for i in range(360)
        for name in ("web", "orders", "cron")
    ]
    bad = [
        LogLine(
            start + timedelta(minutes=45, seconds=7 * i),
            "orders",
            "ERROR",
            f"could not reserve item {i}: stock is gone",
        )
        for i in range(60)
    ]
    return tuple(sorted([*calm, *bad], key=lambda line: line.at))


def calm(bundle: Bundle) -> Bundle:
    """The same services, with nothing to see in the metrics."""
    assert bundle.metrics is not None
    keep = [i for i, key in enumerate(bundle.metrics.keys) if key.service == "mail"]
    return replace(bundle, metrics=columns(bundle.metrics, keep))


def test_failures_that_only_show_in_logs_are_found(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(calm(checkout), logs=lines(checkout)), tool=tool)
    assert report.suspects[0].service == "orders"
    first = next(item for item in report.evidence if item.id == report.suspects[0].evidence[0])
    assert first.kind is EvidenceKind.LOG
    assert "could not reserve item" in first.text
    assert 'service.name : "orders"' in first.query


def test_logs_alone_are_enough(checkout: Bundle, tool: ToolInfo) -> None:
    bare = replace(checkout, metrics=None, graph=ServiceGraph(), logs=lines(checkout))
    report = analyze(bare, tool=tool)
    assert report.suspects[0].service == "orders"
    assert not report.verdict.abstained
    what = {gap.what for gap in report.gaps}
    assert {"metrics", "topology"} <= what


def test_who_has_no_logs_or_no_metrics_is_said(checkout: Bundle, tool: ToolInfo) -> None:
    gaps = {gap.what: gap.why for gap in analyze(replace(checkout, logs=lines(checkout)), tool=tool).gaps}
    assert gaps["services without logs"] == "db, mail"
    assert gaps["services without metrics"] == "cron"
    assert "logs" not in gaps


def test_what_the_graph_does_not_know_is_not_expected_to_log(checkout: Bundle, tool: ToolInfo) -> None:
    graph = ServiceGraph(nodes=[Node("mail", NodeKind.HOST)], edges=[Edge("web", "orders"), Edge("orders", "db")])
    report = analyze(replace(checkout, logs=lines(checkout), graph=graph), tool=tool)
    gaps = {gap.what: gap.why for gap in report.gaps}
    assert gaps["services without logs"] == "db"
    assert gaps["series of what isn't in the graph"] == "mail"


def test_lines_far_outside_the_window_point_at_a_clock(checkout: Bundle, tool: ToolInfo) -> None:
    skewed = lines(checkout, shift=timedelta(hours=8))
    gaps = {gap.what: gap.why for gap in analyze(replace(checkout, logs=skewed), tool=tool).gaps}
    assert "a time zone?" in gaps["clock"]


def test_errors_in_spans_accuse_where_they_start(checkout: Bundle, tool: ToolInfo) -> None:
    start = checkout.window.span.start
    spans = [
        span
        for minute in range(60)
        for span in (
            Span(f"t{minute}", "1", None, "web", "GET", start + timedelta(minutes=minute), 100.0, minute >= 45),
            Span(f"t{minute}", "2", "1", "orders", "call", start + timedelta(minutes=minute), 40.0, minute >= 45),
        )
    ]
    slow = [replace(span, duration_ms=span.duration_ms * 30) if span.error else span for span in spans]
    report = analyze(replace(calm(checkout), spans=tuple(slow)), tool=tool)
    assert report.suspects[0].service == "orders"
    texts = [item.text for item in report.evidence if item.kind is EvidenceKind.TRACE]
    assert "errors start in 15 of 15 spans, before in 0 of 44 spans" in texts
    assert "own time in spans x30, 40 ms to 1.2 s" in texts
    start_of_errors = next(item for item in report.evidence if item.text.startswith("errors start in"))
    assert (start_of_errors.baseline, start_of_errors.observed) == (0.0, 1.0)
    assert start_of_errors.onset == start + timedelta(minutes=45)


def test_changes_near_the_suspect_are_weighed_by_time_and_place(checkout: Bundle, tool: ToolInfo) -> None:
    start = checkout.window.span.start
    events = (
        Event(start + timedelta(minutes=40), EventKind.DEPLOY, "db", "deploy v2", {"commit": "abc"}),
        Event(start + timedelta(minutes=40), EventKind.CONFIG, "mail", "flag on", {"commit": 7}),
        Event(start + timedelta(minutes=43), EventKind.SCALE, "orders", "scaled to 3"),
        Event(start + timedelta(minutes=55), EventKind.DEPLOY, "db", "rollback"),
    )
    alert = Alert({"alertname": "Slow"}, {}, start + timedelta(minutes=50))
    fired = Symptom("web", "latency_p99_ms", start + timedelta(minutes=50))
    report = analyze(replace(checkout, events=events, alerts=(alert,), symptom=fired), tool=tool)
    weighed = [trigger for trigger in report.triggers if trigger.is_change]
    assert [(trigger.service, trigger.commit) for trigger in weighed][:2] == [("db", "abc"), ("orders", None)]
    assert "5 min before the harm began" in " ".join(report.triggers[0].reasons)
    assert report.triggers[0].why.startswith("“deploy v2”: ")
    assert "deploy of db (commit abc" in report.verdict.summary
    assert not any("rollback" in trigger.why for trigger in report.triggers)
    assert [entry.what for entry in report.timeline if entry.evidence is None] == [
        "config of mail: flag on",
        "deploy of db: deploy v2",
        "scale of orders: scaled to 3",
        "likeliest onset",
        "alert: Slow",
        "deploy of db: rollback",
    ]


def test_the_slowest_path_is_in_the_report(checkout: Bundle, tool: ToolInfo) -> None:
    path = analyze(replace(checkout, spans=traced(checkout, slow_from=45)), tool=tool).slow_path
    assert path is not None
    assert [step.service for step in path.steps] == ["web", "orders"]
    assert (path.own_ms, path.usual_ms) == (940.0, 40.0)
    assert analyze(replace(checkout, logs=lines(checkout)), tool=tool).slow_path is None


def test_a_wait_beyond_the_callees_own_time_is_told_of_the_callee(checkout: Bundle, tool: ToolInfo) -> None:
    start = checkout.window.span.start
    spans = []
    for i in range(60):
        at, wire = start + timedelta(minutes=i, seconds=20), 400.0 if i >= 45 else 2.0
        kinds = [{"span.kind": kind} for kind in ("client", "server")]
        spans.append(Span(f"t{i}", "1", None, "web", "call", at, 40.0 + wire, fields=kinds[0]))
        spans.append(Span(f"t{i}", "2", "1", "orders", "serve", at, 40.0, fields=kinds[1]))
    report = analyze(replace(calm(checkout), spans=tuple(spans)), tool=tool)
    assert report.suspects[0].service == "orders"
    texts = [item.text for item in report.evidence if item.service == "orders"]
    assert "wait of web for it, less its own time, x200, 2 ms to 400 ms" in texts


@pytest.mark.parametrize(
    ("why", "whose"),
    [
        ("dial tcp: lookup sessions: no such host", "web"),
        ("dial tcp: sessions:6379: connection refused", "sessions"),
    ],
)
def test_spans_that_fail_as_a_name_cannot_be_resolved_are_the_callers(
    checkout: Bundle, tool: ToolInfo, why: str, whose: str
) -> None:
    start = checkout.window.span.start
    told = {"span.kind": "client", "db.system": "redis", "server.address": "sessions"}
    spans = tuple(
        Span(f"t{i}", "1", None, "web", "GET", start + timedelta(minutes=i), 9.0, i >= 45, told) for i in range(60)
    )
    said = tuple(LogLine(span.start, "web", "ERROR", why) for span in spans if span.error)
    report = analyze(replace(calm(checkout), spans=spans, logs=said), tool=tool)
    failing = {item.service for item in report.evidence if item.kind is EvidenceKind.TRACE}
    assert failing == {whose}


@pytest.mark.parametrize("kind", ["store", "third party"])
def test_a_store_that_only_its_callers_spans_know_is_ranked_and_a_third_party_is_not(
    checkout: Bundle, tool: ToolInfo, kind: str
) -> None:
    start = checkout.window.span.start
    peer = (
        {"db.system": "redis", "server.address": "sessions"} if kind == "store" else {"peer.service": "sessions"}
    )
    told = {"span.kind": "client", **peer}
    spans = tuple(
        Span(f"{caller}{i}", "1", None, caller, "GET", start + timedelta(minutes=i), 9.0, i >= 45, told)
        for i in range(60)
        for caller in ("web", "orders")
    )
    report = analyze(replace(calm(checkout), spans=spans), tool=tool)
    ranked = [suspect.service for suspect in report.suspects]
    if kind == "third party":
        assert "sessions" not in ranked
        return
    assert ranked[0] == "sessions"
    texts = [item.text for item in report.evidence if item.service == "sessions"]
    assert any("30 of 30 calls to it fail without an answer" in text for text in texts)


def test_no_count_is_stronger_than_the_strongest_series(checkout: Bundle) -> None:
    bundle = replace(checkout, logs=lines(checkout))
    ranked, found = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions())
    assert ranked is not None
    assert found is not None
    times, ends = np.array([ranked.at]), np.array([ranked.baseline_end])
    low = replace(found, tuning=replace(found.tuning, z_cap=2.0))
    assert found.at(times, ends).max() > np.log1p(2.0)
    assert low.at(times, ends).max() == pytest.approx(np.log1p(2.0))


def test_lines_are_parted_half_a_step_before_a_row(checkout: Bundle) -> None:
    bundle = replace(checkout, logs=lines(checkout))
    _, found = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions())
    assert found is not None
    assert found.before(1_000.0) == (-np.inf, 970.0)
    assert found.until_row(1_000.0).end == 970.0
    assert replace(found, baseline=(1.0, 2.0)).before(1_000.0) == (1.0, 2.0)
