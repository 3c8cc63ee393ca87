import pytest

from rca.detect.kinds import bare, classify, infer, quantile, words
from rca.model.scores import Side
from rca.model.signals import Bad, Kind, SignalKey


@pytest.mark.parametrize(
    ("metric", "kind", "bad", "unit"),
    [
        ("http_server_duration_p99_ms", Kind.LATENCY, Bad.UP, "ms"),
        ("PodServerLatencyP99(s)", Kind.LATENCY, Bad.UP, "s"),
        ("lat_50", Kind.LATENCY, Bad.UP, ""),
        ("availability_Average", Kind.AVAILABILITY, Bad.DOWN, ""),
        ("SuccessRate(%)", Kind.AVAILABILITY, Bad.DOWN, "%"),
        ("error_rate_5xx_ratio", Kind.ERRORS, Bad.UP, "ratio"),
        ("http_server_5xx_rate", Kind.ERRORS, Bad.UP, ""),
        ("mesh-request-success-total", Kind.TRAFFIC, Bad.BOTH, ""),
        ("request_success_rate", Kind.AVAILABILITY, Bad.DOWN, ""),
        ("requests_per_second", Kind.TRAFFIC, Bad.BOTH, "1/s"),
        ("envelopes_flushed_per_min", Kind.TRAFFIC, Bad.BOTH, "1/min"),
        ("container_cpu_usage_cores", Kind.CPU, Bad.UP, "cores"),
        ("CpuUsage(m)", Kind.CPU, Bad.UP, "millicores"),
        ("container_memory_rss_mb", Kind.MEMORY, Bad.UP, "MiB"),
        ("container_memory_limit_mb", Kind.OTHER, Bad.BOTH, "MiB"),
        ("container_oom_killed_total", Kind.RESTARTS, Bad.UP, ""),
        ("job_uptime_seconds", Kind.RESTARTS, Bad.DOWN, "s"),
        ("queue_oldest_message_age_seconds", Kind.QUEUE, Bad.UP, "s"),
        ("write_throttle_ratio", Kind.SATURATION, Bad.UP, "ratio"),
        ("cpu_cfs_throttled_seconds", Kind.CPU, Bad.UP, "s"),
        ("SyscallRead", Kind.NETWORK, Bad.UP, ""),
        ("disk_read_bytes", Kind.DISK, Bad.UP, "bytes"),
        ("container_fs_writes_total", Kind.DISK, Bad.UP, ""),
        ("network_io", Kind.NETWORK, Bad.BOTH, ""),
        ("NetworkReceiveBytes", Kind.NETWORK, Bad.BOTH, "bytes"),
        ("net_in_p90_ms", Kind.LATENCY, Bad.UP, "ms"),
        ("diskio", Kind.DISK, Bad.UP, ""),
        ("node_load5", Kind.CPU, Bad.UP, ""),
        ("load", Kind.TRAFFIC, Bad.BOTH, ""),
        ("container_sockets", Kind.SATURATION, Bad.UP, ""),
        ("socket", Kind.SATURATION, Bad.UP, ""),
        ("thread_count", Kind.SATURATION, Bad.UP, ""),
        ("bytes_in", Kind.NETWORK, Bad.BOTH, "bytes"),
        ("packet_loss", Kind.ERRORS, Bad.UP, ""),
        ("tcp_retransmits", Kind.ERRORS, Bad.UP, ""),
        ("container_memory_failures_total", Kind.MEMORY, Bad.UP, ""),
        ("avg_response_time", Kind.LATENCY, Bad.UP, ""),
        ("P99", Kind.LATENCY, Bad.UP, ""),
        ("process_start_time_seconds", Kind.OTHER, Bad.BOTH, "s"),
        ("in_flight_requests", Kind.QUEUE, Bad.UP, ""),
        ("count", Kind.TRAFFIC, Bad.BOTH, ""),
        ("http_2xx", Kind.TRAFFIC, Bad.BOTH, ""),
        ("succ_rate", Kind.AVAILABILITY, Bad.DOWN, ""),
        ("req_cnt", Kind.TRAFFIC, Bad.BOTH, ""),
        ("reqs_total", Kind.TRAFFIC, Bad.BOTH, ""),
        ("rsp_time", Kind.LATENCY, Bad.UP, ""),
        ("proc_time_ms", Kind.LATENCY, Bad.UP, "ms"),
        ("db_conn", Kind.SATURATION, Bad.UP, ""),
        ("tcp_established", Kind.SATURATION, Bad.UP, ""),
        ("mem_available", Kind.MEMORY, Bad.DOWN, ""),
        ("node_memory_MemAvailable_bytes", Kind.MEMORY, Bad.DOWN, "bytes"),
        ("free_memory", Kind.MEMORY, Bad.DOWN, ""),
        ("node_filesystem_avail_bytes", Kind.DISK, Bad.DOWN, "bytes"),
        ("disk_free", Kind.DISK, Bad.DOWN, ""),
        ("cpu_idle", Kind.CPU, Bad.DOWN, ""),
        ("cpu_usage_idle", Kind.CPU, Bad.DOWN, ""),
        ("UnHealthyHosts", Kind.ERRORS, Bad.UP, ""),
        ("healthy_hosts", Kind.AVAILABILITY, Bad.DOWN, ""),
        ("sr", Kind.AVAILABILITY, Bad.DOWN, ""),
        ("FreeableMemory", Kind.MEMORY, Bad.DOWN, ""),
        ("fgc_count", Kind.MEMORY, Bad.UP, ""),
        ("queue_messages_ready", Kind.QUEUE, Bad.UP, ""),
        ("IteratorAge", Kind.QUEUE, Bad.UP, ""),
        ("ConcurrentExecutions", Kind.SATURATION, Bad.UP, ""),
        ("connected_clients", Kind.SATURATION, Bad.UP, ""),
        ("fd_used", Kind.SATURATION, Bad.UP, ""),
        ("row_lock_waits", Kind.SATURATION, Bad.UP, ""),
        ("slow_queries", Kind.SATURATION, Bad.UP, ""),
        ("deadlocks_total", Kind.ERRORS, Bad.UP, ""),
        ("dns_lookup_time", Kind.LATENCY, Bad.UP, ""),
        ("grpc_server_handled_total", Kind.TRAFFIC, Bad.BOTH, ""),
        ("xact_commit", Kind.TRAFFIC, Bad.BOTH, ""),
        ("xact_rollback", Kind.ERRORS, Bad.UP, ""),
        ("whatever", Kind.OTHER, Bad.BOTH, ""),
    ],
)
def test_a_name_says_what_is_measured(metric: str, kind: Kind, bad: Bad, unit: str) -> None:
    assert infer(metric) == (kind, bad, unit)


@pytest.mark.parametrize(
    ("service", "metric", "rest"),
    [
        ("queue-master", "queue-master_cpu", "cpu"),
        ("queue-master", "Queue_Master.latency_p90", "latency_p90"),
        ("Store::Orders", "Store::Orders_latency", "latency"),
        ("cart", "cpu_cart", "cpu"),
        ("cart", "cartographer_cpu", "cartographer_cpu"),
        ("cart", "cart", "cart"),
        ("", "cpu", "cpu"),
        ("::", "cpu", "cpu"),
    ],
)
def test_a_services_own_name_says_nothing_of_what_is_measured(service: str, metric: str, rest: str) -> None:
    assert bare(metric, service) == rest


def test_what_is_left_without_the_services_name_tells_the_kind_unless_it_tells_nothing() -> None:
    assert infer("queue-master_cpu", "queue-master")[0] is Kind.CPU
    assert infer("queue_depth", "queue")[0] is Kind.QUEUE


def test_metrics_that_begin_with_each_ones_service_are_the_same_metric() -> None:
    made = classify([SignalKey("queue-a", "queue-a_cpu"), SignalKey("b", "b_cpu")], [])
    assert [(t.stem, t.key.kind, t.key.metric) for t in made] == [
        ("cpu", Kind.CPU, "queue-a_cpu"),
        ("cpu", Kind.CPU, "b_cpu"),
    ]


def test_a_name_that_others_use_too_isnt_cut_where_one_is_called_so() -> None:
    made = classify([SignalKey("redis", "redis_memory"), SignalKey("redis-cart", "redis_memory")], [])
    assert {t.stem for t in made} == {"redis_memory"}


def test_words_are_cut_at_capitals_and_digits() -> None:
    assert words("HTTPServerDurationP99") == ("http", "server", "duration", "p")


@pytest.mark.parametrize(("name", "said"), [("p95_ms", "95"), ("latency_avg", "mean"), ("cpu", "")])
def test_a_quantile_is_read_from_the_name(name: str, said: str) -> None:
    assert quantile(name) == said


def test_what_a_pack_says_is_kept() -> None:
    key = SignalKey("a", "odd_name", kind=Kind.QUEUE, bad=Bad.DOWN, declared=True)
    assert classify([key], ["a"])[0].key.kind is Kind.QUEUE


def test_the_other_end_of_an_edge_is_recognised_among_known_services() -> None:
    keys = [SignalKey("web", "call_latency_p50_to:db"), SignalKey("db", "serve_latency_p50_from:web")]
    called, served = classify(keys, ["web", "db"])
    assert (called.side, called.peer, called.stem) == (Side.CALLER, "db", "call_latency_p50")
    assert (served.side, served.peer) == (Side.OWN, "web")
    assert classify(keys[:1], ["web"])[0].peer is None


@pytest.mark.parametrize(
    ("metric", "side"),
    [
        ("node_cpu_utilization", Side.HOST),
        ("rpc_client_error_rate", Side.CLIENT),
        ("net_in_p50_ms", Side.EDGE),
        ("net_out_p50_ms", Side.CLIENT),
        ("cpu", Side.OWN),
    ],
)
def test_a_name_says_where_it_was_measured(metric: str, side: Side) -> None:
    assert classify([SignalKey("a", metric)], ["a"])[0].side is side
