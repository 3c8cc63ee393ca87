"""Spans at candidate onsets: where errors start, and who takes longer by itself rather than waiting for others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.bursts import began
from rca.model.incident import Span
from rca.model.signals import FloatArray

_FEW = 3  # spans of an operation, on either side, from which its own time can be compared
_UNSEEN = 0.25  # of an error is added to the baseline, so that "never" after a short look means little
_INSTANT = 1e-3  # seconds
_FLOOR = 0.1  # of the logarithm of own time: less than a tenth is no change


@dataclass(frozen=True, slots=True, eq=False)
class TraceEvidence:
    """What the spans say at one split; each of shape `(s,)`, z-like, 0 for nothing.

    Attributes:
        failing: Errors that start in the service: no span below failed.
        slow: Own time, without what was spent in the spans below.
        own_before: Own time of the operation that slowed most, ms, median before; NaN without one.
        own_after: The same after.
    """

    failing: FloatArray
    slow: FloatArray
    own_before: FloatArray
    own_after: FloatArray


@dataclass(frozen=True, slots=True)
class FailedSpans:
    """How many of a service's spans failed by themselves, of how many.

    Attributes:
        before: In the baseline: failed, and all.
        after: In the incident.
        since: When they began to, unix seconds; None where they failed about as often before.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    since: float | None


@dataclass(frozen=True, slots=True, eq=False)
class TraceIndex:
    """The spans of a bundle, arranged for evaluation at many splits. Make it with `build`.

    Attributes:
        services: The names that evidence goes by, sorted.
    """

    services: tuple[str, ...]
    _times: FloatArray
    _service: NDArray[np.intp]
    _operation: NDArray[np.intp]
    _deepest: NDArray[np.bool_]
    _own: FloatArray

    @classmethod
    def build(cls, spans: Sequence[Span]) -> "TraceIndex":
        """Arrange spans in any order."""
        ordered = sorted(spans, key=lambda span: (span.start, span.trace_id, span.span_id, span.service))
        services = tuple(sorted({span.service for span in ordered}))
        position = {name: i for i, name in enumerate(services)}
        children: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for span in ordered:
            if span.parent_id:
                children[span.trace_id, span.parent_id].append(span)
        operations: dict[tuple[str, str], int] = {}
        below = [children.get((span.trace_id, span.span_id), []) for span in ordered]
        return cls(
            services,
            np.array([span.start.timestamp() for span in ordered]),
            np.array([position[span.service] for span in ordered], dtype=np.intp),
            np.array(
                [operations.setdefault((s.service, s.operation), len(operations)) for s in ordered], dtype=np.intp
            ),
            np.array(
                [s.error and not any(c.error for c in kids) for s, kids in zip(ordered, below, strict=True)],
                dtype=bool,
            ),
            np.array([_own_time(span, kids) for span, kids in zip(ordered, below, strict=True)]),
        )

    def evidence(
        self, split: float, *, baseline: tuple[float, float] | None = None, end: float = np.inf
    ) -> TraceEvidence:
        """What the spans say if the incident began at `split`.

        Args:
            split: The onset, unix seconds; the incident is `split <= t < end`.
            baseline: What to compare with, half open; None for all before `split`.
            end: Where the incident ends.
        """
        low, high = baseline or (-np.inf, split)
        before = (self._times >= low) & (self._times < high)
        after = (self._times >= split) & (self._times < end) & ~before
        count = len(self.services)
        calls_before = np.bincount(self._service[before], minlength=count)
        calls_after = np.bincount(self._service[after], minlength=count)
        failed_before = np.bincount(self._service[before & self._deepest], minlength=count)
        failed_after = np.bincount(self._service[after & self._deepest], minlength=count).astype(np.float64)
        expected = (failed_before + _UNSEEN) * calls_after / np.maximum(calls_before, 1)
        failing = np.maximum(failed_after - expected, 0.0) / np.sqrt(expected + failed_after / 4 + 0.5)
        slow, own_before, own_after = self._slower(before, after)
        return TraceEvidence(failing, slow, own_before, own_after)

    def failed(
        self, place: int, split: float, *, baseline: tuple[float, float] | None = None, end: float = np.inf
    ) -> FailedSpans:
        """The errors that start in a service, counted for people; arguments as of `evidence`.

        Args:
            place: The service, by its position in `services`.
            split: The onset, unix seconds.
            baseline: What to compare with.
            end: Where the incident ends.
        """
        low, high = baseline or (-np.inf, split)
        mine = self._service == place
        failed = self._times[mine & self._deepest]
        low = max(low, float(self._times[0]))
        since = began(failed, low, split, min(end, float(self._times[-1]) + _INSTANT)) if low < split else None
        high = high if since is None else min(high, since)
        before = mine & (self._times >= low) & (self._times < high)
        after = mine & (self._times >= split) & (self._times < end) & ~before
        counts = [(int((part & self._deepest).sum()), int(part.sum())) for part in (before, after)]
        return FailedSpans(counts[0], counts[1], since)

    def _slower(
        self, before: NDArray[np.bool_], after: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        count = len(self.services)
        slow, own_before, own_after = np.zeros(count), np.full(count, np.nan), np.full(count, np.nan)
        for operation in np.unique(self._operation[after]).tolist():
            mine = self._operation == operation
            old, new = self._own[mine & before], self._own[mine & after]
            if len(old) < _FEW or len(new) < _FEW:
                continue
            usual = np.log1p(old)
            spread = np.hypot(1.4826 * np.median(np.abs(usual - np.median(usual))), _FLOOR)
            z = max(0.0, float((np.median(np.log1p(new)) - np.median(usual)) / spread))
            service = int(self._service[np.argmax(mine)])
            if z > slow[service]:
                slow[service], own_before[service] = z, np.median(old)
                own_after[service] = np.median(new)
        return slow, own_before, own_after


def _own_time(span: Span, below: Sequence[Span]) -> float:
    """Milliseconds in which no span below was running; overlapping ones count once."""
    start = span.start.timestamp() * 1e3
    end = start + span.duration_ms
    waited, reached = 0.0, start
    for child in sorted(below, key=lambda c: c.start):
        begin = max(child.start.timestamp() * 1e3, reached)
        stop = min(child.start.timestamp() * 1e3 + child.duration_ms, end)
        waited += max(0.0, stop - begin)
        reached = max(reached, stop)
    return max(0.0, span.duration_ms - waited)
