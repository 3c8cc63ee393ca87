"""Whether the baseline did the same by itself: its windows, as long as the incident, that departed as far."""

import numpy as np

from rca.detect.departure import departure
from rca.detect.levels import Levels
from rca.model.signals import FloatArray


def recurrence(
    levels: Levels,
    before: slice,
    width: int,
    *,
    z: FloatArray,
    center: FloatArray,
    scale: FloatArray,
    direction: FloatArray,
) -> FloatArray:
    """The share of the baseline's windows, overlapping by half, that were as far out. Shape `(m,)`.

    Args:
        levels: What the series were like.
        before: The baseline's rows.
        width: How long the incident is, in rows; a window is at most half of the baseline.
        z: Shape `(m,)`, how far out each series is then; 0 for those that needn't be looked at.
        center: Shape `(m,)`, what is usual.
        scale: Shape `(m,)`, what a z of 1 is.
        direction: Shape `(m,)`, which way is bad.
    """
    length, share = before.stop - before.start, np.zeros(len(z))
    asked = np.flatnonzero(z > 0)
    if length <= 1 or not len(asked):
        return share
    width = min(width, max(1, length // 2))
    starts = range(before.start, before.stop - width + 1, max(1, width // 2))
    shift = levels.windows(starts, width).take(asked, axis=1) - center[asked]
    as_far = departure(shift, -shift, direction[asked], scale[asked]) >= z[asked]
    share[asked] = as_far.sum(axis=0) / len(starts)
    return share
