from topology import Edge, Node, NodeKind, ServiceGraph


def test_the_ends_of_an_edge_become_nodes_of_unknown_kind() -> None:
    graph = ServiceGraph(edges=[Edge("a", "b")])
    assert [node.kind for node in graph.nodes()] == [NodeKind.UNKNOWN, NodeKind.UNKNOWN]
    assert len(graph) == 2
    assert "a" in graph
    assert "c" not in graph


def test_callers_and_callees_are_sorted_and_empty_for_a_stranger() -> None:
    graph = ServiceGraph(edges=[Edge("c", "x"), Edge("a", "x"), Edge("x", "z"), Edge("x", "b")])
    assert graph.callers("x") == ("a", "c")
    assert graph.callees("x") == ("b", "z")
    assert graph.callers("?") == graph.callees("?") == ()


def test_graphs_are_equal_by_what_they_hold_however_they_were_built() -> None:
    one = ServiceGraph([Node("a"), Node("b")], [Edge("a", "b"), Edge("b", "a")])
    other = ServiceGraph([Node("b")], [Edge("b", "a"), Edge("a", "b")])
    assert one == other
    assert one != ServiceGraph(edges=[Edge("a", "b")])
    assert one != "a graph"


def test_a_subgraph_keeps_the_edges_between_what_it_keeps() -> None:
    graph = ServiceGraph([Node("a", NodeKind.GATEWAY)], [Edge("a", "b", 3.0), Edge("b", "c"), Edge("c", "a")])
    part = graph.subgraph(["a", "b", "nobody"])
    assert list(part.nodes()) == [Node("a", NodeKind.GATEWAY), Node("b")]
    assert list(part.edges()) == [Edge("a", "b", 3.0)]
