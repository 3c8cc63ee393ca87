"""Observations and graphs that the tests of this folder share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from topology import Edge, Node, Provenance, ServiceGraph


@dataclass(frozen=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    error: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    at: datetime
    service: str
    trace_id: str | None


@pytest.fixture
def span() -> type[Span]:
    return Span


@pytest.fixture
def lines_of() -> Callable[..., list[Line]]:
    """Lines of one trace from words: a service a millisecond."""

    def make(services: str, trace: str = "t1") -> list[Line]:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        words = services.split()
        return [Line(start + timedelta(milliseconds=at), word, trace) for at, word in enumerate(words)]

    return make


@pytest.fixture
def graph_of() -> Callable[..., ServiceGraph]:
    """A graph from words such as `a>b`, with one source for everything in it, nodes by themselves included."""

    def make(text: str, source: str = "declared", *nodes: Node) -> ServiceGraph:
        provenance = (Provenance(source),)
        pairs = [word.split(">") for word in text.split()]
        known = {node.name for node in nodes}
        names = sorted({name for pair in pairs for name in pair} - known)
        edges = [Edge(pair[0], pair[1], provenance=provenance) for pair in pairs if len(pair) > 1]
        return ServiceGraph([*nodes, *(Node(name, provenance=provenance) for name in names)], edges)

    return make
