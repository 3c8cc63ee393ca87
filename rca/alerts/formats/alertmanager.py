"""Alertmanager's API v2: `GET /api/v2/alerts`, a list of alerts; also a bundle's `alerts.json`.

Fields as in prometheus/alertmanager, api/v2/openapi.yaml (gettableAlert).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.record import Record
from rca.model.incident import Alert

TITLE = "Alertmanager's GET /api/v2/alerts, or one alert of it"


def recognises(data: Mapping[str, Any]) -> bool:
    """An alert by itself: labels and a beginning."""
    return "startsAt" in data and "labels" in data


def read(records: Sequence[Record], _now: datetime | None) -> list[Alert]:
    """One alert each."""
    return [alert(record) for record in records]


def alert(record: Record) -> Alert:
    """The alert of one object, of the API or of a webhook.

    While an alert is active, `endsAt` is when Alertmanager would give up on it (resolve_timeout): no end.
    """
    status = record.data.get("status")
    given = record.text("status") if isinstance(status, str) else record.inner("status").text("state")
    state = {"": "active", "firing": "active"}.get(given, given)
    return Alert(
        labels=record.words("labels"),
        annotations=record.words("annotations"),
        starts_at=record.time("startsAt"),
        ends_at=record.maybe_time("endsAt") if state == "resolved" else None,
        fingerprint=record.text("fingerprint"),
        state=state,
        generator_url=record.text("generatorURL"),
    )
