"""The groups as text, Markdown and JSON. `FORMATS` names them."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from rca.alerts.fold import Folded
from rca.alerts.group import Group, Grouping, Member
from rca.alerts.labels import name_of, places
from rca.alerts.words import listed
from rca.model.incident import Alert
from rca.model.times import rfc3339
from rca.model.words import counted

SCHEMA_VERSION = 1
_MARKED = re.compile(r"([\\`*_\[\]<>|#~])")


def as_terminal(grouping: Grouping) -> str:
    """A block for each incident: its reason, then its alerts in a table."""
    lines = [headline(grouping), *notes(grouping)]
    for group in grouping.groups:
        lines += ["", f"{group.number}. {_title(group)}", f"   {group.reason}"]
        rows = [_row(member) for member in group.members]
        wide = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            cells = (text.ljust(width) for text, width in zip(row, wide, strict=False))
            lines.append(f"   {'  '.join(cells)}  {row[4]}".rstrip())
    return "\n".join(map(_safe, lines))


def as_markdown(grouping: Grouping) -> str:
    """A section with a table for each incident."""
    lines = ["# Alerts", "", _escaped(headline(grouping))]
    for note in notes(grouping):
        lines += ["", f"> {_escaped(note)}"]
    for group in grouping.groups:
        lines += ["", f"## {group.number}. {_escaped(_title(group))}", "", _escaped(group.reason), ""]
        lines += ["| fired (UTC) | alert | service | state | why |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_escaped(cell) for cell in _row(member))} |" for member in group.members]
    return "\n".join(map(_safe, lines))


def as_json(grouping: Grouping) -> str:
    """The contract for scripts: `schema_version` 1, ASCII, keys may be added."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "counts": {
            "received": grouping.received,
            "folded": grouping.folded,
            "incidents": len(grouping.groups),
            "flapping": len(grouping.flapping),
        },
        "graph": {"services": grouping.graph, "unknown": list(grouping.unplaced)},
        "notes": list(notes(grouping)),
        "incidents": [_incident(group) for group in grouping.groups],
    }
    return json.dumps(document, indent=2)


FORMATS: dict[str, Callable[[Grouping], str]] = {
    "terminal": as_terminal,
    "markdown": as_markdown,
    "json": as_json,
}


def headline(grouping: Grouping) -> str:
    """Counts before and after."""
    flapping = f", {len(grouping.flapping)} flapping" if grouping.flapping else ""
    return (
        f"{counted(grouping.received, 'alert')} -> {grouping.folded:,} without duplicates"
        f" -> {counted(len(grouping.groups), 'incident')}{flapping}"
    )


def notes(grouping: Grouping) -> Iterator[str]:
    """What makes the grouping weaker than it could be."""
    if not grouping.groups:
        return
    if not grouping.graph:
        yield "no dependency graph: only labels and time were used, which is weaker (give --topology or --bundle)"
    elif grouping.unplaced:
        yield f"the graph doesn't know {listed(grouping.unplaced)}: these were grouped by labels and time alone"


def _title(group: Group) -> str:
    services = f", {counted(len(group.services), 'service')}" if len(group.services) > 1 else ""
    state = "fires" if group.fires else "over"
    weak = ", weak" if group.weak else ""
    of = group.root.service or listed(sorted(places(group.root.alert)))
    name = f"{name_of(group.root.alert)}{f' of {of}' if of else ''}"
    size = f"{counted(len(group.members), 'alert')}{services}"
    return f"{name}, since {_clock(group.start)} UTC ({size}, {state}{weak})"


def _row(member: Member) -> tuple[str, str, str, str, str]:
    one = member.folded
    return (
        _clock(one.start),
        name_of(one.alert),
        one.service or listed(sorted(places(one.alert))) or "-",
        _state(one),
        member.why,
    )


def _state(one: Folded) -> str:
    words = ["fires" if one.fires else "over"]
    words += ["silenced"] if one.suppressed else []
    if one.flapping:
        words.append(f"flapping, {len(one.episodes)} times")
    elif len(one.episodes) > 1:
        words.append(f"{len(one.episodes)} times")
    words += [f"{one.replicas} replicas"] if one.replicas > 1 else []
    return ", ".join(words)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _incident(group: Group) -> dict[str, Any]:
    return {
        "number": group.number,
        "start": _time(group.start),
        "fires": group.fires,
        "weak": group.weak,
        "reason": group.reason,
        "services": list(group.services),
        "root": {"alertname": name_of(group.root.alert), "service": group.root.service},
        "alerts": [_member(member) for member in group.members],
    }


def _member(member: Member) -> dict[str, Any]:
    one = member.folded
    return {
        "alertname": name_of(one.alert),
        "service": one.service,
        "why": member.why,
        "received": one.received,
        "replicas": one.replicas,
        "flapping": one.flapping,
        "fires": one.fires,
        "suppressed": one.suppressed,
        "episodes": [{"start": _time(ep.start), "end": _time(ep.end)} for ep in one.episodes],
        **_own(one.alert),
    }


def _own(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(sorted(alert.labels.items())),
        "annotations": dict(sorted(alert.annotations.items())),
        "fingerprint": alert.fingerprint,
        "generator_url": alert.generator_url,
    }


def _time(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def _escaped(text: str) -> str:
    return _MARKED.sub(r"\\\1", text)


def _safe(text: str) -> str:
    """A line without control characters, which could act on a terminal or end it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
