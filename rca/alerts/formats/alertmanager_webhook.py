"""Alertmanager's webhook body, version 4 (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).

Grafana's webhook has the same form. Labels and annotations are complete in each alert: `commonLabels` add nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.formats.alertmanager import alert
from rca.alerts.record import Record
from rca.model.incident import Alert

TITLE = "Alertmanager's webhook body (version 4)"
VERSIONS = frozenset({"", "4", "1"})  # Grafana writes 1


def recognises(data: Mapping[str, Any]) -> bool:
    """An object with a list of alerts."""
    return isinstance(data.get("alerts"), list)


def read(records: Sequence[Record], _now: datetime | None) -> list[Alert]:
    """Every alert of every body."""
    found = []
    for record in records:
        version = record.text("version")
        if version not in VERSIONS:
            raise record.error(f"a webhook body of version {version!r:.20} is not known, only 4")
        found += [alert(item) for item in record.records("alerts")]
    return found
