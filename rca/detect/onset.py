"""Candidate onsets: where an incident may have begun, on a grid that widens with the distance."""

import numpy as np
from numpy.typing import NDArray

from rca.detect.series import Split
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning


def candidates(
    times: FloatArray,
    onset: float | None,
    baseline: tuple[float, float] | None,
    tuning: Tuning,
    *,
    lead: int = 0,
) -> NDArray[np.intp]:
    """Rows at which an incident may have begun, ascending.

    Without a time that was told they lie where the incident is sought: in all of it where a baseline was collected
    before it, else in its later part, as some of it has to be the baseline.

    Args:
        times: Shape `(n,)`, unix seconds.
        onset: The time that was told, or None.
        baseline: What counts as normal, `(start, end)`, where it was chosen: the incident lies outside.
        tuning: How far to look and how densely.
        lead: How many rows were collected before the stretch where the incident is sought.

    Returns:
        Indices of each candidate's first row of the incident. Without a chosen baseline at least `min_before` rows
        lie before it; at least `min_after` lie from it on. Empty when the window is too short.
    """
    first, end = tuning.min_before, len(times)
    if baseline is not None:
        starts, ends = (int(row) for row in np.searchsorted(times, baseline))
        first, end = (0, starts) if starts > len(times) - ends else (ends, end)
    last = end - tuning.min_after
    if first > last:
        return np.empty(0, dtype=np.intp)
    if onset is None:
        beyond = baseline is None and lead >= tuning.local_min_rows
        reach = max(0, last - lead) if beyond else int(tuning.hidden_share * end)
        rows = last - _grid(reach, tuning.grid_growth)
        if beyond:
            rows = np.r_[rows, last - reach]
    else:
        told = min(max(int(np.searchsorted(times, onset)), first), last)
        if baseline is None:
            first = max(first, told - int(tuning.told_share * told))
        step = float(np.median(np.diff(times)))
        back = max(tuning.back_rows, int(tuning.back_seconds / step))
        forward = max(tuning.forward_rows, int(tuning.forward_seconds / step))
        rows = np.r_[told - _grid(back, tuning.grid_growth), told + _grid(forward, tuning.grid_growth)]
    return np.unique(rows[(rows >= first) & (rows <= last)])


def seconds(times: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
    """How much time each candidate stands for: half of the way to the one before it and to the one after.

    Args:
        times: Shape `(n,)`, unix seconds.
        rows: Shape `(c,)`, candidates, ascending.

    Returns:
        Shape `(c,)`, in seconds; a row's, of one alone.
    """
    if len(rows) < 2:  # noqa: PLR2004 - nothing beside it
        return np.full(len(rows), float(np.median(np.diff(times))) if len(times) > 1 else 1.0)
    gaps = np.diff(times[rows])
    return np.asarray((np.r_[gaps[0], gaps] + np.r_[gaps, gaps[-1]]) / 2)


def _grid(reach: int, growth: float) -> NDArray[np.intp]:
    """0, 1, 2, … and then growing by a factor, up to `reach`."""
    steps = [0]
    while steps[-1] < reach:
        steps.append(max(steps[-1] + 1, int(steps[-1] * growth)))
    return np.array([step for step in steps if step <= reach], dtype=np.intp)


def split(
    times: FloatArray,
    row: int,
    baseline: tuple[float, float] | None,
    tuning: Tuning,
    *,
    guard_seconds: float = 0.0,
    step: float | None = None,
) -> Split:
    """Which rows count as before and after, for one candidate.

    Args:
        times: Shape `(n,)`.
        row: The first row of the incident.
        baseline: What counts as normal, `(start, end)`; None takes all that lies before. One that lies after the
            incident ends it.
        tuning: How long the recent reference is.
        guard_seconds: How far a baseline that wasn't chosen keeps from the incident, where it is long enough.
        step: The usual distance of two rows in seconds; None to look.
    """
    after = np.arange(row, len(times))
    if baseline is None:
        step = step or float(np.median(np.diff(times)))
        guard = min(int(guard_seconds / step), int(tuning.guard_share * row))
        before = np.arange(row - guard)
        wanted = min(int(tuning.local_seconds / step), int(tuning.local_share * len(before)))
        recent = before[max(0, len(before) - max(tuning.local_min_rows, wanted)) :]
        return Split(before, after, recent)
    inside = np.flatnonzero((times >= baseline[0]) & (times < baseline[1]))
    if baseline[0] >= times[row]:
        after = after[times[after] < baseline[0]]
    return Split(np.setdiff1d(inside, after), after, np.empty(0, dtype=np.intp))
