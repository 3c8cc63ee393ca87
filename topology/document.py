"""The bundle's `topology.json`: a graph as a document of edges and nodes, and back, exactly."""

from collections.abc import Iterator, Mapping
from typing import Any

from topology.errors import Path, TopologyError
from topology.fields import describe, kind, mapping, number, only_keys, plain, sequence, service_name, text
from topology.graph import Edge, Node, NodeKind, Provenance, ServiceGraph

_TOP_KEYS = ("edges", "nodes")
_EDGE_KEYS = ("caller", "callee", "weight", "errors", "source", "provenance")
_NODE_KEYS = ("service", "name", "kind", "owner", "runbook", "host", "labels", "source", "provenance")
_PAIR = 2


def to_document(graph: ServiceGraph) -> dict[str, Any]:
    """The graph as `topology.json` has it; `from_document` gives an equal graph back.

    `source` is a name, or a sorted list of names. Where a provenance has a detail, `provenance` holds all in full.
    """
    return {
        "nodes": [_node_entry(node) for node in graph.nodes()],
        "edges": [_edge_entry(edge) for edge in graph.edges()],
    }


def from_document(
    document: object, *, name: str = "topology.json", strict: bool = False, assume: Provenance | None = None
) -> ServiceGraph:
    """Read the form of `topology.json`: edges as pairs or objects, and optional nodes.

    Args:
        document: What JSON or YAML gave.
        name: The file, for errors.
        strict: For files that people write: refuse unknown keys and kinds, self-calls and repetitions. Otherwise a
            node's unknown keys are kept as labels, an unknown kind is `unknown` with the word as a label, and of a
            repetition the first counts (what all of them say of their provenance is united).
        assume: The provenance of nodes and edges that don't name one.

    Raises:
        TopologyError: The document isn't of that form; the error says where.
    """
    try:
        return _read(document, strict=strict, assume=() if assume is None else (assume,))
    except TopologyError as error:
        raise error.located(name) from None


def unknown_fields(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that `from_document` doesn't know, for a note; a node's are kept as its labels."""
    found = {str(key) for key in document if key not in _TOP_KEYS}
    for part, known in (("edges", _EDGE_KEYS), ("nodes", _NODE_KEYS)):
        entries = document.get(part)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping):
                found |= {f"{part}[].{key}" for key in entry if key not in known}
    return tuple(sorted(found))


def _read(document: object, *, strict: bool, assume: tuple[Provenance, ...]) -> ServiceGraph:
    if not isinstance(document, Mapping):
        raise TopologyError(f"a topology is a mapping with `edges`, and this is {describe(document)}")
    if strict:
        only_keys(document, _TOP_KEYS, ())
    nodes: dict[str, Node] = {}
    for position, entry in enumerate(sequence(document.get("nodes"), ("nodes",), what="nodes")):
        path: Path = ("nodes", position)
        node = _read_node(entry, path, strict=strict, assume=assume)
        if strict and node.name in nodes:
            raise TopologyError(f"{node.name!r} is there twice", hint="keep one entry for it", path=path)
        nodes.setdefault(node.name, node)
    edges: dict[tuple[str, str], Edge] = {}
    for position, entry in enumerate(sequence(document.get("edges"), ("edges",), what="edges")):
        path = ("edges", position)
        edge = _read_edge(entry, path, strict=strict, assume=assume)
        ends = (edge.caller, edge.callee)
        if strict and ends in edges:
            raise TopologyError(f"{ends[0]!r} to {ends[1]!r} is there twice", hint="keep one of them", path=path)
        edges[ends] = _united(edges[ends], edge) if ends in edges else edge
    return ServiceGraph(nodes.values(), edges.values())


def _united(first: Edge, again: Edge) -> Edge:
    provenance = tuple(sorted({*first.provenance, *again.provenance}))
    return Edge(first.caller, first.callee, first.weight, first.errors, provenance)


def _read_node(entry: object, path: Path, *, strict: bool, assume: tuple[Provenance, ...]) -> Node:
    if isinstance(entry, str):
        return Node(service_name(entry, path, strict=strict), provenance=assume)
    fields = mapping(entry, path, what="a node")
    labels = dict(mapping(fields.get("labels"), (*path, "labels"), what="labels"))
    if strict:
        only_keys(fields, _NODE_KEYS, path)
    else:
        labels |= {str(key): value for key, value in fields.items() if key not in _NODE_KEYS}
    key = "name" if "name" in fields and "service" not in fields else "service"
    return Node(
        service_name(fields.get(key), (*path, key), strict=strict),
        _read_kind(fields.get("kind"), (*path, "kind"), labels, strict=strict),
        text(fields.get("owner"), (*path, "owner")),
        text(fields.get("runbook"), (*path, "runbook")),
        text(fields.get("host"), (*path, "host")),
        plain(labels, (*path, "labels")),
        _read_provenance(fields, path) or assume,
    )


def _read_kind(value: object, path: Path, labels: dict[str, Any], *, strict: bool) -> NodeKind:
    try:
        return kind(value, path)
    except TopologyError:
        if strict or not isinstance(value, str):
            raise
    labels.setdefault("kind", value)
    return NodeKind.UNKNOWN


def _read_edge(entry: object, path: Path, *, strict: bool, assume: tuple[Provenance, ...]) -> Edge:
    if isinstance(entry, list):
        if len(entry) != _PAIR:
            hint = "write [caller, callee]"
            raise TopologyError(f"an edge is a pair of names, and this has {len(entry)}", hint=hint, path=path)
        caller, callee = (service_name(end, (*path, which), strict=strict) for which, end in enumerate(entry))
        edge = Edge(caller, callee, provenance=assume)
    elif isinstance(entry, Mapping):
        edge = _read_edge_object(entry, path, strict=strict, assume=assume)
    else:
        raise TopologyError(f"an edge is a pair of names or a mapping, and this is {describe(entry)}", path=path)
    if strict and edge.caller == edge.callee:
        raise TopologyError(f"{edge.caller!r} calls itself", hint="remove the edge", path=path)
    return edge


def _read_edge_object(
    entry: Mapping[Any, Any], path: Path, *, strict: bool, assume: tuple[Provenance, ...]
) -> Edge:
    if strict:
        only_keys(entry, _EDGE_KEYS, path)
    weight, errors = entry.get("weight"), entry.get("errors")
    return Edge(
        service_name(entry.get("caller"), (*path, "caller"), strict=strict),
        service_name(entry.get("callee"), (*path, "callee"), strict=strict),
        1.0 if weight is None else number(weight, (*path, "weight")),
        None if errors is None else number(errors, (*path, "errors"), at_most=1),
        _read_provenance(entry, path) or assume,
    )


def _read_provenance(entry: Mapping[Any, Any], path: Path) -> tuple[Provenance, ...]:
    """What the entry says of its provenance: the full form where it is there, else the sources' names."""
    return tuple(sorted(set(_full_provenance(entry, path) or _sources(entry, path))))


def _full_provenance(entry: Mapping[Any, Any], path: Path) -> list[Provenance]:
    path = (*path, "provenance")
    learnt = []
    for position, item in enumerate(sequence(entry.get("provenance"), path, what="provenance")):
        here = (*path, position)
        fields = mapping(item, here, what="a provenance")
        detail = fields.get("detail")
        if not isinstance(fields.get("source"), str) or not isinstance(detail, str | None):
            raise TopologyError("a provenance has a source and a detail, both text", path=here)
        learnt.append(Provenance(fields["source"], detail or ""))
    return learnt


def _sources(entry: Mapping[Any, Any], path: Path) -> Iterator[Provenance]:
    value = entry.get("source")
    names = value if isinstance(value, list) else [] if value is None else [value]
    for name in names:
        if not isinstance(name, str):
            raise TopologyError(f"a source is text, and this is {describe(name)}", path=(*path, "source"))
        yield Provenance(name)


def _node_entry(node: Node) -> dict[str, Any]:
    entry: dict[str, Any] = {"service": node.name, "kind": node.kind.value}
    optional = {"owner": node.owner, "runbook": node.runbook, "host": node.host, "labels": dict(node.labels)}
    return entry | {key: value for key, value in optional.items() if value} | _provenance_entry(node.provenance)


def _edge_entry(edge: Edge) -> dict[str, Any]:
    entry: dict[str, Any] = {"caller": edge.caller, "callee": edge.callee, "weight": edge.weight}
    if edge.errors is not None:
        entry["errors"] = edge.errors
    return entry | _provenance_entry(edge.provenance)


def _provenance_entry(provenance: tuple[Provenance, ...]) -> dict[str, Any]:
    if not provenance:
        return {}
    sources = sorted({one.source for one in provenance})
    entry: dict[str, Any] = {"source": sources[0] if len(sources) == 1 else sources}
    if any(one.detail for one in provenance):
        entry["provenance"] = [{"source": one.source, "detail": one.detail} for one in sorted(provenance)]
    return entry
