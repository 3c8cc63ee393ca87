"""Whether the baseline did the same by itself: its windows, as long as the incident, that departed as far."""

import numpy as np

from rca.detect.departure import departure
from rca.detect.levels import Levels
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning


def recurrence(
    levels: Levels,
    before: slice,
    width: int,
    *,
    change: FloatArray,
    center: FloatArray,
    direction: FloatArray,
    tuning: RowTuning,
) -> FloatArray:
    """The share of the baseline's windows, overlapping, that were as far out. Shape `(m,)`.

    Args:
        levels: What the series were like.
        before: The baseline's rows.
        width: How long the incident is, in rows; a window is at most a share of the baseline.
        change: Shape `(m,)`, how far each series departed then, in its own unit: events that are rarer than rows
            have no spread to measure it in. 0 for those that needn't be looked at.
        center: Shape `(m,)`, what is usual.
        direction: Shape `(m,)`, which way is bad.
        tuning: That share, and how far the windows overlap.
    """
    length, share = before.stop - before.start, np.zeros(len(change))
    asked = np.flatnonzero(change > 0)
    if length <= 1 or not len(asked):
        return share
    width = min(width, max(1, int(tuning.recurrence_longest * length)))
    stride = max(1, int(tuning.recurrence_stride * width))
    shift = levels.windows(asked, before, width, stride) - center[asked]
    as_far = departure(shift, -shift, direction[asked]) >= change[asked]
    share[asked] = as_far.sum(axis=0) / len(shift)
    return share
