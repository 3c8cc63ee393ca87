"""What an accuracy is compared with: simple rankers, as published where they are, and pure chance.

They get the same rows and the same onset as the analysis, or what the analysis found where the onset is hidden.
"""

from math import comb

import numpy as np

from rca.detect.table import build
from rca.model.signals import FloatArray, SignalFrame
from rca.model.tuning.rows import RowTuning
from rca.rank import simple

LARGEST_Z, BARO, RANDOM = "largest z", "BARO", "random"


def largest_z(frame: SignalFrame | None, onset: float | None) -> tuple[str, ...]:
    """Services by the largest `|x - median| / (1.4826 MAD)` of their series from the onset on.

    Args:
        frame: The series; None without any.
        onset: Where the incident begins, unix seconds; None when nobody knows.
    """
    row = _row(frame, onset)
    if frame is None or row is None:
        return ()
    return simple.rank(build(frame, RowTuning(), frame.services), row)


def baro(frame: SignalFrame | None, onset: float | None) -> tuple[str, ...]:
    """Services by their first series in the order of BARO's RobustScorer.

    The score of a series is `max((x - median) / IQR)` over the rows from the onset on, median and IQR being those
    of the rows before it. As in the published code, gaps are filled forwards and then with 0; series
    constant in either stretch are left out, an IQR of 0 counts as 1; the sign is kept, so that only rises count.
    Pham, Ha and Zhang, "BARO: Robust Root Cause Analysis for Microservices via Multivariate Bayesian Online Change
    Point Detection", FSE 2024, section 3.3.

    Args:
        frame: The series; None without any.
        onset: Where the incident begins, unix seconds; None when nobody knows.

    Returns:
        Services with a series that is left; nobody without rows on both sides.
    """
    row = _row(frame, onset)
    if frame is None or row is None:
        return ()
    before, after = _filled(frame.values[:row]), _filled(frame.values[row:])
    kept = np.flatnonzero((np.ptp(before, axis=0) > 0) & (np.ptp(after, axis=0) > 0))
    scores = robust_scores(before[:, kept], after[:, kept])
    order = [frame.keys[kept[i]].service for i in np.argsort(-scores, kind="stable")]
    return tuple(dict.fromkeys(order))


def robust_scores(before: FloatArray, after: FloatArray) -> FloatArray:
    """`max((x - median) / IQR)` of each column; shapes `(b, m)` and `(a, m)` to `(m,)`."""
    low, middle, high = np.quantile(before, (0.25, 0.5, 0.75), axis=0)
    spread = np.where(high > low, high - low, 1.0)
    scores: FloatArray = ((after - middle) / spread).max(axis=0)
    return scores


def chance(services: int, accepted: int, depth: int) -> float:
    """The probability that a random order has one of the accepted services among its first `depth`.

    >>> chance(10, 1, 3)
    0.3
    """
    return (
        1.0 - comb(services - accepted, depth) / comb(services, depth)
        if services >= depth
        else float(accepted > 0)
    )


def chance_of_reciprocal(services: int, accepted: int) -> float:
    """The expected reciprocal rank of the first accepted service in a random order.

    >>> chance_of_reciprocal(2, 1)
    0.75
    """
    if not accepted:
        return 0.0
    ways = comb(services, accepted)
    return sum(comb(services - r, accepted - 1) / ways / r for r in range(1, services - accepted + 2))


def _row(frame: SignalFrame | None, onset: float | None) -> int | None:
    """The first row of the incident; None without rows on both sides."""
    if frame is None or onset is None:
        return None
    row = int(np.searchsorted(frame.times, onset))
    return row if 0 < row < len(frame.times) else None


def _filled(values: FloatArray) -> FloatArray:
    """Each gap takes the value before it, or 0."""
    known = ~np.isnan(values)
    rows = np.where(known, np.arange(len(values))[:, None], 0)
    last = np.maximum.accumulate(rows, axis=0)
    return np.nan_to_num(np.take_along_axis(values, last, axis=0))
