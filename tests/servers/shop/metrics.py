"""What the shop's Prometheus would hold, as OpenMetrics text to back-fill one with.

Each part of the shop speaks one of the conventions found in the wild: HTTP services OpenTelemetry's, those in the
mesh Istio's too, stores their exporters', every pod cAdvisor's and kube-state-metrics'.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from tests.servers.shop.kubernetes import kubernetes_series
from tests.servers.shop.series import Series, cumulative, render
from tests.servers.shop.system import CACHE, DATABASE, Behaviour, Fault, Floats, Shop, behave

# Callees whose requests the mesh sees.
MESH = ("checkout", "payments", "orders", "cart", "pricing")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MILLISECONDS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
ALERT_DELAY_SECONDS = 180.0


def openmetrics(shop: Shop) -> Iterator[str]:
    """The text, in pieces, `# EOF` last.

    It is long: about 150 MB for 12 services, two hours and a scrape each 15 s, in proportion to all three.
    """
    behaviour = behave(shop)
    rng = np.random.default_rng([shop.seed, 5])
    for service in shop.services:
        if not shop.is_store(service):
            yield from render(behaviour.times, _http_server(shop, behaviour, service, rng))
    for caller, callee in shop.edges:
        if callee in MESH:
            yield from render(behaviour.times, _istio(shop, behaviour, caller, callee, rng))
        else:
            yield from render(behaviour.times, _service_graph(shop, behaviour, caller, callee, rng))
    yield from render(behaviour.times, _postgres(shop, behaviour, rng))
    yield from render(behaviour.times, _redis(shop, behaviour, rng))
    yield from render(behaviour.times, kubernetes_series(shop, behaviour, rng))
    yield from render(behaviour.times, _alerts(shop, behaviour))
    yield "# EOF\n"


def histogram(
    name: str, labels: Mapping[str, str], requests: Floats, median: Floats, bounds: tuple[float, ...]
) -> Iterator[Series]:
    """A histogram's series out of requests for each scrape; durations are log-logistic around the median."""
    for bound in (*bounds, float("inf")):
        below = 1.0 / (1.0 + (bound / median) ** -3.0) if np.isfinite(bound) else np.ones_like(median)
        le = f"{bound:g}" if np.isfinite(bound) else "+Inf"
        yield Series(f"{name}_bucket", {**labels, "le": le}, cumulative(np.round(requests * below)))
    yield Series(f"{name}_count", labels, cumulative(requests))
    yield Series(f"{name}_sum", labels, cumulative(requests * median * 1.2))  # the mean of that distribution


def _draw(rng: np.random.Generator, shop: Shop, rate: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Requests of each scrape: those that went well, those that failed."""
    requests = rng.poisson(rate * shop.step_seconds)
    failed = rng.binomial(requests, np.clip(errors, 0, 1))
    return (requests - failed).astype(float), failed.astype(float)


def _http_server(shop: Shop, behaviour: Behaviour, service: str, rng: np.random.Generator) -> Iterator[Series]:
    up = behaviour.up[service]
    for instance in range(2):
        labels = {"service_name": service, "job": f"shop/{service}", "instance": f"{service}-{instance}:8080"}
        good, failed = _draw(rng, shop, behaviour.rate[service] / 2, behaviour.errors[service])
        for status, requests in (("200", good), ("500", failed)):
            with_status = {**labels, "http_request_method": "POST", "http_response_status_code": status}
            median = behaviour.latency[service]
            for series in histogram(
                "http_server_request_duration_seconds", with_status, requests, median, SECONDS
            ):
                yield series.only(up)
        # Prometheus goes on saying that a target it knows is down.
        yield Series("up", {"job": labels["job"], "instance": labels["instance"]}, up.astype(float))


def _istio(
    shop: Shop, behaviour: Behaviour, caller: str, callee: str, rng: np.random.Generator
) -> Iterator[Series]:
    good, failed = _draw(rng, shop, behaviour.rate[caller] * shop.calls[caller, callee], behaviour.errors[callee])
    up = behaviour.up[callee]
    names = {
        "source_workload": caller,
        "source_canonical_service": caller,
        "source_workload_namespace": "shop",
        "destination_workload": callee,
        "destination_canonical_service": callee,
        "destination_workload_namespace": "shop",
        "destination_service": f"{callee}.shop.svc.cluster.local",
        "destination_service_name": callee,
        "request_protocol": "http",
    }
    for reporter in ("source", "destination"):
        for code, requests in (("200", good), ("503", failed)):
            gone = code == "503" and shop.fault is Fault.DOWN and callee == shop.faulty
            labels = {
                **names,
                "reporter": reporter,
                "response_code": code,
                "response_flags": "UH" if gone else "-",
                "grpc_response_status": "",
            }
            alive = up if reporter == "destination" else np.ones_like(up)  # a dead callee reports nothing itself
            yield Series("istio_requests_total", labels, cumulative(requests)).only(alive)
            median = behaviour.latency[callee] * 1000
            durations = histogram("istio_request_duration_milliseconds", labels, requests, median, MILLISECONDS)
            for series in durations:
                yield series.only(alive)


def _service_graph(
    shop: Shop, behaviour: Behaviour, caller: str, callee: str, rng: np.random.Generator
) -> Iterator[Series]:
    good, failed = _draw(rng, shop, behaviour.rate[caller] * shop.calls[caller, callee], behaviour.errors[callee])
    kind = "database" if shop.is_store(callee) else ""
    labels = {"client": caller, "server": callee, "connection_type": kind}
    yield Series("traces_service_graph_request_total", labels, cumulative(good + failed))
    yield Series("traces_service_graph_request_failed_total", labels, cumulative(failed))
    for side in ("server", "client"):
        name = f"traces_service_graph_request_{side}_seconds"
        yield from histogram(name, labels, good + failed, behaviour.latency[callee], SECONDS)


def _postgres(shop: Shop, behaviour: Behaviour, rng: np.random.Generator) -> Iterator[Series]:
    labels = {"job": DATABASE, "instance": f"{DATABASE}:9187", "service": DATABASE}
    up, rate = behaviour.up[DATABASE], behaviour.rate[DATABASE]
    busy = rate * behaviour.latency[DATABASE] * 20
    connections = np.clip(np.round(12 + busy + rng.normal(0, 1, len(rate))), 1, 100)
    yield Series("pg_up", labels, up.astype(float))
    database = {**labels, "datname": "orders"}
    series = (
        Series("pg_stat_activity_count", {**database, "state": "active"}, np.ceil(connections / 2)),
        Series("pg_stat_activity_count", {**database, "state": "idle"}, np.floor(connections / 2)),
        Series("pg_settings_max_connections", labels, np.full_like(rate, 100.0)),
        Series("pg_stat_database_xact_commit", database, cumulative(rng.poisson(rate * shop.step_seconds) * 1.0)),
        Series(
            "pg_stat_database_xact_rollback",
            database,
            cumulative(rng.poisson(rate * shop.step_seconds * behaviour.errors[DATABASE]) * 1.0),
        ),
        Series("pg_stat_database_deadlocks", database, np.zeros_like(rate)),
    )
    yield from (one.only(up) for one in series)


def _redis(shop: Shop, behaviour: Behaviour, rng: np.random.Generator) -> Iterator[Series]:
    labels = {"job": CACHE, "instance": f"{CACHE}:9121", "service": CACHE}
    up, rate = behaviour.up[CACHE], behaviour.rate[CACHE]
    full = 256e6 * (0.6 + 0.35 * np.clip(behaviour.own_errors[CACHE] / 0.3, 0, 1))
    busy = rng.poisson(rate * shop.step_seconds) * behaviour.latency[CACHE]
    rejected = rng.poisson(rate * shop.step_seconds * np.clip(behaviour.errors[CACHE] - 0.01, 0, 1)) * 1.0
    yield Series("redis_up", labels, up.astype(float))
    series = (
        Series("redis_memory_used_bytes", labels, np.round(full + rng.normal(0, 1e6, len(rate)))),
        Series("redis_memory_max_bytes", labels, np.full_like(rate, 256e6)),
        Series("redis_connected_clients", labels, np.round(8 + 0.2 * rate)),
        Series("redis_rejected_connections_total", labels, cumulative(rejected)),
        Series("redis_commands_processed_total", labels, cumulative(rng.poisson(rate * shop.step_seconds) * 3.0)),
        Series("redis_commands_duration_seconds_total", {**labels, "cmd": "get"}, cumulative(busy)),
    )
    yield from (one.only(up) for one in series)


def _alerts(shop: Shop, behaviour: Behaviour) -> Iterator[Series]:
    if shop.fault is Fault.NONE:
        return
    began = shop.onset.timestamp() + 60.0
    labels = {"alertname": "CustomersSeeErrors", "service": shop.symptom, "severity": "page"}
    firing = behaviour.times >= shop.onset.timestamp() + ALERT_DELAY_SECONDS
    pending = (behaviour.times >= began) & ~firing
    ones = np.ones_like(behaviour.times)
    yield Series("ALERTS", {**labels, "alertstate": "pending"}, ones).only(pending)
    yield Series("ALERTS", {**labels, "alertstate": "firing"}, ones).only(firing)
    yield Series("ALERTS_FOR_STATE", labels, ones * began).only(pending | firing)
