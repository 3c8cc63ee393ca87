"""Spans out of Elastic APM and OpenTelemetry indices: whole traces, bounded; APM's own calls by aggregation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rca.model.incident import Gap, Interval, Span
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.layers import exists, first_of, in_window
from rca.sources.elastic.lines import first_value, read_time, text_of
from rca.sources.elastic.traces import Place, draw_traces
from topology import NodeKind, ServiceGraph
from topology.infer import Call, from_calls
from topology.peers import peer

BUDGET = 5_000
_SLICES = 12
_TIME = "@timestamp"
_TRACE = ("trace.id", "trace_id", "TraceId")
_SPAN = ("span.id", "transaction.id", "span_id", "SpanId")
_PARENT = ("parent.id", "parent_span_id", "ParentSpanId")
_SERVICE = ("service.name", "resource.attributes.service.name", "Resource.service.name")
_OPERATION = ("span.name", "transaction.name", "name", "Name")
_MICROS = ("span.duration.us", "transaction.duration.us")
_NANOS = ("duration", "Duration")
_OUTCOME = ("event.outcome", "status.code", "status_code", "TraceStatus")
_KIND = ("span.kind", "kind", "Kind")
_ATTRIBUTES = (
    "span.type",
    "span.subtype",
    "span.destination.service.resource",
    "db.system",
    "db.system.name",
    "db.name",
    "db.namespace",
    "messaging.system",
    "messaging.destination.name",
    "peer.service",
    "server.address",
    "net.peer.name",
    "http.response.status_code",
    "http.status_code",
    "rpc.system",
    "rpc.grpc.status_code",
    "error.type",
)
_FAILED = {"failure", "error", "status_code_error", "2"}
_RESOURCE = "span.destination.service.resource"
_MAX_SERVICES, _MAX_RESOURCES = 500, 50


@dataclass(frozen=True, slots=True)
class Traced:
    """What the span indices held.

    Attributes:
        graph: Calls that Elastic APM counted, to what writes no spans of its own; None without any.
        documents: Spans in the window.
    """

    spans: tuple[Span, ...] = ()
    graph: ServiceGraph | None = None
    documents: int = 0
    gaps: tuple[Gap, ...] = ()


def collect_spans(client: ElasticClient, indices: Sequence[str], span: Interval) -> Traced:
    """A bounded sample of whole traces, and the calls that can be counted.

    Raises:
        SourceError: The server can't be reached, or refused it.
    """
    if not indices:
        return Traced()
    caps = client.field_caps(indices, [*_TRACE, _TIME, _RESOURCE, "service.name"])
    fields = caps.get("fields") or {}
    usable = [name for name in _TRACE if _aggregatable(fields, name)]
    if not usable or _TIME not in fields:
        return Traced()
    window = in_window(_TIME, span)
    spans_only = {"bool": {"must_not": [{"terms": {"processor.event": ["error", "metric"]}}]}}
    aggs = {f"trace_{i}": {"filter": first_of(usable, i)} for i in range(len(usable))}
    query = {"bool": {"filter": [window, spans_only]}}
    counted = client.one(Search("spans", tuple(indices), {"size": 0, "query": query, "aggs": aggs}))
    gaps = list(counted.gaps)
    documents = [int(counted.aggregations.get(name, {}).get("doc_count", 0)) for name in aggs]
    found: list[Span] = []
    grid = Grid.over(span, max(1, int(span.seconds // _SLICES)))
    for name, count in zip(usable, documents, strict=True):
        filters = (window, spans_only, exists(name))
        place = Place("spans", tuple(indices), _TIME, name, filters, count, _wanted())
        traces = draw_traces(client, place, grid, BUDGET * count // max(1, sum(documents)))
        gaps += traces.gaps
        found += [made for hit in traces.hits if (made := read_span(hit.get("fields") or {})) is not None]
    graph = None
    if sum(documents) and _aggregatable(fields, _RESOURCE) and _aggregatable(fields, "service.name"):
        graph = _calls(client, indices, span, gaps)
    ordered = sorted(found, key=lambda item: (item.start, item.trace_id, item.span_id))
    return Traced(tuple(ordered), graph, sum(documents), tuple(dict.fromkeys(gaps)))


def read_span(values: Mapping[str, Any]) -> Span | None:
    """One document's fields as a span; None where what makes a span is missing.

    Attributes of OpenTelemetry lose their prefix, and Elastic APM's two kinds of documents their difference: a
    transaction is a server's span, and a span with a destination is a client's.
    """
    start = read_time(text_of(values, [_TIME]))
    trace, own, service = (text_of(values, names) for names in (_TRACE, _SPAN, _SERVICE))
    if start is None or trace is None or own is None or service is None:
        return None
    micros, nanos = first_value(values, _MICROS), first_value(values, _NANOS)
    millis = float(micros[1]) / 1e3 if micros else float(nanos[1]) / 1e6 if nanos else 0.0
    fields = {}
    for name in _ATTRIBUTES:
        value = first_value(values, (name, f"attributes.{name}"))
        if value is not None:
            fields[name] = value[1]
    kind = text_of(values, _KIND) or _apm_kind(values)
    if kind:
        fields["span.kind"] = kind
    return Span(
        trace_id=trace,
        span_id=own,
        parent_id=text_of(values, _PARENT),
        service=service,
        operation=text_of(values, _OPERATION) or "",
        start=start,
        duration_ms=millis,
        error=(text_of(values, _OUTCOME) or "").casefold() in _FAILED,
        fields=fields,
    )


def _apm_kind(values: Mapping[str, Any]) -> str:
    if values.get(_RESOURCE):
        return "client"
    event = text_of(values, ("processor.event",))
    if event != "transaction":
        return ""
    return "consumer" if text_of(values, ("transaction.type",)) == "messaging" else "server"


def _wanted() -> tuple[Any, ...]:
    names = [*_TRACE, *_SPAN, *_PARENT, *_SERVICE, *_OPERATION, *_MICROS, *_NANOS, *_OUTCOME, *_KIND]
    names += ["processor.event", "transaction.type"]
    names += [name for attribute in _ATTRIBUTES for name in (attribute, f"attributes.{attribute}")]
    return ({"field": _TIME, "format": "strict_date_optional_time_nanos"}, *names)


def _calls(client: ElasticClient, indices: Sequence[str], span: Interval, gaps: list[Gap]) -> ServiceGraph | None:
    """Calls to databases, caches, queues and known services, as exit spans name them."""
    failed = {"failed": {"filter": {"term": {"event.outcome": "failure"}}}}
    described = failed | {"type": _terms("span.type", 1), "subtype": _terms("span.subtype", 1)}
    resources = {"resources": {**_terms(_RESOURCE, _MAX_RESOURCES), "aggs": described}}
    services = {"services": {**_terms("service.name", _MAX_SERVICES), "aggs": resources}}
    query = {"bool": {"filter": [in_window(_TIME, span), exists(_RESOURCE)]}}
    answer = client.one(
        Search("calls between services", tuple(indices), {"size": 0, "query": query, "aggs": services})
    )
    gaps += answer.gaps
    found = answer.aggregations.get("services", {}).get("buckets", ())
    known = {str(service["key"]) for service in found}
    if answer.aggregations.get("services", {}).get("sum_other_doc_count"):
        gaps.append(Gap(NAME, f"calls of services beyond the {_MAX_SERVICES} busiest", "narrow span_indices"))
    calls = []
    for service in found:
        for resource in service["resources"]["buckets"]:
            other = peer(_described(resource))
            if other is None or (other.kind is NodeKind.EXTERNAL and other.name not in known):
                continue  # its own spans may name it otherwise; the sampled traces tell
            failures = float(resource["failed"]["doc_count"])
            kind = NodeKind.UNKNOWN if other.kind is NodeKind.EXTERNAL else other.kind
            calls.append(
                Call(str(service["key"]), other.name, float(resource["doc_count"]), failures, callee_kind=kind)
            )
    return from_calls(calls, source="elastic-apm", detail=_RESOURCE, seconds=span.seconds) if calls else None


def _described(resource: Mapping[str, Any]) -> dict[str, str]:
    """A bucket in the words of a client's span."""
    fields = {_RESOURCE: str(resource["key"]), "span.kind": "client"}
    for name in ("type", "subtype"):
        for bucket in resource[name]["buckets"][:1]:
            fields[f"span.{name}"] = str(bucket["key"])
    return fields


def _terms(field: str, size: int) -> dict[str, Any]:
    return {"terms": {"field": field, "size": size}}


def _aggregatable(fields: Mapping[str, Any], name: str) -> bool:
    """Usable in an aggregation wherever it is mapped."""
    kinds = [caps for kind, caps in (fields.get(name) or {}).items() if kind != "unmapped"]
    return bool(kinds) and all(caps.get("aggregatable") for caps in kinds)
