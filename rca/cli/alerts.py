"""Alerts for the commands: read from a file or standard input, and the one that an investigation starts from."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rca.cli.given import STDIN, read_given
from rca.errors import UsageError

if TYPE_CHECKING:
    from rca.model.incident import Alert, Symptom
    from topology import ServiceGraph


def read_alert(
    source: str | None,
    service: str | None,
    *,
    graph: "ServiceGraph | None" = None,
    note: Callable[[str], None] = lambda _: None,
) -> tuple["Symptom | None", datetime | None]:
    """The reported symptom, and when it fired: the first firing alert of the first incident.

    Args:
        source: A file, `-` for standard input, or None.
        service: The service that `--service` names; it wins over the alert's own labels.
        graph: Who calls whom, where declared: what belongs together is told by it.
        note: Told when the alerts are of several incidents.

    Raises:
        UsageError: The file can't be read, or holds no alert.
    """
    if source is None and service is None:
        return None, None  # the usual case: the first question to a server waits for no import
    from rca.model.incident import Symptom  # noqa: PLC0415 - only where something was reported

    if source is None:
        return Symptom(service or ""), None
    from rca.alerts import first_firing, group_alerts, service_of  # noqa: PLC0415 - only where there is an alert

    found = alerts_from(source)
    alert = first_firing(found)
    if alert is None:
        raise UsageError(f"{source} holds no alert", hint="Give one that fires, or use --at.")
    groups = [group for group in group_alerts(found, graph).groups if group.fires]
    if len(groups) > 1:
        note(
            f"{source} holds {len(groups)} incidents; this looks at the one that began first"
            f" (see them: rca alerts group {source})"
        )
    named = service or service_of(alert, {node.name for node in graph.nodes()} if graph else ())
    metric = alert.labels.get("metric") or alert.annotations.get("metric") or alert.labels.get("alertname")
    return (Symptom(named, metric, alert.starts_at) if named else None), alert.starts_at


def alerts_from(source: str) -> list["Alert"]:
    """Every alert of a file, or of standard input for `-`; its format is told by its content.

    Raises:
        UsageError: It can't be read, or is of no known format.
    """
    from rca.alerts import read_alerts  # noqa: PLC0415 - only when a command runs

    data, shown = read_given(source, "alerts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not text", hint="Give the alert as JSON.") from error
    # What is piped in arrives now; nobody knows when a file did.
    return read_alerts(text, shown, datetime.now(UTC) if source == STDIN else None)
