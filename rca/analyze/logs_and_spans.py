"""Evidence that isn't a series': logs and spans, arranged so that they can be asked at any onset."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rca.analyze.memo import Memo
from rca.analyze.prepare import Prepared
from rca.detect.logs import LogEvidence, LogIndex
from rca.detect.slow_path import slow_path
from rca.detect.traces import TraceEvidence, TraceIndex
from rca.model.incident import Bundle
from rca.model.report import SlowPath
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.model.tuning.lines import LineTuning
from rca.rank.structure import Structure
from topology import ServiceGraph

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
            baseline = self.before(end)
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

    def before(self, end: float) -> tuple[float, float]:
        """What is compared with, where the baseline ends then: unix seconds, half open."""
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

    def slow_path(self, time: float, end: float) -> SlowPath | None:
        """Where the time goes in slow requests, if the incident began and the baseline ended then."""
        if self.traces is None:
            return None
        spans = self.tuning.spans
        return slow_path(self.traces.nodes, time - self.lead, spans, baseline=self.before(end), end=self.end)


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
