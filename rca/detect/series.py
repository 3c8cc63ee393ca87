"""How far each series departed at a candidate onset: robust, persistent, directed; all series at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.departure import departure, scaled
from rca.detect.failures import Failures, failures
from rca.detect.levels import Levels
from rca.detect.ordered import Ordered, Quantiles
from rca.detect.peers import Peers
from rca.detect.recurrence import recurrence
from rca.detect.sums import Deviations
from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning

_IQR_OF_SIGMA = 1.349  # the inter-quartile range of a normal distribution, in sigmas
_TAIL_OF_SIGMA = 3.290  # its 5 % to 95 % range
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_QUARTER, _THREE_QUARTERS = 1, 3  # places in it
_CELLS = 200_000  # candidates times series that are worked on at once: few calls, and memory that stays near
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

    @property
    def stretches(self) -> tuple[NDArray[np.intp], ...]:
        """All of them."""
        return self.before, self.after, self.recent


def _stretch(rows: NDArray[np.intp]) -> slice:
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A table with what doesn't depend on a candidate.

    Attributes:
        ordered: The values of the table in order.
        levels: What each series was like over stretches of rows.
        peers: Series that measure the same elsewhere.
        ratio: Those of which ratios count.
        ratio_peers: The same among these.
        resource: Shape `(m,)`, whose levels compare between services.
        resource_peers: The same among these.
        coarse: Those of them that have values more than once, so that they may hardly ever move.
        moves: What these do when they move at all.
        failed: Those that count failures.
    """

    table: SeriesTable
    ordered: Ordered
    tuning: Tuning
    levels: Levels
    peers: Peers
    ratio: NDArray[np.intp]
    ratio_peers: Peers
    resource: NDArray[np.bool_]
    resource_peers: Peers
    coarse: NDArray[np.intp]
    moves: Deviations
    failed: Failures

    @classmethod
    def of(cls, table: SeriesTable, tuning: Tuning) -> "Scorer":
        """Arrange a table."""
        ordered = Ordered.of(table.values)
        ratio = np.flatnonzero(table.proportional)
        resource = np.isin(table.channels, _RESOURCES)
        coarse = np.flatnonzero(resource & ordered.repeats())
        level = ordered.quantiles([slice(0, len(table.times))], (0.5,)).values[0, 0, coarse]
        return cls(
            table,
            ordered,
            tuning,
            Levels.of(ordered, np.isin(table.channels, _COUNTED)),
            Peers.of(table.groups),
            ratio,
            Peers.of(table.groups[ratio]),
            resource,
            Peers.of(table.groups, np.flatnonzero(resource)),
            coarse,
            Deviations.of(table.values[coarse], level),
            failures(table),
        )

    def score(self, splits: Sequence[Split]) -> SeriesScores:
        """Score every series at every candidate.

        For each: `z = (median after - median before) / scale`, the recent rows' upper (lower) quartile having to
        be beaten too; for latency and errors the geometric mean of that and of the same on the logarithm, so that
        ratios count; damped where some window of the baseline was as extreme.
        """
        if not splits:
            nothing = np.empty((0, len(self.table)))
            return SeriesScores(nothing, nothing, nothing)
        size = max(1, _CELLS // max(1, len(self.table)))
        # Those with the same baseline side by side, for they share its quantiles.
        order = np.argsort([len(split.before) for split in splits], kind="stable")
        ordered = [splits[i] for i in order.tolist()]
        blocks = [self._block(ordered[start : start + size]) for start in range(0, len(splits), size)]
        back = np.argsort(order)
        return SeriesScores(*(np.concatenate(parts)[back] for parts in zip(*blocks, strict=True)))

    def _block(self, splits: Sequence[Split]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What departed, from where and to where, at each of some candidates; each of shape `(c, m)`."""
        table, tuning, ratio = self.table, self.tuning, self.ratio
        before = [_stretch(split.before) for split in splits]
        after = [_stretch(split.after) for split in splits]
        usual = self.ordered.quantiles(before, _QUANTILES)
        upper = tuning.rows.recent_quantile
        near = self.ordered.quantiles([_stretch(split.recent) for split in splits], (upper, 1.0 - upper))
        counts = np.stack([self.ordered.counts(rows) for rows in before]).astype(np.float64)
        observed = self.levels.over(after)
        linear = self._linear(usual, near, counts, np.stack([self.moves.over(rows) for rows in before]))
        change = linear.change(observed, table.direction)
        z = linear.z(observed, table.direction)
        if len(ratio):
            # A constant share of what the series usually reaches keeps zeros finite and the unit out of it.
            level = np.fmax(
                tuning.rows.ratio_usual * np.abs(linear.center[:, ratio]),
                tuning.rows.ratio_observed * np.abs(observed[:, ratio]),
            )
            level = np.fmax(level, tuning.floor_ratio * table.reference[ratio])
            level = np.fmax(level, tuning.floor_full_scale * table.full_scale[ratio])
            level = np.where(level > 0, level, 1.0)
            logs = self._logarithmic(usual.of_logs(ratio, level), near.of_logs(ratio, level), counts[:, ratio])
            after_logs = np.log(np.maximum(observed[:, ratio], 0.0) + level)
            z[:, ratio] = np.sqrt(z[:, ratio] * logs.z(after_logs, table.direction[ratio]))
        # What a share p of the baseline did by itself is worth what chance makes of it.
        asked = np.where(z >= tuning.rows.recurrence_from, change, 0.0)
        seen = self._recurred(before, after, asked, linear.center)
        z = np.where(seen > 0, np.minimum(z, np.sqrt(-2.0 * np.log(np.where(seen > 0, seen, 1.0)))), z)
        most = np.stack([self.failed.most(*rows, tuning.rows) for rows in zip(before, after, strict=True)])
        z[:, self.failed.rows] = np.minimum(z[:, self.failed.rows], most)
        later_counts = np.stack([self.ordered.counts(rows) for rows in after])
        enough = (counts >= tuning.min_before) & (later_counts >= tuning.min_after)
        z = np.where(enough, np.nan_to_num(z, nan=0.0, posinf=tuning.z_cap), 0.0)
        return np.minimum(z, tuning.z_cap), linear.center, observed

    def _recurred(
        self, before: Sequence[slice], after: Sequence[slice], change: FloatArray, center: FloatArray
    ) -> FloatArray:
        """The share of each one's baseline that departed as far by itself. Shape `(c, m)`."""
        shares = [
            recurrence(
                self.levels,
                rows,
                later.stop - later.start,
                change=change[i],
                center=center[i],
                direction=self.table.direction,
                tuning=self.tuning.rows,
            )
            for i, (rows, later) in enumerate(zip(before, after, strict=True))
        ]
        return np.stack(shares)

    def _linear(self, usual: Quantiles, near: Quantiles, counts: FloatArray, moves: FloatArray) -> "_Baseline":
        """Of the values themselves; a resource that hardly ever moves is measured by what it does when it does."""
        table, tuning = self.table, self.tuning
        values = usual.values
        center, spread = _center_and_spread(values)
        quiet = (values[:, _THREE_QUARTERS] == values[:, _QUARTER])[:, self.coarse]
        spread[:, self.coarse] = np.where(quiet, np.fmax(spread[:, self.coarse], moves), spread[:, self.coarse])
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(np.abs(center) > 0, spread / np.abs(center), np.nan)
        prior = np.abs(center) * self.peers.medians(relative)
        floor = np.where(
            table.full_scale > 0,
            tuning.floor_full_scale * table.full_scale,
            tuning.floor_ratio * np.fmax(np.abs(center), table.reference),
        )
        floor = np.where(self.resource, np.fmax(floor, self._elsewhere(center, spread)), floor)
        return _Baseline(center, _scale(spread, prior, floor, counts, tuning), *near.values.swapaxes(0, 1))

    def _elsewhere(self, center: FloatArray, spread: FloatArray) -> FloatArray:
        """How much of each resource is nothing to speak of, by what others use of it."""
        highest = self.resource_peers.largest(np.where(spread > 0, np.abs(center), 0.0))
        little = self.tuning.floor_peers * highest
        # Of what never was there, peers alone know.
        never = (center == 0) & (spread == 0) & self.resource
        if never.any():
            little = np.where(never, np.fmax(little, self.resource_peers.medians(spread)), little)
        return little

    def _logarithmic(self, usual: Quantiles, near: Quantiles, counts: FloatArray) -> "_Baseline":
        """Of the logarithms of those of which ratios count."""
        center, spread = _center_and_spread(usual.values)
        floor = np.full_like(spread, self.tuning.floor_ratio)
        scale = _scale(spread, self.ratio_peers.medians(spread), floor, counts, self.tuning)
        return _Baseline(center, scale, *near.values.swapaxes(0, 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    """What is usual before each candidate; arrays of shape `(c, m)`."""

    center: FloatArray
    scale: FloatArray
    recent_high: FloatArray
    recent_low: FloatArray

    def change(self, observed: FloatArray, direction: FloatArray) -> FloatArray:
        """How far what was observed lies beyond both the median and the recent rows, the bad way; 0 if not."""
        up = observed - np.fmax(self.center, self.recent_high)
        return departure(up, np.fmin(self.center, self.recent_low) - observed, direction)

    def z(self, observed: FloatArray, direction: FloatArray) -> FloatArray:
        """The same in scales."""
        return scaled(self.change(observed, direction), self.scale)


def _center_and_spread(usual: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, quarter, center, three, high = usual.swapaxes(0, 1)
    iqr, tail = (three - quarter) / _IQR_OF_SIGMA, (high - low) / _TAIL_OF_SIGMA
    return center, np.where(iqr > 0, np.sqrt(iqr * np.maximum(tail, iqr)), tail / 2)


def _scale(
    spread: FloatArray, prior: FloatArray, floor: FloatArray, counts: FloatArray, tuning: Tuning
) -> FloatArray:
    """Few rows lean on what the same metric's spread is elsewhere; none is finer than the floor."""
    n = tuning.prior_rows
    scale: FloatArray = np.sqrt((n * prior**2 + counts * spread**2) / (n + counts) + floor**2)
    return scale
