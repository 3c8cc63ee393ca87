import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rca.cli.alerts import read_alert
from rca.errors import UsageError
from topology import Edge, Node, ServiceGraph

FIRING = {
    "labels": {"alertname": "HighLatency", "service": "checkout", "severity": "page"},
    "annotations": {"summary": "slow"},
    "startsAt": "2026-11-22T03:10:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "status": {"state": "active"},
}
LATER = {**FIRING, "labels": {"alertname": "Errors", "app": "cart"}, "startsAt": "2026-11-22T03:20:00Z"}
RESOLVED = {
    **FIRING,
    "labels": {"app": "old"},
    "startsAt": "2026-11-22T01:00:00Z",
    "status": {"state": "resolved"},
}


def file(tmp_path: Path, document: Any) -> str:
    path = tmp_path / "alert.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


@pytest.mark.parametrize("document", [[LATER, FIRING, RESOLVED], {"alerts": [FIRING, LATER]}, FIRING])
def test_the_first_firing_alert_gives_symptom_and_time(tmp_path: Path, document: Any) -> None:
    symptom, at = read_alert(file(tmp_path, document), None)
    assert at == datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
    assert symptom is not None
    assert (symptom.service, symptom.metric, symptom.fired_at) == ("checkout", "HighLatency", at)


@pytest.mark.parametrize(
    "document",
    [
        {"version": "4", "alerts": [{**FIRING, "status": "firing"}]},
        {
            "event_action": "trigger",
            "dedup_key": "k",
            "payload": {
                "summary": "slow",
                "class": "HighLatency",
                "component": "checkout",
                "source": "h",
                "severity": "error",
                "timestamp": "2026-11-22T03:10:00Z",
            },
        },
        {
            "action": "Create",
            "alert": {
                "alertId": "1",
                "message": "HighLatency",
                "createdAt": 1795317000000,
                "entity": "checkout",
            },
        },
    ],
)
def test_an_alert_of_any_sender_starts_an_investigation(tmp_path: Path, document: Any) -> None:
    symptom, at = read_alert(file(tmp_path, document), None)
    assert symptom is not None
    assert (symptom.service, symptom.metric, symptom.fired_at) == ("checkout", "HighLatency", at)
    assert at == datetime(2026, 11, 22, 3, 10, tzinfo=UTC)


def test_alerts_of_several_incidents_are_pointed_out(tmp_path: Path) -> None:
    said: list[str] = []
    graph = ServiceGraph([Node("checkout"), Node("cart")])
    read_alert(file(tmp_path, [FIRING, LATER, RESOLVED]), None, graph=graph, note=said.append)
    assert len(said) == 1
    assert "2 incidents" in said[0]
    linked = ServiceGraph(edges=[Edge("checkout", "cart")])
    symptom, _ = read_alert(file(tmp_path, [FIRING, LATER, RESOLVED]), None, graph=linked, note=said.append)
    assert len(said) == 1
    assert symptom is not None
    assert symptom.service == "checkout"


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.cli.given._MAX_BYTES", 100)
    with pytest.raises(UsageError, match="larger than"):
        read_alert(file(tmp_path, [FIRING]), None)


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps([LATER]).encode())))
    symptom, _ = read_alert("-", None)
    assert symptom is not None
    assert symptom.service == "cart"


def test_standard_input_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00")))
    with pytest.raises(UsageError, match="standard input is not text"):
        read_alert("-", None)


def test_the_flag_wins_over_the_alerts_labels(tmp_path: Path) -> None:
    symptom, _ = read_alert(file(tmp_path, [FIRING]), "gateway")
    assert symptom is not None
    assert symptom.service == "gateway"


def test_an_alert_that_names_no_service_still_gives_the_time(tmp_path: Path) -> None:
    symptom, at = read_alert(file(tmp_path, [{**FIRING, "labels": {"alertname": "x"}}]), None)
    assert symptom is None
    assert at is not None


def test_without_an_alert_only_the_flag_counts() -> None:
    assert read_alert(None, None) == (None, None)
    symptom, at = read_alert(None, "cart")
    assert symptom is not None
    assert (symptom.service, at) == ("cart", None)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "[]",
        "{}",
        "3",
        '{"alerts": []}',
        '[{"labels": {}}]',
        '[{"startsAt": "yesterday"}]',
        "[" * 90_000,
    ],
)
def test_what_is_no_alert_is_refused(tmp_path: Path, document: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_alert(file(tmp_path, document), None)
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_alert(str(tmp_path / "none"), None)
    (tmp_path / "bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text"):
        read_alert(str(tmp_path / "bin"), None)
