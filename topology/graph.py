"""The service graph: who calls whom, and how we know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx


class NodeKind(StrEnum):
    """What a node is; it decides how much an anomaly there can mean."""

    SERVICE = "service"
    GATEWAY = "gateway"
    DATABASE = "database"
    CACHE = "cache"
    QUEUE = "queue"
    EXTERNAL = "external"
    HOST = "host"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Provenance:
    """Where a node or an edge was learnt.

    Attributes:
        source: `declared`, `istio`, `linkerd`, `otel-service-graph`, `spans`, `log-order`, …
        detail: A file's name, a query, a count: what a reader needs to check it.
    """

    source: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A service or something a service depends on.

    Attributes:
        owner: Who is on call for it.
        runbook: A link.
        host: The machine or node it runs on, where known.
        labels: Whatever else was declared.
        provenance: Every way it was learnt by itself, sorted; empty for one known only as an end of edges.
    """

    name: str
    kind: NodeKind = NodeKind.UNKNOWN
    owner: str = ""
    runbook: str = ""
    host: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict, compare=False)
    provenance: tuple[Provenance, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency: the caller calls the callee.

    Attributes:
        weight: Calls a second where known, else 1; 0 for one that is known and wasn't used.
        errors: Share of failed calls, 0 to 1, where known.
        provenance: Every way it was learnt, sorted.
    """

    caller: str
    callee: str
    weight: float = 1.0
    errors: float | None = None
    provenance: tuple[Provenance, ...] = ()


class ServiceGraph:
    """A directed graph of services over `networkx.DiGraph`, caller to callee.

    Two graphs are equal when their nodes and edges are.
    """

    def __init__(self, nodes: Iterable[Node] = (), edges: Iterable[Edge] = ()) -> None:
        import networkx as nx  # noqa: PLC0415 - it takes a tenth of a second, and much can be done before

        self._graph: nx.DiGraph[str] = nx.DiGraph()
        for node in nodes:
            self._graph.add_node(node.name, node=node)
        for edge in edges:
            for name in (edge.caller, edge.callee):
                if name not in self._graph:
                    self._graph.add_node(name, node=Node(name))
            self._graph.add_edge(edge.caller, edge.callee, edge=edge)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServiceGraph):
            return NotImplemented
        return set(self.nodes()) == set(other.nodes()) and set(self.edges()) == set(other.edges())

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, name: object) -> bool:
        return name in self._graph

    def __len__(self) -> int:
        return len(self._graph)

    @property
    def digraph(self) -> "nx.DiGraph[str]":
        """The networkx graph itself, for algorithms; treat it as read-only."""
        return self._graph

    def nodes(self) -> Iterator[Node]:
        """Every node, by name."""
        for name in sorted(self._graph):
            yield self.node(name)

    def edges(self) -> Iterator[Edge]:
        """Every edge, by caller and callee."""
        for caller, callee in sorted(self._graph.edges):
            yield self.edge(caller, callee)

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            KeyError: There is none.
        """
        node: Node = self._graph.nodes[name]["node"]
        return node

    def edge(self, caller: str, callee: str) -> Edge:
        """The edge between two services.

        Raises:
            KeyError: There is none.
        """
        edge: Edge = self._graph.edges[caller, callee]["edge"]
        return edge

    def callers(self, name: str) -> tuple[str, ...]:
        """Who calls this service, sorted; empty for one the graph doesn't know."""
        return tuple(sorted(self._graph.predecessors(name))) if name in self._graph else ()

    def callees(self, name: str) -> tuple[str, ...]:
        """Whom this service calls, sorted; empty for one the graph doesn't know."""
        return tuple(sorted(self._graph.successors(name))) if name in self._graph else ()

    def subgraph(self, names: Iterable[str]) -> "ServiceGraph":
        """The nodes of these names that the graph knows, and the edges between them."""
        kept = {name for name in names if name in self._graph}
        return ServiceGraph(
            (self.node(name) for name in sorted(kept)),
            (
                self.edge(caller, callee)
                for caller in sorted(kept)
                for callee in self.callees(caller)
                if callee in kept
            ),
        )
