"""The Prometheus source against a real server with a back-filled history in each convention."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rca.config.settings import PrometheusSettings
from rca.errors import SourceAuthError, SourceUnreachableError
from rca.model.incident import EventKind, Interval
from rca.model.signals import Kind
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
from tests.servers.conventions import HOSTILE, SCRAPE, START, STEP, TIMES, convention_history
from tests.servers.fetch import UnavailableError
from tests.servers.fixtures import unavailable
from tests.servers.harvest import Found, harvest, request
from tests.servers.prometheus import Prometheus, run_prometheus
from topology import NodeKind

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    try:
        with run_prometheus(convention_history()) as running:
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
        ("timed-cart", "http_error_ratio"),
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
    assert services == {"plain-cart", "timed-cart", "blue/twin", "green/twin", HOSTILE}
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


@pytest.mark.parametrize(
    ("service", "metric", "kind", "early", "late"),
    [
        ("otel-cart", "pool_share", Kind.SATURATION, 0.2, 1.0),
        ("spring-cart", "pool_share", Kind.SATURATION, 0.2, 1.0),
        ("mailer", "worker_pool_busy:pool_used", Kind.SATURATION, 2, 10),
        ("mailer", "queue_messages:waiting", Kind.QUEUE, 2, 10),
        ("mailer", "mail_backlog:waiting", Kind.QUEUE, 2, 10),
        ("mailer", "mail_messages_processed:processed", Kind.TRAFFIC, 4, 1),
        ("web", "nodejs_eventloop_lag_p99", Kind.SATURATION, 2, 10),
        ("web", "process_files_share", Kind.SATURATION, 0.2, 1.0),
        ("node-a", "node_conntrack_share", Kind.SATURATION, 0.2, 1.0),
        ("front-door.example", "certificate_valid", Kind.AVAILABILITY, 1, 0),
        ("front", "gate_tls_cert_not_after_timestamp_seconds:certificate", Kind.AVAILABILITY, 1, 0),
        ("front", "gate_ca_certificate_expiry_seconds:certificate", Kind.AVAILABILITY, 0, 0),
    ],
)
def test_what_runs_full_is_measured(
    found: Found, service: str, metric: str, kind: Kind, early: float, late: float
) -> None:
    assert found.early_and_late(service, metric) == pytest.approx((early, late), rel=0.03)
    assert found.series[service, metric, None][0].kind is kind


def test_what_only_sounds_like_a_queue_or_a_pool_is_left_out(found: Found) -> None:
    asked = {metric.partition(":")[0] for _, metric, _ in found.series}
    assert not asked & {
        "jvm_memory_pool_used_bytes",
        "fluentbit_output_pending",
        "promhttp_metric_handler_requests",
    }


def test_the_process_of_an_exporter_is_not_what_it_watches(found: Found) -> None:
    own = {service for service, metric, _ in found.series if metric in {"up", "process_memory"}}
    assert own == {"plain-cart", "ends", "jvm-cart"}  # the exporter of JMX is within the application's process
    assert not {"cache", "cache-exporter", "databases", "machines", "watch", "blackbox"} & own
    assert ("plain-cart", "up", "m:9104") not in found.series
    assert {event.service for event in found.events if event.details["rule"] == "process_start"} == {
        "plain-cart", "jvm-cart",
    }  # fmt: skip
    assert found.record.details["exporters_and_monitors"] == [
        "blackbox", "cache-exporter", "machines", "plain-cart", "watch",
    ]  # fmt: skip


def test_an_exporter_that_does_not_answer_is_told(found: Found) -> None:
    (why,) = (gap.why for gap in found.gaps if gap.what == "what is measured of cache-exporter")
    assert "did not answer in 40 of" in why


def test_a_certificate_that_expires_is_an_event(found: Found) -> None:
    assert [(event.service, event.title) for event in found.events if "certificate" in event.title] == [
        ("front-door.example", "front-door.example: its certificate expired")
    ]


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


def test_deploys_restarts_kills_crash_loops_failed_probes_and_scaling_are_told_apart(found: Found) -> None:
    told = {(event.kind, event.service, event.details["rule"]): event for event in found.events}
    rollout = told[EventKind.DEPLOY, "basket", "rollout"]
    assert rollout.at == datetime.fromtimestamp(TIMES[80] - 7, UTC)
    assert told[EventKind.DEPLOY, "basket", "image"].title == "basket: image basket:1 became basket:2"
    assert told[EventKind.SCALE, "web", "scale"].title == "web: replicas 2 became 6"
    fewer = told[EventKind.SCALE, "ledger", "statefulset_scale"]
    assert (fewer.details["from"], fewer.details["to"]) == (3.0, 1.0)
    assert "CrashLoopBackOff" in told[EventKind.RESTART, "ledger", "crash_loop"].title
    assert told[EventKind.RESTART, "ledger", "probe"].title == "ledger: Readiness probes fail"
    assert told[EventKind.OTHER, "basket", "waiting"].title == "basket: containers wait: ImagePullBackOff"
    assert told[EventKind.RESTART, "ledger", "restart"].details["of"] == ["ledger-0"]
    assert told[EventKind.RESTART, "cache", "redis_start"].at == datetime.fromtimestamp(TIMES[81], UTC)
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
