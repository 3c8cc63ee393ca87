"""The union of graphs from several sources, and where they disagree."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from topology.graph import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.names import is_unknown, visible

DECLARED = "declared"
"""The source of what a person wrote."""

LOG_ORDER = "log-order"
"""The source of what the order of log lines suggests: the weakest."""

_TRUST = {LOG_ORDER: 0, DECLARED: 1, "spans": 2}
_MEASURED = 3


class ConflictKind(StrEnum):
    """In what sources disagree."""

    ATTRIBUTE = "attribute"
    DIRECTION = "direction"
    UNOBSERVED = "unobserved"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """A disagreement between sources; the merged graph holds one answer all the same.

    Attributes:
        services: Whom it is about: one service, or the caller and the callee.
        text: What each says and what was taken, in one sentence.
    """

    kind: ConflictKind
    services: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A union of graphs.

    Attributes:
        graph: Everything that any of them knows, without services of unknown name.
        conflicts: Sorted.
    """

    graph: ServiceGraph
    conflicts: tuple[Conflict, ...]


def merge(*graphs: ServiceGraph) -> Merged:
    """Unite graphs.

    A node's attributes are those of the declared graphs, then of the others, in the order given; a guess that
    something is external gives way to anything more definite. An edge's weight and errors are those of its most
    trustworthy source (measured calls, then spans, then a declaration, then the order of log lines), the largest
    among equals. Log order is never believed against another source that saw the opposite direction, nor about two
    services whose calls were measured or traced without this one among them.

    Unobserved and undeclared edges are reported only where both sides can be compared: a declared edge counts as
    unobserved when other calls of the same caller were observed, by more than the order of log lines.
    """
    parts = [drop_unknown(graph) for graph in graphs]
    nodes, conflicts = _merge_nodes(parts)
    edges = _merge_edges(parts)
    conflicts += _settle_directions(edges)
    _drop_refuted(edges)
    conflicts += _compare_with_declared(edges.values(), nodes)
    shown = sorted(replace(conflict, text=visible(conflict.text)) for conflict in conflicts)
    return Merged(ServiceGraph(nodes.values(), edges.values()), tuple(shown))


def drop_unknown(graph: ServiceGraph) -> ServiceGraph:
    """The graph without services whose name says that nobody knows it (`unknown`, `-`, an empty one)."""
    names = [node.name for node in graph.nodes()]
    kept = [name for name in names if not is_unknown(name)]
    return graph if len(kept) == len(names) else graph.subgraph(kept)


def is_declared(thing: Node | Edge) -> bool:
    """Whether a person declared this node or edge."""
    return any(one.source == DECLARED for one in thing.provenance)


def is_observed(thing: Node | Edge) -> bool:
    """Whether anything but a declaration says so."""
    return any(one.source != DECLARED for one in thing.provenance)


def _merge_nodes(graphs: Sequence[ServiceGraph]) -> tuple[dict[str, Node], list[Conflict]]:
    versions: defaultdict[str, list[Node]] = defaultdict(list)
    for graph in graphs:
        for node in graph.nodes():
            versions[node.name].append(node)
    nodes, conflicts = {}, []
    for name in sorted(versions):
        ranked = sorted(versions[name], key=lambda node: (not is_declared(node), node.kind is NodeKind.EXTERNAL))
        nodes[name] = _merge_node(ranked)
        conflicts += _attribute_conflicts(ranked)
    return nodes, conflicts


def _merge_node(versions: Sequence[Node]) -> Node:
    """One node of several, the most trustworthy first."""
    labels = {key: value for node in reversed(versions) for key, value in node.labels.items()}
    return Node(
        versions[0].name,
        next((node.kind for node in versions if node.kind is not NodeKind.UNKNOWN), NodeKind.UNKNOWN),
        next((node.owner for node in versions if node.owner), ""),
        next((node.runbook for node in versions if node.runbook), ""),
        next((node.host for node in versions if node.host), ""),
        labels,
        _union(node.provenance for node in versions),
    )


def _attribute_conflicts(versions: Sequence[Node]) -> list[Conflict]:
    known: dict[str, Callable[[Node], str]] = {
        "kind": lambda node: "" if node.kind is NodeKind.UNKNOWN else node.kind.value,
        "owner": lambda node: node.owner,
        "runbook": lambda node: node.runbook,
    }
    name = versions[0].name
    conflicts = []
    for attribute, value_of in known.items():
        said: dict[str, Node] = {}
        for node in versions:
            if value := value_of(node):
                said.setdefault(value, node)
        if attribute == "kind" and not is_declared(next(iter(said.values()), versions[0])):
            said.pop(NodeKind.EXTERNAL.value, None)  # a guess of one source that another one knows better
        if len(said) > 1:
            shown = ", ".join(f"{value!r} ({_sources(node.provenance)})" for value, node in said.items())
            text = f"the {attribute} of {name} is {shown}; the first was taken"
            conflicts.append(Conflict(ConflictKind.ATTRIBUTE, (name,), text))
    return conflicts


def _merge_edges(graphs: Iterable[ServiceGraph]) -> dict[tuple[str, str], Edge]:
    versions: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for graph in graphs:
        for edge in graph.edges():
            versions[edge.caller, edge.callee].append(edge)
    return {ends: _merge_edge(versions[ends]) for ends in sorted(versions)}


def _merge_edge(versions: Sequence[Edge]) -> Edge:
    ranked = sorted(versions, key=lambda edge: (_trust(edge), edge.weight, edge.errors or 0.0), reverse=True)
    errors = next((edge.errors for edge in ranked if edge.errors is not None), None)
    return replace(ranked[0], errors=errors, provenance=_union(edge.provenance for edge in versions))


def _trust(edge: Edge) -> int:
    return max((_TRUST.get(one.source, _MEASURED) for one in edge.provenance), default=-1)


def _settle_directions(edges: dict[tuple[str, str], Edge]) -> list[Conflict]:
    """Report pairs with edges both ways; drop a direction that log order alone claims against a better source."""
    conflicts = []
    for caller, callee in sorted(ends for ends in edges if ends[0] < ends[1] and ends[::-1] in edges):
        pair = [edges[caller, callee], edges[callee, caller]]
        pair.sort(key=_trust, reverse=True)
        better, worse = pair
        shown = " and ".join(f"{edge.caller} to {edge.callee} ({_sources(edge.provenance)})" for edge in pair)
        text = f"calls go both ways: {shown}"
        if _trust(worse) == _TRUST[LOG_ORDER] < _trust(better):
            del edges[worse.caller, worse.callee]
            text += "; the second was dropped, for only the order of log lines suggests it"
        conflicts.append(Conflict(ConflictKind.DIRECTION, (caller, callee), text))
    return conflicts


def _drop_refuted(edges: dict[tuple[str, str], Edge]) -> None:
    """Drop what log order alone claims of two services that better observations know and don't connect.

    Siblings that are called one after the other look like a chain in the order of their lines.
    """
    seen = {name for ends, edge in edges.items() if _is_seen_well(edge) for name in ends}
    for ends in [
        ends for ends, edge in edges.items() if _trust(edge) == _TRUST[LOG_ORDER] and seen.issuperset(ends)
    ]:
        del edges[ends]


def _is_seen_well(edge: Edge) -> bool:
    return any(one.source not in {DECLARED, LOG_ORDER} for one in edge.provenance)


def _compare_with_declared(edges: Iterable[Edge], nodes: dict[str, Node]) -> list[Conflict]:
    edges = list(edges)
    seen_well = {edge.caller for edge in edges if _is_seen_well(edge)}
    conflicts = []
    for edge in edges:
        ends = (edge.caller, edge.callee)
        if is_declared(edge):
            if edge.caller in seen_well and not is_observed(edge):
                text = f"{edge.caller} is declared to call {edge.callee}; its other calls were observed, not this"
                conflicts.append(Conflict(ConflictKind.UNOBSERVED, ends, text))
        elif is_observed(edge) and is_declared(nodes[edge.caller]):
            sources = _sources(edge.provenance)
            text = f"{edge.caller} calls {edge.callee} ({sources}), which its declaration doesn't say"
            conflicts.append(Conflict(ConflictKind.UNDECLARED, ends, text))
    return conflicts


def _union(provenances: Iterable[tuple[Provenance, ...]]) -> tuple[Provenance, ...]:
    return tuple(sorted({one for provenance in provenances for one in provenance}))


def _sources(provenance: Iterable[Provenance]) -> str:
    return ", ".join(sorted({one.source for one in provenance})) or "not said by whom"
