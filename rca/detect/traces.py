"""Spans at candidate onsets: where errors start, who takes longer by itself, and whom others wait longer for.

What a caller waited for a callee, less what the callee measured itself, is the network or a queue: it counts on
the callee's side. So does a call that failed and left no span behind, unless the callee answers others as before.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.bursts import began
from rca.detect.span_tree import Node, nodes
from rca.detect.surprise import surprise
from rca.model.incident import Span
from rca.model.signals import FloatArray
from rca.model.tuning.lines import BurstTuning
from rca.model.tuning.spans import SpanTuning

_INSTANT = 1e-3  # seconds
_MAD_OF_SIGMA = 1.4826

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Slower:
    """The operation of each service that slowed most; each of shape `(s,)`.

    Attributes:
        z: How far, z-like; 0 for nothing.
        before: Its median before, ms; NaN without one.
        after: The same after.
        caller: Who waited, a place in `TraceIndex.services`; -1 where it is the service itself.
    """

    z: FloatArray
    before: FloatArray
    after: FloatArray
    caller: Places


@dataclass(frozen=True, slots=True, eq=False)
class TraceEvidence:
    """What the spans say at one split.

    Attributes:
        failing: Shape `(s,)`, z-like: errors that start in the service, or in calls that it never answered.
        own: Own time, without what was spent in the spans below.
        waits: What others waited for the service beyond what it measured itself.
    """

    failing: FloatArray
    own: Slower
    waits: Slower


@dataclass(frozen=True, slots=True)
class FailedSpans:
    """How many of a service's spans failed by themselves, of how many; calls that it never answered count too.

    Attributes:
        before: In the baseline: failed, and all.
        after: In the incident.
        unanswered: Those of the failed ones in the incident that are calls of others.
        since: When they began to, unix seconds; None where they failed about as often before.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    unanswered: int
    since: float | None


@dataclass(frozen=True, slots=True, eq=False)
class TraceIndex:
    """The spans of a bundle, arranged for evaluation at many splits. Make it with `build`.

    Attributes:
        services: The names that evidence goes by, sorted: who writes spans, and whom their calls are addressed to.
        nodes: The spans, in order of time.
        tuning: The constants.
    """

    services: tuple[str, ...]
    nodes: tuple[Node, ...]
    tuning: SpanTuning
    _times: FloatArray
    _service: Places
    _operation: Places
    _pair: Places  # of caller and callee, that a span is a call of; -1 for none
    _failed: Flags
    _deepest: Flags
    _open: Flags  # calls that left no span of the callee
    _own: FloatArray
    _log_own: FloatArray
    _by_own: Places  # the spans by operation, then by their own time
    _whose: Places  # the service of each operation
    _pair_of: Places  # the pair of each operation, -1 for none
    _caller: Places  # of each pair
    _callee: Places
    _silent: Flags  # pairs whose callee was never seen to write a span for it
    _lost: Flags  # pairs whose callee's name the caller can't resolve

    @classmethod
    def build(
        cls,
        spans: Sequence[Span],
        tuning: SpanTuning,
        *,
        known: Collection[str] = (),
        unresolved: Collection[tuple[str, str]] = (),
    ) -> "TraceIndex":
        """Arrange spans in any order.

        Args:
            spans: Of any number of traces.
            tuning: The constants.
            known: Names beside those that write spans, that calls can be addressed to.
            unresolved: Callers and callees whose name these can't resolve: such failures are the caller's.
        """
        found = nodes(spans, known)
        services = tuple(sorted({n.span.service for n in found} | {n.callee for n in found if n.callee}))
        position = {name: i for i, name in enumerate(services)}
        operations: dict[tuple[str, str, str, bool], int] = {}
        pairs: dict[tuple[str, str], int] = {}
        operation = _places(operations.setdefault(_kind_of(n), len(operations)) for n in found)
        pair = _places(pairs.setdefault((n.span.service, n.callee), len(pairs)) if n.callee else -1 for n in found)
        own = np.array([n.own_ms for n in found], dtype=np.float64)
        answered = np.array([n.answered for n in found], dtype=bool)
        return cls(
            services,
            found,
            tuning,
            np.array([n.span.start.timestamp() for n in found]),
            _places(position[n.span.service] for n in found),
            operation,
            pair,
            np.array([n.failed for n in found], dtype=bool),
            np.array([n.deepest for n in found], dtype=bool),
            (pair >= 0) & ~answered,
            own,
            np.log1p(own),
            np.lexsort((own, operation)),
            _places(position[service] for service, _, _, _ in operations),
            _places(pairs[service, callee] if callee else -1 for service, _, callee, _ in operations),
            _places(position[caller] for caller, _ in pairs),
            _places(position[callee] for _, callee in pairs),
            np.bincount(pair[answered], minlength=len(pairs)) == 0,
            np.array([ends in unresolved for ends in pairs], dtype=bool),
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
        before, after = self._parts(split, baseline, end)
        blame = self._blame(before, after)
        (failed_before, of_before), (failed_after, of_after) = (
            self._failures(part, blame) for part in (before, after)
        )
        expected = (failed_before + self.tuning.unseen) * of_after / np.maximum(of_before, 1)
        own, waits = self._slower(before, after)
        return TraceEvidence(surprise(failed_after, expected), own, waits)

    def failed(
        self,
        place: int,
        split: float,
        bursts: BurstTuning,
        *,
        baseline: tuple[float, float] | None = None,
        end: float = np.inf,
    ) -> FailedSpans:
        """The errors that start in a service, counted for people; arguments as of `evidence`.

        Args:
            place: The service, by its position in `services`.
            split: The onset, unix seconds.
            bursts: The constants of where they begin.
            baseline: What to compare with.
            end: Where the incident ends.
        """
        low, high = baseline or (-np.inf, split)
        blame = self._blame(*self._parts(split, baseline, end))
        callee = np.append(self._callee, -1)[self._pair]
        to_it = self._open & (callee == place)
        mine = (self._service == place) | to_it
        told = np.append(blame >= self.tuning.told_of_callee, False)[self._pair]
        bad = self._deepest & np.where(self._open & told, callee == place, self._service == place)
        times = self._times[bad]
        low = max(low, float(self._times[0]))
        end_of_spans = min(end, float(self._times[-1]) + _INSTANT)
        since = began(times, low, split, end_of_spans, bursts) if low < split else None
        high = high if since is None else min(high, since)
        before = mine & (self._times >= low) & (self._times < high)
        after = mine & (self._times >= split) & (self._times < end) & ~before
        counts = [(int((part & bad).sum()), int(part.sum())) for part in (before, after)]
        return FailedSpans(counts[0], counts[1], int((after & bad & to_it).sum()), since)

    def _parts(self, split: float, baseline: tuple[float, float] | None, end: float) -> tuple[Flags, Flags]:
        low, high = baseline or (-np.inf, split)
        before = (self._times >= low) & (self._times < high)
        return before, (self._times >= split) & (self._times < end) & ~before

    def _failures(self, part: Flags, blame: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Errors that start in each service, and spans and unanswered calls of it. Each of shape `(s,)`."""
        count, pairs = len(self.services), len(self._callee)
        calls = _tally(self._pair[part & self._open], pairs)
        bad = _tally(self._pair[part & self._open & self._deepest], pairs)
        own = _tally(self._service[part & self._deepest & ~self._open], count)
        own += _tally(self._callee, count, bad * blame) + _tally(self._caller, count, bad * (1.0 - blame))
        return own, _tally(self._service[part], count) + _tally(self._callee, count, calls)

    def _blame(self, before: Flags, after: Flags) -> FloatArray:
        """The share of a failed, unanswered call that is the callee's doing, of shape `(p,)`.

        Less where others that call it fail more seldom; none where the address is new, or leads nowhere.
        """
        pairs, count = len(self._callee), len(self.services)
        calls = self._pair >= 0
        tried, usual = (np.bincount(self._pair[part & calls], minlength=pairs) for part in (after, before))
        failed = np.bincount(self._pair[after & calls & self._failed], minlength=pairs)
        others = np.bincount(self._callee, tried, minlength=count)[self._callee] - tried
        theirs = np.bincount(self._callee, failed, minlength=count)[self._callee] - failed
        mine = failed / np.maximum(tried, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            same = np.where(mine > 0, np.minimum(1.0, theirs / np.maximum(others, 1) / mine), 1.0)
        spans = [np.bincount(self._service[part], minlength=count)[self._caller] for part in (before, after)]
        due = tried / np.maximum(spans[1], 1) * spans[0]  # calls before, had the caller been as it is now
        stranger = (usual == 0) & (due >= self.tuning.min_calls)
        return np.where(self._lost | stranger, 0.0, np.where(others >= self.tuning.min_calls, same, 1.0))

    def _slower(self, before: Flags, after: Flags) -> tuple[Slower, Slower]:
        size = len(self._whose)
        old, new = (self._by_own[part[self._by_own]] for part in (before, after))
        usual, late = (_Middles.of(self._operation[rows], size) for rows in (old, new))
        center = usual.median(self._log_own[old])
        away = np.abs(self._log_own[old] - center[self._operation[old]])
        by_distance = np.argsort(away)
        by_distance = by_distance[np.argsort(self._operation[old][by_distance], kind="stable")]
        spread = np.hypot(_MAD_OF_SIGMA * usual.median(away[by_distance]), self.tuning.own_floor)
        z = np.maximum((late.median(self._log_own[new]) - center) / spread, 0.0)
        seen = np.minimum(usual.counts, late.counts) >= self.tuning.min_spans
        z = np.where(seen, z, 0.0)
        medians = usual.median(self._own[old]), late.median(self._own[new])
        call = self._pair_of >= 0
        theirs = np.append(self._theirs(z, seen & call), 0.0)[self._pair_of]
        callee = np.append(self._callee, 0)[self._pair_of]
        own = _slowest(z * (1.0 - theirs), self._whose, medians, len(self.services))
        waits = _slowest(z * theirs, callee, medians, len(self.services), self._whose)
        return own, waits

    def _theirs(self, z: FloatArray, seen: Flags) -> FloatArray:
        """The share of a longer wait that is on the callee's side, of shape `(p,)`.

        A caller that waits longer for most of its callees is slow itself; so is one that alone waits longer for a
        callee that writes no spans.
        """
        pairs = len(self._callee)
        level, measured = np.zeros(pairs), np.zeros(pairs, dtype=bool)
        np.maximum.at(level, self._pair_of[seen], z[seen])
        measured[self._pair_of[seen]] = True
        share = np.ones(pairs)
        for caller in np.unique(self._caller[measured]).tolist():
            mine = np.flatnonzero(measured & (self._caller == caller))
            common = np.sort(level[mine])[(len(mine) - 1) // 2] if len(mine) >= self.tuning.star else 0.0
            share[mine] = 1.0 - np.minimum(1.0, common / np.maximum(level[mine], _INSTANT))
        for pair in np.flatnonzero(measured & self._silent & (level > 0)).tolist():
            others = level[measured & (self._callee == self._callee[pair]) & (self._caller != self._caller[pair])]
            if len(others):
                share[pair] *= min(1.0, float(others.max()) / float(level[pair]))
        return share


def _kind_of(node: Node) -> tuple[str, str, str, bool]:
    """What a span's own time is compared with."""
    return node.span.service, node.span.operation, node.callee, node.answered


def _tally(key: Places, size: int, weights: FloatArray | None = None) -> FloatArray:
    return np.bincount(key, weights, minlength=size).astype(np.float64)


def _places(found: Iterable[int]) -> Places:
    return np.fromiter(found, dtype=np.intp)


def _slowest(
    z: FloatArray, whose: Places, medians: tuple[FloatArray, FloatArray], count: int, caller: Places | None = None
) -> Slower:
    """Of each service the operation that slowed most, the first of several."""
    most, before, after = np.zeros(count), np.full(count, np.nan), np.full(count, np.nan)
    who = np.full(count, -1, dtype=np.intp)
    np.maximum.at(most, whose, z)
    slowest = np.flatnonzero((z > 0) & (z == most[whose]))
    services, first = np.unique(whose[slowest], return_index=True)
    chosen = slowest[first]
    before[services], after[services] = medians[0][chosen], medians[1][chosen]
    if caller is not None:
        who[services] = caller[chosen]
    return Slower(most, before, after, who)


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
