"""Edges from what was seen: measured calls, and spans.

Edges from the order of log lines are made by `topology.logorder`. The same observations, in whatever order they
come, give the same graph.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from topology.graph import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.names import is_unknown
from topology.peers import Peer, peer, span_kind

_CALLING = frozenset({"client", "producer"})


@dataclass(frozen=True, slots=True)
class Call:
    """Calls from one service to another, as a mesh or a service graph counts them.

    Attributes:
        count: How many, or how many a second.
        errors: How many of them failed, in the same unit; None where it isn't known.
        callee_kind: What the callee is, where the source says so (a virtual database node, a messaging system).
    """

    caller: str
    callee: str
    count: float
    errors: float | None = None
    caller_kind: NodeKind = NodeKind.UNKNOWN
    callee_kind: NodeKind = NodeKind.UNKNOWN


class SpanLike(Protocol):
    """What is read of a span; `fields` are its attributes, named as OpenTelemetry or Elastic do."""

    @property
    def trace_id(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def span_id(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def parent_id(self) -> str | None: ...  # noqa: D102 - the class says it
    @property
    def service(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def error(self) -> bool: ...  # noqa: D102 - the class says it
    @property
    def fields(self) -> Mapping[str, Any]: ...  # noqa: D102 - the class says it


def from_calls(calls: Iterable[Call], *, source: str, detail: str = "", seconds: float = 1.0) -> ServiceGraph:
    """The graph of measured calls.

    Several samples of the same pair (by protocol, status or pod) are added. A pair whose count is 0 is kept, with
    weight 0: calls that stopped are no reason to forget a dependency. A count that isn't finite counts as 0.

    Args:
        calls: The samples.
        source: The provenance's source: `istio`, `linkerd`, `otel-service-graph`.
        detail: The provenance's detail, usually the query.
        seconds: How long was counted; 1 when the counts are rates already.
    """
    counts: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    errors: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    kinds: defaultdict[str, set[NodeKind]] = defaultdict(set)
    for call in calls:
        if is_unknown(call.caller) or is_unknown(call.callee):
            continue
        kinds[call.caller].add(call.caller_kind)
        kinds[call.callee].add(call.callee_kind)
        if call.caller == call.callee:
            continue
        ends, count = (call.caller, call.callee), _usable(call.count)
        counts[ends].append(count)
        if call.errors is not None:
            errors[ends].append((min(_usable(call.errors), count), count))
    provenance = (Provenance(source, detail),)
    return ServiceGraph(
        (Node(name, _surest(said), provenance=provenance) for name, said in kinds.items()),
        (
            Edge(*ends, math.fsum(amounts) / seconds, _share(errors[ends]), provenance)
            for ends, amounts in counts.items()
        ),
    )


def _usable(value: float) -> float:
    return value if math.isfinite(value) and value > 0 else 0.0


def _share(known: list[tuple[float, float]]) -> float | None:
    """The share of failures among the calls whose failures are known."""
    total = math.fsum(count for _, count in known)
    return min(1.0, math.fsum(failed for failed, _ in known) / total) if total else None


def _surest(said: Iterable[NodeKind]) -> NodeKind:
    """The most definite of several kinds; that something is external is but a guess."""
    order = {NodeKind.UNKNOWN: 2, NodeKind.EXTERNAL: 1}
    return min(said, key=lambda kind: (order.get(kind, 0), kind.value))


@dataclass(slots=True)
class _Seen:
    """What spans say of one edge."""

    traces: set[str] = field(default_factory=set)
    calls: int = 0
    errors: int = 0

    def add(self, trace: str, *, error: bool) -> None:
        self.traces.add(trace)
        self.calls += 1
        self.errors += error


def from_spans(spans: Iterable[SpanLike], *, seconds: float = 1.0) -> ServiceGraph:
    """The graph of traced calls.

    An edge is a span whose parent belongs to another service. A client's or producer's span that no other service
    answers, but that names its peer, is an edge to that peer: a database, cache or queue by `db.system` and
    `messaging.system`, a service where the peer writes spans too, otherwise something external. Where the span's
    kind is missing, as in some exporters, the hints decide alone. Consumers depend on the queue they read, too.

    Args:
        spans: Of any number of traces; repeated ones count once.
        seconds: How long was recorded, so that weights are calls a second (of the traces that were sampled).
    """
    by_id = _index(spans)
    anywhere = _unique_ids(by_id)
    services = {span.service for same in by_id.values() for span in same.values()}
    seen: defaultdict[tuple[str, str], _Seen] = defaultdict(_Seen)
    answered: set[tuple[str, str, str]] = set()
    for (trace, _), same in by_id.items():
        for span in same.values():
            parent = _parent(span, by_id, anywhere)
            if parent is None or parent.service == span.service:
                continue
            failed = span.error or (parent.error and span_kind(parent.fields) in _CALLING)
            seen[parent.service, span.service].add(trace, error=failed)
            answered.add((parent.trace_id, parent.span_id, parent.service))
    kinds: dict[str, set[NodeKind]] = {service: {NodeKind.UNKNOWN} for service in services}
    for (trace, span_id), same in by_id.items():
        for span in same.values():
            other = _silent_peer(span, answered=(trace, span_id, span.service) in answered)
            if other is not None and other.name != span.service:
                seen[span.service, other.name].add(trace, error=span.error)
                kinds.setdefault(other.name, set()).add(other.kind)
    return _graph(seen, kinds, services, seconds)


def _graph(
    seen: Mapping[tuple[str, str], _Seen], kinds: Mapping[str, set[NodeKind]], services: set[str], seconds: float
) -> ServiceGraph:
    nodes = []
    for name, said in kinds.items():
        kind = NodeKind.SERVICE if name in services else _surest(said)
        nodes.append(Node(name, kind, provenance=(Provenance("spans"),)))
    edges = []
    for (caller, callee), found in seen.items():
        detail = f"{_plural(found.calls, 'call')} in {_plural(len(found.traces), 'trace')}"
        provenance = (Provenance("spans", detail),)
        edges.append(Edge(caller, callee, found.calls / seconds, found.errors / found.calls, provenance))
    return ServiceGraph(nodes, edges)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


_Index = dict[tuple[str, str], dict[str, SpanLike]]


def _index(spans: Iterable[SpanLike]) -> _Index:
    """Spans by trace and id, then by service: in Zipkin's model both ends of a call share one id."""
    by_id: _Index = {}
    for span in spans:
        if is_unknown(span.service) or not span.trace_id:
            continue
        same = by_id.setdefault((span.trace_id, span.span_id), {})
        known = same.get(span.service)
        if known is None or _order(span) < _order(known):
            same[span.service] = span
    return by_id


def _order(span: SpanLike) -> tuple[bool, str, str, str]:
    """Which of two versions of a span to believe: a total order, so that the input's doesn't matter."""
    return (
        not span.error,
        span_kind(span.fields),
        span.parent_id or "",
        repr(sorted(span.fields.items(), key=str)),
    )


def _unique_ids(by_id: _Index) -> dict[str, tuple[str, str]]:
    """Where each span's id is found, when no two traces share one; empty where ids mean something in a trace only.

    It joins what a change of the trace's id on the way (64 and 128 bits, a gateway's new one) has torn apart.
    """
    places = {span_id: (trace, span_id) for trace, span_id in by_id}
    return places if len(places) == len(by_id) else {}


def _parent(span: SpanLike, by_id: _Index, anywhere: Mapping[str, tuple[str, str]]) -> SpanLike | None:
    """The span that caused this one: the client's under the same id, else the one under the parent's id."""
    same = by_id[span.trace_id, span.span_id]
    clients = [other for other in same.values() if other is not span and span_kind(other.fields) == "client"]
    if clients and span_kind(span.fields) != "client":
        return min(clients, key=lambda other: other.service)
    parent_id = span.parent_id or ""
    place = (span.trace_id, parent_id)
    candidates = by_id.get(place) or by_id.get(anywhere.get(parent_id, place), {})
    if span.service in candidates:
        return candidates[span.service]
    return min(
        candidates.values(), key=lambda other: (span_kind(other.fields) == "client", other.service), default=None
    )


def _silent_peer(span: SpanLike, *, answered: bool) -> Peer | None:
    """Whom a span was addressed to, when no other span speaks for them."""
    kind = span_kind(span.fields)
    other = peer(span.fields)
    if other is None:
        return None
    if other.kind is NodeKind.QUEUE and kind in {"producer", "consumer"}:
        return other
    calling = kind in _CALLING or (not kind and not answered)
    return other if calling and not answered else None
