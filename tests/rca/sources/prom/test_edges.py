"""Who calls whom."""

from collections.abc import Callable
from dataclasses import replace

from rca.sources.prom.client import Answer
from rca.sources.prom.edges import edges, node_kinds
from rca.sources.prom.names import Labels
from rca.sources.prom.packs import EdgeRule, Naming, Pack
from rca.sources.prom.plan import Ask, Plan
from topology import NodeKind, Provenance

RULE = EdgeRule("client_metrics", "calls{$F}", "", ("calls",), Naming(("service",), peer=("peer",)))
LABELS = Labels("service", peer="peer", replica="prometheus_replica")


def instant(*rows: tuple[str, str, str, str]) -> Answer:
    return Answer(
        [
            {"metric": {"service": caller, "peer": callee, "prometheus_replica": replica}, "value": [0, value]}
            for caller, callee, replica, value in rows
        ]
    )


def test_edges_have_their_rate_and_their_share_of_errors(plan: Plan, ask: Callable[..., Ask]) -> None:
    calls = instant(("a", "b", "x", "4"), ("a", "b", "y", "5"), ("a", "shop/b", "x", "5"), ("a", "c", "x", "2"))
    failures = instant(("a", "b", "x", "2"))
    (to_b, to_c) = edges(ask(RULE, LABELS), RULE, calls, failures, plan, "q").edges()
    assert (to_b.caller, to_b.callee, to_b.weight, to_b.errors) == ("a", "b", 10, 0.2)
    assert (to_c.callee, to_c.weight, to_c.errors) == ("c", 2, 0)
    assert to_b.provenance == (Provenance("client-metrics", "q"),)


def test_nobody_oneself_and_nothing_are_no_edges(plan: Plan, ask: Callable[..., Ask]) -> None:
    pairs = [("a", "unknown", "1"), ("unknown", "a", "1"), ("a", "a", "1"), ("a", "b", "0"), ("a", "c", "NaN")]
    calls = instant(*((caller, callee, "", rate) for caller, callee, rate in pairs))
    assert len(edges(ask(RULE, LABELS), RULE, calls, None, plan, "q")) == 0


def test_without_a_query_for_failures_errors_are_unknown(plan: Plan, ask: Callable[..., Ask]) -> None:
    (edge,) = edges(ask(RULE, LABELS), RULE, instant(("a", "b", "", "1")), None, plan, "q").edges()
    assert edge.errors is None


def test_an_exporter_tells_what_its_services_are(plan: Plan, ask: Callable[..., Ask]) -> None:
    store = replace(ask(), pack=Pack("pg", "", ("pg_up",), node_kind=NodeKind.DATABASE))
    cache = replace(ask(), pack=Pack("redis", "", ("redis_up",), node_kind=NodeKind.CACHE))
    services = {"pg": ("both", "db"), "redis": ("both",), "mine": ("a",)}
    kinds = node_kinds(replace(plan, asks=(cache, store, ask()), services=services))
    assert [(node.name, node.kind) for node in kinds.nodes()] == [
        ("both", NodeKind.DATABASE), ("db", NodeKind.DATABASE),
    ]  # fmt: skip
