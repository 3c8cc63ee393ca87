"""When a series left its baseline, and whether by a step or along a ramp."""

from dataclasses import dataclass

import numpy as np

from rca.model.signals import FloatArray

_MAD = 1.4826  # of a normal distribution's sigma
_BASELINE_SHARE, _LEAST = 0.12, 8
_FAR, _NEAR = 5.0, 3.0
_OF_WINDOW, _WINDOW = 3, 4
_STAYS = 0.6
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


def departure(values: FloatArray, *, once: bool = False) -> Departure | None:
    """Find where a series departs for good.

    The scale is the largest of the baseline's MAD, the MAD of its differences over the root of 2, 3 % of its
    median and 1 % of the series' range, so that neither a flat nor a coarse series departs by noise.

    Args:
        values: Shape `(n,)`; NaN where missing.
        once: A single point counts, if nothing like it came before: restarts, kills.

    Returns:
        None when it doesn't depart.
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < _LEAST + _WINDOW // 2:
        return None
    x = values[known]
    base = x[: max(_LEAST, int(_BASELINE_SHARE * len(x)))]
    middle = float(np.median(base))
    scale = max(
        _MAD * float(np.median(np.abs(base - middle))),
        _MAD * float(np.median(np.abs(np.diff(base)))) / np.sqrt(2),
        0.03 * abs(middle),
        0.01 * float(np.ptp(x)),
    )
    if scale <= 0:
        return None
    z = (x - middle) / scale
    start = _first(z, len(base), once=once)
    if start is None:
        return None
    rest = np.abs(z[start:])
    level = float(np.quantile(rest, _LEVEL))
    began, ramp = _hinge(np.abs(z), start, level)
    after = float(np.median(x[start:]))
    return Departure(
        row=int(known[start]),
        began=int(known[began]),
        up=float(np.sum(z[start:])) > 0,
        ramp=ramp,
        z=min(float(rest.max()) if once else level, _MOST),
        ratio=after / middle if middle > 0 else 0.0,
    )


def _first(z: FloatArray, size: int, *, once: bool) -> int | None:
    """The first row far out that stays out."""
    out = np.abs(z) > _FAR
    near = np.abs(z) > _NEAR
    for i in (np.flatnonzero(out[size:]) + size).tolist():
        if once and not out[:size].any():
            return int(i)
        window = out[i : i + _WINDOW]
        enough = len(window) > 1 and window.sum() >= min(_OF_WINDOW, len(window))
        if enough and near[i:].mean() >= _STAYS:
            return int(i)
    return None


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


def _flat_then_line(size: int, hinge: int, climb: float) -> FloatArray:
    rows = np.arange(size, dtype=np.float64)
    line: FloatArray = np.where(rows <= hinge, 0.0, climb * (rows - hinge) / max(1, size - 1 - hinge))
    return line
