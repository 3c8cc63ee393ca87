"""Documents that a test puts into a real Elasticsearch, and all that its source makes of them."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rca.config.settings import ElasticsearchSettings
from rca.model.incident import Interval
from rca.model.logs import LogCounts
from rca.sources.base import Check, Harvest, Request
from rca.sources.elastic import ElasticsearchSource
from rca.sources.merge import merge_counts
from tests.servers.elasticsearch import Elasticsearch

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(minutes=30))
KEYWORD = {"type": "keyword"}
ECS = {
    "@timestamp": {"type": "date"},
    "message": {"type": "text"},
    "service.name": KEYWORD,
    "log.level": KEYWORD,
    "trace.id": KEYWORD,
}


def create(server: Elasticsearch, index: str, properties: Mapping[str, Any]) -> None:
    """Make an index with these fields."""
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": {"properties": properties}}
    server.request("PUT", f"/{index}", json=body)


def load(server: Elasticsearch, index: str, documents: Iterable[Mapping[str, Any]]) -> None:
    """Put documents into an index, many at a time; they can be found at once."""
    lines: list[str] = []
    for document in documents:
        lines += ['{"index":{}}', json.dumps(document)]
        if len(lines) >= 20_000:
            send(server, index, lines)
            lines = []
    send(server, index, lines)


def send(server: Elasticsearch, index: str, lines: list[str]) -> None:
    """One request of `_bulk`."""
    if lines:
        body = ("\n".join(lines) + "\n").encode()
        assert not server.request("POST", f"/{index}/_bulk?refresh=true", data=body)["errors"]


def at(seconds: float) -> str:
    """A time of the window, by its second."""
    return (START + timedelta(seconds=seconds)).isoformat()


def ecs(seconds: float, service: str, level: str, message: str, trace: str | None = None) -> dict[str, Any]:
    """A line in the Elastic Common Schema."""
    document = {"@timestamp": at(seconds), "service.name": service, "log.level": level, "message": message}
    return document | ({"trace.id": trace} if trace else {})


def settings(server: Elasticsearch, *indices: str, **more: Any) -> ElasticsearchSettings:
    """How the source is to read these indices of a server, as who the server says."""
    given = {"span_indices": (), "username": server.username or None, "password": server.password or None}
    return ElasticsearchSettings(url=server.url, indices=indices, ca_certs=server.ca_certs, **(given | more))


def request(step: int = 60) -> Request:
    """The whole window."""
    return Request(SPAN, step, time.monotonic() + 60)


def harvest(given: ElasticsearchSettings, step: int = 60) -> Harvest:
    """All pieces as one."""
    source = ElasticsearchSource(given)
    pieces = list(source.harvest(request(step)))
    source.close()
    return Harvest(
        logs=tuple(line for piece in pieces for line in piece.logs),
        log_counts=merge_counts([piece.log_counts for piece in pieces if piece.log_counts is not None]),
        graph=next((piece.graph for piece in pieces if piece.graph is not None), None),
        events=tuple(event for piece in pieces for event in piece.events),
        spans=tuple(span for piece in pieces for span in piece.spans),
        gaps=tuple(dict.fromkeys(gap for piece in pieces for gap in piece.gaps)),
        record=next(piece.record for piece in pieces if piece.record is not None),
    )


def checks(given: ElasticsearchSettings) -> dict[str, Check]:
    """What `rca doctor` is told, by name."""
    source = ElasticsearchSource(given)
    found = {check.name: check for check in source.check(request())}
    source.close()
    return found


def cells(counts: LogCounts | None) -> dict[tuple[str, str], float]:
    """How many lines were counted, by service and level."""
    assert counts is not None
    return {
        (service, level): float(counts.counts[:, j, k].sum())
        for j, service in enumerate(counts.services)
        for k, level in enumerate(counts.levels)
        if counts.counts[:, j, k].any()
    }


def gap_texts(found: Harvest) -> str:
    """What is said to be missing, a line each."""
    return "\n".join(f"{gap.what}: {gap.why}" for gap in found.gaps)


def busy_system(lines: int) -> Iterator[dict[str, Any]]:
    """Requests of eight lines through four services; one in 200 lines is an error, a quiet service has three."""
    for i in range(lines):
        trace = i // 8
        level = "ERROR" if i % 200 == 7 else "INFO"
        yield ecs(1799 * i / lines, f"s{i % 4}", level, f"step {i % 8} of request {trace}", f"{trace * 7919:08x}")
    for seconds in (100, 900, 1700):
        yield ecs(seconds, "quiet", "ERROR", "the disk is full")
