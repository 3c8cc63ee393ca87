"""PagerDuty's events API v2: what monitoring sends to `/v2/enqueue`.

Fields as in PagerDuty/developer-docs, docs/events-API-v2/02-Trigger-Events.md: `payload.timestamp` may be missing,
and so may the whole payload of `acknowledge` and `resolve`, which speak of the open alert of their `dedup_key`.
The `routing_key` is a credential: it tells alerts apart and goes no further.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.alerts.record import Record
from rca.alerts.stretches import Turn, stretches
from rca.model.incident import Alert

TITLE = "PagerDuty's events v2"
_ACTIONS = ("trigger", "acknowledge", "resolve")
_PARTS = ("source", "component", "group", "class", "severity")


def recognises(data: Mapping[str, Any]) -> bool:
    """An object with an action."""
    return "event_action" in data


def read(records: Sequence[Record], now: datetime | None) -> list[Alert]:
    """One alert for each time that a key was open; a trigger without a key is an alert of its own."""
    turns: dict[tuple[str, str], list[Turn]] = {}
    for index, record in enumerate(records):
        action = record.needed("event_action")
        if action not in _ACTIONS:
            raise record.error(f"'event_action' {action!r:.30} is none of {', '.join(_ACTIONS)}")
        known = record.text("dedup_key")
        key = (record.text("routing_key"), known) if known else ("", f"\0{index}")
        if action == "trigger":
            turns.setdefault(key, []).append(_trigger(record, now))
        elif action == "resolve" and turns.get(key):  # one that speaks of nothing open is dropped, as there
            turns[key].append(_resolve(record, turns[key][-1].alert, now))
    return [alert for key in turns for alert in stretches(turns[key])]


def _trigger(record: Record, now: datetime | None) -> Turn:
    payload = record.inner("payload")
    at = payload.maybe_time("timestamp") or now
    if at is None:
        raise payload.error("'timestamp' is missing, so nobody knows when it began; add it, or pipe the event in")
    details = payload.words("custom_details") if isinstance(payload.data.get("custom_details"), dict) else {}
    given = {name: payload.text(name) for name in _PARTS}
    own = {"alertname": payload.text("class") or payload.needed("summary"), "service": payload.text("component")}
    return Turn(
        Alert(
            labels={name: value for name, value in {**details, **given, **own}.items() if value},
            annotations={"summary": payload.needed("summary")},
            starts_at=at,
            fingerprint=record.text("dedup_key"),
            generator_url=record.text("client_url"),
        ),
        fires=True,
        seen_at=at,
    )


def _resolve(record: Record, alert: Alert, now: datetime | None) -> Turn:
    """The end; when it came is known only if the sender said so, or if it has just arrived."""
    at = record.inner("payload").maybe_time("timestamp") or now
    at = at if at is not None and at >= alert.starts_at else None
    return Turn(alert, fires=False, seen_at=at or alert.starts_at, ended_at=at)
