"""The same lines in the shapes that different shippers leave in Elasticsearch, with each shape's mapping."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from tests.servers.shop.logs import LogRecord
from tests.servers.shop.system import CACHE, DATABASE
from tests.servers.shop.traces import SpanRecord

Record = TypeVar("Record")
Document = dict[str, Any]

KEYWORD, TEXT, DATE, LONG = {"type": "keyword"}, {"type": "text"}, {"type": "date"}, {"type": "long"}
# What dynamic mapping makes of a string: not aggregatable but through `.keyword`.
DYNAMIC = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
OTEL_SEVERITY = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
PINO_LEVEL = {"DEBUG": 20, "INFO": 30, "WARN": 40, "ERROR": 50, "FATAL": 60}
STORE_KINDS = {DATABASE: "postgresql", CACHE: "redis"}


@dataclass(frozen=True, slots=True)
class Shape(Generic[Record]):
    """How a shipper writes a record.

    Attributes:
        index: The index it goes to, in the shipper's usual naming.
        mapping: The index's mapping.
        document: The record as its document.
    """

    index: str
    mapping: Mapping[str, Any]
    document: Callable[[Record], Document]


def properties(fields: Mapping[str, Mapping[str, Any]]) -> Document:
    """A mapping out of dotted field names."""
    root: Document = {}
    for name, field in fields.items():
        *parents, leaf = name.split(".")
        level = root
        for parent in parents:
            level = level.setdefault(parent, {}).setdefault("properties", {})
        level.setdefault(leaf, {}).update(field)
    return {"properties": root}


def alias(path: str) -> Document:
    """A field that is another field's second name: in queries, absent from `_source`."""
    return {"type": "alias", "path": path}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ecs(line: LogRecord) -> Document:
    document: Document = {
        "@timestamp": _iso(line.at),
        "ecs": {"version": "8.11.0"},
        "message": line.message,
        "log": {"level": line.level.lower()},
        "service": {"name": line.service},
        "kubernetes": {"pod": {"name": line.pod}},
    }
    if line.trace_id is not None:
        document |= {"trace": {"id": line.trace_id}, "span": {"id": line.span_id}}
    return document


def _otel(line: LogRecord) -> Document:
    document: Document = {
        "@timestamp": _iso(line.at),
        "resource": {"attributes": {"service.name": line.service, "k8s.pod.name": line.pod}},
        "body": {"text": line.message},
        "severity_text": line.level,
        "severity_number": OTEL_SEVERITY[line.level],
    }
    if line.trace_id is not None:
        document |= {"trace_id": line.trace_id, "span_id": line.span_id}
    return document


def _filebeat(line: LogRecord) -> Document:
    """No level field: it is in the text alone, as an application without structured logging writes it."""
    return {
        "@timestamp": _iso(line.at),
        "message": f"{_iso(line.at)} [{line.level}] {line.message}",
        "stream": "stdout",
        "kubernetes": {
            "container": {"name": "app"},
            "pod": {"name": line.pod},
            "namespace": "shop",
            "labels": {"app_kubernetes_io/name": line.service},
        },
    }


def _fluentbit(line: LogRecord) -> Document:
    return {
        "@timestamp": _iso(line.at),
        "log": f"{line.message}\n",
        "level": PINO_LEVEL[line.level],
        "stream": "stdout",
        "kubernetes": {"container_name": "app", "pod_name": line.pod, "labels": {"app": line.service}},
    }


def _logstash(line: LogRecord) -> Document:
    document: Document = {
        "@timestamp": _iso(line.at),
        "@version": "1",
        "message": line.message,
        "level": line.level,
        "logger_name": f"shop.{line.service.replace('-', '.')}.Handler",
        "thread_name": "http-nio-8080-exec-1",
        "app": line.service,
        "host": line.pod,
    }
    if line.trace_id is not None:
        document |= {"traceId": line.trace_id, "spanId": line.span_id}
    return document


SHAPES: Mapping[str, Shape[LogRecord]] = {
    "ecs": Shape(
        "logs-shop-default",
        properties(
            {
                "@timestamp": DATE,
                "message": TEXT,
                **dict.fromkeys(("log.level", "service.name", "trace.id", "span.id", "ecs.version"), KEYWORD),
                "kubernetes.pod.name": KEYWORD,
            }
        ),
        _ecs,
    ),
    "otel": Shape(
        "logs-shop.otel-default",
        properties(
            {
                "@timestamp": {"type": "date_nanos"},
                "body.text": TEXT,
                "severity_number": LONG,
                **dict.fromkeys(("severity_text", "trace_id", "span_id"), KEYWORD),
                "resource.attributes.service.name": KEYWORD,
                "resource.attributes.k8s.pod.name": KEYWORD,
                "message": alias("body.text"),
                "log.level": alias("severity_text"),
                "trace.id": alias("trace_id"),
                "span.id": alias("span_id"),
                "service.name": alias("resource.attributes.service.name"),
            }
        ),
        _otel,
    ),
    "filebeat": Shape(
        "filebeat-8.19.0-shop",
        properties(
            {
                "@timestamp": DATE,
                "message": TEXT,
                **dict.fromkeys(("stream", "kubernetes.namespace", "kubernetes.pod.name"), KEYWORD),
                "kubernetes.container.name": KEYWORD,
                "kubernetes.labels.app_kubernetes_io/name": KEYWORD,
            }
        ),
        _filebeat,
    ),
    "fluentbit": Shape(
        "fluent-bit-shop",
        properties(
            {
                "@timestamp": DATE,
                "level": LONG,
                **dict.fromkeys(("log", "stream", "kubernetes.container_name", "kubernetes.pod_name"), DYNAMIC),
                "kubernetes.labels.app": DYNAMIC,
            }
        ),
        _fluentbit,
    ),
    "logstash": Shape(
        "logstash-shop",
        properties(
            {
                "@timestamp": DATE,
                **dict.fromkeys(("message", "level", "logger_name", "thread_name", "app", "host"), DYNAMIC),
                **dict.fromkeys(("@version", "traceId", "spanId"), DYNAMIC),
            }
        ),
        _logstash,
    ),
}


def _apm(span: SpanRecord) -> Document:
    """Elastic APM: a transaction at the entry of each service, its parent the caller's span."""
    document: Document = {
        "@timestamp": _iso(span.start),
        "timestamp": {"us": int(span.start.timestamp() * 1e6)},
        "processor": {"event": "transaction"},
        "trace": {"id": span.trace_id},
        "transaction": {
            "id": span.span_id,
            "name": f"POST /{span.service}",
            "type": "request",
            "duration": {"us": int(span.seconds * 1e6)},
            "result": "HTTP 5xx" if span.failed else "HTTP 2xx",
        },
        "service": {"name": span.service},
        "event": {"outcome": "failure" if span.failed else "success"},
    }
    if span.parent_id is not None:
        document["parent"] = {"id": span.parent_id}
    return document


def _otel_span(span: SpanRecord) -> Document:
    document: Document = {
        "@timestamp": _iso(span.start),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": f"POST /{span.service}",
        "kind": "Server",
        "duration": int(span.seconds * 1e9),
        "resource": {"attributes": {"service.name": span.service}},
        "status": {"code": "Error" if span.failed else "Unset"},
    }
    if span.service in STORE_KINDS:
        document["attributes"] = {"db.system": STORE_KINDS[span.service]}
    if span.parent_id is not None:
        document["parent_span_id"] = span.parent_id
    return document


SPAN_SHAPES: Mapping[str, Shape[SpanRecord]] = {
    "apm": Shape(
        "traces-apm-default",
        properties(
            {
                "@timestamp": DATE,
                "timestamp.us": LONG,
                "transaction.duration.us": LONG,
                **dict.fromkeys(("processor.event", "trace.id", "parent.id", "service.name"), KEYWORD),
                **dict.fromkeys(("event.outcome", "transaction.id", "transaction.name"), KEYWORD),
                **dict.fromkeys(("transaction.type", "transaction.result"), KEYWORD),
            }
        ),
        _apm,
    ),
    "otel": Shape(
        "traces-shop.otel-default",
        properties(
            {
                "@timestamp": {"type": "date_nanos"},
                "duration": LONG,
                **dict.fromkeys(("trace_id", "span_id", "parent_span_id", "name", "kind", "status.code"), KEYWORD),
                "resource.attributes.service.name": KEYWORD,
                "attributes.db.system": KEYWORD,
                "trace.id": alias("trace_id"),
                "span.id": alias("span_id"),
                "parent.id": alias("parent_span_id"),
                "service.name": alias("resource.attributes.service.name"),
            }
        ),
        _otel_span,
    ),
}
