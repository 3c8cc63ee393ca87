"""Evidence that isn't a series': logs and spans, at each candidate onset, and in words at the likeliest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from rca.analyze.evidence import NOTABLE, Item, change_text
from rca.analyze.memo import Memo
from rca.analyze.prepare import Prepared
from rca.detect.logs import FindingKind, LogEvidence, LogIndex
from rca.detect.slow_path import slow_path
from rca.detect.traces import Slower, TraceEvidence, TraceIndex
from rca.model.incident import Bundle
from rca.model.report import Evidence, EvidenceKind, SlowPath
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray, Kind
from rca.model.tuning import Tuning
from rca.model.tuning.lines import LineTuning
from rca.model.words import counted
from rca.rank.structure import Structure
from topology import ServiceGraph

_PER_SERVICE = 3
_WORTH = 1.0  # z of a count from which a line is shown

_Places = tuple[NDArray[np.bool_], NDArray[np.intp]]


@dataclass(frozen=True, slots=True, eq=False)
class LogsAndSpans:
    """Logs and spans of a bundle, evaluated where the ranking asks.

    A row of the metrics holds what happened since the one before it, or until the next: nobody knows which, so
    lines and spans are split half a step before the candidate's row.

    Attributes:
        logs: The lines, arranged; None without any.
        traces: The spans, arranged; None without any.
        services: The ranked services, in their order.
        baseline: What counts as normal, or None for all before the candidate.
        end: Where the incident ends, unix seconds.
        lead: Seconds before a candidate's row.
        memo: What was worked out of variants of the bundle.
    """

    logs: LogIndex | None
    traces: TraceIndex | None
    services: tuple[str, ...]
    baseline: tuple[float, float] | None
    end: float
    lead: float
    tuning: Tuning
    memo: Memo

    def at(self, times: FloatArray, ends: FloatArray) -> FloatArray:
        """Evidence of shape `(c, s, k)`, in `ln(1 + z)`.

        Args:
            times: Shape `(c,)`, the candidates, unix seconds.
            ends: Shape `(c,)`, where the baseline of each ends unless one was chosen.
        """
        result = np.zeros((len(times), len(self.services), len(CHANNELS)))
        lines = self._places(self.logs.services if self.logs else ())
        spans = self._places(self.traces.services if self.traces else ())
        for row, (time, end) in enumerate(zip((times - self.lead).tolist(), ends.tolist(), strict=True)):
            baseline = self._before(end)
            if self.logs is not None:
                said = self._said(self.logs, time, baseline)
                self._fill(result[row], lines, Channel.LOG_FAILURE, said.failing)
                self._fill(result[row], lines, Channel.LOG_SLOWNESS, said.slow)
            if self.traces is not None:
                seen = self._seen(self.traces, time, baseline)
                self._fill(result[row], spans, Channel.TRACE_FAILURE, seen.failing)
                self._fill(result[row], spans, Channel.TRACE_SLOWNESS, seen.own.z)
                self._fill(result[row], spans, Channel.EDGE, seen.waits.z)
        return result

    def _said(self, logs: LogIndex, time: float, baseline: tuple[float, float]) -> LogEvidence:
        at = (time, baseline, self.end)
        return self.memo.once(
            "said", (logs,), lambda: logs.evidence(time, baseline=baseline, end=self.end), values=at
        )

    def _seen(self, traces: TraceIndex, time: float, baseline: tuple[float, float]) -> TraceEvidence:
        at = (time, baseline, self.end)
        return self.memo.once(
            "seen", (traces,), lambda: traces.evidence(time, baseline=baseline, end=self.end), values=at
        )

    def _before(self, end: float) -> tuple[float, float]:
        return self.baseline or (-np.inf, end - self.lead)

    def until_row(self, time: float) -> "LogsAndSpans":
        """The same, as it would have been seen when the window had ended with the row before this one's time."""
        return replace(self, end=time - self.lead)

    def _places(self, names: Sequence[str]) -> _Places:
        """Which of these are ranked, and where these are."""
        position = {name: i for i, name in enumerate(self.services)}
        ranked = np.array([name in position for name in names], dtype=bool)
        return ranked, np.array([position[name] for name in names if name in position], dtype=np.intp)

    def _fill(self, into: FloatArray, places: _Places, channel: Channel, z: FloatArray) -> None:
        ranked, mine = places
        into[mine, CHANNELS.index(channel)] = np.log1p(np.minimum(z[ranked], self.tuning.z_cap))

    def items(self, time: float, end: float) -> dict[str, list[Item]]:
        """What logs and spans say of each service in words, if the incident began and the baseline ended then."""
        found: dict[str, list[Item]] = {}
        for service in self.services:
            items = self._of_logs(time - self.lead, self._before(end), service)
            if items:
                found[service] = items
        for service, item in self._of_traces(time - self.lead, self._before(end)):
            found.setdefault(service, []).append(item)
        return found

    def slow_path(self, time: float, end: float) -> SlowPath | None:
        """Where the time goes in slow requests, if the incident began and the baseline ended then."""
        if self.traces is None:
            return None
        spans = self.tuning.spans
        return slow_path(self.traces.nodes, time - self.lead, spans, baseline=self._before(end), end=self.end)

    def _of_logs(self, time: float, baseline: tuple[float, float], service: str) -> list[Item]:
        if self.logs is None:
            return []
        findings = self.logs.findings(time, service, baseline=baseline, end=self.end, limit=_PER_SERVICE)
        items = []
        for finding in findings:
            channel = Channel.LOG_SLOWNESS if finding.kind is FindingKind.SLOW else Channel.LOG_FAILURE
            level = float(np.log1p(min(finding.strength, self.tuning.z_cap)))
            if finding.strength < _WORTH:
                continue
            items.append(
                Item(
                    Evidence(
                        id="",
                        kind=EvidenceKind.LOG,
                        service=service,
                        text=finding.text,
                        query=finding.query(),
                        baseline=finding.before,
                        observed=finding.after,
                        unit=finding.unit,
                        onset=finding.onset,
                        strength=level / float(np.log1p(self.tuning.z_cap)),
                        template=finding.template,
                    ),
                    level,
                    level * self.tuning.weights[channel],
                    channel,
                )
            )
        return items

    def _of_traces(self, time: float, baseline: tuple[float, float]) -> list[tuple[str, Item]]:
        if self.traces is None:
            return []
        seen = self.traces.evidence(time, baseline=baseline, end=self.end)
        items = []
        for i, service in enumerate(self.traces.services):
            if service not in self.services:
                continue
            if seen.failing[i] >= _WORTH:
                told = self._failing_spans(self.traces, i, time, baseline)
                items.append((service, self._item(told, Channel.TRACE_FAILURE, float(seen.failing[i]))))
            if seen.own.z[i] >= NOTABLE:
                told = self._slow_spans(service, seen.own, i, "own time in spans")
                items.append((service, self._item(told, Channel.TRACE_SLOWNESS, float(seen.own.z[i]))))
            if seen.waits.z[i] >= NOTABLE:
                waits = f"wait of {self.traces.services[seen.waits.caller[i]]} for it, less its own time,"
                told = self._slow_spans(service, seen.waits, i, waits)
                items.append((service, self._item(told, Channel.EDGE, float(seen.waits.z[i]))))
        return items

    def _failing_spans(
        self, traces: TraceIndex, place: int, time: float, baseline: tuple[float, float]
    ) -> Evidence:
        failed = traces.failed(place, time, self.tuning.lines.bursts, baseline=baseline, end=self.end)
        called = failed.unanswered == failed.after[0]
        often = [
            f"{number:,} of {counted(of, 'call' if called else 'span')}"
            for number, of in (failed.after, failed.before)
        ]
        shares = [number / of if of else None for number, of in (failed.before, failed.after)]
        return Evidence(
            id="",
            kind=EvidenceKind.TRACE,
            service=traces.services[place],
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

    def _slow_spans(self, service: str, slower: Slower, place: int, what: str) -> Evidence:
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

    def _item(self, told: Evidence, channel: Channel, z: float) -> Item:
        level = float(np.log1p(min(z, self.tuning.z_cap)))
        strength = level / float(np.log1p(self.tuning.z_cap))
        return Item(replace(told, strength=strength), level, level * self.tuning.weights[channel], channel)


def build(
    bundle: Bundle,
    prepared: Prepared,
    structure: Structure,
    unresolved: frozenset[tuple[str, str]],
    tuning: Tuning,
    memo: Memo,
) -> LogsAndSpans | None:
    """Arrange a bundle's logs and spans; None when it has neither.

    Args:
        bundle: What the sources answered.
        prepared: The usable part of it.
        structure: The ranked services.
        unresolved: Callers and callees whose name they could not resolve.
        tuning: The constants.
        memo: What was worked out of variants of the bundle.
    """
    spans, services, window = prepared.spans, structure.services, bundle.window
    logs = None
    if bundle.logs or bundle.log_counts is not None:
        logs = _lines(bundle, prepared.graph, services, tuning.lines, memo)
    traces = None
    if spans:
        traces = memo.once(
            "traces",
            (spans,),
            lambda: TraceIndex.build(spans, tuning.spans, known=services, unresolved=unresolved),
            values=(services, unresolved, tuning.spans),
        )
    if logs is None and traces is None:
        return None
    baseline = window.baseline.timestamps if window.baseline else None
    end, half_a_step = window.span.end.timestamp(), prepared.frame.step / 2
    return LogsAndSpans(logs, traces, services, baseline, end, half_a_step, tuning, memo)


def _lines(
    bundle: Bundle, graph: ServiceGraph, services: tuple[str, ...], tuning: LineTuning, memo: Memo
) -> LogIndex:
    """The lines, arranged: those of a variant with the same ones needn't be read again."""
    like: list[LogIndex] = memo.once("lines", (bundle.logs, bundle.log_counts), list, values=tuning)

    def make() -> LogIndex:
        return LogIndex.build(
            bundle.logs,
            tuning,
            counts=bundle.log_counts,
            graph=graph,
            services=services,
            like=like[0] if like else None,
        )

    made = memo.once("log index", (bundle.logs, bundle.log_counts, graph), make, values=(services, tuning))
    like.append(made)
    return made
