"""What exact counts tell: bursts of error-level lines, and services that fell silent.

Without counts from the source, lines are counted into bins of their own.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from rca.detect.log_severity import severity
from rca.detect.log_table import IntArray, LogTable, tally
from rca.detect.surprise import surprise
from rca.model.logs import LogCounts
from rca.model.signals import FloatArray
from rca.model.tuning.lines import LineTuning

_MIN_BINS: Final = 2  # of one there is neither a width nor a variance


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Lines by time, `n` buckets of `width` seconds, `s` services.

    Attributes:
        times: Shape `(n,)`, each bucket's start.
        errors: Shape `(n, s)`, lines at an error level.
        total: Shape `(n, s)`, all lines.
        exact: True for the source's own counts.
    """

    times: FloatArray
    width: float
    errors: FloatArray
    total: FloatArray
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class VolumeEvidence:
    """Each of shape `(s,)`, z-like, 0 for none.

    Attributes:
        burst: More error-level lines than the baseline's rate and the service's traffic explain.
        silent: Far fewer lines than the baseline's rate and the system's traffic explain.
    """

    burst: FloatArray
    silent: FloatArray


def volume(table: LogTable, counts: LogCounts | None, tuning: LineTuning) -> Volume:
    """The exact counts where there are some, else the lines' own."""
    services = len(table.services)
    if counts is not None and len(counts.times) >= _MIN_BINS:
        position = {name: i for i, name in enumerate(table.services)}
        bad = np.array([severity(level, "", tuning) >= tuning.is_error for level in counts.levels], dtype=bool)
        errors, total = np.zeros((len(counts.times), services)), np.zeros((len(counts.times), services))
        at = [position[name] for name in counts.services]
        total[:, at] = np.nan_to_num(counts.counts).sum(axis=2)
        errors[:, at] = np.nan_to_num(counts.counts)[:, :, bad].sum(axis=2)
        return Volume(counts.times, float(np.median(np.diff(counts.times))), errors, total, exact=True)
    if not len(table.times):
        return Volume(np.empty(0), 1.0, np.zeros((0, services)), np.zeros((0, services)), exact=False)
    start, end = table.times[0], table.times[-1]
    width = max((end - start) / tuning.volume_bins, tuning.volume_seconds)
    bins = int((end - start) // width) + 1
    key = ((table.times - start) // width).astype(np.intp) * services + table.event_service[table.event]
    bad = table.is_error[table.event]
    total = tally(key, bins * services, table.weight).reshape(bins, services)
    errors = tally(key[bad], bins * services, table.weight[bad]).reshape(bins, services)
    return Volume(start + width * np.arange(bins), width, errors, total, exact=False)


def volume_evidence(
    table: LogTable,
    seen: Volume,
    before: tuple[float, float],
    after: tuple[float, float],
    tuning: LineTuning,
) -> VolumeEvidence:
    """Bursts and silences at a split; buckets that straddle an end count where they begin.

    Counts vary more than a Poisson process; each service's variance over mean in the baseline (at least 1) widens
    its own z.
    """
    rows_before, rows_after = (slice(*np.searchsorted(seen.times, ends)) for ends in (before, after))
    buckets_before, buckets_after = (_covered(table, seen, rows) for rows in (rows_before, rows_after))
    services = seen.total.shape[1]
    if not len(buckets_before) or not len(buckets_after):
        return VolumeEvidence(np.zeros(services), np.zeros(services))
    ratio = len(buckets_after) / len(buckets_before)
    errors_before, errors_after = seen.errors[buckets_before], seen.errors[buckets_after]
    calm_before = seen.total[buckets_before].sum(axis=0) - errors_before.sum(axis=0)
    calm_after = seen.total[buckets_after].sum(axis=0) - errors_after.sum(axis=0)
    others_before, others_after = calm_before.sum() - calm_before, calm_after.sum() - calm_after
    prior, most = tuning.volume_prior, tuning.volume_dispersion
    traffic = (calm_after + prior * ratio) / (calm_before + prior)
    expected = (errors_before.sum(axis=0) + tuning.unseen) * np.maximum(traffic, ratio)
    burst = surprise(errors_after.sum(axis=0), expected) / np.sqrt(_dispersion(errors_before, most))

    system = np.minimum((others_after + prior * ratio) / (others_before + prior), ratio)
    total_before, total_after = (seen.total[rows].sum(axis=0) for rows in (buckets_before, buckets_after))
    usual = total_before * system
    variance = (usual + tuning.silent_prior) * _dispersion(seen.total[buckets_before], most)
    fallen = (usual - total_after) / np.sqrt(variance)
    silent = np.where(total_after <= tuning.silent_share * usual, np.clip(fallen, 0.0, None), 0.0)
    return VolumeEvidence(burst, silent)


def _covered(table: LogTable, seen: Volume, rows: slice) -> IntArray:
    """The buckets in which the system was seen at all, by the lines' coverage."""
    numbers = np.arange(rows.start, max(rows.start, rows.stop))
    if not len(table.covered):
        return numbers
    middle = seen.times[numbers] + seen.width / 2
    nth = np.searchsorted(table.covered[:, 0], middle, side="right") - 1
    inside = (nth >= 0) & (middle <= table.covered[np.maximum(nth, 0), 1] + seen.width / 2)
    return np.asarray(numbers[inside])


def _dispersion(counts: FloatArray, most: float) -> FloatArray:
    """Variance over mean of each column, between 1 and the most."""
    if len(counts) < _MIN_BINS:
        return np.ones(counts.shape[1])
    mean = counts.mean(axis=0)
    spread = np.divide(counts.var(axis=0, ddof=1), mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(np.clip(spread, 1.0, most))
