"""How far each series departed at a candidate onset: robust, persistent, directed; all series at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.failures import Failures, failures
from rca.detect.ordered import Ordered, Quantiles
from rca.detect.peers import Peers
from rca.detect.sums import Deviations
from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning

_IQR_OF_SIGMA = 1.349  # the inter-quartile range of a normal distribution, in sigmas
_TAIL_OF_SIGMA = 3.290  # its 5 % to 95 % range
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_QUARTER, _THREE_QUARTERS = 1, 3  # places in it
_UPPER, _LOWER = 0.75, 0.25
_CELLS = 100_000  # candidates times series that are worked on at once: few calls, and memory that stays near
_SLACK = 1e-9  # far more than rounding
_COUNTED = [CHANNELS.index(c) for c in (Channel.ERRORS, Channel.AVAILABILITY, Channel.RESTARTS)]
# How much there is of these compares between services; a quick service's latency matters as much as a slow one's.
_RESOURCES = [
    CHANNELS.index(c)
    for c in (Channel.CPU, Channel.MEMORY, Channel.DISK, Channel.IO, Channel.TRAFFIC, Channel.OTHER)
]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which rows count as before and which as after.

    Attributes:
        before: Indices of the baseline's rows, one after the other.
        after: Indices of the incident's rows, one after the other.
        recent: Indices of the rows just before the onset, for the local reference; may be empty.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    recent: NDArray[np.intp]


def score(
    table: SeriesTable, splits: Sequence[Split], tuning: Tuning, ordered: Ordered | None = None
) -> SeriesScores:
    """Score every series at every candidate.

    For each: `z = (median after - median before) / scale`, the recent rows' upper (lower) quartile having to be
    beaten too; for latency and errors the geometric mean of that and of the same on the logarithm, so that ratios
    count; damped where some window of the baseline was as extreme.

    Args:
        table: The series.
        splits: The candidates' rows.
        tuning: The constants.
        ordered: The table's values in order, where they were sorted before.
    """
    if not splits:
        nothing = np.empty((0, len(table)))
        return SeriesScores(nothing, nothing, nothing)
    scorer = _Scorer.of(table, ordered or Ordered.of(table.values), tuning)
    size = max(1, _CELLS // max(1, len(table)))
    # Those with the same baseline side by side, for they share its quantiles.
    order = np.argsort([len(split.before) for split in splits], kind="stable")
    sorted_splits = [splits[i] for i in order.tolist()]
    blocks = [scorer.score(sorted_splits[start : start + size]) for start in range(0, len(splits), size)]
    back = np.argsort(order)
    return SeriesScores(*(np.concatenate(parts)[back] for parts in zip(*blocks, strict=True)))


def _stretch(rows: NDArray[np.intp]) -> slice:
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Scorer:
    """A table with what doesn't depend on a candidate; its answers have the shape `(c, m)`.

    Attributes:
        by_row: Shape `(n, m)`, the table's values once more, a row being what is read at once.
        peers: Series that measure the same elsewhere.
        counted: Shape `(m,)`, which count events.
        ratio: Those of which ratios count.
        ratio_peers: The same among these.
        resources: Those whose levels compare between services.
        moves: What these do when they move at all.
        failed: Those that count failures.
    """

    table: SeriesTable
    ordered: Ordered
    tuning: Tuning
    by_row: FloatArray
    peers: Peers
    counted: NDArray[np.bool_]
    ratio: NDArray[np.intp]
    ratio_peers: Peers
    resources: NDArray[np.intp]
    moves: Deviations
    failed: Failures

    @classmethod
    def of(cls, table: SeriesTable, ordered: Ordered, tuning: Tuning) -> "_Scorer":
        ratio = np.flatnonzero(table.proportional)
        resources = np.flatnonzero(np.isin(table.channels, _RESOURCES))
        level = ordered.quantiles(slice(0, len(table.times)), (0.5,)).values[0, resources]
        return cls(
            table,
            ordered,
            tuning,
            np.ascontiguousarray(table.values.T),
            Peers.of(table.groups),
            np.isin(table.channels, _COUNTED),
            ratio,
            Peers.of(table.groups[ratio]),
            resources,
            Deviations.of(table.values[resources], level),
            failures(table),
        )

    def score(self, splits: Sequence[Split]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What departed, from where and to where, at each candidate."""
        table, tuning, ratio = self.table, self.tuning, self.ratio
        before = [_stretch(split.before) for split in splits]
        after = [_stretch(split.after) for split in splits]
        usual = self._quantiles(before, _QUANTILES)
        near = self._quantiles([_stretch(split.recent) for split in splits], (_UPPER, _LOWER))
        counts = np.stack([self.ordered.counts(rows) for rows in before]).astype(np.float64)
        observed = np.stack([self._typical(rows) for rows in after])
        linear = self._linear(usual, near, counts, np.stack([self.moves.over(rows) for rows in before]))
        z = linear.z(observed, table.direction)
        seen = np.stack(
            [
                self._seen_before(rows, later.stop - later.start, z[i], linear.center[i], linear.scale[i])
                for i, (rows, later) in enumerate(zip(before, after, strict=True))
            ]
        )
        if len(ratio):
            # A constant share of what the series usually reaches keeps zeros finite and the unit out of it.
            level = np.fmax(0.05 * np.abs(linear.center[:, ratio]), 0.01 * np.abs(observed[:, ratio]))
            level = np.fmax(level, tuning.floor_ratio * table.reference[ratio])
            level = np.fmax(level, tuning.floor_full_scale * table.full_scale[ratio])
            level = np.where(level > 0, level, 1.0)
            logs = self._logarithmic(usual.of_logs(ratio, level), near.of_logs(ratio, level), counts[:, ratio])
            after_logs = np.log(np.maximum(observed[:, ratio], 0.0) + level)
            z[:, ratio] = np.sqrt(z[:, ratio] * logs.z(after_logs, table.direction[ratio]))
        # What a share p of the baseline did by itself is worth what chance makes of it.
        z = np.where(seen > 0, np.minimum(z, np.sqrt(-2.0 * np.log(np.where(seen > 0, seen, 1.0)))), z)
        most = np.stack([self.failed.most(*rows) for rows in zip(before, after, strict=True)])
        z[:, self.failed.rows] = np.minimum(z[:, self.failed.rows], most)
        later_counts = np.stack([self.ordered.counts(rows) for rows in after])
        enough = (counts >= tuning.min_before) & (later_counts >= tuning.min_after)
        z = np.where(enough, np.nan_to_num(z, nan=0.0, posinf=tuning.z_cap), 0.0)
        return np.minimum(z, tuning.z_cap), linear.center, observed

    def _quantiles(self, stretches: Sequence[slice], of: Sequence[float]) -> Quantiles:
        """Quantiles of each stretch, those of equal ones picked once."""
        distinct = {(rows.start, rows.stop): rows for rows in stretches}
        picked = {ends: self.ordered.quantiles(rows, of) for ends, rows in distinct.items()}
        return Quantiles.stacked([picked[rows.start, rows.stop] for rows in stretches])

    def _typical(self, rows: slice) -> FloatArray:
        """What each series was like over a stretch of rows: `typical` of them."""
        middle: FloatArray = self.ordered.quantiles(rows, (0.5,)).values[0]
        some = np.flatnonzero(self.counted & ~np.isnan(middle))
        middle[some] = np.nansum(self.table.values[some, rows], axis=1) / self.ordered.counts(rows)[some]
        return middle

    def _linear(self, usual: Quantiles, near: Quantiles, counts: FloatArray, moves: FloatArray) -> "_Baseline":
        """Of the values themselves; a resource that hardly ever moves is measured by what it does when it does."""
        table, tuning = self.table, self.tuning
        center, spread = _center_and_spread(usual)
        quiet = usual.values[:, _THREE_QUARTERS] == usual.values[:, _QUARTER]
        spread[:, self.resources] = np.where(
            quiet[:, self.resources], np.fmax(spread[:, self.resources], moves), spread[:, self.resources]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(np.abs(center) > 0, spread / np.abs(center), np.nan)
        prior = np.abs(center) * self.peers.medians(relative)
        floor = np.where(
            table.full_scale > 0,
            tuning.floor_full_scale * table.full_scale,
            tuning.floor_ratio * np.fmax(np.abs(center), table.reference),
        )
        peers = tuning.floor_peers * self.peers.largest(np.where(spread > 0, np.abs(center), 0.0))
        # Of what never was there, peers alone know how much of it is nothing to speak of.
        never = (center == 0) & (spread == 0)
        peers = np.where(never, np.fmax(peers, self.peers.medians(spread)), peers)
        floor = np.where(np.isin(table.channels, _RESOURCES), np.fmax(floor, peers), floor)
        return _Baseline(center, _scale(spread, prior, floor, counts, tuning), *near.values.swapaxes(0, 1))

    def _logarithmic(self, usual: Quantiles, near: Quantiles, counts: FloatArray) -> "_Baseline":
        """Of the logarithms of those of which ratios count."""
        center, spread = _center_and_spread(usual)
        floor = np.full_like(spread, self.tuning.floor_ratio)
        scale = _scale(spread, self.ratio_peers.medians(spread), floor, counts, self.tuning)
        return _Baseline(center, scale, *near.values.swapaxes(0, 1))

    def _seen_before(
        self, before: slice, width: int, z: FloatArray, center: FloatArray, scale: FloatArray
    ) -> FloatArray:
        """The share of the baseline's windows, as long as the incident, that were as far out. Shape `(m,)`."""
        length = before.stop - before.start
        width = min(width, max(1, length // 2))
        if length <= 1 or not np.any(z > 0):
            return np.zeros(len(z))
        starts = before.start + np.arange(0, length - width + 1, max(1, width // 2))
        at, series = np.nonzero(self._far(before, starts, width, z, center, scale))
        windows = self.table.values[series[:, None], starts[at, None] + np.arange(width)]
        shift = typical(windows, self.counted[series]) - center[series]
        past = _departure(shift, -shift, self.table.direction[series], scale[series])
        return np.asarray(np.bincount(series[past >= z[series]], minlength=len(z)) / len(starts))

    def _far(
        self,
        before: slice,
        starts: NDArray[np.intp],
        width: int,
        z: FloatArray,
        center: FloatArray,
        scale: FloatArray,
    ) -> NDArray[np.bool_]:
        """Windows that may be as far out, as half of their values are (one, of a mean). Shape `(len(starts), m)`.

        Counting is quick, and leaves few whose median has to be taken.
        """
        reach = np.nan_to_num(z, posinf=0.0) * scale  # z is infinite where the scale is 0
        reach -= _SLACK * (np.abs(center) + reach)
        direction, rows = self.table.direction, self.by_row[before]
        high = rows >= np.where((z > 0) & (direction >= 0), center + reach, np.inf)
        low = rows <= np.where((z > 0) & (direction <= 0), center - reach, -np.inf)
        known = self.ordered.so_far[starts + width] - self.ordered.so_far[starts]
        least = np.where(self.counted, 1, np.maximum(known + 1, 2) // 2)
        small = np.min_scalar_type(width)
        far = np.zeros((len(starts), len(z)), dtype=bool)
        for i, start in enumerate((starts - before.start).tolist()):
            for out in (high, low):
                far[i] |= out[start : start + width].sum(axis=0, dtype=small) >= least[i]
        return far


def typical(values: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """What a series was like over some rows: the mean where events are counted, else the median.

    A service that fails in one minute of three fails a third of the calls; a latency's peak is just a peak.

    Args:
        values: Shape `(m, n)`; NaN where missing.
        counted: Shape `(m,)`.

    Returns:
        Shape `(m,)`; NaN without any value.
    """
    ordered, rows = np.sort(values, axis=1), np.arange(len(values))
    counts = np.sum(~np.isnan(values), axis=1)
    low, high = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, values.shape[1] - 1)
    middle: FloatArray = ordered[rows, low]
    middle += (ordered[rows, high] - middle) * 0.5
    some = np.flatnonzero(counted & (counts > 0))
    middle[some] = np.nansum(values[some], axis=1) / counts[some]
    return middle


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    """What is usual before each candidate; arrays of shape `(c, m)`."""

    center: FloatArray
    scale: FloatArray
    recent_high: FloatArray
    recent_low: FloatArray

    def z(self, observed: FloatArray, direction: FloatArray) -> FloatArray:
        """How far what was observed lies beyond both the median and the recent rows, the bad way."""
        up = observed - np.fmax(self.center, self.recent_high)
        down = np.fmin(self.center, self.recent_low) - observed
        return _departure(up, down, direction, self.scale)


def _departure(up: FloatArray, down: FloatArray, direction: FloatArray, scale: FloatArray) -> FloatArray:
    change = np.where(direction > 0, up, np.where(direction < 0, down, np.fmax(up, down)))
    change = np.maximum(np.nan_to_num(change, nan=0.0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(change > 0, change / scale, 0.0)


def _center_and_spread(usual: Quantiles) -> tuple[FloatArray, FloatArray]:
    low, quarter, center, three, high = usual.values.swapaxes(0, 1)
    iqr, tail = (three - quarter) / _IQR_OF_SIGMA, (high - low) / _TAIL_OF_SIGMA
    return center, np.where(iqr > 0, np.sqrt(iqr * np.maximum(tail, iqr)), tail / 2)


def _scale(
    spread: FloatArray, prior: FloatArray, floor: FloatArray, counts: FloatArray, tuning: Tuning
) -> FloatArray:
    """Few rows lean on what the same metric's spread is elsewhere; none is finer than the floor."""
    n = tuning.prior_rows
    scale: FloatArray = np.sqrt((n * prior**2 + counts * spread**2) / (n + counts) + floor**2)
    return scale
