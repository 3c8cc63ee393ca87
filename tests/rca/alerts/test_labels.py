from datetime import UTC, datetime

import pytest

from rca.alerts.labels import name_of, places, service_of, severity, zone
from rca.model.incident import Alert

START = datetime(2026, 11, 22, 3, tzinfo=UTC)


def alert(**labels: str) -> Alert:
    return Alert(labels, {}, START)


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"job": "cart", "service": "checkout"}, "checkout"),
        ({"container": "cart", "pod": "cart-7d9c5b6f4-x2lmn"}, "cart"),
        ({"pod": "cart-7d9c5b6f4-x2lmn"}, "cart"),
        ({"pod": "ledger-0"}, "ledger"),
        ({"pod": "oneoff"}, "oneoff"),
        ({"job": "node-exporter", "instance": "node-7:9100"}, None),
        ({"job": "kube-state-metrics", "service": "prometheus-kube-state-metrics", "deployment": "cart"}, "cart"),
        ({"job": "kube-state-metrics", "container": "kube-state-metrics", "pod": "ksm-exporter-0"}, None),
        ({"job": "redis_exporter", "service": "sessions"}, "sessions"),
        ({"alertname": "x"}, None),
    ],
)
def test_the_labels_name_the_service_not_its_exporter(labels: dict[str, str], service: str | None) -> None:
    assert service_of(alert(**labels)) == service


def test_a_service_of_the_graph_wins_over_a_label_that_usually_comes_first() -> None:
    named = alert(service="payments-metrics", app="payments")
    assert service_of(named) == "payments-metrics"
    assert service_of(named, {"payments", "cart"}) == "payments"


@pytest.mark.parametrize("written", ["API Gateway", "api_gateway", "api-gateway-service", "Api-Gateway-svc"])
def test_a_name_written_differently_is_the_graphs(written: str) -> None:
    assert service_of(alert(service=written), {"api-gateway", "cart"}) == "api-gateway"


@pytest.mark.parametrize(
    ("labels", "machines"),
    [
        ({"instance": "10.0.0.5:9090", "node": "node-7"}, {"10.0.0.5", "node-7"}),
        ({"instance": "http://shop.example:8080/health"}, {"shop.example"}),
        ({"instance": "[fd00::1]:9100"}, {"fd00::1"}),
        ({"instance": "localhost:9090", "host": "127.0.0.1"}, set()),
        ({"instance": "10.0.0.5:8080", "job": "kube-state-metrics", "node": "n"}, {"n"}),
        ({}, set()),
    ],
)
def test_the_machines_an_alert_names(labels: dict[str, str], machines: set[str]) -> None:
    assert places(alert(**labels)) == machines


def test_zone_severity_and_name() -> None:
    assert zone(alert(topology_kubernetes_io_zone="eu-1a")) == "eu-1a"
    assert zone(alert(zone="")) == ""
    worst_first = [alert(severity=word) for word in ("critical", "page", "warning", "odd", "info")]
    assert sorted(worst_first, key=severity) == worst_first
    assert severity(alert(priority="P1")) < severity(alert())
    assert name_of(Alert({}, {"summary": "slow"}, START)) == "slow"
    assert name_of(alert()) == "unnamed alert"
