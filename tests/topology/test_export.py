import html
import json
import re
from collections.abc import Callable, Iterable
from io import BytesIO

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.declared import parse_topology
from topology.document import to_document
from topology.export import EXPORTERS, _failures, to_dot, to_graphml, to_json, to_mermaid, to_tree, tree_lines
from topology.names import visible

GraphOf = Callable[..., ServiceGraph]
NASTY = [
    'a"b',
    "{x}|[y]",
    "<b>&amp;</b>",
    "new\nline",
    "end",
    "back\\slash\\n",
    "%%{init}%%",
    "`**md**`",
    "#35;",
    "",
]

names = st.text(max_size=8) | st.sampled_from(NASTY)
nodes = st.builds(Node, names, st.sampled_from(NodeKind), names, names)
weak = (Provenance("log-order"),)
edges = st.builds(Edge, names, names, st.floats(0, 9), st.none() | st.floats(0, 1), st.sampled_from([(), weak]))
graphs = st.builds(ServiceGraph, st.lists(nodes, max_size=5), st.lists(edges, max_size=8))

MERMAID_LINE = re.compile(
    r'flowchart LR|  (n\d+)(\[|\{\{|\[\(|\[\[|\(\[|\[/)"([^"`<>\[\]{}|\n]*)"(\]|\}\}|\)\]|\]\]|\]\)|/\])'
    r'|  (n\d+) (-->|-\.->)(\|"[^"|]*"\|)? (n\d+)'
)
DOT_TOKEN = re.compile(r'\s*("(?:[^"\\\n]|\\.)*"|->|[{}\[\];,=]|\w+)')


def unescaped_mermaid(text: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)


def dot_tokens(text: str) -> Iterable[str]:
    at = 0
    while text[at:].strip():
        token = DOT_TOKEN.match(text, at)
        assert token, text[at : at + 40]
        yield token[1]
        at = token.end()


def ends(graph: ServiceGraph) -> set[tuple[str, str]]:
    order = {node.name: position for position, node in enumerate(graph.nodes())}
    return {(f"n{order[edge.caller]}", f"n{order[edge.callee]}") for edge in graph.edges()}


@settings(max_examples=40)
@given(graphs)
def test_mermaid_has_only_sound_lines_whatever_the_names(graph: ServiceGraph) -> None:
    lines = to_mermaid(graph).removesuffix("\n").split("\n")
    found = [MERMAID_LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    labels = [unescaped_mermaid(match[3]) for match in found if match and match[1]]
    assert labels == [visible(node.name) or " " for node in graph.nodes()]
    assert {(match[5], match[8]) for match in found if match and match[5]} == ends(graph)


@settings(max_examples=40)
@given(graphs)
def test_dot_reads_back_token_by_token(graph: ServiceGraph) -> None:
    tokens = list(dot_tokens(to_dot(graph)))
    assert tokens[:3] == ["digraph", "services", "{"]
    assert tokens[-1] == "}"
    labels = [
        html.unescape(tokens[at + 4][1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\"))
        for at, token in enumerate(tokens)
        if re.fullmatch(r"n\d+", token)
        and tokens[at + 1 : at + 4] == ["[", "label", "="]
        and tokens[at - 1] != "->"
    ]
    if "&" not in "".join(node.name for node in graph.nodes()):
        assert labels == [visible(node.name) for node in graph.nodes()]
    assert {(tokens[at - 1], tokens[at + 1]) for at, token in enumerate(tokens) if token == "->"} == ends(graph)


@settings(max_examples=40)
@given(graphs)
def test_graphml_is_read_back_by_networkx(graph: ServiceGraph) -> None:
    back = nx.read_graphml(BytesIO(to_graphml(graph).encode()))
    assert [back.nodes[node].get("label") or "" for node in back] == [visible(one.name) for one in graph.nodes()]
    assert [back.nodes[node]["kind"] for node in back] == [node.kind for node in graph.nodes()]
    assert set(back.edges) == ends(graph)
    assert sorted(back.edges[edge]["weight"] for edge in back.edges) == sorted(
        edge.weight for edge in graph.edges()
    )


@settings(max_examples=40)
@given(graphs)
def test_json_is_read_back_by_networkx(graph: ServiceGraph) -> None:
    back = nx.node_link_graph(
        json.loads(to_json(graph)),
        directed=True,
        multigraph=False,
        name="service",
        source="caller",
        target="callee",
        edges="edges",
    )
    assert list(back) == [node.name for node in graph.nodes()]
    assert set(back.edges) == set(graph.digraph.edges)


def test_json_reads_back_as_a_topology_file_with_all_that_is_known() -> None:
    node = Node("a", NodeKind.CACHE, "o", "r", "h", {"t": 1}, (Provenance("declared", "f"),))
    other = Node("b", provenance=(Provenance("istio"),))
    graph = ServiceGraph([node, other], [Edge("a", "b", 2.0, 0.5, (Provenance("istio"), Provenance("spans")))])
    text = to_json(graph)
    assert json.loads(text) == to_document(graph)
    assert parse_topology(text, name="graph.json", format="json") == graph


@settings(max_examples=40)
@given(graphs)
def test_a_tree_shows_every_service_and_every_edge_once_on_printable_lines(graph: ServiceGraph) -> None:
    lines = list(tree_lines(graph))
    assert all(line.isprintable() for line in lines)
    roots = [line for line in lines if not re.match(r"[│ ]*[├└]── ", line)]
    assert len(lines) - len(roots) == len(list(graph.edges())) or any(
        re.match(r"[│ ]*[├└]── ", visible(node.name)) for node in graph.nodes()
    )


def test_a_tree_marks_kinds_cycles_and_what_was_shown_above(graph_of: GraphOf) -> None:
    graph = graph_of(
        "gate>a gate>b a>shared b>shared shared>db shared>a x>y y>x gate>idle",
        "declared",
        Node("gate", NodeKind.GATEWAY),
        Node("db", NodeKind.DATABASE, "data"),
        Node("alone"),
    )
    assert to_tree(graph).splitlines() == [
        "gate [gateway]",
        "├── a",
        "│   └── shared",
        "│       ├── a (cycle)",
        "│       └── db [database, owner data]",
        "├── b",
        "│   └── shared (above)",
        "└── idle",
        "alone",
        "x",
        "└── y",
        "    └── x (cycle)",
    ]


def test_a_tree_may_begin_anywhere(graph_of: GraphOf) -> None:
    graph = graph_of("gate>a a>db")
    assert list(tree_lines(graph, "a")) == ["a", "└── db"]
    with pytest.raises(KeyError):
        list(tree_lines(graph, "nobody"))


def test_failures_and_weak_edges_show() -> None:
    graph = ServiceGraph(edges=[Edge("a", "b", 1.0, 0.021, weak)])
    assert "└── b (2.1 % fail, by log order alone)" in to_tree(graph)
    assert 'n0 -.->|"2.1 #37; fail"| n1' in to_mermaid(graph)
    assert 'n0 -> n1 [label="2.1 % fail", style=dashed];' in to_dot(graph)
    assert '<data key="d4">0.021</data>' in to_graphml(graph)


def test_a_share_of_failures_is_a_plain_number() -> None:
    shares = [_failures(Edge("a", "b", errors=share)) for share in (1.0, 0.5, 0.021, 0.0004)]
    assert shares == ["100 % fail", "50 % fail", "2.1 % fail", "0.04 % fail"]


def test_kinds_have_shapes() -> None:
    graph = ServiceGraph([Node("db", NodeKind.DATABASE), Node("gate", NodeKind.GATEWAY)])
    assert to_mermaid(graph) == 'flowchart LR\n  n0[("db")]\n  n1{{"gate"}}\n'
    assert 'n0 [label="db", shape=cylinder];' in to_dot(graph)


def test_a_chain_longer_than_pythons_stack_is_drawn() -> None:
    graph = ServiceGraph(edges=[Edge(f"s{at:04}", f"s{at + 1:04}") for at in range(1500)])
    assert sum(1 for _ in tree_lines(graph)) == 1501


@pytest.mark.parametrize("form", EXPORTERS)
def test_every_format_ends_in_a_newline_and_does_not_depend_on_the_order_of_building(form: str) -> None:
    edges = [Edge(one, other) for one in NASTY for other in NASTY[::3]]
    first, second = (EXPORTERS[form](ServiceGraph(edges=some)) for some in (edges, edges[::-1]))
    assert first == second
    assert first.endswith("\n")
    assert EXPORTERS[form](ServiceGraph()).endswith("\n") or form == "tree"
