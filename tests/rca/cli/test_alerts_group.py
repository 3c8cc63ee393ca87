import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from rca.alerts import read_alerts
from rca.bundle import read_bundle, write_bundle
from tests.command import Invoke

TOPOLOGY = "services:\n  checkout: [cart]\n  cart: [redis]\n"


def alert(name: str, service: str, minute: int) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "service": service},
        "annotations": {},
        "startsAt": f"2026-11-22T03:{minute:02}:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "status": {"state": "active"},
        "fingerprint": f"{name}-{service}",
    }


ALERTS = [
    alert("Slow", "checkout", 12),
    alert("Down", "redis", 10),
    alert("Down", "redis", 10),
    alert("Odd", "mail", 50),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.json"
    path.write_text(json.dumps(ALERTS))
    return path


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "topology.yaml"
    path.write_text(TOPOLOGY)
    return path


def test_a_file_and_a_graph_give_incidents_with_reasons(invoke: Invoke, file: Path, graph: Path) -> None:
    outcome = invoke("alerts", "group", file, "--topology", graph)
    assert outcome.code == 0
    assert outcome.out.startswith("4 alerts -> 3 without duplicates -> 2 incidents\n")
    assert "calls redis over two hops, which began 2 min earlier" in outcome.out
    assert "the graph doesn't know mail" in outcome.out


def test_standard_input_and_json(invoke: Invoke, file: Path, tmp_path: Path) -> None:
    outcome = invoke("alerts", "group", "-", "--format", "json", stdin=file.read_text())
    document = json.loads(outcome.out)
    assert document["counts"] == {"received": 4, "folded": 3, "incidents": 2, "flapping": 0}
    assert "no dependency graph" in document["notes"][0]
    assert invoke("alerts", "group", file, "-o", tmp_path / "groups.md").code == 0
    assert (tmp_path / "groups.md").read_text().startswith("# Alerts\n")


def test_a_bundle_gives_the_graph_and_without_other_alerts_its_own(
    invoke: Invoke, file: Path, bundle: Path
) -> None:
    of_file = invoke("alerts", "group", file, "--bundle", bundle)
    assert "checkout depends on redis" in of_file.out
    own = invoke("alerts", "group", "--bundle", bundle)
    assert (own.code, own.out) == (3, "")
    assert "no alert fires" in own.err


def test_the_alerts_of_a_bundle_are_grouped(invoke: Invoke, tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "recorded"
    alerts = tuple(read_alerts(json.dumps(ALERTS), "file"))
    write_bundle(replace(read_bundle(bundle), alerts=alerts), folder)
    outcome = invoke("alerts", "group", "--bundle", folder)
    assert "2 incidents" in outcome.out


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_alertmanager_is_asked(
    invoke: Invoke, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    httpserver.expect_request("/api/v2/alerts").respond_with_json(ALERTS)
    url = httpserver.url_for("")
    if how == "environment":
        monkeypatch.setenv("RCA_ALERTMANAGER_URL", url)
    outcome = invoke("alerts", "group", *(("--url", url) if how == "flag" else ()))
    assert outcome.code == 0, outcome.err
    assert "3 without duplicates" in outcome.out


def test_an_alertmanager_that_is_down_has_its_own_exit_code(invoke: Invoke) -> None:
    outcome = invoke("alerts", "group", "--url", "http://127.0.0.1:1")
    assert outcome.code == 4
    assert outcome.out == ""


def test_prometheus_is_asked_for_what_fired(invoke: Invoke, httpserver: HTTPServer) -> None:
    now = time.time()
    series = [{"metric": {"alertname": "Slow", "service": "cart"}, "values": [[now // 60 * 60 - 600, "1"]]}]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": series}, "warnings": ["partial"]}
    httpserver.expect_request("/api/v1/query_range").respond_with_json(answer)
    where = ("--prometheus-url", httpserver.url_for(""))
    outcome = invoke("alerts", "group", "--since", "1h", *where)
    assert outcome.code == 0, outcome.err
    assert "Slow of cart" in outcome.out
    assert "gap: prometheus: parts of alerts" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "no alerts were given"),
        (("--until", "now"), "--until needs --since"),
        (("--since", "1h"), "no address of Prometheus"),
        (("none.json",), "none.json can't be read"),
        (("--format", "html"), "alerts group has no format 'html'"),
        (("--format", "pdf"), "no format 'pdf'"),
        (("--since", "soon", "--prometheus-url", "http://127.0.0.1:1"), "'soon' is not a time"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(invoke: Invoke, arguments: tuple[str, ...], complaint: str) -> None:
    outcome = invoke("alerts", "group", *arguments)
    assert outcome.code == 2
    assert complaint in outcome.err
    assert "hint:" in outcome.err
    assert outcome.out == ""
