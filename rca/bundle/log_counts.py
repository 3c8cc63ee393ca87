"""`log_counts.csv`: exact counts to and from their file, or derived from the lines."""

import csv
import math
from collections.abc import Sequence
from io import StringIO

import numpy as np

from rca.bundle import layout
from rca.bundle.metrics import number, timestamp
from rca.errors import BundleError
from rca.model.incident import Gap, Interval
from rca.model.logs import LogCounts, LogLine
from rca.model.signals import FloatArray

_COLUMNS = ("timestamp", "service", "level", "count")
_DEFAULT_BUCKET = 60.0
_MAX_BUCKETS = 20_000
_SPARSE = 20


def read_counts(text: str, file: str) -> LogCounts | None:
    """The cube of a `log_counts.csv`; None when it has no rows. Rows of the same bucket, service and level add up.

    Raises:
        BundleError: It isn't such a table; with file, line and column.
    """
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    times: list[float] = []
    services: list[str] = []
    levels: list[str] = []
    counts: list[float] = []
    try:
        header = next(reader, [])
        if not set(_COLUMNS) <= set(header) or len(set(header)) != len(header):
            raise BundleError(f"{file}:1: the columns must be {', '.join(_COLUMNS)}, each once")
        at, service, level, count = (header.index(name) for name in _COLUMNS)
        for row in reader:
            if not row:
                continue
            line = reader.line_num
            if len(row) != len(header):
                raise BundleError(f"{file}:{line}: {len(row)} cells where the header has {len(header)}")
            times.append(timestamp(row[at], file, line))
            services.append(row[service])
            levels.append(row[level].upper())
            counts.append(_count(row[count], f"{file}:{line}:{count + 1}"))
    except csv.Error as error:
        raise BundleError(f"{file}:{reader.line_num}: not CSV ({error})") from None
    if not times:
        return None
    return even(_cube(np.array(times, dtype=np.float64), services, levels, counts))


def write_counts(counts: LogCounts) -> tuple[str, int]:
    """The text of `log_counts.csv` and its rows: counts above zero, and a zero for what has none else."""
    cube = counts.counts
    chosen = cube != 0
    chosen[~chosen.any(axis=(1, 2)), 0, 0] = True
    chosen[0, ~chosen.any(axis=(0, 2)), 0] = True
    chosen[0, 0, ~chosen.any(axis=(0, 1))] = True
    services, levels = [_quoted(name) for name in counts.services], [_quoted(name) for name in counts.levels]
    times = [number(seconds) for seconds in counts.times.tolist()]
    values = cube[chosen].tolist()
    texts = {value: number(value) for value in set(values)}
    rows = [
        f"{times[t]},{services[s]},{levels[k]},{texts[value]}\n"
        for (t, s, k), value in zip(np.argwhere(chosen).tolist(), values, strict=True)
    ]
    return "".join([",".join(_COLUMNS) + "\n", *rows]), len(rows)


def derive_counts(
    lines: Sequence[LogLine], span: Interval, resolution: float, gaps: list[Gap]
) -> LogCounts | None:
    """Counts out of the lines within the window, each with its weight; None when there is none.

    Args:
        lines: The lines.
        span: The window; a line outside of it isn't counted.
        resolution: A bucket's length in seconds; 0 when unknown.
        gaps: Receives a note on lines outside of the window.
    """
    start, end = span.timestamps
    at = np.array([line.at.timestamp() for line in lines], dtype=np.float64)
    inside = (at >= start) & (at <= end)
    if not inside.all():
        outside = f"{int((~inside).sum())} of {len(lines)} log lines"
        gaps.append(Gap("bundle", outside, "outside of the window, not counted; is a clock wrong?"))
    kept = [line for line, within in zip(lines, inside.tolist(), strict=True) if within]
    if not kept:
        return None
    width = max(resolution or _DEFAULT_BUCKET, math.ceil(span.seconds / _MAX_BUCKETS))
    buckets = np.floor(at[inside] / width) * width
    cube = _cube(
        buckets,
        [line.service for line in kept],
        [line.level.upper() for line in kept],
        [line.weight for line in kept],
    )
    return even(cube)


def even(counts: LogCounts) -> LogCounts:
    """The same counts with the buckets in which nobody wrote: a bucket that isn't listed has no lines.

    Left as they are when the times lie on no grid, or on one that is nearly empty.
    """
    times = counts.times
    if len(times) < 3:  # noqa: PLR2004  # two buckets have no missing one between them that could be known
        return counts
    step = float(np.diff(times).min())
    places = (times - times[0]) / step
    size = round(float(places[-1])) + 1
    on_grid = bool(np.all(places == np.round(places)))
    if size == len(times) or not on_grid or size > min(_MAX_BUCKETS * 2, _SPARSE * len(times)):
        return counts
    full = np.zeros((size, len(counts.services), len(counts.levels)))
    _check_cells(full.shape)
    full[places.astype(np.intp)] = counts.counts
    return LogCounts(times[0] + step * np.arange(size), counts.services, counts.levels, full)


def _cube(times: FloatArray, services: Sequence[str], levels: Sequence[str], counts: Sequence[float]) -> LogCounts:
    axis, t = np.unique(times, return_inverse=True)
    service_names, level_names = sorted(set(services)), sorted(set(levels))
    shape = (len(axis), len(service_names), len(level_names))
    _check_cells(shape)
    service_place = {name: place for place, name in enumerate(service_names)}
    level_place = {name: place for place, name in enumerate(level_names)}
    s = np.array([service_place[name] for name in services], dtype=np.intp)
    k = np.array([level_place[name] for name in levels], dtype=np.intp)
    cube = np.zeros(shape)
    np.add.at(cube, (t, s, k), np.array(counts, dtype=np.float64))
    return LogCounts(axis, tuple(service_names), tuple(level_names), cube)


def _check_cells(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > layout.MAX_CELLS:
        raise BundleError(
            f"log counts of {shape[0]} buckets, {shape[1]} services and {shape[2]} levels: "
            f"more than {layout.MAX_CELLS:,} values; refused"
        )


def _count(cell: str, place: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise BundleError(f"{place}: {cell!r:.60} isn't a count")
    return value


def _quoted(name: str) -> str:
    """A name as a cell; unlike `csv.writer` it also quotes a lone carriage return."""
    return '"' + name.replace('"', '""') + '"' if any(letter in name for letter in '",\r\n') else name
