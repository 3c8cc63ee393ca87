"""What speaks against a service, in words."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rca.analyze import analyze
from rca.analyze.evidence import Item, change_text, is_outburst, number_items, plain_metric, subject
from rca.model.report import Evidence, EvidenceKind, ToolInfo
from rca.model.scores import Channel
from rca.model.signals import Bad, FloatArray, Kind, SignalFrame, SignalKey
from tests.rca.analyze.conftest import MakeBundle

Quiet = Callable[[int, float, float], FloatArray]
LATE = np.where(np.arange(60) >= 45, 1.0, 0.0)


def test_a_service_that_stops_reporting_is_told_with_when(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    gone = np.where(LATE > 0, np.nan, 1.0)
    bundle = make_bundle(
        {
            "db|cpu_usage": quiet(1, 0.3, 0.02) * gone,
            "db|requests": quiet(2, 100, 5) * gone,
            "web|latency_p99_ms": quiet(3, 80, 4) + 300 * LATE,
            **{f"{name}|cpu_usage": quiet(4 + i, 0.3, 0.02) for i, name in enumerate(("web", "mail", "ads"))},
            **{f"{name}|requests": quiet(8 + i, 50, 3) for i, name in enumerate(("web", "mail", "ads"))},
        },
        [("web", "db")],
    )
    texts = {item.service: item.text for item in analyze(bundle, tool=tool).evidence}
    assert texts["db"] == "stopped reporting at 12:45 (2 series)"


def test_one_sign_of_each_kind_and_the_metrics_words_where_the_kind_says_little(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    bundle = make_bundle(
        {
            "db|cpu_usage": quiet(1, 0.3, 0.02) + 0.5 * LATE,
            "db|cpu_user": quiet(2, 0.3, 0.02) + 0.4 * LATE,
            "db|pool_connections_share": quiet(3, 0.2, 0.01) + 0.7 * LATE,
            "web|latency_p99_ms": quiet(4, 50, 3),
        },
    )
    found = [item for item in analyze(bundle, tool=tool).evidence if item.service == "db"]
    assert sum(item.text.startswith("CPU x") for item in found) == 1
    pool = next(item for item in found if item.metric == "pool_connections_share")
    assert pool.text.startswith("pool connections share x")


def test_a_metrics_name_is_told_without_the_callee_at_its_end() -> None:
    assert plain_metric(SignalKey("web", "error_ratio:db", peer="db")) == "error_ratio"
    assert plain_metric(SignalKey("db", "error_ratio:db", peer="web")) == "error_ratio"
    assert plain_metric(SignalKey("web", "cpu")) == "cpu"


def test_errors_that_came_up_are_an_outburst_and_what_went_missing_is_none() -> None:
    def line(before: float, after: float, unit: str = "lines/min") -> Evidence:
        return Evidence("", EvidenceKind.LOG, "db", "", baseline=before, observed=after, unit=unit)

    assert is_outburst(line(0, 5))
    assert not is_outburst(line(5, 0))
    assert not is_outburst(line(0.01, 0.5, "s"))
    assert is_outburst(Evidence("", EvidenceKind.TRACE, "db", "", signal=Kind.ERRORS))
    assert not is_outburst(Evidence("", EvidenceKind.TRACE, "db", "", signal=Kind.LATENCY))


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (0.004, 0.021, "ratio", "x5.25, 0.4 % to 2.1 %"),
        (0.02, 5.0, "s", "x250, 20 ms to 5 s"),
        (0.0, 0.3, "ratio", "from 0 % to 30 %"),
        (99.9, 40.0, "%", "down 60 %, 99.9 % to 40 %"),
        (100.0, 101.0, "", "from 100 to 101"),
        (0.0, 0.588, "1/min", "from 0/min to 0.588/min"),
    ],
)
def test_a_change_is_told_as_a_person_would(before: float, after: float, unit: str, text: str) -> None:
    assert change_text(before, after, unit) == text


@pytest.mark.parametrize(
    ("metric", "unit", "said"),
    [
        ("pod_restarts_total", "", "restarts"),
        ("restarts", "1/min", "restarts"),
        ("PodRestartCount", "", "restarts"),
        ("job_uptime_seconds", "s", "job uptime seconds"),
        ("time_since_restart_ms", "ms", "time since restart ms"),
        ("uptime_days", "", "uptime days"),
        ("node_oom_kills", "1/min", "node oom kills"),
        ("container_crashes", "", "container crashes"),
    ],
)
def test_only_restarts_are_called_restarts(metric: str, unit: str, said: str) -> None:
    assert subject(SignalKey("db", metric, None, Kind.RESTARTS, Bad.UP, unit), "") == said


def test_edges_hosts_and_instances_are_told_apart(make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo) -> None:
    host = quiet(1, 20, 1) + 60 * LATE
    bundle = make_bundle(
        {
            "web|call_latency_p50_ms_to:db": quiet(2, 30, 1) + 200 * LATE,
            "db|latency_p50_ms": quiet(3, 10, 0.5),
            "web|node_cpu_percent": host,
            "db|node_cpu_percent": host,
        },
        [("web", "db")],
    )
    assert bundle.metrics is not None
    keys = tuple(replace(k, instance="pod-1") if "node" in k.metric else k for k in bundle.metrics.keys)
    frame = SignalFrame(bundle.metrics.times, bundle.metrics.values, keys)
    report = analyze(replace(bundle, metrics=frame), tool=tool)
    edge = next(item for item in report.evidence if item.kind is EvidenceKind.EDGE and item.service == "db")
    assert "between it and web" in edge.text
    texts = " / ".join(item.text for item in report.evidence)
    assert edge.metric == "call_latency_p50_ms_to"
    assert "of calls to db" not in texts  # the same measurement, told of the callee
    assert "its host's CPU on pod-1 x" in texts


def test_a_latency_whose_unit_nobody_knows_is_told_so(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    slow = quiet(1, 10, 0.5) + 200 * LATE
    bundle = make_bundle({"db|latency_p99": slow, "web|latency_p99_ms": slow}, [("web", "db")])
    told = {item.service: item.text for item in analyze(bundle, tool=tool).evidence}
    assert told["db"].endswith("(unit unknown)")
    assert "unit" not in told["web"]


def test_a_call_is_told_of_its_caller_where_that_ranks_higher(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    bundle = make_bundle(
        {
            "web|call_latency_p50_ms_to:db": quiet(2, 30, 1) + 200 * LATE,
            "db|latency_p50_ms": quiet(3, 10, 0.5) + 200 * LATE,
            "web|cpu_percent": quiet(4, 20, 1) + 70 * LATE,
        },
        [("web", "db")],
    )
    texts = [item.text for item in analyze(bundle, tool=tool).evidence]
    assert sum("calls to db" in text or "between it and web" in text for text in texts) <= 1


def test_a_long_series_is_thinned_for_the_plot(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    values = np.random.default_rng(1).standard_normal(2000) + 20
    values[1500:] += 80
    report = analyze(make_bundle({"a|cpu_percent": values, "b|cpu_percent": values[::-1] * 0 + 3}), tool=tool)
    assert 100 < len(report.evidence[0].points) <= 241


def test_a_service_keeps_what_it_was_ranked_by_though_that_is_told_of_another() -> None:
    def item(service: str, weight: float) -> Item:
        told = Evidence("", EvidenceKind.EDGE, service, "slow calls")
        return Item(told, 1.0, weight, Channel.EDGE, fact=("web", "db", "latency"))

    other = Item(Evidence("", EvidenceKind.METRIC, "web", "CPU"), 1.0, 0.5, Channel.CPU)
    found = {"db": [item("db", 2.0)], "web": [item("web", 1.0), other], "api": [item("api", 1.0)]}
    every, by_service = number_items(["db", "web", "api"], found)
    assert [(one.id, one.service, one.text) for one in every] == [
        ("E1", "db", "slow calls"),
        ("E2", "web", "CPU"),
        ("E3", "api", "slow calls"),
    ]
    assert [one.id for one in by_service["api"]] == ["E3"]
