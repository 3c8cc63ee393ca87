import subprocess
import sys

import networkx as nx
import pytest

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


def test_algorithms_get_the_same_graph_and_cannot_change_it() -> None:
    graph = ServiceGraph([Node("a", NodeKind.GATEWAY), Node("alone")], [Edge("a", "b", 3.0), Edge("b", "a")])
    assert {name: data["node"] for name, data in graph.digraph.nodes(data=True)} == {
        node.name: node for node in graph.nodes()
    }
    assert [data["edge"] for _, _, data in sorted(graph.digraph.edges(data=True))] == list(graph.edges())
    with pytest.raises(nx.NetworkXError):
        graph.digraph.add_edge("b", "c")


def test_an_incident_is_ranked_without_networkx() -> None:
    script = (
        "import sys, rca.analyze, rca.bundle, rca.sources.collect\n"
        "from topology import Edge, ServiceGraph\n"
        "from topology.propagate import explaining_path\n"
        "assert explaining_path(ServiceGraph(edges=[Edge('a', 'b')]), 'b', 'a') == ('b', 'a')\n"
        "sys.exit('networkx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603 - fixed words
