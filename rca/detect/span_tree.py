"""Spans as trees: what each did by itself, whom a call was addressed to, and which failures start where they are.

Clocks of two hosts are never compared: a span of another service is moved into the one that waited for it before
the two are laid over each other, so that durations alone decide (as Jaeger's clock skew adjuster does).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rca.model.incident import Span
from topology.graph import NodeKind
from topology.peers import peer, span_kind

_CALLING = frozenset({"client", "producer"})
_CANCELLED = re.compile(r"cancell?ed|\b499\b|client (closed|disconnected|abort)", re.IGNORECASE)
_GONE = re.compile(r"broken pipe", re.IGNORECASE)  # of who answers: the caller left; of who calls: the callee did
_GRPC, _GRPC_CANCELLED = "rpc.grpc.status_code", frozenset({"1", "CANCELLED"})
_WORDS = ("error", "message", "type", "status", "reason", "code")  # of attributes that say how a span ended


@dataclass(frozen=True, slots=True)
class Node:
    """A span, and what its trace says of it.

    Attributes:
        waited: The spans that it waited for: those below that consume no message.
        own_ms: Its duration less the time in which one of these was running.
        callee: Whom it called, where it is a call to somebody known; else empty.
        answered: Whether the callee wrote a span of it.
        failed: It failed, and wasn't given up by who called it.
        deepest: It failed, and none of those that it waited for did.
    """

    span: Span
    waited: tuple[Span, ...]
    own_ms: float
    callee: str
    answered: bool
    failed: bool
    deepest: bool


def nodes(spans: Iterable[Span], known: Collection[str] = ()) -> tuple[Node, ...]:
    """Every span, in order of time.

    Args:
        spans: Of any number of traces, in any order.
        known: Names, beside those that write spans, that calls can be addressed to: stores, queues, third parties.
    """
    ordered = sorted(spans, key=lambda span: (span.start, span.trace_id, span.span_id, span.service))
    services = {span.service for span in ordered}
    below = _below(ordered)
    return tuple(_node(span, tuple(below.get(i, ())), services, known) for i, span in enumerate(ordered))


def _node(span: Span, waited: tuple[Span, ...], services: Collection[str], known: Collection[str]) -> Node:
    others = [child.service for child in waited if child.service != span.service]
    calling = span_kind(span.fields) in _CALLING
    callee = others[0] if calling and others else "" if others else _addressed(span, waited, services, known)
    failed = span.error and not is_cancelled(span)
    deepest = failed and not any(child.error and not is_cancelled(child) for child in waited)
    return Node(span, waited, own_time(span, waited), callee, bool(calling and others), failed, deepest)


def _addressed(span: Span, waited: Sequence[Span], services: Collection[str], known: Collection[str]) -> str:
    """Whom a call that nobody answered was addressed to, by its own attributes."""
    kind = span_kind(span.fields)
    if waited or (kind and kind not in _CALLING):
        return ""
    other = peer(span.fields)
    if other is None or other.name == span.service:
        return ""
    if other.kind is NodeKind.QUEUE and other.name in services:
        return ""  # a topic that is called like a service
    return other.name if other.name in services or other.name in known else ""


def _below(ordered: Sequence[Span]) -> Mapping[int, list[Span]]:
    """The spans that each waited for, by its place, in order of time."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, span in enumerate(ordered):
        places[span.trace_id, span.span_id].append(place)
    found: dict[int, list[Span]] = defaultdict(list)
    for place, span in enumerate(ordered):
        parent = None if span_kind(span.fields) == "consumer" else _parent(place, ordered, places)
        if parent is not None:
            found[parent].append(span)
    return found


def _parent(place: int, ordered: Sequence[Span], places: Mapping[tuple[str, str], list[int]]) -> int | None:
    """Where the span above is: the client's under the same id (Zipkin's way), or that of the parent's id."""
    span = ordered[place]
    same = places[span.trace_id, span.span_id]
    if len(same) > 1 and span_kind(span.fields) != "client":
        for other in same:
            if ordered[other].service != span.service and span_kind(ordered[other].fields) == "client":
                return other
    above = [i for i in places.get((span.trace_id, span.parent_id or ""), ()) if i != place]
    if len(above) == 1:  # as nearly always
        return above[0]
    return min(
        above,
        key=lambda i: (
            ordered[i].service != span.service,
            span_kind(ordered[i].fields) == "client",
            ordered[i].service,
            i,
        ),
        default=None,
    )


def is_cancelled(span: Span) -> bool:
    """Whether a span says that who had asked for it gave up: no failure of its own.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> is_cancelled(Span("t", "1", None, "cart", "Get", at, 9.0, True, {"rpc.grpc.status_code": 1}))
    True
    """
    if not span.error:
        return False
    if str(span.fields.get(_GRPC, "")).upper() in _GRPC_CANCELLED:
        return True
    said = (str(value) for name, value in span.fields.items() if any(word in name.lower() for word in _WORDS))
    asked = span_kind(span.fields) not in _CALLING
    return any(_CANCELLED.search(text) or (asked and _GONE.search(text)) for text in said)


def own_time(span: Span, waited: Sequence[Span]) -> float:
    """Milliseconds in which none of these was running; what overlaps counts once, what goes on afterwards not."""
    spent, reached = 0.0, 0.0
    for start, end in sorted(_within(span, waited)):
        begin, stop = max(start, reached), min(end, span.duration_ms)
        spent += max(0.0, stop - begin)
        reached = max(reached, stop)
    return max(0.0, span.duration_ms - spent)


def _within(span: Span, waited: Sequence[Span]) -> list[tuple[float, float]]:
    """Start and end of each, in milliseconds from the start of the span that waited.

    Those of another service are moved together, by as little as puts them inside. Where they don't fit in together
    each is moved alone; one that is itself longer is only kept from starting too early: it goes on afterwards.
    """
    by_service: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for child in waited:
        start = (child.start - span.start).total_seconds() * 1e3
        by_service[child.service].append((start, start + child.duration_ms))
    found = by_service.pop(span.service, [])
    for parts in by_service.values():
        first, last = min(start for start, _ in parts), max(end for _, end in parts)
        if last - first <= span.duration_ms:
            shift = _shift(first, last, span.duration_ms)
            found += [(start + shift, end + shift) for start, end in parts]
        else:
            shifts = [_shift(start, end, span.duration_ms) for start, end in parts]
            found += [(start + by, end + by) for (start, end), by in zip(parts, shifts, strict=True)]
    return found


def _shift(start: float, end: float, room: float) -> float:
    if end - start > room:
        return max(0.0, -start)
    return max(0.0, -start) - max(0.0, end - room)
