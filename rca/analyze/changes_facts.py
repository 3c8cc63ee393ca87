"""A bundle and its ranking, as the weighing of changes wants to be told of them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from rca.analyze.prepare import Prepared
from rca.changes.facts import Anomaly, Facts, FailedSpan, NewLines
from rca.changes.origin import first_failing
from rca.changes.shape import departures
from rca.changes.vocabulary import Vocabulary
from rca.changes.weigh import weigh_changes
from rca.detect.kinds import measures
from rca.detect.log_table import LogTable
from rca.detect.logs import LogIndex
from rca.detect.span_tree import is_cancelled
from rca.model.incident import Bundle, Span
from rca.model.report import OnsetEstimate, Trigger
from rca.model.signals import Bad, Kind
from topology import NodeKind

_HARM = frozenset({Kind.LATENCY, Kind.ERRORS, Kind.AVAILABILITY, Kind.RESTARTS, Kind.QUEUE})
_STRONG, _OF_THE_PLAINEST = 6.0, 0.5
_TOLD_STEPS = 6.0
_BURST = 3.0
_SPORADIC, _FEW = 0.1, 3.0
_AN_ERROR, _A_WARNING, _CALM = 0.5, 0.4, 0.2
_MOST_LINES, _MOST_SPANS, _MOST_ANOMALIES = 80, 40, 120
_QUIET_SHARE = 0.5
_PEERS = (
    "peer.service",
    "net.peer.name",
    "server.address",
    "peer.hostname",
    "peer.address",
    "destination.address",
    "db.name",
)
_SPOKEN = (
    "error",
    "status_message",
    "error.message",
    "exception.message",
    "exception.type",
    "otel.status_description",
    "db.statement",
    "http.status_code",
    "http.url",
    "url.full",
    "rpc.grpc.status_code",
    "deadline_ms",
    *_PEERS,
)
_WORD = re.compile(r"[A-Za-z_]\w{2,}")


def weigh_bundle(
    bundle: Bundle,
    prepared: Prepared,
    shares: Mapping[str, float],
    onset: OnsetEstimate,
    *,
    index: LogIndex | None = None,
    vocabulary: Vocabulary | None = None,
) -> tuple[Trigger, ...]:
    """Rank what may have set a bundle's incident off.

    Args:
        bundle: The bundle.
        prepared: Its usable part.
        shares: Each suspect's score over the first one's, 0 to 1.
        onset: The ranking's estimate.
        index: The log lines, arranged; None without any.
        vocabulary: The words that changes are judged by; None for those that ship.

    Returns:
        Triggers, best first.
    """
    facts = gather(bundle, prepared, shares, onset, index=index)
    return weigh_changes(facts, bundle.events, bundle.commits, vocabulary=vocabulary)


def gather(
    bundle: Bundle,
    prepared: Prepared,
    shares: Mapping[str, float],
    onset: OnsetEstimate,
    *,
    index: LogIndex | None = None,
) -> Facts:
    """The facts of an incident, in plain values."""
    start, end = bundle.window.span.timestamps
    frame = prepared.frame
    step = frame.step or bundle.resolution_seconds or 60.0
    anomalies = _anomalies(prepared)
    spans = failed_spans(prepared.spans)
    told = onset.at.timestamp() if onset.at else None
    split = _split(anomalies, told, start, end, step)
    lines, words = _lines(index.table, split) if index is not None else ((), frozenset())
    alerted = bundle.symptom.service if bundle.symptom else ""
    first = first_failing(
        anomalies=anomalies,
        lines=lines,
        spans=spans,
        shares=shares,
        graph=prepared.graph,
        alerted=alerted,
        step=step,
    )
    services = {key.service for key in frame.keys} | {line.service for line in bundle.logs}
    services |= {span.service for span in bundle.spans} | {
        node.name for node in prepared.graph.nodes() if node.kind is not NodeKind.EXTERNAL
    }
    return Facts(
        start=start,
        end=end,
        onset=_harm(anomalies, lines, told, shares, first, step, onset),
        step=step,
        shares=dict(sorted(shares.items())),
        first_failing=first,
        anomalies=anomalies,
        lines=lines,
        spans=spans,
        graph=prepared.graph,
        hosts={node.name: node.host for node in prepared.graph.nodes() if node.host},
        baseline_words=words,
        services=tuple(sorted(services)),
        steady=_steady(prepared, anomalies),
    )


def _anomalies(prepared: Prepared) -> tuple[Anomaly, ...]:
    frame = prepared.frame
    known = {node.name for node in prepared.graph.nodes()}
    kinds = [measures(key) for key in frame.keys]
    once = np.array([kind is Kind.RESTARTS for kind, _ in kinds], dtype=bool)
    found: list[Anomaly] = []
    for key, (kind, bad), left in zip(frame.keys, kinds, departures(frame.values.T, once), strict=True):
        if left is None:
            continue
        worse_down = bad is Bad.DOWN
        if kind in _HARM and bad is not Bad.BOTH and left.up == worse_down:
            continue  # it got better
        up = left.up if kind is not Kind.RESTARTS else True
        found.append(
            Anomaly(
                key.service,
                key.metric,
                kind,
                up,
                float(frame.times[left.row]),
                float(frame.times[left.began]),
                left.ramp,
                left.z,
                left.ratio,
                key.peer or _peer(key.metric, known),
            )
        )
    found.sort(key=lambda a: (-a.strength, a.at, a.service, a.metric))
    return tuple(found[:_MOST_ANOMALIES])


def _steady(prepared: Prepared, anomalies: Sequence[Anomaly]) -> frozenset[str]:
    """Services whose traffic is measured and hasn't risen."""
    measured = {key.service for key in prepared.frame.keys if not key.peer and measures(key)[0] is Kind.TRAFFIC}
    return frozenset(measured - {a.service for a in anomalies if a.kind is Kind.TRAFFIC and a.up})


def _peer(metric: str, known: set[str]) -> str:
    """The service after a metric's last colon, where it is one that is known."""
    tail = metric.rpartition(":")[2]
    return tail if tail != metric and tail in known else ""


def _split(anomalies: Sequence[Anomaly], told: float | None, start: float, end: float, step: float) -> float:
    """Where the logs' baseline ends: well before anything departs."""
    moments = [a.at for a in anomalies if a.kind in _HARM and a.strength >= _STRONG]
    moments += [told] if told is not None else []
    middle = start + 0.5 * (end - start)
    return max(start + 0.25 * (end - start), min(moments, default=middle) - max(10 * step, 0.1 * (end - start)))


def _lines(table: LogTable, split: float) -> tuple[tuple[NewLines, ...], frozenset[str]]:
    """New and bursting lines from the split on, and the words of those before it."""
    if not len(table.times):
        return (), frozenset()
    at = int(np.searchsorted(table.times, split))
    size = len(table.event_service)
    before = np.bincount(table.event[:at], table.weight[:at], minlength=size)
    after = np.bincount(table.event[at:], table.weight[at:], minlength=size)
    length = table.exposure(-np.inf, split), table.exposure(split, np.inf)
    rate = before / max(length[0], 1.0), after / max(length[1], 1.0)
    found: list[NewLines] = []
    for event in np.flatnonzero(after > 0).tolist():
        level = float(table.event_severity[event])
        new = before[event] == 0
        if not new and (level < _A_WARNING or rate[1][event] < _BURST * rate[0][event]):
            continue
        rows = at + np.flatnonzero(table.event[at:] == event)
        gathered = np.cumsum(table.weight[rows])
        first = int(rows[np.searchsorted(gathered, _SPORADIC * gathered[-1])])  # a few may come before the burst
        target = int(table.event_target[event])
        line = table.lines[first]
        found.append(
            NewLines(
                line.service,
                line.message,
                max(level, _CALM),
                float(table.times[first]),
                float(after[event]),
                table.services[target] if target >= 0 else "",
            )
        )
    found.sort(key=lambda line: (-line.level, line.first, line.service, line.text))
    words = {word.lower() for line in table.lines[:at] for word in _WORD.findall(line.message)}
    return tuple(found[:_MOST_LINES]), frozenset(words)


def failed_spans(spans: Sequence[Span]) -> tuple[FailedSpan, ...]:
    """Failing spans, one of each kind, with what they say."""
    failing = [span for span in spans if span.error]
    has_failing_child = {
        (span.trace_id, span.parent_id)
        for span in failing
        if span.parent_id is not None and not is_cancelled(span)
    }
    found: dict[tuple[str, str, bool], FailedSpan] = {}
    for span in sorted(failing, key=lambda s: (s.start, s.trace_id, s.span_id)):
        deepest = (span.trace_id, span.span_id) not in has_failing_child
        peer = next((str(span.fields[key]) for key in _PEERS if span.fields.get(key)), "")
        made = FailedSpan(span.service, _said(span), peer, deepest, is_cancelled(span))
        found.setdefault((span.service, span.operation, deepest), made)
    return tuple(list(found.values())[:_MOST_SPANS])


def _said(span: Span) -> str:
    parts = [f"{key}={span.fields[key]}" for key in _SPOKEN if span.fields.get(key) not in (None, "")]
    return " ".join([span.operation, *parts])


def _harm(
    anomalies: Sequence[Anomaly],
    lines: Sequence[NewLines],
    told: float | None,
    shares: Mapping[str, float],
    first: str,
    step: float,
    onset: OnsetEstimate,
) -> float | None:
    """When the harm began: the earliest bad latency, errors, availability, restarts, queue, or new error line."""
    concerned = {first} | {name for name, share in shares.items() if share >= _QUIET_SHARE}
    earliest = onset.given.timestamp() - _TOLD_STEPS * step if onset.given is not None else float("-inf")
    harmed = [
        a for a in anomalies if a.kind in _HARM and a.at >= earliest and (a.service in concerned or not told)
    ]
    plain = max(_STRONG, _OF_THE_PLAINEST * max((a.strength for a in harmed), default=0.0))
    moments = [a.at for a in harmed if a.strength >= plain]
    errors = [line for line in lines if line.level >= _AN_ERROR]
    most = max((line.count for line in errors), default=0.0)
    moments += [line.first for line in errors if line.count >= min(_FEW, _SPORADIC * most)]
    return min((moment for moment in moments if moment >= earliest), default=told)
