import time
from collections.abc import Callable
from itertools import pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, ServiceGraph
from topology.propagate import callee_distances, caller_distances, explaining_path

GraphOf = Callable[..., ServiceGraph]
names = st.sampled_from("abcdefg")
graphs = st.lists(st.builds(Edge, names, names), max_size=25).map(lambda edges: ServiceGraph(edges=edges))
scores = st.dictionaries(names, st.floats(0, 100))


def test_a_path_leads_from_the_suspect_up_to_the_symptom(graph_of: GraphOf) -> None:
    graph = graph_of("front>cart cart>db front>other")
    assert explaining_path(graph, "db", "front") == ("db", "cart", "front")
    assert explaining_path(graph, "db", "db") == ("db",)


def test_there_is_no_path_where_the_symptom_does_not_depend_on_the_suspect(graph_of: GraphOf) -> None:
    graph = graph_of("front>cart cart>db")
    assert explaining_path(graph, "front", "db") == ()
    assert explaining_path(graph, "nobody", "front") == explaining_path(graph, "db", "nobody") == ()


def test_anomalous_services_are_preferred_even_on_a_longer_way(graph_of: GraphOf) -> None:
    graph = graph_of("front>quiet quiet>db front>a a>b b>db")
    assert explaining_path(graph, "db", "front") == ("db", "quiet", "front")
    assert explaining_path(graph, "db", "front", {"a": 9.0, "b": 9.0}) == ("db", "b", "a", "front")


def test_equally_good_paths_are_settled_by_name(graph_of: GraphOf) -> None:
    graph = graph_of("front>c c>db front>b b>db front>d d>db")
    assert explaining_path(graph, "db", "front", {"b": 1.0, "c": 1.0}) == ("db", "b", "front")


def test_scores_that_are_no_numbers_count_as_quiet(graph_of: GraphOf) -> None:
    graph = graph_of("front>b b>db front>c c>db")
    path = explaining_path(graph, "db", "front", {"c": float("nan"), "b": float("-inf"), "db": float("inf")})
    assert path == ("db", "b", "front")


def test_cycles_do_no_harm(graph_of: GraphOf) -> None:
    graph = graph_of("a>b b>a b>c c>b c>c")
    assert explaining_path(graph, "c", "a") == ("c", "b", "a")
    assert caller_distances(graph, "c") == {"c": 0, "b": 1, "a": 2}


def test_callers_come_nearest_first_and_then_by_name(graph_of: GraphOf) -> None:
    graph = graph_of("z>db a>db front>a front>z web>front db>disk")
    assert list(caller_distances(graph, "db").items()) == [
        ("db", 0), ("a", 1), ("z", 1), ("front", 2), ("web", 3),
    ]  # fmt: skip
    assert caller_distances(graph, "nobody") == {}


def test_distances_run_up_or_down(graph_of: GraphOf) -> None:
    graph = graph_of("a>b b>c d>c")
    assert caller_distances(graph, "c") == {"c": 0, "b": 1, "d": 1, "a": 2}
    assert callee_distances(graph, "a") == {"a": 0, "b": 1, "c": 2}


@settings(max_examples=40)
@given(graphs, scores, names, names)
def test_a_path_follows_real_calls_and_exists_exactly_when_one_does(
    graph: ServiceGraph, weight: dict[str, float], source: str, target: str
) -> None:
    path = explaining_path(graph, source, target, weight)
    known = source in graph and target in graph
    assert bool(path) == (known and nx.has_path(graph.digraph, target, source))
    assert all(caller in graph.callers(callee) for callee, caller in pairwise(path))
    assert len(set(path)) == len(path)
    if path:
        assert (path[0], path[-1]) == (source, target)


@settings(max_examples=40)
@given(graphs, names)
def test_without_scores_the_path_is_a_shortest_one(graph: ServiceGraph, target: str) -> None:
    for source, hops in callee_distances(graph, target).items():
        assert len(explaining_path(graph, source, target)) == hops + 1


@settings(max_examples=40)
@given(graphs, names)
def test_distances_are_those_of_networkx(graph: ServiceGraph, start: str) -> None:
    if start in graph:
        assert callee_distances(graph, start) == nx.single_source_shortest_path_length(graph.digraph, start)
        upwards = graph.digraph.reverse()
        assert caller_distances(graph, start) == nx.single_source_shortest_path_length(upwards, start)


def test_five_thousand_services_in_one_chain_with_shortcuts_are_walked_at_once() -> None:
    edges = [Edge(f"s{at}", f"s{at + step}") for at in range(5000) for step in (1, 7, 31) if at + step < 5000]
    graph = ServiceGraph(edges=edges)
    begun = time.process_time()
    path = explaining_path(graph, "s4999", "s0", {f"s{at}": float(at % 13) for at in range(5000)})
    assert len(caller_distances(graph, "s4999")) == 5000
    assert path[-1] == "s0"
    assert time.process_time() - begun < 2
