"""Prometheus' own `GET /api/v1/alerts`, saved to a file: `data.alerts`, each with `activeAt` and a state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.record import Record
from rca.model.incident import Alert

TITLE = "Prometheus' GET /api/v1/alerts"


def recognises(data: Mapping[str, Any]) -> bool:
    """An answer of Prometheus' API that holds alerts."""
    inner = data.get("data")
    return "status" in data and isinstance(inner, Mapping) and isinstance(inner.get("alerts"), list)


def read(records: Sequence[Record], _now: datetime | None) -> list[Alert]:
    """The alerts that fire; those pending are no alerts yet."""
    return [_alert(item) for record in records for item in record.inner("data").records("alerts") if _fires(item)]


def _fires(item: Record) -> bool:
    return item.text("state") != "pending"


def _alert(item: Record) -> Alert:
    return Alert(
        labels={name: value for name, value in item.words("labels").items() if name != "alertstate"},
        annotations=item.words("annotations"),
        starts_at=item.time("activeAt"),
    )
