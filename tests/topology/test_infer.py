import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, NodeKind, Provenance, ServiceGraph
from topology.infer import Call, from_calls, from_spans

SpanType = Any

names = st.sampled_from(["a", "b", "c", "unknown", ""])
calls = st.builds(Call, names, names, st.floats(), st.none() | st.floats())


def ends(graph: ServiceGraph) -> list[tuple[str, str]]:
    return [(edge.caller, edge.callee) for edge in graph.edges()]


def test_samples_of_one_pair_are_added_and_weighted_by_time() -> None:
    graph = from_calls(
        [Call("a", "b", 60, 3), Call("a", "b", 40, 2), Call("b", "db", 20, callee_kind=NodeKind.DATABASE)],
        source="istio",
        detail="sum(x)",
        seconds=10,
    )
    provenance = (Provenance("istio", "sum(x)"),)
    assert list(graph.edges()) == [Edge("a", "b", 10.0, 0.05, provenance), Edge("b", "db", 2.0, None, provenance)]
    assert graph.node("db").kind is NodeKind.DATABASE
    assert graph.node("a").provenance == provenance


def test_unknown_ends_are_dropped_and_calls_to_oneself_make_no_edge() -> None:
    graph = from_calls([Call("unknown", "a", 1), Call("a", "", 1), Call("b", "b", 1)], source="linkerd")
    assert [node.name for node in graph.nodes()] == ["b"]
    assert ends(graph) == []


def test_calls_that_stopped_leave_an_edge_of_weight_0() -> None:
    graph = from_calls([Call("a", "b", 0.0, 0.0), Call("a", "c", math.nan)], source="istio")
    assert [(edge.weight, edge.errors) for edge in graph.edges()] == [(0.0, None), (0.0, None)]


def test_more_failures_than_calls_are_all_of_them() -> None:
    graph = from_calls([Call("a", "b", 10, 11)], source="istio")
    assert graph.edge("a", "b").errors == 1.0


@settings(max_examples=40)
@given(st.lists(calls, max_size=12), st.randoms())
def test_calls_in_any_order_give_the_same_graph(samples: list[Call], random: Any) -> None:
    shuffled = random.sample(samples, len(samples))
    graph = from_calls(samples, source="x")
    assert graph == from_calls(shuffled, source="x")
    assert all(edge.weight >= 0 for edge in graph.edges())
    assert all(edge.errors is None or 0 <= edge.errors <= 1 for edge in graph.edges())


def test_an_edge_is_a_span_whose_parent_is_elsewhere(span: SpanType) -> None:
    graph = from_spans(
        [
            span("t", "1", None, "front"),
            span("t", "2", "1", "front", fields={"kind": "client"}),
            span("t", "3", "2", "cart", error=True),
            span("t", "4", "3", "cart"),
            span("u", "1", None, "front"),
            span("u", "2", "1", "cart"),
            span("u", "9", "absent", "cart"),
        ],
        seconds=2,
    )
    provenance = (Provenance("spans", "2 calls in 2 traces"),)
    assert list(graph.edges()) == [Edge("front", "cart", 1.0, 0.5, provenance)]
    assert graph.node("cart").kind is NodeKind.SERVICE


def test_a_clients_failure_counts_though_the_server_saw_none(span: SpanType) -> None:
    client = span("t", "1", None, "a", error=True, fields={"kind": "client"})
    graph = from_spans([client, span("t", "2", "1", "b")])
    assert graph.edge("a", "b").errors == 1.0


def test_an_unanswered_client_span_leads_to_its_peer(span: SpanType) -> None:
    graph = from_spans(
        [
            span("t", "1", None, "cart", fields={"kind": "server", "server.address": "cart"}),
            span(
                "t", "2", "1", "cart", fields={"kind": "client", "db.system": "redis", "server.address": "redis"}
            ),
            span("t", "3", "1", "cart", error=True, fields={"kind": "client", "server.address": "pay.example"}),
            span("t", "4", "1", "cart", fields={"kind": "client", "peer.service": "stock"}),
            span("t", "5", "1", "cart", fields={"db.system": "postgresql", "peer.service": "orders-db"}),
            span("t", "6", "1", "cart", fields={"kind": "internal", "peer.service": "nobody"}),
            span("t", "7", "1", "cart", fields={"kind": "client", "peer.service": "cart"}),
            span("x", "1", None, "stock"),
        ]
    )
    assert {node.name: node.kind for node in graph.nodes()} == {
        "cart": NodeKind.SERVICE,
        "redis": NodeKind.CACHE,
        "pay.example": NodeKind.EXTERNAL,
        "stock": NodeKind.SERVICE,
        "orders-db": NodeKind.DATABASE,
    }
    assert graph.callees("cart") == ("orders-db", "pay.example", "redis", "stock")
    assert graph.edge("cart", "pay.example").errors == 1.0
    assert graph.edge("cart", "redis").provenance == (Provenance("spans", "1 call in 1 trace"),)


def test_an_answered_client_span_leads_to_who_answered_whatever_it_calls_them(span: SpanType) -> None:
    client = span("t", "1", None, "a", fields={"kind": "client", "peer.service": "b-vip"})
    assert ends(from_spans([client, span("t", "2", "1", "b")])) == [("a", "b")]
    bare = span("t", "1", None, "a", fields={"peer.service": "b-vip"})
    assert ends(from_spans([bare, span("t", "2", "1", "b")])) == [("a", "b")]


def test_a_queue_stands_beside_the_edge_from_producer_to_consumer(span: SpanType) -> None:
    fields = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    graph = from_spans(
        [
            span("t", "1", None, "shop", fields={"kind": "producer", **fields}),
            span("t", "2", "1", "ship", fields={"kind": "consumer", **fields}),
        ]
    )
    assert ends(graph) == [("ship", "orders"), ("shop", "orders"), ("shop", "ship")]
    assert graph.node("orders").kind is NodeKind.QUEUE


def test_both_ends_of_a_call_may_share_a_span_id(span: SpanType) -> None:
    graph = from_spans(
        [
            span("t", "1", None, "a", fields={"kind": "client"}),
            span("t", "1", None, "b", fields={"kind": "server"}),
            span("t", "2", "1", "c", fields={"kind": "server"}),
            span("t", "3", "1", "b"),
        ]
    )
    assert ends(graph) == [("a", "b"), ("b", "c")]


def test_a_span_that_was_stored_twice_counts_once(span: SpanType) -> None:
    good, failed = span("t", "2", "1", "b"), span("t", "2", "1", "b", error=True)
    for repeated in ([good, failed], [failed, good]):
        graph = from_spans([span("t", "1", None, "a"), *repeated, *repeated])
        assert (graph.edge("a", "b").weight, graph.edge("a", "b").errors) == (1.0, 1.0)


def test_a_parent_under_another_trace_id_is_found_where_span_ids_are_unique(span: SpanType) -> None:
    torn = [
        span("128bits", "1", None, "a", fields={"kind": "client", "peer.service": "vip"}),
        span("64", "2", "1", "b"),
    ]
    assert ends(from_spans(torn)) == [("a", "b")]
    counted = [*torn, span("x", "1", None, "c")]
    assert ends(from_spans(counted)) == [("a", "vip")]


def test_spans_without_a_trace_or_a_known_service_say_nothing(span: SpanType) -> None:
    graph = from_spans([span("", "1", None, "a"), span("t", "1", None, "unknown"), span("t", "2", "1", "b")])
    assert [node.name for node in graph.nodes()] == ["b"]


kinds = st.sampled_from(["client", "server", "producer", "consumer", ""])
attributes = st.fixed_dictionaries(
    {"kind": kinds},
    optional={"db.system": st.sampled_from(["redis", "mysql"]), "peer.service": names, "messaging.system": names},
)
ids = st.sampled_from(["1", "2", "3", "4"])
rows = st.tuples(st.sampled_from("tu"), ids, st.none() | ids, names, st.booleans(), attributes)


@settings(max_examples=40)
@given(st.lists(rows, max_size=12), st.randoms())
def test_spans_in_any_order_give_the_same_graph(drawn: list[Any], random: Any) -> None:
    class Row:
        def __init__(self, row: Any) -> None:
            self.trace_id, self.span_id, self.parent_id, self.service, self.error, self.fields = row

    spans = [Row(row) for row in drawn]
    assert from_spans(spans) == from_spans(random.sample(spans, len(spans)))
