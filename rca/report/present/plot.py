"""Small pictures of a series: a line of block characters, and the geometry of an SVG plot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rca.model.incident import Interval
from rca.model.report import Evidence

Points = Sequence[tuple[float, float]]

_BLOCKS = "▁▂▃▄▅▆▇█"
_LAST_TIME = 253_402_300_799.0  # the end of the year 9999; what claims to be later is no time
_UNSEEN = "·"
_GAP_STEPS = 2.5  # a hole of more than so many usual steps breaks the line


def sparkline(points: Points, width: int, *, normal: float | None = None) -> str:
    """The series as block characters; a dot where nothing was seen.

    Args:
        points: `(unix seconds, value)`; values that aren't finite count as missing.
        width: How many characters, at least 1.
        normal: The value before. Each character shows the value of its share that is farthest from it (the largest
            where it isn't known), so that a short dip or spike survives.
    """
    finite = [(at, value) for at, value in points if math.isfinite(at) and math.isfinite(value)]
    if not finite:
        return ""
    first, last = min(at for at, _ in finite), max(at for at, _ in finite)
    width = min(width, len(finite))
    shares: list[list[float]] = [[] for _ in range(width)]
    for at, value in finite:
        shares[min(int(_fraction(at, first, last) * width), width - 1)].append(value)
    low, high = min(value for _, value in finite), max(value for _, value in finite)

    def worst(share: list[float]) -> float:
        return max(share, key=lambda value: (abs(value - normal), value)) if normal is not None else max(share)

    return "".join(_block(worst(share), low, high) if share else _UNSEEN for share in shares)


def _block(value: float, low: float, high: float) -> str:
    return _BLOCKS[min(int(_fraction(value, low, high) * len(_BLOCKS)), len(_BLOCKS) - 1)]


def _fraction(value: float, low: float, high: float) -> float:
    """Where a value lies between two, 0 to 1; halved first, so that no difference overflows."""
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the horizontal axis, in the plot's units."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG plot's geometry, all in its own units, y growing downwards.

    Attributes:
        lines: One `points` attribute a stretch without a hole.
        dots: Single points between two holes.
        onset_x: Where the onset lies, if inside.
        baseline: Where the baseline window lies, as far as inside.
        normal_y: The height of the value before.
        low: The least value drawn.
        high: The largest value drawn.
        first: Unix seconds of the left edge.
        last: Unix seconds of the right edge.
    """

    width: int
    height: int
    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    onset_x: float | None
    baseline: Band | None
    normal_y: float | None
    low: float
    high: float
    first: float
    last: float


def plot(evidence: Evidence, baseline: Interval | None, *, width: int = 640, height: int = 96) -> Plot | None:
    """The plot of a piece of evidence, or None when it has fewer than two points in time."""
    finite = sorted((at, value) for at, value in evidence.points if 0 <= at <= _LAST_TIME and math.isfinite(value))
    if not finite or finite[0][0] == finite[-1][0]:
        return None
    first, last = finite[0][0], finite[-1][0]
    low, high = min(value for _, value in finite), max(value for _, value in finite)
    normal = evidence.baseline

    def x(at: float) -> float:
        return round(_fraction(at, first, last) * width, 1)

    def y(value: float) -> float:
        return round(height - 4 - _fraction(value, low, high) * (height - 8), 1)

    stretches = _stretches(finite)
    onset = evidence.onset.timestamp() if evidence.onset else None
    return Plot(
        width=width,
        height=height,
        lines=tuple(" ".join(f"{x(at)},{y(value)}" for at, value in part) for part in stretches if len(part) > 1),
        dots=tuple((x(part[0][0]), y(part[0][1])) for part in stretches if len(part) == 1),
        onset_x=x(onset) if onset is not None and first <= onset <= last else None,
        baseline=_band(baseline, first, last, width) if baseline else None,
        normal_y=y(normal) if normal is not None and low <= normal <= high else None,
        low=low,
        high=high,
        first=first,
        last=last,
    )


def _stretches(points: Points) -> list[list[tuple[float, float]]]:
    steps = sorted(later - earlier for (earlier, _), (later, _) in pairwise(points))
    hole = steps[len(steps) // 2] * _GAP_STEPS
    parts = [[points[0]]]
    for earlier, later in pairwise(points):
        if later[0] - earlier[0] > hole > 0:
            parts.append([])
        parts[-1].append(later)
    return parts


def _band(interval: Interval, first: float, last: float, width: int) -> Band | None:
    left, right = max(interval.start.timestamp(), first), min(interval.end.timestamp(), last)
    if right <= left:
        return None
    x = round(_fraction(left, first, last) * width, 1)
    return Band(x, round(_fraction(right, first, last) * width - x, 1))
