"""What the Prometheus source finds on a real server with a back-filled history in each convention."""

from datetime import UTC, datetime

import numpy as np
import pytest

from rca.model.incident import EventKind
from rca.model.signals import Kind
from tests.servers.conventions import HOSTILE, TIMES
from tests.servers.harvest import Found
from topology import NodeKind

pytestmark = pytest.mark.live


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


def test_restarts_are_counted_a_minute(found: Found) -> None:
    key, values = found.series["ledger", "restarts", None]
    assert key.unit == "1/min"
    assert 1.0 <= float(np.nanmax(values)) <= 1.5  # one, of which the rate's window saw three quarters
    assert float(np.nanmedian(values)) == 0.0


def test_alerts_that_fired_begin_when_their_condition_did(found: Found) -> None:
    assert [(alert.labels["alertname"], alert.starts_at, alert.ends_at) for alert in found.alerts] == [
        ("Burning", datetime.fromtimestamp(TIMES[82], UTC), None)
    ]
