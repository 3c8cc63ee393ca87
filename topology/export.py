"""Graphs for other tools and for reading: Mermaid, DOT, GraphML, node-link JSON, a tree.

Names come from logs and from strangers: every format gets them escaped, and nodes have ids `n0`, `n1`, … by name
where a format has a syntax that a name could break.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import networkx as nx

from topology.document import to_document
from topology.graph import Edge, Node, NodeKind, ServiceGraph
from topology.merge import LOG_ORDER
from topology.names import visible

_MERMAID_SHAPES = {
    NodeKind.GATEWAY: ("{{", "}}"),
    NodeKind.DATABASE: ("[(", ")]"),
    NodeKind.CACHE: ("[(", ")]"),
    NodeKind.QUEUE: ("[[", "]]"),
    NodeKind.EXTERNAL: ("([", "])"),
    NodeKind.HOST: ("[/", "/]"),
}
_DOT_SHAPES = {
    NodeKind.GATEWAY: "hexagon",
    NodeKind.DATABASE: "cylinder",
    NodeKind.CACHE: "cylinder",
    NodeKind.QUEUE: "cds",
    NodeKind.EXTERNAL: "cloud",
    NodeKind.HOST: "box3d",
}
_PLAIN = frozenset(" -_.,/:=+")
"""What means nothing to Mermaid inside a quoted label, letters and digits aside."""


def to_mermaid(graph: ServiceGraph) -> str:
    """A Mermaid flowchart; edges that only the order of log lines suggests are dotted."""
    ids = _ids(graph)
    lines = ["flowchart LR"]
    for node in graph.nodes():
        opening, closing = _MERMAID_SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'  {ids[node.name]}{opening}"{_mermaid_text(node.name)}"{closing}')
    for edge in graph.edges():
        arrow = "-.->" if _is_weak(edge) else "-->"
        label = f'|"{_mermaid_text(_failures(edge))}"|' if edge.errors else ""
        lines.append(f"  {ids[edge.caller]} {arrow}{label} {ids[edge.callee]}")
    return "\n".join(lines) + "\n"


def to_dot(graph: ServiceGraph) -> str:
    """A Graphviz digraph; edges that only the order of log lines suggests are dashed."""
    ids = _ids(graph)
    lines = ["digraph services {", "  rankdir=LR;", "  node [shape=box];"]
    for node in graph.nodes():
        shape = f", shape={_DOT_SHAPES[node.kind]}" if node.kind in _DOT_SHAPES else ""
        lines.append(f"  {ids[node.name]} [label={_dot_text(node.name)}{shape}];")
    for edge in graph.edges():
        attributes = [f"label={_dot_text(_failures(edge))}"] if edge.errors else []
        attributes += ["style=dashed"] if _is_weak(edge) else []
        shown = f" [{', '.join(attributes)}]" if attributes else ""
        lines.append(f"  {ids[edge.caller]} -> {ids[edge.callee]}{shown};")
    return "\n".join([*lines, "}"]) + "\n"


def to_graphml(graph: ServiceGraph) -> str:
    """GraphML by networkx's writer: nodes `n0`, … with `label`, `kind`, `owner`, `runbook`, `host`."""
    ids = _ids(graph)
    digraph: nx.DiGraph[str] = nx.DiGraph()
    for node in graph.nodes():
        fields = {"kind": node.kind.value, "owner": node.owner, "runbook": node.runbook, "host": node.host}
        shown = {key: visible(value) for key, value in fields.items() if value}
        digraph.add_node(ids[node.name], label=visible(node.name), **shown)
    for edge in graph.edges():
        errors = {} if edge.errors is None else {"errors": float(edge.errors)}
        sources = visible(_sources(edge))
        digraph.add_edge(ids[edge.caller], ids[edge.callee], weight=float(edge.weight), source=sources, **errors)
    return "\n".join(nx.generate_graphml(digraph)) + "\n"


def to_json(graph: ServiceGraph) -> str:
    """The form of topology files and bundles, with everything the graph knows; `load_topology` reads it back.

    It is node-link JSON under other names: `networkx.node_link_graph(…, directed=True, multigraph=False,
    name="service", source="caller", target="callee", edges="edges")` reads it too.
    """
    return json.dumps(to_document(graph), indent=2, default=str) + "\n"


def to_tree(graph: ServiceGraph) -> str:
    """The tree of `tree_lines`."""
    return "".join(f"{line}\n" for line in tree_lines(graph))


def tree_lines(graph: ServiceGraph, root: str | None = None) -> Iterator[str]:
    """Who calls whom as a tree, from the services that nobody calls; a line a call.

    What a service calls is shown where the service comes first; later it says `(above)`, and `(cycle)` inside its
    own subtree. A group of services that only call each other begins with its first by name.

    Args:
        graph: Who calls whom.
        root: Show only what this service calls, directly or not.

    Raises:
        KeyError: The graph doesn't know the root.
    """
    if root is not None:
        graph.node(root)
    expanded: set[str] = set()
    for start in [root] if root is not None else _roots(graph):
        yield _described(graph.node(start))
        yield from _subtree(graph, start, expanded)


def _subtree(graph: ServiceGraph, start: str, expanded: set[str]) -> Iterator[str]:
    """The lines below a service, without recursion: a chain may be longer than Python's stack."""
    expanded.add(start)
    path = {start}
    stack = [(start, "", _last_first(graph, start))]
    while stack:
        caller, indent, waiting = stack[-1]
        if not waiting:
            path.discard(caller)
            stack.pop()
            continue
        callee = waiting.pop()
        branch, below = ("├── ", "│   ") if waiting else ("└── ", "    ")
        callees = _last_first(graph, callee)
        mark = " (cycle)" if callee in path else " (above)" if callee in expanded and callees else ""
        yield f"{indent}{branch}{_described(graph.node(callee))}{_measured(graph.edge(caller, callee))}{mark}"
        if callee not in expanded:
            expanded.add(callee)
            path.add(callee)
            stack.append((callee, indent + below, callees))


def _last_first(graph: ServiceGraph, name: str) -> list[str]:
    return list(reversed(graph.callees(name)))


def _roots(graph: ServiceGraph) -> list[str]:
    """Whom nobody calls, gateways first and isolated ones last; then one of each group called only from within."""
    free = [node for node in graph.nodes() if not graph.callers(node.name)]
    free.sort(key=lambda node: (node.kind is not NodeKind.GATEWAY, not graph.callees(node.name), node.name))
    condensed = nx.condensation(graph.digraph)
    sources = [
        min(members) for group, members in condensed.nodes(data="members") if not condensed.in_degree(group)
    ]
    closed = [name for name in sources if graph.callers(name)]
    return [node.name for node in free] + sorted(closed)


def _described(node: Node) -> str:
    about = [] if node.kind in {NodeKind.UNKNOWN, NodeKind.SERVICE} else [node.kind.value]
    about += [f"owner {visible(node.owner)}"] if node.owner else []
    return visible(node.name) + (f" [{', '.join(about)}]" if about else "")


def _measured(edge: Edge) -> str:
    parts = [_failures(edge)] if edge.errors else []
    parts += ["by log order alone"] if _is_weak(edge) else []
    return f" ({', '.join(parts)})" if parts else ""


def _failures(edge: Edge) -> str:
    return f"{100 * (edge.errors or 0.0):.3g} % fail"


def _is_weak(edge: Edge) -> bool:
    return bool(edge.provenance) and all(one.source == LOG_ORDER for one in edge.provenance)


def _sources(edge: Edge) -> str:
    return ", ".join(sorted({one.source for one in edge.provenance}))


def _ids(graph: ServiceGraph) -> Mapping[str, str]:
    return {node.name: f"n{position}" for position, node in enumerate(graph.nodes())}


def _mermaid_text(text: str) -> str:
    """The text for a quoted label: whatever could mean something to Mermaid or to HTML becomes `#code;`."""
    shown = visible(text) or " "
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in shown)


def _dot_text(text: str) -> str:
    """The text as a quoted string; Graphviz reads backslashes and HTML's entities inside."""
    shown = visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{shown}"'


EXPORTERS: Mapping[str, Callable[[ServiceGraph], str]] = MappingProxyType(
    {"mermaid": to_mermaid, "dot": to_dot, "graphml": to_graphml, "json": to_json, "tree": to_tree}
)
"""Every format by name."""
