"""The Prometheus source against a real server with a back-filled history in each convention."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rca.config.settings import PrometheusSettings
from rca.errors import SourceAuthError, SourceUnreachableError
from rca.model.incident import Alert, Event, EventKind, Gap, Interval, SourceRecord
from rca.model.signals import FloatArray, Kind, SignalKey
from rca.sources.base import Check, Request
from rca.sources.prom import PrometheusSource
from rca.sources.prom.client import PromClient
from rca.sources.prom.discover import discover
from rca.sources.prom.names import Labels
from rca.sources.prom.packfile import load_packs
from rca.sources.prom.packs import Across, EdgeRule
from rca.sources.prom.plan import Ask, template_of
from rca.sources.prom.query import folded, for_all, for_one
from rca.sources.prom.work import Crew, Grid
from tests.servers.fetch import UnavailableError
from tests.servers.fixtures import unavailable
from tests.servers.prometheus import Prometheus, run_prometheus
from topology import Edge, NodeKind, ServiceGraph

pytestmark = pytest.mark.live

START, COUNT, SCRAPE, STEP = 1_770_000_000, 161, 15, 30  # 40 minutes, the last 20 of them are the incident
TIMES = START + SCRAPE * np.arange(COUNT, dtype=np.float64)
LATER = np.arange(COUNT) >= 80
HOSTILE = 'we"ird\\{svc}|.*\nname'


def _labels(labels: dict[str, str]) -> str:
    escaped = {
        key: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, value in labels.items()
    }
    return ",".join(f'{key}="{value}"' for key, value in escaped.items())


def _series(name: str, labels: dict[str, str], values: FloatArray | float) -> str:
    """OpenMetrics lines; no line where the value is NaN."""
    filled = np.broadcast_to(np.asarray(values, dtype=np.float64), TIMES.shape)
    head = f"{name}{{{_labels(labels)}}}"
    return "".join(
        f"{head} {value!r} {at:.0f}\n"
        for at, value in zip(TIMES, filled.tolist(), strict=True)
        if np.isfinite(value)
    )


def _counter(name: str, labels: dict[str, str], rate: FloatArray | float) -> str:
    per_scrape = np.broadcast_to(np.asarray(rate, dtype=np.float64), TIMES.shape) * SCRAPE
    return _series(name, labels, np.cumsum(np.nan_to_num(per_scrape)) + 0 * per_scrape)


def _calls(name: str, labels: dict[str, str], status: str, codes: tuple[str, str] = ("200", "500")) -> str:
    """10 calls a second; 1 % of them fail, and half of them later."""
    failing = np.where(LATER, 5.0, 0.1)
    return _counter(name, {**labels, status: codes[0]}, 10 - failing) + _counter(
        name, {**labels, status: codes[1]}, failing
    )


def _histogram(name: str, labels: dict[str, str], unit: float) -> str:
    """Half of the calls within 0.1, all within 1; later a tenth lie above the top bucket."""
    slow = np.where(LATER, 1.0, 0.0)
    bounds = {0.1: np.full(COUNT, 5.0), 1.0: 10 - slow, float("inf"): np.full(COUNT, 10.0)}
    return "".join(
        _counter(
            f"{name}_bucket", {**labels, "le": "+Inf" if bound == float("inf") else f"{bound * unit:g}"}, rate
        )
        for bound, rate in bounds.items()
    )


def _kubernetes() -> Iterator[str]:
    old = np.where(LATER, np.nan, 1.0)
    for pod, there in (
        ("basket-6d4cf56db6-xk2lp", old),
        ("basket-7f8b9c6d5d-bcdgf", np.where(LATER, 1.0, np.nan)),
    ):
        names = {"namespace": "shop", "pod": pod, "container": "app"}
        owner = pod.rpartition("-")[0]
        version = "1" if owner.endswith("db6") else "2"
        yield _counter("container_cpu_usage_seconds_total", names, 0.4 * there)
        yield _series("container_memory_working_set_bytes", names, 4e8 * there)
        yield _series("kube_pod_owner", {**names, "owner_kind": "ReplicaSet", "owner_name": owner}, there)
        yield _series("kube_pod_container_info", {**names, "image": f"basket:{version}"}, there)
        for resource, limit in (("cpu", 0.5), ("memory", 5e8)):
            yield _series("kube_pod_container_resource_limits", {**names, "resource": resource}, limit * there)
        created = START - 9e5 if version == "1" else TIMES[80] - 7
        sets = {"namespace": "shop", "replicaset": owner}
        yield _series("kube_replicaset_created", sets, created * there)
        yield _series("kube_replicaset_owner", {**sets, "owner_kind": "Deployment", "owner_name": "basket"}, there)
    names = {"namespace": "shop", "pod": "ledger-0", "container": "app"}
    yield _counter("container_cpu_usage_seconds_total", names, 0.1)
    yield _series("kube_pod_container_status_restarts_total", names, np.where(LATER, 3.0, 2.0))
    yield _series("kube_pod_container_status_last_terminated_reason", {**names, "reason": "OOMKilled"}, 1.0)
    yield _series(
        "kube_deployment_spec_replicas", {"namespace": "shop", "deployment": "web"}, np.where(LATER, 6.0, 2.0)
    )


def _history() -> Iterator[str]:
    for reporter in ("source", "destination"):
        mesh = {
            "reporter": reporter, "source_canonical_service": "front",
            "destination_canonical_service": "mesh-cart",
            "destination_workload_namespace": "shop", "request_protocol": "http",
        }  # fmt: skip
        yield _calls("istio_requests_total", mesh, "response_code")
        yield _histogram("istio_request_duration_milliseconds", mesh, 1000)
    lost = {
        "reporter": "source",
        "source_canonical_service": "unknown",
        "destination_canonical_service": "mesh-cart",
    }
    yield _calls("istio_requests_total", lost, "response_code")
    for direction, peer in (("inbound", {}), ("outbound", {"dst_deployment": "lk-stock"})):
        proxy = {"direction": direction, "deployment": "lk-cart", "namespace": "shop", **peer}
        yield _calls("response_total", proxy, "classification", ("success", "failure"))
        yield _histogram("response_latency_ms", proxy, 1000)
    yield _calls(
        "http_server_request_duration_seconds_count", {"service_name": "otel-cart"}, "http_response_status_code"
    )
    yield _histogram("http_server_request_duration_seconds", {"service_name": "otel-cart"}, 1)
    yield _calls(
        "rpc_server_duration_milliseconds_count", {"service_name": "rpc-cart"}, "rpc_grpc_status_code", ("0", "14")
    )
    spans = {"service": "span-cart", "span_kind": "SPAN_KIND_SERVER"}
    codes = ("STATUS_CODE_UNSET", "STATUS_CODE_ERROR")
    yield _calls("traces_spanmetrics_calls_total", spans, "status_code", codes)
    yield _histogram("traces_spanmetrics_latency", spans, 1)
    yield _counter("traces_service_graph_request_total", {"client": "front", "server": "graph-cart"}, 10.0)
    yield _counter("traces_service_graph_request_failed_total", {"client": "front", "server": "graph-cart"}, 1.0)
    yield _calls("http_server_requests_seconds_count", {"application": "spring-cart"}, "status")
    yield _counter("http_server_requests_seconds_sum", {"application": "spring-cart", "status": "200"}, 2.0)
    yield _calls(
        "envoy_cluster_upstream_rq_xx",
        {"envoy_cluster_name": "envoy-cart"},
        "envoy_response_code_class",
        ("2", "5"),
    )
    yield _calls(
        "nginx_ingress_controller_requests", {"exported_service": "nginx-cart", "service": "ingress"}, "status"
    )
    yield _calls("http_requests_total", {"job": "shop/plain-cart"}, "code")
    yield _calls("http_requests_total", {"service": "twin", "namespace": "blue"}, "code")
    yield _calls("http_requests_total", {"service": "twin", "namespace": "green"}, "code")
    yield _calls("http_requests_total", {"service": HOSTILE}, "code")
    for replica in ("a", "b"):
        scraped = {"service": "ha-cart", "prometheus_replica": replica}
        yield _calls("grpc_server_handled_total", scraped, "grpc_code", ("OK", "Unavailable"))
    yield _counter("mail_errors_total", {"service": "mailer"}, 0.5)
    yield _calls("basket_client_requests_total", {"service": "plain-cart", "peer": "stock"}, "code")
    yield from _kubernetes()
    yield _counter("node_cpu_seconds_total", {"instance": "node-a:9100", "mode": "idle", "cpu": "0"}, 0.25)
    exporter = {"job": "cache-exporter", "instance": "x:9121"}
    yield _series("redis_up", exporter, 1.0)
    yield _series("redis_memory_used_bytes", exporter, 9e8)
    yield _series("redis_memory_max_bytes", exporter, 1e9)
    yield _series("pg_up", {"service": "store"}, np.where(LATER, 0.0, 1.0))
    yield _series("kafka_brokers", {"service": "bus"}, 3.0)
    yield _series(
        "kafka_consumergroup_lag", {"consumergroup": "mailer", "topic": "t"}, np.where(LATER, 900.0, 3.0)
    )
    yield _series(
        "process_start_time_seconds",
        {"service": "plain-cart", "instance": "i"},
        np.where(LATER, TIMES[79] + 3, 5.0),
    )
    for instance in range(2):
        there = np.where(LATER, 0.0 if instance else 1.0, 1.0)
        yield _series("up", {"job": "plain-cart", "instance": f"i{instance}:80"}, there)
    yield _series("up", {"job": "ends", "instance": "e:80"}, np.where(LATER, np.nan, 1.0))
    alert = {"alertname": "Burning", "service": "otel-cart", "severity": "page"}
    firing = np.where(np.arange(COUNT) >= 90, 1.0, np.nan)
    yield _series("ALERTS", {**alert, "alertstate": "firing"}, firing)
    yield _series("ALERTS_FOR_STATE", alert, TIMES[82] * firing)
    yield "# EOF\n"


@dataclass(frozen=True)
class Found:
    """A harvest, put together."""

    series: dict[tuple[str, str, str | None], tuple[SignalKey, FloatArray]]
    graph: list[ServiceGraph]
    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]
    gaps: tuple[Gap, ...]
    record: SourceRecord

    def early_and_late(self, service: str, metric: str, instance: str | None = None) -> tuple[float, float]:
        """The medians before and during the incident."""
        values = self.series[service, metric, instance][1]
        half = len(values) // 2
        return float(np.nanmedian(values[4 : half - 2])), float(np.nanmedian(values[half + 6 :]))

    def edge(self, caller: str, callee: str, source: str) -> Edge:
        found = [
            edge for graph in self.graph for edge in graph.edges()
            if (edge.caller, edge.callee, edge.provenance[0].source) == (caller, callee, source)
        ]  # fmt: skip
        assert len(found) == 1
        return found[0]


def request(*, step: int = STEP, seconds: float = 60.0) -> Request:
    span = Interval(datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(TIMES[-1], UTC))
    return Request(span, step, time.monotonic() + seconds)


def harvest(settings: PrometheusSettings, asked: Request | None = None) -> Found:
    source = PrometheusSource(settings)
    try:
        pieces = list(source.harvest(asked or request()))
    finally:
        source.close()
    assert [piece.done for piece in pieces] == list(range(1, len(pieces) + 1))
    assert {piece.total for piece in pieces} == {len(pieces)}
    series = {
        (key.service, key.metric, key.instance): (key, piece.metrics.values[:, column])
        for piece in pieces if piece.metrics is not None
        for column, key in enumerate(piece.metrics.keys)
    }  # fmt: skip
    record = next(piece.record for piece in pieces if piece.record is not None)
    return Found(
        series=series,
        graph=[piece.graph for piece in pieces if piece.graph is not None],
        events=tuple(event for piece in pieces for event in piece.events),
        alerts=tuple(alert for piece in pieces for alert in piece.alerts),
        gaps=tuple(gap for piece in pieces for gap in piece.gaps),
        record=record,
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    try:
        with run_prometheus(_history()) as running:
            yield running
    except UnavailableError as error:
        unavailable(error)


@pytest.fixture(scope="module")
def found(server: Prometheus) -> Found:
    return harvest(PrometheusSettings(url=server.url))


@pytest.mark.parametrize(
    ("service", "metric"),
    [
        ("mesh-cart", "istio_error_ratio"),
        ("mesh-cart", "istio_seen_error_ratio"),
        ("lk-cart", "linkerd_error_ratio"),
        ("otel-cart", "http_server_error_ratio"),
        ("rpc-cart", "rpc_server_error_ratio"),
        ("span-cart", "span_error_ratio"),
        ("spring-cart", "spring_error_ratio"),
        ("envoy-cart", "envoy_error_ratio"),
        ("nginx-cart", "ingress_error_ratio"),
        ("plain-cart", "http_error_ratio"),
        ("ha-cart", "grpc_error_ratio"),
        (HOSTILE, "http_error_ratio"),
    ],
)
def test_each_convention_gives_the_error_ratio_of_its_service(found: Found, service: str, metric: str) -> None:
    early, late = found.early_and_late(service, metric)
    assert (early, late) == pytest.approx((0.01, 0.5), rel=0.02)
    key = found.series[service, metric, None][0]
    assert (key.kind, key.bad, key.unit) == (Kind.ERRORS, "up", "ratio")


@pytest.mark.parametrize(
    ("service", "metric", "top", "unit"),
    [
        ("mesh-cart", "istio_latency", 1000.0, "ms"),
        ("lk-cart", "linkerd_latency", 1000.0, "ms"),
        ("otel-cart", "http_server_latency", 1.0, "s"),
        ("span-cart", "span_latency", 1.0, "s"),
    ],
)
def test_a_latency_above_the_top_bucket_is_said_to_be_at_least_that(
    found: Found, service: str, metric: str, top: float, unit: str
) -> None:
    early, late = found.early_and_late(service, f"{metric}_p99")
    assert early == pytest.approx(0.982 * top, rel=0.01)
    assert late == top
    assert found.series[service, f"{metric}_p99", None][0].unit == unit
    whats = [gap.what for gap in found.gaps if service in gap.why]
    assert f"{metric}_p99 above {top:g} {unit}" in whats
    assert not any("_p50" in what for what in whats)


def test_two_servers_that_scrape_alike_count_once(found: Found) -> None:
    assert found.early_and_late("ha-cart", "grpc_requests")[0] == pytest.approx(10, rel=0.02)


def test_a_namespace_stays_only_where_a_name_is_ambiguous(found: Found) -> None:
    services = {service for service, metric, _ in found.series if metric == "http_requests"}
    assert services == {"plain-cart", "blue/twin", "green/twin", HOSTILE}
    assert found.record.details["ambiguous_names"] == ["twin"]


def test_pods_become_their_workload_across_a_rollout(found: Found) -> None:
    early, late = found.early_and_late("basket", "cpu_limit_share")
    assert (early, late) == pytest.approx((0.8, 0.8), rel=0.03)
    assert found.early_and_late("basket", "memory_limit_share")[1] == pytest.approx(0.8)
    replica = found.series["basket", "memory_limit_share", "basket-7f8b9c6d5d-bcdgf"][1]
    assert np.isnan(replica[: len(replica) // 2 - 1]).all()
    assert ("ledger", "cpu_cores", None) in found.series


def test_stores_queues_and_machines_are_found_with_what_they_are(found: Found) -> None:
    assert found.early_and_late("cache", "redis_memory_share")[1] == pytest.approx(0.9)
    assert found.early_and_late("store", "pg_up") == (1.0, 0.0)
    assert found.early_and_late("mailer", "kafka_lag") == (3.0, 900.0)
    assert found.early_and_late("node-a", "node_cpu")[0] == pytest.approx(0.75, rel=0.02)
    kinds = {node.name: node.kind for graph in found.graph for node in graph.nodes() if node.kind != "unknown"}
    assert kinds == {
        "cache": NodeKind.CACHE, "store": NodeKind.DATABASE, "bus": NodeKind.QUEUE, "node-a": NodeKind.HOST,
    }  # fmt: skip


def test_metrics_that_no_pack_names_are_found_by_the_conventions(found: Found) -> None:
    assert found.early_and_late("mailer", "mail_errors:errors")[0] == pytest.approx(0.5, rel=0.02)


def test_what_stops_answering_is_a_signal(found: Found) -> None:
    assert found.early_and_late("plain-cart", "up") == (1.0, 0.5)
    assert found.early_and_late("plain-cart", "up", "i1:80") == (1.0, 0.0)
    ends = found.series["ends", "up", None][1]
    assert np.isfinite(ends[0])
    assert np.isnan(ends[-20:]).all()


def test_edges_come_with_their_weight_their_errors_and_where_they_were_learnt(found: Found) -> None:
    istio = found.edge("front", "mesh-cart", "istio")
    assert istio.weight == pytest.approx(10, rel=0.05)
    assert istio.errors == pytest.approx(0.25, abs=0.03)
    assert "istio_requests_total" in istio.provenance[0].detail
    assert found.edge("lk-cart", "lk-stock", "linkerd").errors == pytest.approx(0.25, abs=0.03)
    assert found.edge("front", "graph-cart", "otel-service-graph").errors == pytest.approx(0.1, abs=0.01)
    assert found.edge("plain-cart", "stock", "client-metrics").weight == pytest.approx(10, rel=0.05)
    assert not any("unknown" in graph for graph in found.graph)


def test_what_a_caller_measured_names_the_callee(found: Found) -> None:
    key, values = found.series["front", "istio_client_error_ratio:mesh-cart", None]
    assert key.peer == "mesh-cart"
    assert float(np.nanmedian(values[-20:])) == pytest.approx(0.5, rel=0.02)


def test_deploys_restarts_kills_and_scaling_are_told_apart(found: Found) -> None:
    told = {(event.kind, event.service, event.details["rule"]): event for event in found.events}
    rollout = told[EventKind.DEPLOY, "basket", "rollout"]
    assert rollout.at == datetime.fromtimestamp(TIMES[80] - 7, UTC)
    assert told[EventKind.DEPLOY, "basket", "image"].title == "basket: image basket:1 became basket:2"
    assert told[EventKind.SCALE, "web", "scale"].title == "web: replicas 2 became 6"
    assert told[EventKind.RESTART, "ledger", "restart"].details["of"] == ["ledger-0"]
    assert "OOMKilled" in told[EventKind.RESTART, "ledger", "oom"].title
    assert told[EventKind.RESTART, "plain-cart", "process_start"].at == datetime.fromtimestamp(TIMES[79] + 3, UTC)
    assert len(told) == len(found.events)


def test_alerts_that_fired_begin_when_their_condition_did(found: Found) -> None:
    assert [(alert.labels["alertname"], alert.starts_at, alert.ends_at) for alert in found.alerts] == [
        ("Burning", datetime.fromtimestamp(TIMES[82], UTC), None)
    ]


def test_every_series_query_gives_that_series_again(server: Prometheus, found: Found) -> None:
    client = PromClient(PrometheusSettings(url=server.url))
    grid = Grid.of(request())
    try:
        for key, values in found.series.values():
            rows = client.query_range(key.query, grid.first, grid.last, grid.step).series
            assert len(rows) == 1, key.query
            again = {float(at): float(value) for at, value in rows[0]["values"]}
            expected = dict(zip(grid.times.tolist(), values.tolist(), strict=True))
            assert {at: value for at, value in again.items() if np.isfinite(value)} == pytest.approx(
                {at: value for at, value in expected.items() if np.isfinite(value)}
            ), key.query
    finally:
        client.close()


def test_the_record_says_what_was_asked_of_whom(found: Found) -> None:
    assert (found.record.name, found.record.backend) == ("prometheus", "prometheus")
    assert re.fullmatch(r"\d+\.\d+.*", found.record.version)
    assert found.record.details["packs"]["istio"]["scrape_interval_seconds"] == SCRAPE
    assert found.record.queries["istio_requests"] == (
        "sum by (destination_workload_namespace, destination_canonical_service) "
        '(rate(istio_requests_total{reporter="destination",destination_canonical_service!=""}[60s]))'
    )


def test_a_second_harvest_is_the_same(server: Prometheus, found: Found) -> None:
    again = harvest(PrometheusSettings(url=server.url, concurrency=2))
    assert set(again.series) == set(found.series)
    for name, (key, values) in again.series.items():
        assert key == found.series[name][0]
        assert key.query == found.series[name][0].query
        np.testing.assert_array_equal(values, found.series[name][1])


def test_a_wide_step_widens_the_rate_window(server: Prometheus) -> None:
    wide = harvest(PrometheusSettings(url=server.url), request(step=120))
    assert "[120s]" in wide.record.queries["istio_requests"]


def test_an_empty_window_gives_no_series_and_no_error(server: Prometheus) -> None:
    span = Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, 1, tzinfo=UTC))
    empty = harvest(PrometheusSettings(url=server.url), Request(span, STEP, time.monotonic() + 30))
    assert not empty.series
    assert not empty.gaps


def test_doctor_says_what_answers_what_applies_and_what_does_not(server: Prometheus) -> None:
    checks = _check(PrometheusSettings(url=server.url))
    assert checks["reachable"].ok
    assert checks["clock"].ok
    assert "1 services by consumergroup" in checks["pack kafka_consumers"].detail
    assert checks["pack kafka_consumers"].facts == ("mailer",)
    assert "does not apply: no mysql_up" in checks["pack mysql"].detail
    assert "does not apply: its metrics have the label pod" in checks["pack docker"].detail
    assert checks["data at the start"].ok
    assert checks["data at the end"].ok
    assert checks["names"].facts == ("twin",)


def test_doctor_says_that_an_empty_window_is_empty(server: Prometheus) -> None:
    span = Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, 1, tzinfo=UTC))
    checks = _check(PrometheusSettings(url=server.url), Request(span, STEP, time.monotonic() + 30))
    assert checks["packs"].ok is False
    assert "window" in checks["packs"].hint


def test_the_users_own_pack_replaces_one_of_the_same_name(server: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "http"\ndescription = "ours"\nrequires = ["http_requests_total"]\nservice_labels = ["service"]\n'
        "[[signals]]\nname = \"our_calls\"\nrate = 'http_requests_total{$F}'\n"
    )
    mine = harvest(PrometheusSettings(url=server.url, packs=tmp_path))
    metrics = {metric for _, metric, _ in mine.series}
    assert "our_calls" in metrics
    assert "http_error_ratio" not in metrics


def test_basic_auth_and_an_own_authority_are_used(prometheus_tls: Prometheus) -> None:
    settings = PrometheusSettings(
        url=prometheus_tls.url, username=prometheus_tls.username, password=prometheus_tls.password,
        ca_certs=prometheus_tls.ca_certs,
    )  # fmt: skip
    checks = _check(settings)
    assert checks["reachable"].ok
    assert checks["credentials"].detail == f"the user {prometheus_tls.username}"


def test_an_unknown_authority_is_refused_with_a_hint(prometheus_tls: Prometheus) -> None:
    with pytest.raises(SourceUnreachableError, match="certificate is not trusted") as raised:
        harvest(PrometheusSettings(url=prometheus_tls.url))
    assert "ca_certs" in raised.value.hint


def test_certificates_go_unchecked_only_when_told_to(prometheus_tls: Prometheus) -> None:
    settings = PrometheusSettings(
        url=prometheus_tls.url,
        username=prometheus_tls.username,
        password=prometheus_tls.password,
        verify_certs=False,
    )
    checks = _check(settings)
    assert checks["reachable"].ok
    assert "TLS certificates are not checked" in checks["credentials"].detail


def test_a_wrong_password_is_an_auth_error_without_the_password(prometheus_secured: Prometheus) -> None:
    url = prometheus_secured.url.replace("://", "://somebody:hunter2@")
    with pytest.raises(SourceAuthError, match="401") as raised:
        harvest(PrometheusSettings(url=url))
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"
    checks = _check(PrometheusSettings(url=url))
    assert checks["reachable"].ok is False
    assert "hunter2" not in str(checks)


def _check(settings: PrometheusSettings, asked: Request | None = None) -> dict[str, Check]:
    source = PrometheusSource(settings)
    try:
        return {check.name: check for check in source.check(asked or request())}
    finally:
        source.close()


def _asks() -> list[Ask]:
    """Every part of every pack, with the labels that it prefers, the replicas' included."""
    made = []
    for pack in load_packs():
        for part in pack.parts:
            naming = part.naming
            labels = Labels(
                service=naming.service[0],
                namespace=next(iter(naming.namespace), ""),
                instance=next(iter(naming.instance), ""),
                peer=next(iter(naming.peer), ""),
                peer_namespace=next(iter(naming.peer_namespace), ""),
                replica="prometheus_replica",
            )
            made += [Ask(pack, part, "some_metric", labels, 60, wide=wide) for wide in {False, labels.is_pod}]
    return made


def test_every_query_of_every_pack_is_promql(server: Prometheus) -> None:
    client = PromClient(PrometheusSettings(url=server.url))
    try:
        for ask in _asks():
            row = dict.fromkeys(ask.labels.by, HOSTILE)
            template = template_of(ask.part)
            client.query(for_all(ask, template), START)
            one = for_one(ask, template, [row])
            two = for_one(ask, template, [row, {**row, ask.labels.service: "b"}])
            client.query(folded(Across.MEAN, [one, two], 3), START)
            if isinstance(ask.part, EdgeRule) and ask.part.failures:
                client.query(for_all(ask, ask.part.failures, 3600), START)
    finally:
        client.close()


def test_more_pods_than_fit_are_folded_into_workloads_by_the_server(
    server: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rca.sources.prom.discover.MAX_SERIES", 2)
    folded = harvest(PrometheusSettings(url=server.url))
    early, late = folded.early_and_late("basket", "cpu_limit_share")
    assert (early, late) == pytest.approx((0.8, 0.8), rel=0.03)
    assert ("basket", "cpu_limit_share", "basket-7f8b9c6d5d-bcdgf") not in folded.series
    query = folded.series["basket", "cpu_limit_share", None][0].query
    assert query.startswith("max (sum by (namespace, pod)")


def test_a_plan_is_made_once_for_all_packs(server: Prometheus) -> None:
    client = PromClient(PrometheusSettings(url=server.url))
    crew = Crew(4, time.monotonic() + 30)
    try:
        plan = discover(client, crew, load_packs(), Grid.of(request()))
    finally:
        crew.close()
        client.close()
    assert plan.services["istio"] == ("front", "mesh-cart")
    assert set(plan.intervals.values()) == {SCRAPE}
    assert plan.owners.pods["shop", "basket-6d4cf56db6-xk2lp"] == ("ReplicaSet", "basket-6d4cf56db6")
    assert plan.owners.replicasets["shop", "basket-7f8b9c6d5d"] == "basket"
