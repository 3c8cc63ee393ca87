"""From text to alerts: which format each object is in is told by its content."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rca.alerts.formats import Format, formats, load
from rca.alerts.record import Record
from rca.errors import UsageError
from rca.model.incident import Alert


def read_alerts(text: str, source: str, now: datetime | None = None) -> list[Alert]:
    """The alerts of a file: one JSON document, a list of them, or one a line; formats may be mixed.

    Args:
        text: The file.
        source: Its name, for errors.
        now: When it arrived, for formats whose messages may lack a time; None when nobody knows.

    Returns:
        Sorted by time and labels; empty where the sender answered that nothing fires.

    Raises:
        UsageError: A part of it isn't JSON, is of no known format or can't be used; then nothing is read.
    """
    by_format: dict[str, list[Record]] = {}
    known = {name: load(name) for name in formats()}
    for record in _records(text, source):
        by_format.setdefault(_recognised(record, known), []).append(record)
    found = [alert for name in sorted(by_format) for alert in known[name].read(by_format[name], now)]
    return sorted(found, key=_order)


def first_firing(alerts: Iterable[Alert]) -> Alert | None:
    """The earliest alert that fires; the earliest of all when none does; None when there is none."""
    ordered = sorted(alerts, key=_order)
    return next((alert for alert in ordered if alert.state != "resolved"), ordered[0] if ordered else None)


def _order(alert: Alert) -> tuple[object, ...]:
    ends = alert.ends_at.timestamp() if alert.ends_at else float("inf")
    return alert.starts_at, sorted(alert.labels.items()), alert.fingerprint, alert.state, ends


def _recognised(record: Record, known: dict[str, Format]) -> str:
    for name, module in known.items():
        if module.recognises(record.data):
            return name
    titles = ", ".join(module.TITLE for module in known.values())
    raise UsageError(f"{record.place} is no alert in a known format", hint=f"Known: {titles}.")


def _records(text: str, source: str) -> list[Record]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise UsageError(f"{source} is empty", hint="Give the alert as JSON.")
    if len(lines) > 1 and _is_object(lines[0][1]):
        return [
            record
            for number, line in lines
            for record in _listed(_decoded(line, source, number), f"{source}:{number}")
        ]
    return _listed(_decoded(text, source, 0), source)


def _listed(value: Any, place: str) -> list[Record]:
    if isinstance(value, list):
        return [Record(f"{place}[{index}]", item) for index, item in enumerate(value)]
    return [Record(place, value)]


def _is_object(line: str) -> bool:
    """Whether a first line is a whole document, so that the others are too."""
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _decoded(text: str, source: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = f"{source}:{line or error.lineno}"
        raise UsageError(f"{at} is not valid JSON: {error.msg}", hint="Give the alert as JSON.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not usable JSON: {error}", hint="Give the alert as JSON.") from error
