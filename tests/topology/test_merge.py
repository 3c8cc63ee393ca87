from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.merge import ConflictKind, drop_unknown, merge

GraphOf = Callable[..., ServiceGraph]

words = st.sampled_from("abcd")
provenances = st.frozensets(
    st.builds(Provenance, st.sampled_from(["declared", "istio", "spans", "log-order"])), max_size=2
).map(lambda found: tuple(sorted(found)))
edges = st.builds(Edge, words, words, st.floats(0, 9), st.none() | st.floats(0, 1), provenances)
nodes = st.builds(Node, words, st.sampled_from(NodeKind), provenance=provenances)
graphs = st.builds(ServiceGraph, st.lists(nodes, max_size=3), st.lists(edges, max_size=5))


def test_an_edge_has_every_source_and_the_numbers_of_the_best(graph_of: GraphOf) -> None:
    edge = Edge("a", "b", 9.0, 0.1, (Provenance("istio", "q"),))
    weaker = Edge("a", "b", 50.0, 0.9, (Provenance("spans"),))
    merged = merge(graph_of("a>b"), ServiceGraph(edges=[weaker]), ServiceGraph(edges=[edge])).graph
    united = (Provenance("declared"), Provenance("istio", "q"), Provenance("spans"))
    assert merged.edge("a", "b") == Edge("a", "b", 9.0, 0.1, united)


def test_errors_come_from_the_best_source_that_knows_them() -> None:
    without = ServiceGraph(edges=[Edge("a", "b", 9.0, None, (Provenance("istio"),))])
    knowing = ServiceGraph(edges=[Edge("a", "b", 2.0, 0.2, (Provenance("spans"),))])
    found = merge(without, knowing).graph.edge("a", "b")
    assert (found.weight, found.errors) == (9.0, 0.2)


def test_what_is_declared_of_a_node_wins_and_the_disagreement_is_reported(graph_of: GraphOf) -> None:
    inferred = Node("db", NodeKind.CACHE, "ops", "http://x", "h2", {"z": 1, "t": 1}, (Provenance("spans"),))
    declared = Node("db", NodeKind.DATABASE, "data", "", "h1", {"t": 2}, (Provenance("declared"),))
    merged = merge(graph_of("", "spans", inferred), graph_of("", "declared", declared))
    node = merged.graph.node("db")
    assert (node.kind, node.owner, node.runbook, node.host) == (NodeKind.DATABASE, "data", "http://x", "h1")
    assert node.labels == {"z": 1, "t": 2}
    assert [conflict.text for conflict in merged.conflicts] == [
        "the kind of db is 'database' (declared), 'cache' (spans); the first was taken",
        "the owner of db is 'data' (declared), 'ops' (spans); the first was taken",
    ]
    assert merged.conflicts[0].kind is ConflictKind.ATTRIBUTE


def test_a_guess_that_something_is_external_gives_way_without_a_word() -> None:
    guess = ServiceGraph([Node("x", NodeKind.EXTERNAL, provenance=(Provenance("spans"),))])
    better = ServiceGraph([Node("x", NodeKind.SERVICE, provenance=(Provenance("istio"),))])
    merged = merge(guess, better)
    assert merged.graph.node("x").kind is NodeKind.SERVICE
    assert merged.conflicts == ()


def test_that_something_is_declared_external_is_no_guess() -> None:
    declared = ServiceGraph([Node("x", NodeKind.EXTERNAL, provenance=(Provenance("declared"),))])
    seen = ServiceGraph([Node("x", NodeKind.SERVICE, provenance=(Provenance("spans"),))])
    merged = merge(seen, declared)
    assert merged.graph.node("x").kind is NodeKind.EXTERNAL
    assert len(merged.conflicts) == 1


def test_edges_both_ways_are_reported_and_kept_when_both_are_well_known(graph_of: GraphOf) -> None:
    merged = merge(graph_of("b>a"), graph_of("a>b", "istio"))
    assert len(list(merged.graph.edges())) == 2
    texts = [conflict.text for conflict in merged.conflicts if conflict.kind is ConflictKind.DIRECTION]
    assert texts == ["calls go both ways: a to b (istio) and b to a (declared)"]


def test_log_order_is_not_believed_against_a_better_source(graph_of: GraphOf) -> None:
    merged = merge(graph_of("a>b", "spans"), graph_of("b>a", "log-order"))
    assert [(edge.caller, edge.callee) for edge in merged.graph.edges()] == [("a", "b")]
    assert "the second was dropped" in merged.conflicts[0].text


def test_log_order_is_not_believed_about_services_that_better_sources_know(graph_of: GraphOf) -> None:
    traced, guessed = graph_of("a>b a>c", "spans"), graph_of("b>c c>d", "log-order")
    found = [(edge.caller, edge.callee) for edge in merge(traced, guessed).graph.edges()]
    assert found == [("a", "b"), ("a", "c"), ("c", "d")], "b and c are siblings; of d only the lines know"


def test_log_order_against_itself_keeps_both(graph_of: GraphOf) -> None:
    merged = merge(graph_of("a>b b>a", "log-order"))
    assert len(list(merged.graph.edges())) == 2
    assert len(merged.conflicts) == 1


def test_a_declared_edge_that_nobody_saw_is_reported_where_its_caller_was_watched(graph_of: GraphOf) -> None:
    declared = graph_of("a>b a>c q>r")
    observed = graph_of("a>b", "istio")
    conflicts = merge(declared, observed).conflicts
    assert [(one.kind, one.services) for one in conflicts] == [(ConflictKind.UNOBSERVED, ("a", "c"))]
    assert merge(declared).conflicts == ()
    assert merge(declared, graph_of("a>b", "log-order")).conflicts == ()


def test_an_observed_edge_is_reported_where_its_caller_declares_others(graph_of: GraphOf) -> None:
    conflicts = merge(graph_of("a>b"), graph_of("a>b a>z y>z", "spans")).conflicts
    assert [(one.kind, one.services) for one in conflicts] == [(ConflictKind.UNDECLARED, ("a", "z"))]
    assert "(spans)" in conflicts[0].text


def test_services_of_unknown_name_are_dropped(graph_of: GraphOf) -> None:
    graph = graph_of("unknown>a a>b b>- PassthroughCluster>b")
    assert [node.name for node in merge(graph).graph.nodes()] == ["a", "b"]
    assert drop_unknown(graph) == graph_of("a>b")


def test_a_name_with_control_characters_is_defused_in_the_text(graph_of: GraphOf) -> None:
    (conflict,) = merge(graph_of("a>x\x1b[2J x\x1b[2J>a", "istio")).conflicts
    assert "\x1b" not in conflict.text
    assert conflict.services == ("a", "x\x1b[2J")


def test_an_edge_without_provenance_is_the_least_trusted() -> None:
    bare = ServiceGraph(edges=[Edge("a", "b", 7.0), Edge("b", "a")])
    merged = merge(bare, ServiceGraph(edges=[Edge("a", "b", 2.0, None, (Provenance("log-order"),))]))
    assert merged.graph.edge("a", "b").weight == 2.0
    assert "not said by whom" in merged.conflicts[0].text


@settings(max_examples=40)
@given(graphs, graphs)
def test_the_union_holds_every_node_and_only_known_edges(one: ServiceGraph, other: ServiceGraph) -> None:
    merged = merge(one, other).graph
    assert {node.name for node in merged.nodes()} == {node.name for g in (one, other) for node in g.nodes()}
    edges = [edge for graph in (one, other) for edge in graph.edges()]
    kept = {(edge.caller, edge.callee) for edge in merged.edges()}
    assert kept <= {(edge.caller, edge.callee) for edge in edges}
    dropped = [edge for edge in edges if (edge.caller, edge.callee) not in kept]
    assert all({one.source for one in edge.provenance} <= {"log-order"} for edge in dropped), (
        "only the weakest gives way"
    )


@settings(max_examples=40)
@given(graphs, graphs)
def test_merging_again_changes_nothing(one: ServiceGraph, other: ServiceGraph) -> None:
    once = merge(one, other).graph
    assert merge(once).graph == once
    assert merge(once, once).graph == once


@settings(max_examples=40)
@given(graphs, graphs)
def test_the_order_of_the_graphs_does_not_matter_for_edges(one: ServiceGraph, other: ServiceGraph) -> None:
    assert list(merge(one, other).graph.edges()) == list(merge(other, one).graph.edges())
