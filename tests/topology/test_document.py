import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.declared import TopologyError, from_document, to_document, unknown_fields

names = st.text(max_size=6)
provenances = st.frozensets(st.builds(Provenance, names, names), max_size=3).map(
    lambda found: tuple(sorted(found))
)
amounts = st.floats(0, allow_nan=False, allow_infinity=False)
labels = st.dictionaries(names, st.none() | st.booleans() | st.integers() | names | st.lists(names), max_size=2)
nodes = st.builds(Node, names, st.sampled_from(NodeKind), names, names, names, labels, provenances)
edges = st.builds(Edge, names, names, amounts, st.none() | st.floats(0, 1), provenances)
graphs = st.builds(ServiceGraph, st.lists(nodes, max_size=6), st.lists(edges, max_size=6))


@settings(max_examples=40)
@given(graphs)
def test_a_graph_comes_back_exactly_through_json(graph: ServiceGraph) -> None:
    back = from_document(json.loads(json.dumps(to_document(graph), allow_nan=False)))
    assert back == graph
    assert [node.labels for node in back.nodes()] == [node.labels for node in graph.nodes()]


@settings(max_examples=40)
@given(graphs)
def test_what_is_written_holds_no_unknown_field(graph: ServiceGraph) -> None:
    assert unknown_fields(to_document(graph)) == ()


def test_edges_are_objects_with_their_sources_named() -> None:
    graph = ServiceGraph(
        edges=[
            Edge("a", "b", 2.0, 0.25, (Provenance("istio", "sum(x)"), Provenance("spans"))),
            Edge("b", "c", 1.0, None, (Provenance("spans"),)),
        ]
    )
    assert to_document(graph)["edges"] == [
        {
            "caller": "a",
            "callee": "b",
            "weight": 2.0,
            "errors": 0.25,
            "source": ["istio", "spans"],
            "provenance": [{"source": "istio", "detail": "sum(x)"}, {"source": "spans", "detail": ""}],
        },
        {"caller": "b", "callee": "c", "weight": 1.0, "source": "spans"},
    ]


def test_the_shortest_form_is_read_without_making_up_a_provenance() -> None:
    graph = from_document({"edges": [["a", "b"]]})
    assert list(graph.edges()) == [Edge("a", "b")]
    assumed = from_document({"edges": [["a", "b"]], "nodes": ["c"]}, assume=Provenance("declared", "f"))
    assert assumed.edge("a", "b").provenance == (Provenance("declared", "f"),)
    assert assumed.node("c").provenance == (Provenance("declared", "f"),)


def test_what_other_tools_add_is_kept_as_labels_and_noted() -> None:
    document = {
        "edges": [["a", "b"], {"caller": "b", "callee": "c", "protocol": "grpc"}],
        "nodes": [{"service": "a", "kind": "lambda", "team": "x"}, {"name": "b", "labels": {"t": 1}}],
        "made_by": "other",
    }
    graph = from_document(document)
    assert graph.node("a").kind is NodeKind.UNKNOWN
    assert graph.node("a").labels == {"kind": "lambda", "team": "x"}
    assert graph.node("b").labels == {"t": 1}
    assert unknown_fields(document) == ("edges[].protocol", "made_by", "nodes[].team")
    assert unknown_fields({"edges": 3}) == ()


def test_of_repetitions_the_first_counts_and_the_sources_are_united() -> None:
    document = {
        "edges": [
            {"caller": "a", "callee": "b", "weight": 5, "source": "istio"},
            {"caller": "a", "callee": "b", "weight": 7, "source": ["spans", "istio"]},
        ],
        "nodes": [{"service": "a", "owner": "x"}, {"service": "a", "owner": "y"}],
    }
    graph = from_document(document)
    assert graph.edge("a", "b") == Edge("a", "b", 5.0, None, (Provenance("istio"), Provenance("spans")))
    assert graph.node("a").owner == "x"


def test_a_call_to_itself_in_a_recording_is_read_for_validation_to_report() -> None:
    assert from_document({"edges": [["a", "a"]]}).callees("a") == ("a",)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "topology.json: a topology is a mapping with `edges`, and this is a list"),
        ({"edges": {}}, "edges: edges is a list, and this is a mapping"),
        ({"edges": ["ab"]}, "edges[0]: an edge is a pair of names or a mapping, and this is the text 'ab'"),
        ({"edges": [["a", "b", "c"]]}, "edges[0]: an edge is a pair"),
        ({"edges": [["a", 3]]}, "edges[0][1]: a service's name is text"),
        ({"edges": [{"caller": "a"}]}, "edges[0].callee: a service's name is text, and this is nothing"),
        ({"edges": [{"caller": "a", "callee": "b", "errors": 1.5}]}, "edges[0].errors: a number, from 0 to 1"),
        ({"edges": [{"caller": "a", "callee": "b", "source": [1]}]}, "edges[0].source: a source is text"),
        (
            {"edges": [{"caller": "a", "callee": "b", "provenance": [{}]}]},
            "edges[0].provenance[0]: a provenance has",
        ),
        ({"nodes": [{"service": "a", "kind": 4}]}, "nodes[0].kind: text is needed"),
        ({"nodes": [{"service": "a", "labels": []}]}, "nodes[0].labels: labels is a mapping"),
        ({"nodes": [4]}, "nodes[0]: a node is a mapping"),
    ],
)
def test_what_is_of_another_form_is_refused_with_its_place(document: Any, says: str) -> None:
    with pytest.raises(TopologyError) as caught:
        from_document(document)
    assert says in caught.value.message
