"""The pieces that the sources handed over -> one bundle."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rca.model.incident import Alert, Bundle, Commit, Event, Gap, Span, Symptom
from rca.model.logs import LogLine, in_whole_traces
from rca.sources.base import Harvest
from rca.sources.merge import merge_counts, merge_frames
from rca.window import Plan
from topology import ServiceGraph
from topology.infer import from_spans
from topology.logorder import from_log_order
from topology.merge import merge as merge_graphs


def assemble(
    pieces: Sequence[Harvest],
    plan: Plan,
    gaps: Sequence[Gap],
    declared: ServiceGraph | None,
    symptom: Symptom | None,
) -> Bundle:
    """One bundle of all pieces, everything in an order of its own, so that the order of arrival never shows.

    Args:
        pieces: By source, those of one source as they came.
        plan: The window and the step.
        gaps: What is missing beside what the pieces say themselves.
        declared: The dependency graph as people wrote it down.
        symptom: What was reported.
    """
    records = {piece.record.name: piece.record for piece in pieces if piece.record}
    moment = plan.window.onset or plan.window.span.start
    logs = sorted((line for piece in pieces for line in piece.logs), key=_line_order)
    spans = sorted((s for piece in pieces for s in piece.spans), key=lambda s: (s.start, s.trace_id, s.span_id))
    graph = _graph(pieces, logs, spans, declared, plan.span.seconds)
    return Bundle(
        id=f"incident-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        title=_title(moment, symptom),
        window=plan.window,
        symptom=symptom,
        resolution_seconds=float(plan.step_seconds),
        sources=tuple(records[name] for name in sorted(records)),
        metrics=merge_frames([piece.metrics for piece in pieces if piece.metrics is not None]),
        logs=tuple(logs),
        log_counts=merge_counts([piece.log_counts for piece in pieces if piece.log_counts is not None]),
        graph=graph,
        events=tuple(sorted((event for piece in pieces for event in piece.events), key=_event_order)),
        alerts=tuple(sorted((alert for piece in pieces for alert in piece.alerts), key=_alert_order)),
        spans=tuple(spans),
        commits=tuple(commit for piece in pieces for commit in piece.commits),
        gaps=tuple(sorted({gap for piece in pieces for gap in piece.gaps} | set(gaps))),
    )


def with_changes(bundle: Bundle, events: Sequence[Event], commits: Sequence[Commit]) -> Bundle:
    """The bundle with further changes; one that it holds already isn't told twice."""
    every = {_event_order(event): event for event in (*events, *bundle.events)}
    known = {commit.sha: commit for commit in (*commits, *bundle.commits)}
    return replace(
        bundle,
        events=tuple(every[key] for key in sorted(every)),
        commits=tuple(sorted(known.values(), key=lambda commit: (commit.at, commit.sha))),
    )


def _graph(
    pieces: Sequence[Harvest],
    logs: Sequence[LogLine],
    spans: Sequence[Span],
    declared: ServiceGraph | None,
    seconds: float,
) -> ServiceGraph:
    """The union of what was declared, measured, traced, and suggested by the order of lines within a trace."""
    graphs = [declared] if declared is not None else []
    graphs += [piece.graph for piece in pieces if piece.graph is not None]
    graphs.append(from_spans(spans, seconds=seconds))
    graphs.append(from_log_order(line for line, whole in zip(logs, in_whole_traces(logs), strict=True) if whole))
    return merge_graphs(*graphs).graph


def _line_order(line: LogLine) -> tuple[datetime, str, str, str, str]:
    return (line.at, line.service, line.level, line.message, line.span_id or "")


def _event_order(event: Event) -> tuple[datetime, str, str, str]:
    return (event.at, event.service, event.kind, event.title)


def _alert_order(alert: Alert) -> tuple[datetime, list[tuple[str, str]]]:
    return (alert.starts_at, sorted(alert.labels.items()))


def _title(moment: datetime, symptom: Symptom | None) -> str:
    where = f"{symptom.service}: " if symptom else ""
    return f"{where}incident of {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
