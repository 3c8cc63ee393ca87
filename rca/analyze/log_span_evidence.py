"""What logs and spans say of each service, in plain words, with its numbers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from rca.analyze.evidence import NOTABLE, Item, change_text
from rca.analyze.logs_and_spans import LogsAndSpans
from rca.detect.logs import FindingKind, LogFinding, LogIndex
from rca.detect.traces import FailedSpans, Slower, TraceIndex
from rca.model.report import Evidence, EvidenceKind
from rca.model.scores import Channel
from rca.model.signals import Kind
from rca.model.tuning import Tuning
from rca.model.words import counted

_PER_SERVICE = 3
_WORTH = 1.0  # z of a count of spans from which it is shown; of lines `LineTuning.told`


def of_logs_and_spans(found: LogsAndSpans, time: float, end: float) -> dict[str, list[Item]]:
    """Each service's evidence, if the incident began and the baseline ended then, unix seconds."""
    split, baseline = time - found.lead, found.before(end)
    items: dict[str, list[Item]] = {}
    if found.logs is not None:
        for service in found.services:
            if told := list(_of_logs(found, found.logs, split, baseline, service)):
                items[service] = told
    if found.traces is not None:
        for item in _of_traces(found, found.traces, split, baseline):
            items.setdefault(item.evidence.service, []).append(item)
    return items


def _of_logs(
    found: LogsAndSpans, logs: LogIndex, split: float, baseline: tuple[float, float], service: str
) -> Iterator[Item]:
    for finding in logs.findings(split, service, baseline=baseline, end=found.end, limit=_PER_SERVICE):
        channel = Channel.LOG_SLOWNESS if finding.kind is FindingKind.SLOW else Channel.LOG_FAILURE
        yield _item(_line(finding, service), channel, finding.strength, found.tuning)


def _of_traces(
    found: LogsAndSpans, traces: TraceIndex, split: float, baseline: tuple[float, float]
) -> Iterator[Item]:
    tuning = found.tuning
    seen = traces.evidence(split, baseline=baseline, end=found.end)
    for i, service in enumerate(traces.services):
        if service not in found.services:
            continue
        if seen.failing[i] >= _WORTH:
            failed = traces.failed(i, split, tuning.lines.bursts, baseline=baseline, end=found.end)
            yield _item(_failing_spans(service, failed), Channel.TRACE_FAILURE, float(seen.failing[i]), tuning)
        if seen.own.z[i] >= NOTABLE:
            slow = _slow_spans(service, seen.own, i, "own time in spans")
            yield _item(slow, Channel.TRACE_SLOWNESS, float(seen.own.z[i]), tuning)
        if seen.waits.z[i] >= NOTABLE:
            waits = f"wait of {traces.services[seen.waits.caller[i]]} for it, less its own time,"
            slow = _slow_spans(service, seen.waits, i, waits)
            yield _item(slow, Channel.EDGE, float(seen.waits.z[i]), tuning)


def _line(finding: LogFinding, service: str) -> Evidence:
    return Evidence(
        id="",
        kind=EvidenceKind.LOG,
        service=service,
        text=finding.text,
        query=finding.query(),
        baseline=finding.before,
        observed=finding.after,
        unit=finding.unit,
        onset=finding.onset,
        template=finding.template,
    )


def _failing_spans(service: str, failed: FailedSpans) -> Evidence:
    called = failed.unanswered == failed.after[0]
    often = [
        f"{number:,} of {counted(of, 'call' if called else 'span')}"
        for number, of in (failed.after, failed.before)
    ]
    shares = [number / of if of else None for number, of in (failed.before, failed.after)]
    return Evidence(
        id="",
        kind=EvidenceKind.TRACE,
        service=service,
        text=(
            f"{often[0]} to it fail without an answer, before {often[1]}"
            if called
            else f"errors start in {often[0]}, before in {often[1]}"
        ),
        baseline=shares[0],
        observed=shares[1],
        unit="ratio",
        onset=datetime.fromtimestamp(failed.since, UTC) if failed.since is not None else None,
        signal=Kind.ERRORS,
    )


def _slow_spans(service: str, slower: Slower, place: int, what: str) -> Evidence:
    before, after = float(slower.before[place]), float(slower.after[place])
    return Evidence(
        id="",
        kind=EvidenceKind.TRACE,
        service=service,
        text=f"{what} {change_text(before, after, 'ms')}",
        baseline=before,
        observed=after,
        unit="ms",
        signal=Kind.LATENCY,
    )


def _item(told: Evidence, channel: Channel, z: float, tuning: Tuning) -> Item:
    level = float(np.log1p(min(z, tuning.z_cap)))
    strength = level / float(np.log1p(tuning.z_cap))
    return Item(replace(told, strength=strength), level, level * tuning.weights[channel], channel)
