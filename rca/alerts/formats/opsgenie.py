"""The webhook of Opsgenie and of Jira Service Management, which took over its form.

Fields as in Atlassian's "Alert action data": `action`, `alert.alertId`, `alert.message`, `alert.createdAt` in
milliseconds and `alert.updatedAt` in nanoseconds; `details`, `description`, `priority` only where the integration
was told to send them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.record import Record
from rca.alerts.stretches import Turn, stretches
from rca.model.incident import Alert

TITLE = "the webhook of Opsgenie or Jira Service Management"
_OVER = frozenset({"Close", "Delete"})


def recognises(data: Mapping[str, Any]) -> bool:
    """An object with an action on an alert that has an id."""
    alert = data.get("alert")
    return "action" in data and isinstance(alert, Mapping) and "alertId" in alert


def read(records: Sequence[Record], _now: datetime | None) -> list[Alert]:
    """One alert for each alert's id; after its end an id is never used again."""
    turns: dict[str, list[Turn]] = {}
    for record in records:
        turn = _turn(record, record.inner("alert"))
        turns.setdefault(turn.alert.fingerprint, []).append(turn)
    return [alert for key in turns for alert in stretches(_fullest(turns[key]))]


def _turn(record: Record, data: Record) -> Turn:
    over = record.needed("action") in _OVER
    created = data.time("createdAt")
    updated = data.maybe_time("updatedAt") or created
    details = data.words("details")
    tagged = dict(_pair(tag) for tag in data.data.get("tags") or () if isinstance(tag, str) and ":" in tag)
    own = {"alertname": details.get("alertname") or data.needed("message"), "priority": data.text("priority")}
    entity = data.text("entity")
    if entity and "service" not in details:
        own["service"] = entity
    alert = Alert(
        labels={name: value for name, value in {**tagged, **details, **own}.items() if name and value},
        annotations={"summary": data.text("message"), "description": data.text("description")},
        starts_at=created,
        fingerprint=data.needed("alertId"),
    )
    return Turn(alert, fires=not over, seen_at=updated, ended_at=updated if over else None)


def _pair(tag: str) -> tuple[str, str]:
    name, _, value = tag.partition(":")
    return name.strip(), value.strip()


def _fullest(turns: list[Turn]) -> list[Turn]:
    """By time, each with the labels of the fullest: only `Create` carries details."""
    best = max(turns, key=lambda turn: (len(turn.alert.labels), -turn.seen_at.timestamp())).alert
    by_time = sorted(turns, key=lambda turn: (turn.seen_at, turn.fires is False))
    return [Turn(best, fires=turn.fires, seen_at=turn.seen_at, ended_at=turn.ended_at) for turn in by_time]
