"""Which service depends on which: graphs, and nothing of incidents, terminals or servers."""

from topology.graph import Edge, Node, NodeKind, Provenance, ServiceGraph

__all__ = ["Edge", "Node", "NodeKind", "Provenance", "ServiceGraph"]
