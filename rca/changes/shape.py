"""When a series left its baseline, and whether by a step or along a ramp."""

from dataclasses import dataclass

import numpy as np

from rca.model.signals import FloatArray

_BASELINE_SHARE, _LEAST = 0.12, 8
_FAR, _NEAR = 5.0, 3.0
_OF_WINDOW, _WINDOW = 3, 4
_STAYS = 0.6
_RAMP_STEPS = 4
_ZERO_POINTS = 0.9


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


def departure(values: FloatArray, end: int | None = None) -> Departure | None:
    """Find where a series departs for good, before the row `end`.

    The scale is the largest of the baseline's MAD, the MAD of its differences over the root of 2, 3 % of its median and
    1 % of the series' range, so that neither a flat nor a coarse series departs by noise.

    Args:
        values: Shape `(n,)`; NaN where missing.
        end: Rows from here on aren't looked at; None for all.

    Returns:
        None when it doesn't depart.
    """
    known = np.flatnonzero(~np.isnan(values[:end]))
    if len(known) < _LEAST + _WINDOW // 2:
        return None
    x = values[known]
    size = max(_LEAST, int(_BASELINE_SHARE * len(x)))
    base = x[:size]
    middle = float(np.median(base))
    scale = max(
        1.4826 * float(np.median(np.abs(base - middle))),
        1.4826 * float(np.median(np.abs(np.diff(base)))) / np.sqrt(2),
        0.03 * abs(middle),
        0.01 * float(np.ptp(x)),
    )
    if scale <= 0:
        return None
    z = (x - middle) / scale
    zero = bool(np.mean(base == middle) >= _ZERO_POINTS)
    start = _first(z, size, zero=zero)
    if start is None:
        return None
    far = float(np.median(z[start:]))
    peak = int(start + np.argmax(np.abs(z[start:])))
    up = float(z[start]) > 0 if abs(far) < _NEAR else far > 0
    level = float(np.median(x[start:]))
    began, ramp = _hinge(z, start, peak)
    return Departure(
        row=int(known[start]),
        began=int(known[began]),
        up=up,
        ramp=ramp,
        z=min(max(abs(far), abs(float(z[peak])) / 2), 100.0),
        ratio=level / middle if middle > 0 else 0.0,
    )


def _first(z: FloatArray, size: int, *, zero: bool) -> int | None:
    """The first row far out that stays out."""
    out = np.abs(z) > _FAR
    for i in np.flatnonzero(out[size:]) + size:
        window = out[i : i + _WINDOW]
        enough = window.sum() >= min(_OF_WINDOW, len(window)) or zero
        stays = np.mean(np.abs(z[i:]) > _NEAR) >= (_STAYS if not zero else 0.0)
        if enough and stays and (len(window) > 1 or zero):
            return int(i)
    return None


def _hinge(z: FloatArray, start: int, peak: int) -> tuple[int, bool]:
    """Where the way to the peak began, by the best fit of a flat line and then a straight one; and if it is a ramp."""
    y = np.abs(z[: peak + 1])
    if peak - start < 1:
        return start, False
    reach = float(y[start])
    climb = float(y[peak])
    if climb <= 0 or reach / climb > 0.5:  # noqa: PLR2004 - half of the way in one step
        return start, False
    candidates = np.unique(np.linspace(max(0, start - 4 * (peak - start) - _WINDOW), start, num=60).astype(int))
    errors = [float(np.sum((y - _flat_then_line(len(y), int(h), climb)) ** 2)) for h in candidates]
    began = int(candidates[int(np.argmin(errors))])
    return began, peak - began >= _RAMP_STEPS


def _flat_then_line(size: int, hinge: int, climb: float) -> FloatArray:
    rows = np.arange(size, dtype=np.float64)
    line: FloatArray = np.where(rows <= hinge, 0.0, climb * (rows - hinge) / max(1, size - 1 - hinge))
    return line
