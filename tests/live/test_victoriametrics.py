"""The Prometheus source against a real VictoriaMetrics: another server's answers, and the same services."""

from collections.abc import Iterator

import pytest

from rca.config.settings import PrometheusSettings
from rca.model.incident import EventKind
from rca.sources.prom import PrometheusSource
from tests.servers.conventions import TIMES, convention_history
from tests.servers.fetch import UnavailableError
from tests.servers.fixtures import unavailable
from tests.servers.harvest import Found, harvest, request
from tests.servers.http import Endpoint
from tests.servers.victoriametrics import run_victoriametrics

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    try:
        with run_victoriametrics(convention_history()) as made:
            yield made
    except UnavailableError as error:
        unavailable(error)


@pytest.fixture(scope="module")
def found(server: Endpoint) -> Found:
    return harvest(PrometheusSettings(url=server.url))


def test_it_is_known_for_what_it_is(found: Found) -> None:
    assert (found.record.name, found.record.backend) == ("prometheus", "victoriametrics")


def test_every_question_of_the_harvest_is_answered(found: Found) -> None:
    assert [gap.what for gap in found.gaps if " above " not in gap.what] == ["what is measured of cache-exporter"]


@pytest.mark.parametrize(
    ("service", "metric", "early", "late"),
    [
        ("mesh-cart", "istio_error_ratio", 0.01, 0.5),
        ("timed-cart", "http_error_ratio", 0.01, 0.5),
        ("mesh-cart", "istio_latency_p99", 982, 1000),
        ("ha-cart", "grpc_requests", 10, 10),
        ("basket", "cpu_limit_share", 0.8, 0.8),
        ("otel-cart", "pool_share", 0.2, 1),
        ("front-door.example", "certificate_valid", 1, 0),
        ("plain-cart", "up", 1, 0.5),
        ("mailer", "kafka_lag", 3, 900),
    ],
)
def test_the_series_are_those_that_prometheus_gives(
    found: Found, service: str, metric: str, early: float, late: float
) -> None:
    assert found.early_and_late(service, metric) == pytest.approx((early, late), rel=0.03)


def test_exporters_are_told_from_what_they_watch(found: Found) -> None:
    assert {service for service, metric, _ in found.series if metric == "up"} == {"plain-cart", "ends", "jvm-cart"}


def test_edges_events_and_alerts_come_too(found: Found) -> None:
    assert found.edge("front", "mesh-cart", "istio").weight == pytest.approx(10, rel=0.05)
    kinds = {event.kind for event in found.events}
    assert {EventKind.DEPLOY, EventKind.RESTART, EventKind.SCALE} <= kinds
    (alert,) = found.alerts
    assert (alert.labels["alertname"], alert.starts_at.timestamp()) == ("Burning", TIMES[82])


def test_doctor_passes(server: Endpoint) -> None:
    source = PrometheusSource(PrometheusSettings(url=server.url))
    try:
        checks = {check.name: check for check in source.check(request())}
    finally:
        source.close()
    assert {name: check.detail for name, check in checks.items() if check.ok is False} == {}
