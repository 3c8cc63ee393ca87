"""Whether an incident was over before the window's end: calm rows after it would hide it in a median."""

import numpy as np

from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning

_ROWS = 64  # of the baseline, that are enough to say what is usual
_BELOW = 1.645  # sigmas from a normal distribution's median to its 5 % quantile


def ended(
    values: FloatArray,
    direction: FloatArray,
    base: int,
    sought: tuple[int, int],
    *,
    told: int | None,
    clear: float,
    tuning: RowTuning,
) -> int | None:
    """The row from which the system was calm again, for long enough beside what the incident took.

    What departs the bad way is added up by row; the incident is the stretch with the largest sum above a share of
    the loudest row. It has to outweigh everything else that departs: an older blip is no reason to overlook
    what goes on at the window's end.

    Args:
        values: Shape `(n, m)`, rows by series; NaN where missing.
        direction: Shape `(m,)`: 1 worse upwards, -1 downwards, 0 unknown, which says nothing here.
        base: How many rows, from the first one, say what is usual. A fault may be in less than half of them.
        sought: The first and the last row at which the incident may have begun.
        told: The row at which it was going on, where somebody said so.
        clear: How many times all that departs elsewhere from there on.
        tuning: The constants, `recovery_…`.

    Returns:
        None where it goes on, or where that can't be told.
    """
    least, after_rows = tuning.recovery_min_rows, tuning.recovery_after_rows
    first, last = max(sought[0], least), sought[1]
    if base < least or len(values) - first <= after_rows:
        return None
    loud, usual, most = _loudness(values, direction, base, first, tuning)
    height = float(np.max(loud)) - usual
    begin, end = (row + first for row in _largest_sum(loud - usual - tuning.recovery_stretch * height))
    long_enough = len(values) - end >= max(after_rows, tuning.recovery_after_share * (end - begin))
    if height <= tuning.recovery_out or begin > last or not long_enough:
        return None
    beside = np.maximum(loud - usual, 0.0)
    mine, calm = float(np.sum(beside[begin - first : end - first])), tuning.recovery_calm * height
    if mine < clear * (float(np.sum(beside)) - mine) or float(np.mean(loud[end - first :])) > usual + calm:
        return None
    if told is not None:
        return end if end > told and height > most - usual else None
    # A fault that takes half of the window is what is usual in it: then what follows isn't like what went before.
    after, usual, _ = _loudness(values, direction, begin, end, tuning)
    return end if begin > first and float(np.mean(after)) <= usual + calm else None


def _loudness(
    values: FloatArray, direction: FloatArray, base: int, first: int, tuning: RowTuning
) -> tuple[FloatArray, float, float]:
    """How much departs in each row from `first` on, summed over series; how much usually does; the most before."""
    sample = np.arange(0, base, max(1, base // _ROWS))
    bad = (values * direction)[:, direction != 0].T
    ordered = np.sort(bad[:, sample], axis=1)  # missing values last
    known = np.sum(~np.isnan(ordered), axis=1)
    ordered, bad, known = (part[known >= tuning.recovery_min_rows] for part in (ordered, bad, known))
    series = np.arange(len(bad))
    # The good side of what is usual: a fault leaves it as it was.
    low, center = ordered[series, (known - 1) // 20], ordered[series, (known - 1) // 2]
    scale = np.maximum((center - low) / _BELOW, tuning.recovery_floor * np.abs(center))
    before = _departing(bad[:, sample], center, scale, tuning)
    return _departing(bad[:, first:], center, scale, tuning), float(np.median(before)), float(np.max(before))


def _departing(bad: FloatArray, center: FloatArray, scale: FloatArray, tuning: RowTuning) -> FloatArray:
    """The sum over series, of shape `(rows,)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (bad - center[:, None]) / scale[:, None]
    z = np.where(bad > center[:, None], np.minimum(z, tuning.recovery_cap), 0.0)  # also where something is missing
    # The middle one of three rows: what departs in one alone is a burst.
    early, late = (np.hstack(part) for part in ((z[:, 1:2], z[:, :-1]), (z[:, 1:], z[:, -2:-1])))
    z = np.maximum(np.minimum(early, late), np.minimum(np.maximum(early, late), z))
    total: FloatArray = np.sum(z, axis=0, where=z > tuning.recovery_out)
    return total


def _largest_sum(values: FloatArray) -> tuple[int, int]:
    """The stretch with the largest sum, half open."""
    total = np.r_[0.0, np.cumsum(values)]
    lowest = np.minimum.accumulate(total)
    end = int(np.argmax(total[1:] - lowest[:-1])) + 1
    return int(np.argmin(total[:end])), end
