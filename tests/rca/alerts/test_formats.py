"""Each format as its documentation shows it; the contract holds for every file of the folder."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rca.alerts.formats import formats, load
from rca.alerts.read import first_firing, read_alerts
from rca.alerts.record import Record
from rca.errors import UsageError
from rca.model.incident import Alert

API = {
    "annotations": {"summary": "slow"},
    "endsAt": "2026-11-22T03:14:00.000Z",
    "fingerprint": "a1",
    "receivers": [{"name": "team"}],
    "startsAt": "2026-11-22T03:10:00.5Z",
    "status": {"inhibitedBy": [], "silencedBy": ["x"], "state": "suppressed"},
    "updatedAt": "2026-11-22T03:10:00Z",
    "generatorURL": "http://prometheus/graph",
    "labels": {"alertname": "HighLatency", "service": "checkout"},
}
FIRING = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "service": "checkout"},
    "annotations": {},
    "startsAt": "2026-11-22T04:10:00+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "",
    "fingerprint": "a1",
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2026-11-22T03:20:00Z"}
WEBHOOK = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "r", "alerts": [FIRING, RESOLVED]}
PROMETHEUS = {
    "status": "success",
    "data": {
        "alerts": [
            {
                "activeAt": "2026-11-22T03:10:00Z",
                "labels": {"alertname": "A"},
                "state": "firing",
                "value": "1e+00",
            },
            {
                "activeAt": "2026-11-22T03:12:00Z",
                "labels": {"alertname": "B"},
                "state": "pending",
                "value": "1e+00",
            },
        ]
    },
}
INCIDENT = {
    "id": "PGR0VU2",
    "type": "incident",
    "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
    "number": 2,
    "status": "triggered",
    "created_at": "2026-11-22T03:10:00Z",
    "title": "A little bump in the road",
    "service": {"id": "PF9KMXH", "summary": "API Service", "type": "service_reference"},
    "priority": {"summary": "P1"},
    "urgency": "high",
}
EVENT = {
    "payload": {
        "summary": "pool exhausted on host1",
        "timestamp": "2026-11-22T03:10:00.000+0000",
        "source": "host1",
        "severity": "critical",
        "component": "checkout",
        "class": "pool exhausted",
        "custom_details": {"free": 0, "nested": {"x": 1}, "full": True},
    },
    "routing_key": "secret-key",
    "dedup_key": "pool",
    "event_action": "trigger",
}
OPSGENIE = {
    "source": {"name": "web", "type": "API"},
    "alert": {
        "updatedAt": 1795317000166002000,
        "tags": ["tier:one", "plain"],
        "message": "test alert",
        "alertId": "052652ac",
        "alias": "aliastest",
        "tinyId": "23",
        "createdAt": 1795317000104,
        "entity": "checkout",
        "priority": "P2",
    },
    "action": "Create",
    "integrationName": "Integration1",
}


def pagerduty(kind: str, at: str, **changes: Any) -> dict[str, Any]:
    data = {**INCIDENT, **changes}
    event = {"id": "5ac6", "event_type": kind, "resource_type": "incident", "occurred_at": at, "data": data}
    return {"event": event}


def opsgenie(action: str, updated: int, **changes: Any) -> dict[str, Any]:
    return {**OPSGENIE, "action": action, "alert": {**OPSGENIE["alert"], "updatedAt": updated, **changes}}  # type: ignore[dict-item] # a plain nested document


EXAMPLES: dict[str, dict[str, Any]] = {
    "alertmanager": API,
    "alertmanager_webhook": WEBHOOK,
    "opsgenie": OPSGENIE,
    "pagerduty_events": EVENT,
    "pagerduty_webhook": pagerduty("incident.triggered", "2026-11-22T03:10:01Z"),
    "prometheus": PROMETHEUS,
}


def read(*documents: Any, now: datetime | None = None) -> list[Alert]:
    return read_alerts(json.dumps(documents[0] if len(documents) == 1 else list(documents)), "file", now)


def test_every_format_has_an_example_here() -> None:
    assert set(formats()) == set(EXAMPLES)


@pytest.mark.parametrize("name", formats())
def test_a_format_recognises_its_own_example_and_no_other(name: str) -> None:
    assert [other for other, example in EXAMPLES.items() if load(name).recognises(example)] == [name]
    assert load(name).TITLE


@pytest.mark.parametrize("name", formats())
def test_every_format_gives_alerts_with_a_name_and_an_aware_time(name: str) -> None:
    alerts = read(EXAMPLES[name])
    assert alerts
    assert all(alert.labels["alertname"] and alert.starts_at.tzinfo is UTC for alert in alerts)


@pytest.mark.parametrize("name", formats())
def test_nothing_a_format_needs_may_be_of_another_type(name: str) -> None:
    example = json.dumps(EXAMPLES[name])
    for broken in (
        example.replace("2026-11-22T0", "someday-"),
        example.replace("1795317000104", '"soon"'),
        example.replace("1795317000104", "true"),
        example.replace("1795317000104", "1e300"),
    ):
        if broken != example:
            with pytest.raises(UsageError, match=r"file.*is no time") as caught:
                read(json.loads(broken))
            assert caught.value.hint


def test_the_end_of_an_active_alert_is_only_when_alertmanager_would_give_up() -> None:
    (alert,) = read(API)
    assert (alert.state, alert.ends_at, alert.fingerprint) == ("suppressed", None, "a1")
    assert alert.starts_at == datetime(2026, 11, 22, 3, 10, 0, 500_000, UTC)
    assert (alert.annotations, alert.generator_url) == ({"summary": "slow"}, "http://prometheus/graph")


def test_a_webhook_tells_firing_from_resolved() -> None:
    ended, fires = read(WEBHOOK) if read(WEBHOOK)[0].ends_at else reversed(read(WEBHOOK))
    assert (fires.state, fires.ends_at) == ("active", None)
    assert (ended.state, ended.ends_at) == ("resolved", datetime(2026, 11, 22, 3, 20, tzinfo=UTC))
    assert fires.starts_at == datetime(2026, 11, 22, 3, 10, tzinfo=UTC)


def test_a_webhook_of_another_version_is_refused() -> None:
    with pytest.raises(UsageError, match="version '3'"):
        read({**WEBHOOK, "version": "3"})


def test_a_pending_alert_of_prometheus_is_none_yet() -> None:
    assert [alert.labels["alertname"] for alert in read(PROMETHEUS)] == ["A"]


def test_a_pagerduty_incident_fires_until_it_is_resolved_and_again_when_reopened() -> None:
    said = [
        pagerduty("incident.reopened", "2026-11-22T03:40:00Z"),
        pagerduty("incident.triggered", "2026-11-22T03:10:01Z"),
        pagerduty("incident.acknowledged", "2026-11-22T03:12:00Z", status="acknowledged", urgency="low"),
        pagerduty("incident.resolved", "2026-11-22T03:20:00Z", status="resolved"),
        pagerduty("incident.annotated", "2026-11-22T03:21:00Z", type="incident_note"),
        pagerduty("incident.priority_updated", "2026-11-22T03:22:00Z", status="resolved"),
    ]
    first, second = read(*said)
    assert (first.starts_at.minute, first.ends_at, first.state) == (
        10,
        datetime(2026, 11, 22, 3, 20, tzinfo=UTC),
        "resolved",
    )
    assert (second.starts_at.minute, second.ends_at, second.state) == (40, None, "active")
    assert first.labels == {
        "alertname": "A little bump in the road",
        "service": "API Service",
        "urgency": "high",
        "priority": "P1",
    }


def test_an_incident_that_is_only_seen_to_end_still_tells_when_it_began() -> None:
    (alert,) = read(pagerduty("incident.resolved", "2026-11-22T03:20:00Z", status="resolved"))
    assert (alert.starts_at.minute, alert.state) == (10, "resolved")


def test_a_pagerduty_event_becomes_labels_without_its_key() -> None:
    (alert,) = read(EVENT)
    assert alert.labels == {
        "alertname": "pool exhausted",
        "service": "checkout",
        "component": "checkout",
        "source": "host1",
        "severity": "critical",
        "class": "pool exhausted",
        "free": "0",
        "full": "true",
    }
    assert "secret-key" not in repr(alert)


def test_a_resolve_ends_the_open_alert_of_its_key_and_is_dropped_without_one() -> None:
    resolve = {"routing_key": "secret-key", "dedup_key": "pool", "event_action": "resolve"}
    again = {**EVENT, "payload": {**EVENT["payload"], "timestamp": "2026-11-22T03:30:00Z"}}  # type: ignore[dict-item] # a plain nested document
    assert read(resolve) == []
    over, fires = read(resolve, EVENT, {**resolve, "event_action": "acknowledge"}, resolve, resolve, again)
    assert (over.state, over.ends_at) == ("resolved", None)
    assert (fires.state, fires.starts_at.minute) == ("active", 30)
    arrived = datetime(2026, 11, 22, 3, 50, tzinfo=UTC)
    assert read(EVENT, resolve, now=arrived)[0].ends_at == arrived


def test_an_event_without_a_time_needs_to_have_just_arrived() -> None:
    payload = {"summary": "down", "source": "h", "severity": "error", "custom_details": "text"}
    event = {"event_action": "trigger", "routing_key": "k", "payload": payload}
    with pytest.raises(UsageError, match=r"file\[1\].payload: 'timestamp' is missing"):
        read(EVENT, event)
    arrived = datetime(2026, 11, 22, 3, 50, tzinfo=UTC)
    one, other = read(event, event, now=arrived)
    assert (one.starts_at, one.labels["alertname"]) == (arrived, "down")
    assert one == other


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(UsageError, match="'shout' is none of trigger"):
        read({**EVENT, "event_action": "shout"})


def test_an_opsgenie_alert_ends_when_it_is_closed_and_keeps_what_only_its_creation_told() -> None:
    close = opsgenie("Close", 1795317600000000000, tags=[], priority="")
    for said in ((OPSGENIE, opsgenie("AddNote", 1795317300000000000), close), (close, OPSGENIE)):
        (alert,) = read(*said)
        assert (alert.state, alert.starts_at.second) == ("resolved", 0)
        assert alert.ends_at is not None
        assert (alert.ends_at - alert.starts_at).total_seconds() == pytest.approx(600, abs=1)
        assert alert.labels == {
            "alertname": "test alert",
            "service": "checkout",
            "tier": "one",
            "priority": "P2",
        }


def test_opsgenies_details_win_over_the_entity() -> None:
    (alert,) = read(opsgenie("Create", 1795317000, details={"alertname": "Slow", "service": "cart"}))
    assert (alert.labels["alertname"], alert.labels["service"]) == ("Slow", "cart")


def test_formats_may_be_mixed_in_a_list_and_one_a_line() -> None:
    several = [API, EVENT, OPSGENIE]
    listed = read_alerts(json.dumps(several), "file")
    assert len(listed) == 3
    assert read_alerts("\n".join(json.dumps(one) for one in several) + "\n\n", "file") == listed
    assert read_alerts(json.dumps(API, indent=2), "file") == read(API)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "file is empty"),
        ("nonsense", "file:1 is not valid JSON"),
        ('{"a":\n oops}', "file:2 is not valid JSON"),
        ("3", "file: an object is needed"),
        ("[3]", r"file\[0\]: an object is needed"),
        ("{}", "file is no alert in a known format"),
        ('{"startsAt": "2026-11-22T03:10:00Z", "labels": 3}', "file.labels: an object is needed"),
        ('{"startsAt": "2026-11-22T03:10:00", "labels": {}}', "'startsAt' is no time with an offset"),
        ('{"startsAt": null, "labels": {}}', "'startsAt' is missing"),
        ('{"alerts": [{"labels": {}}]}', r"file.alerts\[0\]: 'startsAt' is missing"),
        ('{"data": {"alerts": [{"state": 1.5}]}, "status": "success"}', "'state' must be a string"),
        ('{"event_action": null}', "'event_action' is missing"),
        ('{"status": "x", "labels": {}, "startsAt": 1, "fingerprint": []}', "'fingerprint' must be a string"),
        ("[" * 100_000, "not usable JSON"),
        ('{"event_action": "trigger"}\n{"alerts": 3}', "file:2 is no alert in a known format"),
        ('{"event_action": "trigger"}\noops', "file:2 is not valid JSON"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        read_alerts(text, "file")
    assert caught.value.hint


def test_a_list_that_should_be_one_is_refused() -> None:
    with pytest.raises(UsageError, match="'alerts' must be a list"):
        load("prometheus").read([Record("f", {"data": {"alerts": 3}})], None)


def test_the_first_firing_is_the_earliest_that_has_not_ended() -> None:
    alerts = read(WEBHOOK, API)
    first = first_firing(alerts)
    assert first is not None
    assert first.state == "active"
    assert first_firing([alert for alert in alerts if alert.state == "resolved"]) is not None
    assert first_firing([]) is None
