"""PagerDuty's webhook v3: one event a body, with the incident under `event.data`.

Fields as in PagerDuty/developer-docs, docs/webhooks/01-Overview.md. Events of other resources (a service that was
edited, a note, a responder) say nothing of what fires, and are passed over.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.record import Record
from rca.alerts.stretches import Turn, stretches
from rca.model.incident import Alert

TITLE = "PagerDuty's webhook v3"
_OVER = "incident.resolved"
_AGAIN = "incident.reopened"


def recognises(data: Mapping[str, Any]) -> bool:
    """An object with an event that has a type."""
    event = data.get("event")
    return isinstance(event, Mapping) and "event_type" in event


def read(records: Sequence[Record], _now: datetime | None) -> list[Alert]:
    """One alert for each time that an incident was open."""
    turns: dict[str, list[Turn]] = {}
    for event in (record.inner("event") for record in records):
        data = event.inner("data")
        if data.text("type") == "incident":
            turns.setdefault(data.needed("id"), []).append(_turn(event, data))
    return [alert for key in turns for alert in stretches(sorted(turns[key], key=_when))]


def _when(turn: Turn) -> datetime:
    return turn.seen_at


def _turn(event: Record, data: Record) -> Turn:
    kind, occurred = event.text("event_type"), event.time("occurred_at")
    over = kind == _OVER or data.text("status") == "resolved"
    labels = {
        "alertname": data.text("title"),
        "service": data.inner("service").text("summary"),
        "urgency": data.text("urgency"),
        "priority": data.inner("priority").text("summary"),
    }
    alert = Alert(
        labels={name: value for name, value in labels.items() if value},
        annotations={},
        starts_at=occurred if kind == _AGAIN else data.time("created_at"),
        fingerprint=data.text("id"),
        generator_url=data.text("html_url"),
    )
    return Turn(alert, fires=not over, seen_at=occurred, ended_at=occurred if over else None)
