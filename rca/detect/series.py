"""How far each series departed at a candidate onset: robust, persistent, directed; all series at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning

_IQR_OF_SIGMA = 1.349  # the inter-quartile range of a normal distribution, in sigmas
_TAIL_OF_SIGMA = 3.290  # its 5 % to 95 % range
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_COUNTED = [CHANNELS.index(c) for c in (Channel.ERRORS, Channel.AVAILABILITY, Channel.RESTARTS)]
# How much there is of these compares between services; a quick service's latency matters as much as a slow one's.
_RESOURCES = [CHANNELS.index(c) for c in (Channel.CPU, Channel.MEMORY, Channel.IO, Channel.TRAFFIC, Channel.OTHER)]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which rows count as before and which as after.

    Attributes:
        before: Indices of the baseline's rows.
        after: Indices of the incident's rows.
        recent: Indices of the rows just before the onset, for the local reference; may be empty.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    recent: NDArray[np.intp]


def quantiles(sorted_rows: FloatArray, counts: FloatArray, q: float) -> FloatArray:
    """A quantile of each row, by linear interpolation.

    Args:
        sorted_rows: Shape `(m, n)`, each row sorted, its missing values (NaN) last.
        counts: Shape `(m,)`, how many values each row has.
        q: 0 to 1.

    Returns:
        Shape `(m,)`; NaN for an empty row.
    """
    if sorted_rows.shape[1] == 0:
        return np.full(len(sorted_rows), np.nan)
    position = np.maximum(counts - 1, 0) * q
    low = np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(counts - 1, 0).astype(np.intp))
    rows = np.arange(len(sorted_rows), dtype=np.intp)
    lower = sorted_rows[rows, low]
    result: FloatArray = lower + (sorted_rows[rows, high] - lower) * (position - low)
    return result


def median(values: FloatArray) -> FloatArray:
    """The median of each row, missing values left out; NaN for an empty row."""
    ordered = np.sort(values, axis=1)
    return quantiles(ordered, _counts(values), 0.5)


def _counts(values: FloatArray) -> FloatArray:
    """How many values each row has."""
    return np.asarray(np.sum(~np.isnan(values), axis=1), dtype=np.float64)


def typical(values: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """What a series was like over some rows: the mean where events are counted, else the median.

    A service that fails in one minute of three fails a third of the calls; a latency's peak is just a peak.
    """
    middle = median(values)
    rows = np.flatnonzero(counted & ~np.isnan(middle))
    middle[rows] = np.nansum(values[rows], axis=1) / _counts(values[rows])
    return middle


def score(table: SeriesTable, splits: list[Split], tuning: Tuning) -> SeriesScores:
    """Score every series at every candidate.

    For each: `z = (median after - median before) / scale`, the recent rows' upper (lower) quartile having to be
    beaten too; for latency and errors the geometric mean of that and of the same on the logarithm, so that ratios
    count; damped where some window of the baseline was as extreme.
    """
    shape = (len(splits), len(table))
    z, before, after = np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for row, split in enumerate(splits):
        z[row], before[row], after[row] = _score_split(table, split, tuning)
    return SeriesScores(z, before, after)


def _score_split(table: SeriesTable, split: Split, tuning: Tuning) -> tuple[FloatArray, FloatArray, FloatArray]:
    pre, post = table.values[:, split.before], table.values[:, split.after]
    recent = table.values[:, split.recent]
    counted = np.isin(table.channels, _COUNTED)
    observed = typical(post, counted)
    ordered, counts = np.sort(pre, axis=1), _counts(pre)
    near, near_counts = np.sort(recent, axis=1), _counts(recent)
    linear = _Baseline.linear(ordered, counts, near, near_counts, table, tuning)
    z = linear.z(observed, table.direction)
    seen = linear.seen_before(pre, post.shape[1], z, table.direction, counted)
    ratio = np.flatnonzero(table.proportional)
    if len(ratio):
        # A constant share of what the series usually reaches keeps zeros finite and the unit out of it.
        level = np.fmax(0.05 * np.abs(linear.center[ratio]), 0.01 * np.abs(observed[ratio]))
        level = np.fmax(level, tuning.floor_ratio * table.reference[ratio])
        level = np.where(level > 0, level, 1.0)[:, None]
        # The logarithm keeps the order: nothing is sorted twice.
        logs = _Baseline.logarithmic(
            _log(ordered[ratio], level),
            counts[ratio],
            _log(near[ratio], level),
            near_counts[ratio],
            table.groups[ratio],
            tuning,
        )
        z[ratio] = np.sqrt(z[ratio] * logs.z(_log(observed[ratio, None], level)[:, 0], table.direction[ratio]))
    z = np.where(seen, tuning.seen_before * z, z)
    enough = (counts >= tuning.min_before) & (_counts(post) >= tuning.min_after)
    z = np.where(enough, np.nan_to_num(z, nan=0.0, posinf=tuning.z_cap), 0.0)
    return np.minimum(z, tuning.z_cap), linear.center, observed


def _log(values: FloatArray, level: FloatArray) -> FloatArray:
    result: FloatArray = np.log(np.maximum(values, 0.0) + level)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    center: FloatArray
    scale: FloatArray
    recent_high: FloatArray
    recent_low: FloatArray

    @classmethod
    def linear(
        cls,
        ordered: FloatArray,
        counts: FloatArray,
        near: FloatArray,
        near_counts: FloatArray,
        table: SeriesTable,
        tuning: Tuning,
    ) -> "_Baseline":
        """Of the values themselves; each row sorted, missing ones last."""
        center, spread = _center_and_spread(ordered, counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(np.abs(center) > 0, spread / np.abs(center), np.nan)
        prior = np.abs(center) * _group_median(relative, table.groups)
        floor = np.where(
            table.full_scale > 0,
            tuning.floor_full_scale * table.full_scale,
            tuning.floor_ratio * np.fmax(np.abs(center), table.reference),
        )
        peers = tuning.floor_peers * _group_max(np.where(spread > 0, np.abs(center), 0.0), table.groups)
        floor = np.where(np.isin(table.channels, _RESOURCES), np.fmax(floor, peers), floor)
        scale = _scale(spread, prior, floor, counts, tuning)
        return cls(center, scale, *_recent(near, near_counts))

    @classmethod
    def logarithmic(
        cls,
        ordered: FloatArray,
        counts: FloatArray,
        near: FloatArray,
        near_counts: FloatArray,
        groups: NDArray[np.intp],
        tuning: Tuning,
    ) -> "_Baseline":
        """Of their logarithms."""
        center, spread = _center_and_spread(ordered, counts)
        floor = np.full_like(spread, tuning.floor_ratio)
        scale = _scale(spread, _group_median(spread, groups), floor, counts, tuning)
        return cls(center, scale, *_recent(near, near_counts))

    def z(self, observed: FloatArray, direction: FloatArray) -> FloatArray:
        up = observed - np.fmax(self.center, self.recent_high)
        down = np.fmin(self.center, self.recent_low) - observed
        return self.departure(up, down, direction)

    def departure(self, up: FloatArray, down: FloatArray, direction: FloatArray) -> FloatArray:
        change = np.where(direction > 0, up, np.where(direction < 0, down, np.fmax(up, down)))
        change = np.maximum(np.nan_to_num(change, nan=0.0), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(change > 0, change / self.scale, 0.0)

    def seen_before(
        self, pre: FloatArray, width: int, z: FloatArray, direction: FloatArray, counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Whether some window of the baseline, as long as the incident, was as far from its median."""
        length = pre.shape[1]
        width = min(width, max(1, length // 2))
        if length <= 1 or not np.any(z > 0):
            return np.zeros(len(pre), dtype=bool)
        starts = np.arange(0, length - width + 1, max(1, width // 2))
        candidates = np.flatnonzero(z > 0)
        windows = pre[candidates][:, starts[:, None] + np.arange(width)]
        medians = typical(windows.reshape(-1, width), np.repeat(counted[candidates], len(starts))).reshape(
            len(candidates), len(starts)
        )
        shift = medians - self.center[candidates, None]
        worst_up, worst_down = np.fmax.reduce(shift, axis=1), np.fmax.reduce(-shift, axis=1)
        past = _Baseline(
            self.center[candidates], self.scale[candidates], self.center[candidates], self.center[candidates]
        ).departure(worst_up, worst_down, direction[candidates])
        seen = np.zeros(len(pre), dtype=bool)
        seen[candidates] = past >= z[candidates]
        return seen


def _center_and_spread(ordered: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, quarter, center, three, high = (quantiles(ordered, counts, q) for q in _QUANTILES)
    iqr, tail = (three - quarter) / _IQR_OF_SIGMA, (high - low) / _TAIL_OF_SIGMA
    return center, np.where(iqr > 0, np.sqrt(iqr * np.maximum(tail, iqr)), tail / 2)


def _scale(
    spread: FloatArray, prior: FloatArray, floor: FloatArray, counts: FloatArray, tuning: Tuning
) -> FloatArray:
    """Few rows lean on what the same metric's spread is elsewhere; none is finer than the floor."""
    n = tuning.prior_rows
    scale: FloatArray = np.sqrt((n * prior**2 + counts * spread**2) / (n + counts) + floor**2)
    return scale


def _recent(near: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    return quantiles(near, counts, _QUANTILES[3]), quantiles(near, counts, _QUANTILES[1])


def _group_max(values: FloatArray, groups: NDArray[np.intp]) -> FloatArray:
    """For each element the largest of its group; 0 where none is known."""
    result = np.zeros(int(groups.max(initial=-1)) + 1)
    np.maximum.at(result, groups, np.nan_to_num(values))
    picked: FloatArray = result[groups]
    return picked


def _group_median(values: FloatArray, groups: NDArray[np.intp]) -> FloatArray:
    """For each element the median of its group's values that vary; 0 where none does."""
    usable = np.flatnonzero(np.isfinite(values) & (values > 0))
    total = int(groups.max(initial=-1)) + 1
    result = np.zeros(total)
    if len(usable):
        order = usable[np.lexsort((values[usable], groups[usable]))]
        ordered_groups = groups[order]
        starts = np.flatnonzero(np.r_[True, ordered_groups[1:] != ordered_groups[:-1]])
        counts = np.diff(np.r_[starts, len(order)])
        middle = (values[order[starts + (counts - 1) // 2]] + values[order[starts + counts // 2]]) / 2
        result[ordered_groups[starts]] = middle
    picked: FloatArray = result[groups]
    return picked
