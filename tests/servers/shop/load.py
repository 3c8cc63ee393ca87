"""Put documents into a real Elasticsearch, fast."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from tests.servers.elasticsearch import Elasticsearch
from tests.servers.shop.logs import LogRecord, log_records
from tests.servers.shop.metrics import openmetrics
from tests.servers.shop.shapes import SHAPES, SPAN_SHAPES, Shape
from tests.servers.shop.system import make_shop
from tests.servers.shop.traces import SpanRecord, span_records

BATCH = 5000
Record = TypeVar("Record")


def load_logs(
    server: Elasticsearch, lines: Iterable[LogRecord], *, shape: str = "ecs", index: str | None = None
) -> str:
    """Load log lines in a shipper's shape; the index they went to (by default the shape's own)."""
    return _load(server, lines, SHAPES[shape], index)


def load_spans(
    server: Elasticsearch, spans: Iterable[SpanRecord], *, shape: str = "apm", index: str | None = None
) -> str:
    """Load spans in a tracer's shape; the index they went to (by default the shape's own)."""
    return _load(server, spans, SPAN_SHAPES[shape], index)


def load_documents(
    server: Elasticsearch, index: str, documents: Iterable[Mapping[str, Any]], mapping: Mapping[str, Any]
) -> None:
    """Make an index, fill it, make it searchable.

    Raises:
        ValueError: The server refused a document.
    """
    settings = {"number_of_replicas": 0, "refresh_interval": -1}
    server.request("PUT", f"/{index}", json={"settings": settings, "mappings": mapping})
    for body in bulk_bodies(documents):
        answer = server.request(
            "POST", f"/{index}/_bulk", data=body, params={"filter_path": "errors,items.*.error"}
        )
        if answer["errors"]:
            raise ValueError(f"{index}: {answer['items'][0]}")
    server.request("POST", f"/{index}/_refresh")


def bulk_bodies(documents: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The documents as bodies for `_bulk`."""
    remaining = iter(documents)
    while batch := list(islice(remaining, BATCH)):
        yield "".join('{"index":{}}\n' + json.dumps(document) + "\n" for document in batch).encode()


def _load(server: Elasticsearch, records: Iterable[Record], shape: Shape[Record], index: str | None) -> str:
    name = index or shape.index
    load_documents(server, name, map(shape.document, records), shape.mapping)
    return name


def load_shop(server: Elasticsearch) -> None:
    """Load the default shop: log lines in ECS, spans as Elastic APM has them."""
    shop = make_shop()
    load_logs(server, log_records(shop))
    load_spans(server, span_records(shop))


def shop_history() -> Iterator[str]:
    """The default shop's metrics."""
    return openmetrics(make_shop())
