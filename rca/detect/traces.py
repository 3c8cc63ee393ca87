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
_MAD_OF_SIGMA = 1.4826
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
    _log_own: FloatArray
    _by_own: NDArray[np.intp]  # the spans by operation, then by their own time
    _whose: NDArray[np.intp]  # the service of each operation

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
        service = np.array([position[span.service] for span in ordered], dtype=np.intp)
        operation = np.array(
            [operations.setdefault((s.service, s.operation), len(operations)) for s in ordered], dtype=np.intp
        )
        own = np.array(
            [_own_time(span, kids) for span, kids in zip(ordered, below, strict=True)], dtype=np.float64
        )
        return cls(
            services,
            np.array([span.start.timestamp() for span in ordered]),
            service,
            operation,
            np.array(
                [s.error and not any(c.error for c in kids) for s, kids in zip(ordered, below, strict=True)],
                dtype=bool,
            ),
            own,
            np.log1p(own),
            np.lexsort((own, operation)),
            service[np.unique(operation, return_index=True)[1]],
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
        whose, size = self._whose, len(self._whose)
        old, new = (self._by_own[part[self._by_own]] for part in (before, after))
        usual, late = (_Middles.of(self._operation[rows], size) for rows in (old, new))
        center = usual.median(self._log_own[old])
        away = np.abs(self._log_own[old] - center[self._operation[old]])
        by_distance = np.argsort(away)
        by_distance = by_distance[np.argsort(self._operation[old][by_distance], kind="stable")]
        spread = np.hypot(_MAD_OF_SIGMA * usual.median(away[by_distance]), _FLOOR)
        z = np.maximum((late.median(self._log_own[new]) - center) / spread, 0.0)
        z = np.where((usual.counts >= _FEW) & (late.counts >= _FEW), z, 0.0)
        np.maximum.at(slow, whose, z)
        slowest = np.flatnonzero((z > 0) & (z == slow[whose]))
        services, first = np.unique(whose[slowest], return_index=True)
        chosen = slowest[first]
        own_before[services] = usual.median(self._own[old])[chosen]
        own_after[services] = late.median(self._own[new])[chosen]
        return slow, own_before, own_after


@dataclass(frozen=True, slots=True, eq=False)
class _Middles:
    """Where the medians of `g` groups stand among values that are sorted by group, then by size.

    Attributes:
        counts: Shape `(g,)`, the values of each group.
        low: Shape `(g,)`, the place of its lower median; anywhere, for a group without any.
        high: Shape `(g,)`, that of its upper one.
    """

    counts: NDArray[np.intp]
    low: NDArray[np.intp]
    high: NDArray[np.intp]

    @classmethod
    def of(cls, groups: NDArray[np.intp], size: int) -> "_Middles":
        counts = np.bincount(groups, minlength=size)
        first = np.cumsum(counts) - counts
        last = max(len(groups) - 1, 0)
        return cls(
            counts, np.minimum(first + np.maximum(counts - 1, 0) // 2, last), np.minimum(first + counts // 2, last)
        )

    def median(self, values: FloatArray) -> FloatArray:
        """Each group's median; NaN where there are no values at all, and any number for a group without."""
        if not len(values):
            return np.full(len(self.counts), np.nan)
        middle: FloatArray = (values[self.low] + values[self.high]) / 2
        return middle


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
