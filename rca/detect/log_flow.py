"""What the order of lines within a trace tells: lines that no longer follow, and hops that became slow.

Both rest on pairs of event types that stand next to each other in traces. Of a sample only whole traces are read:
elsewhere the neighbours are missing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from rca.detect.log_table import BoolArray, IntArray, LogTable, tally
from rca.detect.surprise import surprise
from rca.model.signals import FloatArray
from rca.model.tuning.lines import LineTuning

_ORDERED: Final = 2  # lines, of which one can come before the other


@dataclass(frozen=True, slots=True, eq=False)
class Hops:
    """Consecutive lines of a trace, sorted by time; `h` hops, `p` pairs of event types.

    Attributes:
        times: Shape `(h,)`, when the second line was written.
        gap: Shape `(h,)`, seconds between the two.
        pair: Shape `(h,)`.
        by_gap: Shape `(h,)`, the hops' order by pair, then by gap.
        starts: Shape `(p + 1,)`, where each pair begins in `by_gap`.
        first: Shape `(p,)`, the pair's event types.
        second: Shape `(p,)`.
    """

    times: FloatArray
    gap: FloatArray
    pair: IntArray
    by_gap: IntArray
    starts: IntArray
    first: IntArray
    second: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Follows:
    """Whether B came after A in a trace, for pairs that stand next to each other in some traces; sorted by time.

    Attributes:
        times: Shape `(m,)`, when A was written.
        pair: Shape `(m,)`.
        followed: Shape `(m,)`, 1 where B came later in the trace, else 0.
        decided: Shape `(m,)`, until when B would have had to come.
        seen_until: Shape `(m,)`, the end of the stretch around A in which lines were seen at all.
        first: Shape `(p,)`, A's event type.
        second: Shape `(p,)`, B's.
    """

    times: FloatArray
    pair: IntArray
    followed: FloatArray
    decided: FloatArray
    seen_until: FloatArray
    first: IntArray
    second: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PairStrength:
    """What pairs of event types show at a split, `p` of each.

    Attributes:
        z: Shape `(p,)`, 0 for nothing.
        before: Shape `(p,)`, the share that followed, or the usual gap in seconds.
        after: Shape `(p,)`, the same in the incident.
    """

    z: FloatArray
    before: FloatArray
    after: FloatArray


def sequences(table: LogTable) -> IntArray:
    """Rows with a whole trace, in the order of traces, then of time."""
    usable = np.flatnonzero((table.trace >= 0) & table.whole)
    return usable[np.argsort(table.trace[usable], kind="stable")]


def build_hops(table: LogTable, rows: IntArray) -> Hops:
    """Every two consecutive lines of a trace."""
    here, there = _neighbours(table, rows)
    order = np.argsort(table.times[there], kind="stable")
    here, there = here[order], there[order]
    gap = table.times[there] - table.times[here]
    pair, first, second = _pairs(table.event[here], table.event[there], len(table.event_service))
    by_gap = np.lexsort((gap, pair))
    starts = np.searchsorted(pair[by_gap], np.arange(len(first) + 1))
    return Hops(table.times[there], gap, pair, by_gap, starts, first, second)


def build_follows(table: LogTable, rows: IntArray, tuning: LineTuning) -> Follows:
    """Every first occurrence of an A in a trace, for every B that often stands right behind it."""
    size = max(len(table.event_service), 1)
    here, there = _neighbours(table, rows)
    pair, first, second = _pairs(table.event[here], table.event[there], size)
    times_seen = tally(pair, len(first))
    of_first = tally(table.event[here], size)
    often = np.maximum(tuning.min_traces, tuning.follow_share * of_first[first])
    kept = (first != second) & (times_seen >= often)
    first, second = first[kept], second[kept]

    key = table.trace[rows] * size + table.event[rows]
    by_key = np.argsort(key, kind="stable")  # within a key still in the order of time
    keys, start = np.unique(key[by_key], return_index=True)
    end = np.append(start, len(key))[1:] - 1
    earliest, latest = rows[by_key[start]], rows[by_key[end]]

    a_event = keys % size
    left = np.searchsorted(first, a_event, side="left")
    many = np.searchsorted(first, a_event, side="right") - left
    source = np.repeat(np.arange(len(keys)), many)
    number = np.arange(len(source)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(left, many)
    wanted = keys[source] - a_event[source] + second[number]
    at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    position = np.empty(len(table.times), dtype=np.intp)
    position[rows] = np.arange(len(rows))
    followed = np.zeros(len(source), dtype=bool)
    if len(source):
        followed = (keys[at] == wanted) & (position[latest[at]] > position[earliest[source]])
    times = table.times[earliest[source]]
    waits = table.times[latest[at]][followed] - times[followed] if len(source) else np.empty(0)
    horizon = float(np.quantile(waits, tuning.follow_quantile)) if len(waits) else 0.0
    order = np.argsort(times, kind="stable")
    times = times[order]
    ends = table.covered[:, 1] if len(table.covered) else np.array([np.inf])
    return Follows(
        times=times,
        pair=number[order],
        followed=followed[order].astype(np.float64),
        decided=times + min(horizon, tuning.follow_seconds),
        seen_until=ends[np.minimum(np.searchsorted(ends, times), len(ends) - 1)],
        first=first,
        second=second,
    )


def vanished(
    table: LogTable,
    follows: Follows,
    before: tuple[float, float],
    after: tuple[float, float],
    tuning: LineTuning,
) -> PairStrength:
    """Pairs where B, no error, followed A in most traces of the baseline and no longer does.

    The z of two proportions (half a trace added to each cell), less what the best of so many pairs would show by
    chance: `sqrt(max(0, z² - 2 ln p))` of `p` pairs looked at. Those that followed too seldom count in `p` too: of
    many lines in no order some follow in all of a few traces.
    """
    size, prior = len(follows.first), tuning.share_prior
    shares, sizes = [], []
    for start, end in (before, after):
        in_time = slice(*np.searchsorted(follows.times, (start, end)))
        seen_until = np.minimum(follows.seen_until[in_time], end)
        known = (follows.decided[in_time] <= seen_until) | (follows.followed[in_time] > 0)
        pair, hit = follows.pair[in_time][known], follows.followed[in_time][known]
        n = tally(pair, size)
        shares.append((tally(pair, size, hit) + prior) / (n + 2 * prior))
        sizes.append(n)
    (p, q), (n, m) = shares, sizes
    looked_at = (n >= tuning.min_traces) & (m >= 1) & ~table.is_error[follows.second]
    z = np.where(looked_at & (p >= tuning.follow_most), _two_proportions(p, n, q, m, prior), 0.0)
    return PairStrength(_corrected(z, int(looked_at.sum())), p, q)


def vanished_by_service(
    table: LogTable, follows: Follows, strength: PairStrength, calls: IntArray, tuning: LineTuning
) -> FloatArray:
    """Shape `(s,)`: each service's strongest vanished line.

    It counts in full when the line before was the service's own, nearly so when a caller wrote that (the call
    didn't arrive, or failed at the door), and less on the way back from a callee.
    """
    first, second = table.event_service[follows.first], table.event_service[follows.second]
    size = len(table.services)
    called = np.isin(first * size + second, calls[:, 0] * size + calls[:, 1])
    between = np.where(called, tuning.vanished_called, tuning.vanished_across)
    weight = np.where(first == second, 1.0, between)
    scores = np.zeros(size)
    np.maximum.at(scores, second, strength.z * weight)
    return scores


def diverged(
    table: LogTable, hops: Hops, before: slice, after: slice, unseen: BoolArray, tuning: LineTuning
) -> FloatArray:
    """Shape `(s,)`: calm lines never seen before that took the place of what used to follow a well-known line.

    A request of a new kind brings new lines too, behind other new lines; only those count that stand right behind
    a line of the same service which the baseline knows and always continued otherwise. z of two proportions,
    corrected for the number of pairs.
    """
    size, events = len(hops.first), len(table.event_service)
    n, m = (tally(hops.first[hops.pair[rows]], events)[hops.first] for rows in (before, after))
    k = tally(hops.pair[after], size)
    same = table.event_service[hops.first] == table.event_service[hops.second]
    tested = (n >= tuning.min_traces) & (k > 0) & unseen[hops.second] & same
    prior = tuning.share_prior
    now, usual = (k + prior) / (m + 2 * prior), prior / (n + 2 * prior)
    z = np.where(tested, _two_proportions(now, m, usual, n, prior), 0.0)
    scores = np.zeros(len(table.services))
    np.maximum.at(scores, table.event_service[hops.second], _corrected(z, int(tested.sum())))
    return scores


def _two_proportions(p: FloatArray, n: FloatArray, q: FloatArray, m: FloatArray, prior: float) -> FloatArray:
    """The z of two shares, `p` of `n` and `q` of `m`, each with its prior; 0 where `p` isn't the greater."""
    n, m = n + 2 * prior, m + 2 * prior
    pooled = (p * n + q * m) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.asarray(np.where(p > q, (p - q) / np.maximum(spread, 1e-9), 0.0))


def _corrected(z: FloatArray, tested: int) -> FloatArray:
    """Less what the best of so many tests would show by chance: `sqrt(max(0, z² - 2 ln n))`."""
    return np.asarray(np.sqrt(np.clip(z * z - 2 * np.log(max(tested, 1)), 0.0, None)))


@dataclass(frozen=True, slots=True, eq=False)
class SlowHops:
    """Slow hops at a split.

    Attributes:
        by_service: Shape `(s,)`, z-like: more slow hops than usual touch the service, times its share of them all.
        pairs: Each pair's surprise, the usual gap and the incident's, in seconds.
    """

    by_service: FloatArray
    pairs: PairStrength


def slow(table: LogTable, hops: Hops, before: slice, after: slice, tuning: LineTuning) -> SlowHops:
    """Hops that took longer than the baseline's usual for their pair of lines.

    A hop is slow beyond the pair's median plus `slow_spread` times the distance to its upper quartile (at least
    `slow_least` of the median, and `slow_seconds`). Expected is the share of slow hops in the baseline itself.

    Args:
        table: The lines.
        hops: `build_hops` of them.
        before: The baseline's hops.
        after: The incident's hops.
        tuning: The constants.
    """
    services, size = len(table.services), len(hops.first)
    seen = np.zeros(len(hops.times), dtype=np.intp)
    seen[before] = 1
    running = np.concatenate(([0], np.cumsum(seen[hops.by_gap])))
    offset, count = running[hops.starts[:-1]], np.diff(running[hops.starts])
    median, upper = (_quantile(hops, running, offset, count, q) for q in (0.5, tuning.slow_quantile))
    spread = np.maximum(upper - median, tuning.slow_least * median)
    limit = median + np.maximum(tuning.slow_spread * spread, tuning.slow_seconds)
    known = count >= tuning.min_traces
    slow_hop = (hops.gap > limit[hops.pair]) & known[hops.pair]
    n = tally(hops.pair[after], size, known[hops.pair[after]])
    o = tally(hops.pair[after], size, slow_hop[after])
    prior = tuning.share_prior
    usual = (tally(hops.pair[before], size, slow_hop[before]) + prior) / (count + 2 * prior)
    e = n * np.minimum(usual, 1.0)
    first, second = table.event_service[hops.first], table.event_service[hops.second]
    within = first == second
    touching = np.zeros((2, services))
    for k, values in enumerate((o, e)):
        touching[k] = tally(first, services, values)
        touching[k] += tally(second[~within], services, values[~within])
    over = np.clip(o - e, 0.0, None)
    share = tally(first, services, over)
    share += tally(second[~within], services, over[~within])
    by_service = surprise(*touching) * share / max(float(over.sum()), 1.0)
    worst = np.zeros(size)
    np.maximum.at(worst, hops.pair[after], hops.gap[after])
    return SlowHops(by_service, PairStrength(surprise(o, e), median, worst))


def _quantile(hops: Hops, running: IntArray, offset: IntArray, count: IntArray, q: float) -> FloatArray:
    """The q-quantile (lower) of each pair's gaps in the baseline, 0 where it has none."""
    if not len(hops.by_gap):
        return np.empty(0)
    nth = offset + np.floor(q * np.maximum(count - 1, 0)).astype(np.intp)
    at = np.minimum(np.searchsorted(running, nth, side="right") - 1, len(hops.by_gap) - 1)
    return np.where(count > 0, hops.gap[hops.by_gap[at]], 0.0)


def _neighbours(table: LogTable, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Each row and the next of its trace."""
    if len(rows) < _ORDERED:
        return rows[:0], rows[:0]
    together = table.trace[rows[:-1]] == table.trace[rows[1:]]
    return rows[:-1][together], rows[1:][together]


def _pairs(first: IntArray, second: IntArray, size: int) -> tuple[IntArray, IntArray, IntArray]:
    """A number for each pair, and the pairs, sorted by their first and then their second member."""
    keys, number = np.unique(first * max(size, 1) + second, return_inverse=True)
    return number.astype(np.intp), (keys // max(size, 1)).astype(np.intp), (keys % max(size, 1)).astype(np.intp)
