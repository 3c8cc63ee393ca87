"""Reading the alert that an investigation starts from."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import BundleError, UsageError

if TYPE_CHECKING:
    from rca.model.incident import Alert, Symptom

# the labels by which alerting rules name the service, the usual ones first
_SERVICE_LABELS = (
    "service",
    "service_name",
    "app_kubernetes_io_name",
    "app",
    "deployment",
    "workload",
    "destination_workload",
    "container",
    "job",
)
_MAX_BYTES = 16 * 1024 * 1024


def read_alert(source: str | None, service: str | None) -> tuple["Symptom | None", datetime | None]:
    """The reported symptom, and when it fired.

    Args:
        source: A file, `-` for standard input, or None.
        service: The service that `--service` names; it wins over the alert's own labels.

    Raises:
        UsageError: The file can't be read, isn't an alert, or holds none that fires.
    """
    from rca.model.incident import Symptom  # noqa: PLC0415 - only when a command runs

    if source is None:
        return (Symptom(service) if service else None), None
    alert = _first_firing(parse_alerts(_load(source), source), source)
    named = service or next((alert.labels[label] for label in _SERVICE_LABELS if alert.labels.get(label)), None)
    metric = alert.labels.get("metric") or alert.annotations.get("metric") or alert.labels.get("alertname")
    return (Symptom(named, metric, alert.starts_at) if named else None), alert.starts_at


def parse_alerts(document: Any, source: str) -> list["Alert"]:
    """Alerts from Alertmanager's API v2 (a list) or its webhook body (an object with `alerts`).

    Raises:
        UsageError: It is neither, or an alert lacks what it must have.
    """
    from rca.bundle.records import read_alerts  # noqa: PLC0415 - only when an alert is read

    items = document.get("alerts") if isinstance(document, Mapping) else document
    if isinstance(document, Mapping) and items is None and "labels" in document:
        items = [document]
    if not isinstance(items, list) or not items:
        raise UsageError(
            f"{source} holds no alert",
            hint="Give Alertmanager's 'GET /api/v2/alerts' answer, or the body of its webhook.",
        )
    try:
        return list(read_alerts(json.dumps(items), source, []))
    except BundleError as error:
        raise UsageError(error.message, hint=error.hint or "Give it as Alertmanager writes it.") from error


def _load(source: str) -> Any:
    try:
        text = sys.stdin.read(_MAX_BYTES) if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{source} can't be read: {error.strerror}", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not text", hint="Give the alert as JSON.") from error
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{source} is not valid JSON: {error}", hint="Give the alert as JSON.") from error


def _first_firing(alerts: list["Alert"], source: str) -> "Alert":
    firing = [alert for alert in alerts if alert.state != "resolved"] or alerts
    if not firing:
        raise UsageError(f"{source} holds no alert", hint="Give one that fires, or use --at.")
    return min(firing, key=lambda alert: (alert.starts_at, sorted(alert.labels.items())))
