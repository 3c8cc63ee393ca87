"""`metrics.csv` and `series.json`: series to and from their files."""

import csv
import math
import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np

from rca.bundle import layout
from rca.bundle.fields import Fields
from rca.errors import BundleError
from rca.model.incident import Gap
from rca.model.signals import Bad, FloatArray, Kind, SignalFrame, SignalKey

_LAST_SECOND = 253_402_300_799
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_WORSE = {Kind.AVAILABILITY: Bad.DOWN, Kind.TRAFFIC: Bad.BOTH, Kind.NETWORK: Bad.BOTH, Kind.OTHER: Bad.BOTH}
_SERIES_FIELDS = frozenset({"unit", "kind", "bad", "query", "service", "metric", "instance", "peer", "declared"})


def read_metrics(text: str, file: str, series: Fields | None, gaps: list[Gap]) -> SignalFrame | None:
    """The frame of a `metrics.csv`; None when it has no rows.

    Rows are sorted by time. Where a timestamp occurs more than once, the last value given for a cell counts.

    Args:
        text: The file.
        file: Its name, for errors.
        series: `series.json`, or None.
        gaps: Receives what had to be mended.

    Raises:
        BundleError: It isn't such a table; with file, line and column.
    """
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        keys = _keys(header, file, series, gaps)
        times, table = _cells(reader, header, file, plain="_" not in text[_body(text) :] and text.isascii())
    except csv.Error as error:
        raise BundleError(f"{file}:{reader.line_num}: not CSV ({error})") from None
    if not times:
        gaps.append(Gap("bundle", "metrics", f"{file} has no rows"))
        return None
    values = np.array(table, dtype=np.float64).reshape(len(times), len(keys))
    infinite = int(np.isinf(values).sum())
    if infinite:
        gaps.append(Gap("bundle", "metrics", f"{infinite} infinite values of {file} count as missing"))
        values[np.isinf(values)] = np.nan
    axis, values = _ordered(np.array(times, dtype=np.float64), values, file, gaps)
    return SignalFrame(axis, values, keys)


def write_metrics(frame: SignalFrame) -> tuple[str, dict[str, dict[str, Any]]]:
    """The text of `metrics.csv` and the content of `series.json`. Numbers read back exactly."""
    columns, series = _columns(frame.keys)
    out = StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow(["timestamp", *columns])
    cells = [["" if value != value else number(value) for value in row] for row in frame.values.tolist()]  # noqa: PLR0124  # the quickest test for NaN
    for time, row in zip(frame.times.tolist(), cells, strict=True):
        out.write(f"{number(time)}{',' if row else ''}{','.join(row)}\n")
    return out.getvalue(), series


def number(value: float) -> str:
    """The shortest text that reads back as the same float; whole numbers without a point."""
    return repr(value).removesuffix(".0")


def timestamp(cell: str, file: str, line: int) -> float:
    """Unix seconds out of a cell.

    Raises:
        BundleError: It isn't a time of our calendar; milliseconds are named as such.
    """
    try:
        value = float(cell)
    except ValueError:
        raise BundleError(f"{file}:{line}:1: {cell!r:.60} isn't a time in unix seconds") from None
    if not 0 <= value <= _LAST_SECOND:
        hint = "They look like milliseconds." if _LAST_SECOND < value < _LAST_SECOND * 1000 else ""
        raise BundleError(f"{file}:{line}:1: {cell!r:.60} isn't a time in unix seconds", hint=hint)
    return value


def _body(text: str) -> int:
    """Where the second line begins; near enough to choose the quick path by."""
    return text.find("\n") + 1 or len(text)


def _keys(header: Sequence[str], file: str, series: Fields | None, gaps: list[Gap]) -> tuple[SignalKey, ...]:
    """What the columns are."""
    if not header or header[0] != "timestamp":
        raise BundleError(f"{file}:1: the first column must be 'timestamp'")
    columns = header[1:]
    seen: set[str] = set()
    for number_, column in enumerate(columns, start=2):
        if column in seen:
            raise BundleError(f"{file}:1:{number_}: the column {column!r:.120} occurs twice")
        seen.add(column)
    stated = {} if series is None else series.data
    if series is not None:
        _note_unused(series, seen, gaps)
    keys = []
    for number_, column in enumerate(columns, start=2):
        entry = Fields(series.file, 0, stated[column]) if series is not None and column in stated else None
        keys.append(_key(column, entry, f"{file}:1:{number_}", gaps))
    return tuple(keys)


def _note_unused(series: Fields, columns: set[str], gaps: list[Gap]) -> None:
    unused = sorted(set(series.data) - columns)
    if unused:
        gaps.append(
            Gap("bundle", f"{len(unused)} series of {series.file}", f"no such column in the metrics: {unused[0]}")
        )
    unknown = sorted({key for entry in series.data.values() if isinstance(entry, dict) for key in entry})
    strange = [key for key in unknown if key not in _SERIES_FIELDS]
    if strange:
        gaps.append(Gap("bundle", f"{series.file}: {', '.join(strange)}", "unknown fields, ignored"))


def _key(column: str, entry: Fields | None, place: str, gaps: list[Gap]) -> SignalKey:
    service, _, rest = column.partition("|")
    metric, bar, instance_name = rest.partition("|")
    instance = instance_name if bar and instance_name else None
    if entry is not None and "service" in entry.data:
        service, metric, instance = entry.text("service"), entry.text("metric"), entry.identifier("instance")
    elif not service or not metric:
        raise BundleError(
            f"{place}: the column {column!r:.120} isn't named service|metric or service|metric|instance"
        )
    if entry is None:
        return SignalKey(service, metric, instance)
    kind, known = _kind(entry, gaps)
    stated = entry.data.get("bad")
    if stated not in (None, *Bad):
        raise entry.error(f"'bad' of {column!r:.120} must be up, down or both, not {stated!r:.60}")
    bad = Bad(stated) if stated is not None else _WORSE.get(kind, Bad.UP)
    return SignalKey(
        service,
        metric,
        instance,
        kind=kind,
        bad=bad,
        unit=entry.text("unit"),
        query=entry.text("query"),
        peer=entry.identifier("peer"),
        declared=known and entry.data.get("declared", True) is not False,
    )


def _kind(entry: Fields, gaps: list[Gap]) -> tuple[Kind, bool]:
    """The kind that was stated, and whether it is one we know."""
    name = entry.text("kind")
    if not name:
        return Kind.OTHER, False
    try:
        return Kind(name), True
    except ValueError:
        gaps.append(Gap("bundle", f"kind {name!r:.60}", f"{entry.file}: unknown, inferred from the metric's name"))
        return Kind.OTHER, False


def _cells(reader: Any, header: Sequence[str], file: str, *, plain: bool) -> tuple[list[float], list[list[float]]]:
    """All rows. `plain` says that no cell holds what only Python takes for a number (`1_000`, other digits)."""
    times: list[float] = []
    table: list[list[float]] = []
    width = len(header)
    nan = math.nan
    for row in reader:
        if not row:
            continue
        line = reader.line_num
        if len(row) != width:
            raise BundleError(f"{file}:{line}: {len(row)} cells where the header has {width}")
        times.append(timestamp(row[0], file, line))
        try:
            values = [float(cell) if cell else nan for cell in row[1:]]
        except ValueError:
            raise _bad_cell(row, header, file, line) from None
        if not plain and any("_" in cell or not cell.isascii() for cell in row):
            raise _bad_cell(row, header, file, line)
        table.append(values)
        if len(table) * width > layout.MAX_CELLS:
            raise BundleError(f"{file}: more than {layout.MAX_CELLS:,} values; refused")
    return times, table


def _bad_cell(row: Sequence[str], header: Sequence[str], file: str, line: int) -> BundleError:
    place = next(place for place, cell in enumerate(row) if cell and not _is_number(cell))
    return BundleError(f"{file}:{line}:{place + 1}: {row[place]!r:.60} in {header[place]!r:.120} isn't a number")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()


def _ordered(times: FloatArray, values: FloatArray, file: str, gaps: list[Gap]) -> tuple[FloatArray, FloatArray]:
    """Strictly increasing times, each with the last value that was given."""
    steps = np.diff(times)
    if bool(np.all(steps > 0)):
        return times, values
    if bool(np.any(steps < 0)):
        gaps.append(Gap("bundle", "order of the metrics", f"the rows of {file} weren't sorted by time; sorted"))
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    axis, first = np.unique(times, return_index=True)
    if len(axis) == len(times):
        return times, values
    doubled = len(times) - len(axis)
    why = f"{doubled} rows of {file} repeat a timestamp; the last value given for each series counts"
    gaps.append(Gap("bundle", "repeated metrics", why))
    kept = values[first]
    for row in np.setdiff1d(np.arange(len(times)), first):
        target = int(np.searchsorted(axis, times[row]))
        kept[target] = np.where(np.isnan(values[row]), kept[target], values[row])
    return axis, kept


def _columns(keys: Sequence[SignalKey]) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """A unique column name for each key, and what the name alone can't tell."""
    columns: list[str] = []
    series: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for key in keys:
        column = _CONTROL.sub("\ufffd", key.column)
        copy = 1
        while column in taken:
            copy += 1
            column = f"{_CONTROL.sub(chr(0xFFFD), key.column)}#{copy}"
        taken.add(column)
        columns.append(column)
        entry = _entry(key, column)
        if entry:
            series[column] = entry
    return columns, series


def _entry(key: SignalKey, column: str) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if key.declared or key.kind is not Kind.OTHER or key.bad is not Bad.BOTH:
        entry |= {"kind": str(key.kind), "bad": str(key.bad)}
    if (key.kind is not Kind.OTHER or key.bad is not Bad.BOTH) and not key.declared:
        entry["declared"] = False
    entry |= {name: value for name, value in (("unit", key.unit), ("query", key.query)) if value}
    if key.peer is not None:
        entry["peer"] = key.peer
    service, _, rest = column.partition("|")
    metric, _, instance = rest.partition("|")
    if (service, metric, instance or None) != (key.service, key.metric, key.instance) or not (service and metric):
        entry |= {"service": key.service, "metric": key.metric, "instance": key.instance}
    return entry
