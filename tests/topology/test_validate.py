from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, Node, NodeKind, ServiceGraph
from topology.validate import Problem, Severity, validate

GraphOf = Callable[..., ServiceGraph]


def found(graph: ServiceGraph, code: str, **more: list[str]) -> list[Problem]:
    return [problem for problem in validate(graph, **more) if problem.code == code]


def test_a_sound_graph_has_no_problem() -> None:
    nodes = [
        Node("gate", NodeKind.GATEWAY, "web", "http://r"),
        Node("cart", NodeKind.SERVICE, "shop", "http://r"),
        Node("pay.example", NodeKind.EXTERNAL),
    ]
    graph = ServiceGraph(nodes, [Edge("gate", "cart"), Edge("cart", "pay.example")])
    assert validate(graph, seen=["gate", "cart", "unknown"]) == ()
    assert validate(ServiceGraph()) == ()


def test_a_cycle_is_named_in_the_order_of_its_calls(graph_of: GraphOf) -> None:
    (cycle,) = found(graph_of("b>c c>a a>b x>a"), "cycle")
    assert cycle.services == ("a", "b", "c")
    assert "a → b → c → a" in cycle.text
    assert cycle.severity is Severity.WARNING


def test_of_many_cycles_in_one_group_the_shortest_is_named(graph_of: GraphOf) -> None:
    (cycle,) = found(graph_of("a>b b>c c>d d>a c>a a>a"), "cycle")
    assert cycle.services == ("a", "b", "c")
    assert "group of 4" in cycle.text


def test_a_call_to_oneself_and_an_unknown_name_are_reported(graph_of: GraphOf) -> None:
    graph = graph_of("a>a unknown>a")
    assert [problem.services for problem in found(graph, "self-call")] == [("a",)]
    (unknown,) = found(graph, "unknown-name")
    assert unknown.severity is Severity.ERROR
    assert validate(graph)[0].code == "unknown-name"


def test_services_with_data_that_the_graph_lacks_are_reported_with_the_nearest_name(graph_of: GraphOf) -> None:
    graph = graph_of("front>order-service order-service>cart front>checkout")
    problems = found(graph, "not-in-graph", seen=["Order_Service", "cart.shop", "chekout", "billing", "front"])
    assert {problem.services[0]: problem.hint for problem in problems} == {
        "Order_Service": "if it is order-service, write one name in both places",
        "cart.shop": "if it is cart, write one name in both places",
        "chekout": "if it is checkout, write one name in both places",
        "billing": "declare whom it calls and who calls it",
    }


def test_names_that_may_be_one_service_are_reported_with_the_name_to_keep(graph_of: GraphOf) -> None:
    graph = graph_of("gate>cart_svc gate>Cart-Svc gate>stock gate>stock.shop gate>a.x gate>a.y")
    spelt, namespaced = found(graph, "near-duplicate", seen=["cart_svc"])
    assert (spelt.severity, spelt.services) == (Severity.WARNING, ("Cart-Svc", "cart_svc"))
    assert spelt.hint == "if so, use one: the name that the data have is cart_svc"
    assert (namespaced.severity, namespaced.services) == (Severity.NOTE, ("stock", "stock.shop"))
    assert "logs and metrics use" in namespaced.hint


def test_something_external_that_calls_and_somebody_alone_are_reported() -> None:
    nodes = [Node("pay", NodeKind.EXTERNAL), Node("alone")]
    graph = ServiceGraph(nodes, [Edge("pay", "cart")])
    assert [problem.services for problem in found(graph, "external-calls")] == [("pay",)]
    assert [problem.services for problem in found(graph, "isolated")] == [("alone",)]


def test_what_no_gateway_leads_to_is_noted_where_there_are_gateways(graph_of: GraphOf) -> None:
    edges = "gate>cart cart>db job>db"
    assert found(graph_of(edges), "unreachable") == []
    (lost,) = found(graph_of(edges, "declared", Node("gate", NodeKind.GATEWAY)), "unreachable")
    assert (lost.severity, lost.services) == (Severity.NOTE, ("job",))


def test_missing_owners_and_runbooks_are_one_note_each_however_many(graph_of: GraphOf) -> None:
    graph = graph_of(" ".join(f"gate>s{at}" for at in range(20)), "declared", Node("x", NodeKind.EXTERNAL))
    (owner,), (runbook,) = found(graph, "no-owner"), found(graph, "no-runbook")
    assert len(owner.services) == len(runbook.services) == 21
    assert "and 13 more" in owner.text


def test_a_name_with_control_characters_is_defused_in_the_text(graph_of: GraphOf) -> None:
    problems = validate(graph_of("a\x1b[2J>b"), seen=["c\nd"])
    assert all((problem.text + problem.hint).isprintable() for problem in problems)


names = st.sampled_from(["a", "A", "a_b", "a-b", "a.b", "c", "unknown"])


@settings(max_examples=40)
@given(st.lists(st.builds(Edge, names, names), max_size=15), st.lists(names))
def test_the_order_in_which_a_graph_was_built_does_not_matter(edges: list[Edge], seen: list[str]) -> None:
    again = ServiceGraph(edges=sorted(edges, key=lambda edge: (edge.callee, edge.caller), reverse=True))
    assert validate(ServiceGraph(edges=edges), seen=seen) == validate(again, seen=seen)
