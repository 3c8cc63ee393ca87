"""Who was hit, who was not, where the system ends, and since when."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from rca.analyze import analyze
from rca.model.incident import Bundle
from rca.model.logs import LogLine
from rca.model.report import Role, ToolInfo
from rca.model.signals import SignalFrame
from tests.rca.analyze.conftest import MakeBundle
from topology import Edge, Node, NodeKind, ServiceGraph

CHAIN = [Edge("web", "orders"), Edge("orders", "db"), Edge("web", "mail")]


def test_callers_that_show_nothing_stayed_healthy(checkout: Bundle, tool: ToolInfo) -> None:
    graph = ServiceGraph(edges=[*CHAIN, Edge("mail", "db")])
    report = analyze(replace(checkout, graph=graph), tool=tool)
    assert report.impact == ("db", "orders", "web")
    assert report.healthy_on_path == ("mail",)
    assert analyze(checkout, tool=tool).healthy_on_path == ()


def test_the_edge_of_the_system_calls_services_and_is_called_by_none(checkout: Bundle, tool: ToolInfo) -> None:
    assert analyze(checkout, tool=tool).user_facing == ("web",)
    nodes = [Node("orders"), Node("db", NodeKind.DATABASE)]
    behind = ServiceGraph(nodes, [Edge("orders", "db")])
    assert analyze(replace(checkout, graph=behind), tool=tool).user_facing == ()


def failing(bundle: Bundle, late: float) -> tuple[LogLine, ...]:
    """Lines of both services; some seconds after the 44th minute orders fails, and web passes it on."""
    found = []
    for minute in range(60):
        at = bundle.window.span.start + timedelta(minutes=minute)
        bad = minute >= 44
        for i in range(6):
            when = at + timedelta(seconds=10 * i)
            broken = bad and when >= bundle.window.span.start + timedelta(minutes=44, seconds=late)
            said = "disk of orders is broken" if broken else "order stored"
            passed = "call to orders failed" if broken else "page served"
            found.append(LogLine(when, "orders", "ERROR" if broken else "INFO", said))
            found.append(LogLine(when, "web", "ERROR" if broken else "INFO", passed))
    return tuple(found)


def flat(bundle: Bundle) -> Bundle:
    assert bundle.metrics is not None
    frame = bundle.metrics
    values = np.repeat(frame.values[:1], len(frame.times), axis=0)
    values += 1e-3 * np.random.default_rng(0).standard_normal(values.shape)
    return replace(bundle, metrics=SignalFrame(frame.times, values, frame.keys))


def test_who_only_passes_errors_on_is_hit_too(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(flat(checkout), logs=failing(checkout, 0)), tool=tool)
    assert report.suspects[0].service == "orders"
    assert "web" in report.impact
    roles = {suspect.service: suspect.role for suspect in report.suspects}
    assert roles["web"] is Role.SYMPTOM


def test_it_began_with_the_first_line_and_not_with_the_next_row(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(flat(checkout), logs=failing(checkout, 40)), tool=tool)
    first = checkout.window.span.start + timedelta(minutes=44, seconds=40)
    assert report.onset.began == first
    assert report.onset.at is not None
    assert report.onset.at > first
    assert f"orders most likely caused it since 2026-03-01 {first:%H:%M:%S} UTC: " in report.verdict.summary


def test_who_fails_beside_it_and_does_not_depend_on_it_was_not_hit(
    checkout: Bundle, tool: ToolInfo, make_bundle: MakeBundle
) -> None:
    frame = checkout.metrics
    assert frame is not None
    late = np.where(np.arange(60) >= 45, 1.0, 0.0)
    columns = {key.column: frame.values[:, i] for i, key in enumerate(frame.keys)}
    columns["ads|latency_p99_ms"] = 50 + np.random.default_rng(9).standard_normal(60) + 30 * late
    bundle = make_bundle(columns, [("web", "orders"), ("orders", "db"), ("web", "mail")])
    report = analyze(bundle, tool=tool)
    assert report.suspects[0].service == "db"
    assert "ads" not in report.impact
    assert {s.service: s.role for s in report.suspects}["ads"] is Role.BYSTANDER
    assert "ads" in {item.service for item in report.evidence}
