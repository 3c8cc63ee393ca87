"""Series that have values at seconds of their own, put together into rows that most of them share."""

import numpy as np

from rca.model.chunks import chunks
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning


def cadence(times: FloatArray, values: FloatArray, tuning: RowTuning) -> float | None:
    """How often the usual series has a value, in seconds; None where it has one in most rows as they are.

    Args:
        times: Shape `(n,)`, unix seconds.
        values: Shape `(n, m)`; NaN where missing.
        tuning: From which share of the rows on it has one in most, `shared`.
    """
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    if not (counts > 1).any() or float(np.median(counts[counts > 0])) > tuning.shared * len(times):
        return None
    some = np.flatnonzero(counts > 1)
    first, last = known[:, some].argmax(axis=0), len(times) - 1 - known[::-1, some].argmax(axis=0)
    return float(np.median((times[last] - times[first]) / (counts[some] - 1)))


def put_together(
    times: FloatArray, values: FloatArray, seconds: float, anchor: float
) -> tuple[FloatArray, FloatArray]:
    """Rows of so many seconds, each the mean of what lies in it.

    Args:
        times: Shape `(n,)`, unix seconds, increasing.
        values: Shape `(n, m)`; NaN where missing.
        seconds: How long a row is.
        anchor: Where one begins, unix seconds: an onset that was told falls between two rows, not into one.

    Returns:
        When each row begins, and shape `(k, m)`, its values, laid out by series.
    """
    number = np.floor((times - anchor) / seconds)
    starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    merged = np.empty((values.shape[1], len(starts)))
    for some in chunks(values.shape[1], len(times)):
        part = values[:, some]
        known = np.add.reduceat(~np.isnan(part), starts, axis=0, dtype=np.intp)
        total = np.add.reduceat(np.nan_to_num(part, nan=0.0), starts, axis=0)
        merged[some] = np.where(known > 0, total / np.maximum(known, 1), np.nan).T
    return anchor + seconds * number[starts], merged.T
