"""The service graph: who calls whom, and how we know."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
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
    """A directed graph of services, caller to callee, kept in plain dictionaries.

    Algorithms get it as a `networkx.DiGraph` (`digraph`), made when the first of them asks: most incidents need
    none, and networkx takes a tenth of a second to import. Two graphs are equal when their nodes and edges are.
    """

    def __init__(self, nodes: Iterable[Node] = (), edges: Iterable[Edge] = ()) -> None:
        self._nodes: dict[str, Node] = {node.name: node for node in nodes}
        self._edges: dict[tuple[str, str], Edge] = {}
        for edge in edges:
            for name in (edge.caller, edge.callee):
                if name not in self._nodes:
                    self._nodes[name] = Node(name)
            self._edges[edge.caller, edge.callee] = edge
        callers: defaultdict[str, list[str]] = defaultdict(list)
        callees: defaultdict[str, list[str]] = defaultdict(list)
        for caller, callee in sorted(self._edges):
            callees[caller].append(callee)
            callers[callee].append(caller)
        self._callers = {name: tuple(names) for name, names in callers.items()}
        self._callees = {name: tuple(names) for name, names in callees.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServiceGraph):
            return NotImplemented
        return self._nodes == other._nodes and self._edges == other._edges

    __hash__ = None  # type: ignore[assignment]  # how typeshed says that a class has no hash

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    @cached_property
    def digraph(self) -> "nx.DiGraph[str]":
        """The graph as networkx knows it, for algorithms; frozen, with each `node` and `edge` as an attribute."""
        import networkx as nx  # noqa: PLC0415 - it takes a tenth of a second, and few callers need it

        graph: nx.DiGraph[str] = nx.DiGraph()
        for name, node in self._nodes.items():
            graph.add_node(name, node=node)
        for (caller, callee), edge in self._edges.items():
            graph.add_edge(caller, callee, edge=edge)
        nx.freeze(graph)
        return graph

    def nodes(self) -> Iterator[Node]:
        """Every node, by name."""
        for name in sorted(self._nodes):
            yield self._nodes[name]

    def edges(self) -> Iterator[Edge]:
        """Every edge, by caller and callee."""
        for ends in sorted(self._edges):
            yield self._edges[ends]

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            KeyError: There is none.
        """
        return self._nodes[name]

    def edge(self, caller: str, callee: str) -> Edge:
        """The edge between two services.

        Raises:
            KeyError: There is none.
        """
        return self._edges[caller, callee]

    def callers(self, name: str) -> tuple[str, ...]:
        """Who calls this service, sorted; empty for one the graph doesn't know."""
        return self._callers.get(name, ())

    def callees(self, name: str) -> tuple[str, ...]:
        """Whom this service calls, sorted; empty for one the graph doesn't know."""
        return self._callees.get(name, ())

    def subgraph(self, names: Iterable[str]) -> "ServiceGraph":
        """The nodes of these names that the graph knows, and the edges between them."""
        kept = {name for name in names if name in self._nodes}
        return ServiceGraph(
            (self._nodes[name] for name in sorted(kept)),
            (
                self._edges[caller, callee]
                for caller in sorted(kept)
                for callee in self.callees(caller)
                if callee in kept
            ),
        )
