"""A history back-filled into a real Prometheus: one service or more in each convention that a pack reads.

The second half is the incident: calls fail and slow down, targets end, a deployment rolls out.
"""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from rca.model.signals import FloatArray

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
    only_later = np.where(LATER, 1.0, np.nan)
    for pod, reason in (("ledger-0", "CrashLoopBackOff"), ("basket-7f8b9c6d5d-bcdgf", "ImagePullBackOff")):
        waiting = {**names, "pod": pod, "reason": reason}
        yield _series("kube_pod_container_status_waiting_reason", waiting, only_later)
    for result, rate in (("successful", 0.1), ("failed", np.where(LATER, 0.1, 0.0))):
        yield _counter("prober_probe_total", {**names, "probe_type": "Readiness", "result": result}, rate)
    yield _series(
        "kube_deployment_spec_replicas", {"namespace": "shop", "deployment": "web"}, np.where(LATER, 6.0, 2.0)
    )
    yield _series(
        "kube_statefulset_replicas", {"namespace": "shop", "statefulset": "ledger"}, np.where(LATER, 1.0, 3.0)
    )


def _exporters() -> Iterator[str]:
    """Processes that only watch, under names of their own and of what they watch; and one that only seems to."""
    restarted = np.where(LATER, TIMES[79] + 2, 5.0)
    for job, service, instance, mark in (
        ("cache-exporter", {}, "x:9121", "redis_exporter_build_info"),
        ("databases", {"service": "plain-cart"}, "m:9104", "mysqld_exporter_build_info"),
        ("machines", {}, "node-a:9100", "node_exporter_build_info"),
        ("watch", {}, "localhost:9090", "prometheus_build_info"),
        ("jvm-cart", {}, "j:9404", "jmx_exporter_build_info"),
    ):
        target = {"job": job, "instance": instance, **service}
        stopped = LATER & (job == "cache-exporter")
        there = np.where(stopped, np.nan, 1.0)
        yield _series(mark, {**target, "version": "1"}, there)
        yield _series("up", target, np.where(stopped, 0.0, 1.0))
        yield _series("process_resident_memory_bytes", target, 5e7 * there)
        yield _series("process_start_time_seconds", target, restarted * there)
        yield _counter("promhttp_metric_handler_requests_total", {**target, "code": "200"}, 0.1 * there)

    wobbling = TIMES[81] + 1.0 * (np.arange(COUNT) % 3 == 0)  # as now less the uptime does
    store = {"job": "cache-exporter", "instance": "x:9121"}
    yield _series("redis_start_time_seconds", store, np.where(LATER, wobbling, 5.0))


def _saturated() -> Iterator[str]:
    """What runs full: pools, queues, threads, files, connections that a machine tracks, certificates."""
    full = np.where(LATER, 10.0, 2.0)
    for name, labels in (
        ("db_client_connection_count", {"service_name": "otel-cart", "db_client_connection_state": "used"}),
        ("hikaricp_connections_active", {"application": "spring-cart"}),
        ("worker_pool_busy", {"service": "mailer"}),
        ("queue_messages", {"service": "mailer", "queue": "out"}),
        ("mail_backlog", {"service": "mailer"}),
        ("nodejs_eventloop_lag_p99_seconds", {"service": "web"}),
        ("process_open_fds", {"service": "web"}),
        ("node_nf_conntrack_entries", {"instance": "node-a:9100"}),
        ("jvm_memory_pool_used_bytes", {"service": "jvm-cart", "pool": "Eden"}),
        ("fluentbit_output_pending", {"service": "shipper"}),
    ):
        yield _series(name, labels, full)
    for name, labels in (
        ("db_client_connection_max", {"service_name": "otel-cart"}),
        ("hikaricp_connections_max", {"application": "spring-cart"}),
        ("process_max_fds", {"service": "web"}),
        ("node_nf_conntrack_entries_limit", {"instance": "node-a:9100"}),
    ):
        yield _series(name, labels, 10.0)
    yield _counter("mail_messages_processed_total", {"service": "mailer"}, np.where(LATER, 1.0, 4.0))
    probe = {"job": "blackbox", "instance": "https://front-door.example:8443/health"}
    yield _series("probe_ssl_earliest_cert_expiry", probe, TIMES[80] - 3)
    yield _series("gate_tls_cert_not_after_timestamp_seconds", {"service": "front"}, TIMES[80] - 3)
    yield _series("gate_ca_certificate_expiry_seconds", {"service": "front"}, TIMES[-1] - TIMES)
    yield _series("probe_success", probe, np.where(LATER, 0.0, 1.0))
    yield _series("up", probe, 1.0)


def convention_history() -> Iterator[str]:
    """OpenMetrics lines of all of them, the end mark included."""
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
    yield _calls("http_request_duration_seconds_count", {"job": "timed-cart"}, "code")
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
    yield from chain(_exporters(), _saturated())
    alert = {"alertname": "Burning", "service": "otel-cart", "severity": "page"}
    firing = np.where(np.arange(COUNT) >= 90, 1.0, np.nan)
    yield _series("ALERTS", {**alert, "alertstate": "firing"}, firing)
    yield _series("ALERTS_FOR_STATE", alert, TIMES[82] * firing)
    yield "# EOF\n"
