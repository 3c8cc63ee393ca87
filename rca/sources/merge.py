"""Pieces of series and of counts, in any order of arrival -> one frame, one cube."""

from collections.abc import Sequence

import numpy as np

from rca.model.logs import LogCounts
from rca.model.signals import FloatArray, SignalFrame, SignalKey

_SIGNIFICANT = 7
_EXACT_POWER = 22  # the greatest power of ten that a double holds exactly


def merge_frames(frames: Sequence[SignalFrame]) -> SignalFrame | None:
    """Lay series on the union of their time axes, columns sorted by name.

    Two series of one name are one column: the one with more points is kept, and of equal ones the one whose query
    comes first, so that the order of arrival never shows.

    Returns:
        The frame, or None when there is no series at all.
    """
    filled = [frame for frame in frames if frame.keys]
    if not filled:
        return None
    times: FloatArray = np.unique(np.concatenate([frame.times for frame in filled]))
    chosen: dict[str, tuple[SignalKey, FloatArray]] = {}
    for frame in filled:
        rows = np.searchsorted(times, frame.times)
        for index, key in enumerate(frame.keys):
            column = np.full(len(times), np.nan)
            column[rows] = frame.values[:, index]
            other = chosen.get(key.column)
            if other is None or _rank(key, column) < _rank(*other):
                chosen[key.column] = (key, column)
    ordered = [chosen[name] for name in sorted(chosen)]
    values = round_significant(np.column_stack([column for _, column in ordered]))
    return SignalFrame(times, values, tuple(key for key, _ in ordered))


def round_significant(values: FloatArray) -> FloatArray:
    """Round to seven significant digits, as many as a 32-bit float holds: the rest would double a bundle's size.

    The nearest double to the decimal is taken, so that it is written with those seven digits.
    """
    with np.errstate(divide="ignore"):  # the logarithm of zero, which needs no rounding
        digits = _SIGNIFICANT - 1 - np.floor(np.log10(np.abs(values)))
    usable = np.isfinite(digits) & (np.abs(digits) <= _EXACT_POWER)
    power = np.power(10.0, np.abs(np.where(usable, digits, 0)))
    scaled = np.round(np.where(digits >= 0, values * power, values / power))
    return np.where(usable, np.where(digits >= 0, scaled / power, scaled * power), values)


def _rank(key: SignalKey, column: FloatArray) -> tuple[int, str, str]:
    return (-int(np.isfinite(column).sum()), key.query, key.unit)


def merge_counts(parts: Sequence[LogCounts]) -> LogCounts | None:
    """Add counts up on the union of their buckets, services and levels.

    Returns:
        The cube, or None when there is none to merge.
    """
    if not parts:
        return None
    times: FloatArray = np.unique(np.concatenate([part.times for part in parts]))
    services = sorted({name for part in parts for name in part.services})
    levels = sorted({name for part in parts for name in part.levels})
    cube = np.zeros((len(times), len(services), len(levels)))
    for part in parts:
        place = np.ix_(
            np.searchsorted(times, part.times),
            np.array([services.index(name) for name in part.services], dtype=np.intp),
            np.array([levels.index(name) for name in part.levels], dtype=np.intp),
        )
        cube[place] += part.counts
    return LogCounts(times, tuple(services), tuple(levels), cube)
