"""What a series was like over some rows, and how far that is from what was usual: what every score rests on."""

import numpy as np
from numpy.typing import NDArray

from rca.model.signals import FloatArray


def typical(values: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """What a series was like over some rows: the mean where events are counted, else the median.

    A service that fails in one minute of three fails a third of the calls; a latency's peak is just a peak.

    Args:
        values: Shape `(m, n)`; NaN where missing.
        counted: Shape `(m,)`.

    Returns:
        Shape `(m,)`; NaN without any value.
    """
    ordered, width = np.sort(values, axis=1), values.shape[1]  # missing ones last
    if np.isnan(ordered[:, -1]).any():
        counts, rows = np.sum(~np.isnan(values), axis=1), np.arange(len(values))
        low, high = (
            ordered[rows, np.maximum(counts - 1, 0) // 2],
            ordered[rows, np.minimum(counts // 2, width - 1)],
        )
    else:  # which is usual, and needs no looking up
        counts = np.full(len(values), width)
        low, high = ordered[:, (width - 1) // 2], ordered[:, width // 2]
    middle: FloatArray = low + (high - low) * 0.5
    some = np.flatnonzero(counted & (counts > 0))
    middle[some] = np.nansum(values[some], axis=1) / counts[some]
    return middle


def departure(up: FloatArray, down: FloatArray, direction: FloatArray) -> FloatArray:
    """How far a series moved the bad way: up, down, or either; 0 when it didn't, and where something is missing.

    Args:
        up: By how much it rose, in its own unit.
        down: By how much it fell.
        direction: Which way is bad: above 0 up, below 0 down, 0 either.
    """
    moved = np.where(direction > 0, up, np.where(direction < 0, down, np.fmax(up, down)))
    return np.fmax(moved, 0.0)


def scaled(change: FloatArray, scale: FloatArray) -> FloatArray:
    """A departure in scales; infinite where what never moved does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(change > 0, change / scale, 0.0)
