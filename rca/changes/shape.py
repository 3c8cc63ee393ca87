"""When a series left its baseline, and whether by a step or along a ramp."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.chunks import chunks
from rca.model.signals import FloatArray

_MAD = 1.4826  # of a normal distribution's sigma
_BASELINE_SHARE, _LEAST = 0.12, 8
_FAR, _NEAR = 5.0, 3.0
_OF_WINDOW, _WINDOW = 3, 4
_STAYS = 0.6
_LITTLE_OF_IT = 0.25
_LEVEL, _REACHED = 0.85, 0.8
_RAMP_ROWS, _RAMP_SHARE = 4, 0.07
_MOST = 100.0


@dataclass(frozen=True, slots=True)
class Departure:
    """How a series left its baseline.

    Attributes:
        row: The first row out of it.
        began: Where the way there began, as a row: before `row` for a ramp.
        up: It rose.
        ramp: It went there slowly.
        z: How far the far end is, in robust sigmas.
        ratio: The far end's level over the baseline's; 0 where that has no meaning.
    """

    row: int
    began: int
    up: bool
    ramp: bool
    z: float
    ratio: float


def departures(values: FloatArray, once: NDArray[np.bool_]) -> list[Departure | None]:
    """Find where each series departs for good.

    The scale is the largest of the baseline's MAD, the MAD of its differences over the root of 2, 3 % of its
    median and 1 % of the series' range, so that neither a flat nor a coarse series departs by noise.

    Args:
        values: Shape `(m, n)`, one row a series; NaN where missing.
        once: Shape `(m,)`: a single point counts, if nothing like it came before (restarts, kills).

    Returns:
        One for each series, None where it doesn't depart.
    """
    return [one for some in chunks(*values.shape) for one in _departures(values[some], once[some])]


def _departures(values: FloatArray, once: NDArray[np.bool_]) -> list[Departure | None]:
    found: list[Departure | None] = [None] * len(values)
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    for count in np.unique(counts[counts >= _LEAST + _WINDOW // 2]).tolist():
        # Series with as many values are looked at together: without what is missing they have one shape.
        rows = np.flatnonzero(counts == count)
        x = values[rows] if count == values.shape[1] else values[rows][known[rows]].reshape(-1, count)
        size = max(_LEAST, int(_BASELINE_SHARE * count))
        middle, scale = _baseline(x, size)
        usable = np.flatnonzero(scale > 0)
        rows, x, middle = rows[usable], x[usable], middle[usable]
        z = (x - middle[:, None]) / scale[usable, None]
        starts = _starts(z, size, once[rows])
        for i in np.flatnonzero(starts >= 0).tolist():
            row, start = int(rows[i]), int(starts[i])
            at = np.flatnonzero(known[row])
            found[row] = _departure(x[i], z[i], at, start, float(middle[i]), once=bool(once[row]))
    return found


def _baseline(x: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """The median and the scale of each series' first rows."""
    base = x[:, :size]
    middle = np.median(base, axis=1)
    scale: FloatArray = np.max(
        [
            _MAD * np.median(np.abs(base - middle[:, None]), axis=1),
            _MAD * np.median(np.abs(np.diff(base, axis=1)), axis=1) / np.sqrt(2),
            0.03 * np.abs(middle),
            0.01 * np.ptp(x, axis=1),
        ],
        axis=0,
    )
    return middle, scale


def _starts(z: FloatArray, size: int, once: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The first row of each series that is far out and stays out, after the baseline's; -1 where none does."""
    starts = np.full(len(z), -1)
    rows = np.flatnonzero((np.abs(z[:, size:]) > _FAR).any(axis=1))
    away = np.abs(z[rows])
    out, near = away > _FAR, away > _NEAR
    count = z.shape[1]
    left = count - np.arange(count)  # rows from each on
    so_far = np.pad(np.cumsum(out, axis=1), ((0, 0), (1, 0)))
    window: NDArray[np.intp] = so_far[:, np.minimum(np.arange(count) + _WINDOW, count)] - so_far[:, :-1]
    stays = np.cumsum(near[:, ::-1], axis=1)[:, ::-1] / left >= _STAYS
    hit = out & (left > 1) & (window >= np.minimum(_OF_WINDOW, left)) & stays
    hit |= out & (once[rows] & ~out[:, :size].any(axis=1))[:, None]
    hit[:, :size] = False
    starts[rows] = np.where(hit.any(axis=1), hit.argmax(axis=1), -1)
    return starts


def _departure(
    x: FloatArray, z: FloatArray, at: NDArray[np.intp], start: int, middle: float, *, once: bool
) -> Departure:
    """One that departs, in detail.

    Args:
        x: Shape `(n,)`, its values without what is missing.
        z: Shape `(n,)`, these less the baseline's median, in sigmas.
        at: Shape `(n,)`, their rows.
        start: The first that is out.
        middle: The baseline's median.
        once: A single point counts.
    """
    rest = np.abs(z[start:])
    level = float(np.quantile(rest, _LEVEL))
    began, ramp = _hinge(np.abs(z), start, level)
    if not once:
        start, began, ramp = _plain_step(np.abs(z), start, began, level, ramp=ramp)
    after = float(np.median(x[start:]))
    return Departure(
        row=int(at[start]),
        began=int(at[began]),
        up=float(np.sum(z[start:])) > 0,
        ramp=ramp,
        z=min(float(rest.max()) if once else level, _MOST),
        ratio=after / middle if middle > 0 else 0.0,
    )


def _hinge(y: FloatArray, start: int, level: float) -> tuple[int, bool]:
    """Where the way to the far level began, by the best fit of a flat and then a straight line; and if it is one.

    A rate over a window of time makes a short ramp of every step, so only a long one counts. It can't have begun
    further back than it is long.
    """
    reached = start + int(np.argmax(y[start:] >= _REACHED * level))
    climb = reached - start
    if climb < max(_RAMP_ROWS, _RAMP_SHARE * len(y)):
        return start, False
    part = y[: reached + 1]
    hinges = np.unique(np.linspace(max(0, start - climb), start, num=40).astype(int))
    errors = [float(np.sum((part - _flat_then_line(len(part), int(h), float(y[reached]))) ** 2)) for h in hinges]
    return int(hinges[int(np.argmin(errors))]), True


def _plain_step(y: FloatArray, start: int, began: int, level: float, *, ramp: bool) -> tuple[int, int, bool]:
    """The same, but for noise that came out of the baseline before a step: then the step's row, and no ramp.

    Of noise and a step, two levels tell more than a line, and what lay before the step was little of it.
    """
    reached = start + int(np.argmax(y[start:] >= _REACHED * level))
    if reached - start < _WINDOW:
        return start, began, ramp
    part = np.minimum(y[: reached + _WINDOW], level)
    before = np.cumsum(part**2)
    after = np.cumsum(part[::-1])[::-1], np.cumsum(part[::-1] ** 2)[::-1]
    splits = np.arange(start, reached + 1)
    size = len(part) - splits
    errors = before[splits - 1] + after[1][splits] - after[0][splits] ** 2 / size
    split = int(splits[int(np.argmin(errors))])
    if split == start or float(np.median(part[start:split])) >= _LITTLE_OF_IT * level:
        return start, began, ramp
    if ramp and float(np.sum((part - _flat_then_line(len(part), began, float(part[-1]))) ** 2)) <= errors.min():
        return start, began, ramp
    return split, split, False


def _flat_then_line(size: int, hinge: int, climb: float) -> FloatArray:
    rows = np.arange(size, dtype=np.float64)
    line: FloatArray = np.where(rows <= hinge, 0.0, climb * (rows - hinge) / max(1, size - 1 - hinge))
    return line
