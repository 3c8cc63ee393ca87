from typing import Any

import pytest

from rca.sources.elastic.spans import read_span

BASE = {"@timestamp": ["2026-02-03T04:05:06Z"], "service.name": ["shop"]}
OTEL: dict[str, Any] = {
    "@timestamp": ["2026-02-03T04:05:06Z"],
    "trace_id": ["t"],
    "span_id": ["s"],
    "parent_span_id": ["p"],
    "resource.attributes.service.name": ["cart"],
    "name": ["SELECT"],
    "duration": [2_500_000],
    "status.code": ["Error"],
    "kind": ["Client"],
    "attributes.db.system": ["postgresql"],
    "attributes.server.address": ["db"],
}


def test_an_otel_span_is_read_with_its_attributes_unprefixed() -> None:
    span = read_span(OTEL)
    assert span is not None
    assert (span.service, span.parent_id, span.operation, span.duration_ms, span.error) == (
        "cart",
        "p",
        "SELECT",
        2.5,
        True,
    )
    assert span.fields == {"db.system": "postgresql", "server.address": "db", "span.kind": "Client"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"processor.event": ["transaction"], "transaction.id": ["s"]}, "server"),
        ({"processor.event": ["transaction"], "transaction.type": ["messaging"], "span.id": ["s"]}, "consumer"),
        (
            {"processor.event": ["span"], "span.id": ["s"], "span.destination.service.resource": ["redis"]},
            "client",
        ),
        ({"processor.event": ["span"], "span.id": ["s"]}, None),
    ],
)
def test_apm_documents_say_their_kind_by_what_they_are(values: dict[str, Any], kind: str | None) -> None:
    span = read_span({**BASE, "trace.id": ["t"], "transaction.duration.us": [1500], **values})
    assert span is not None
    assert span.fields.get("span.kind") == kind
    assert span.duration_ms == 1.5
    assert not span.error


@pytest.mark.parametrize("missing", ["@timestamp", "trace_id", "span_id", "resource.attributes.service.name"])
def test_what_lacks_a_time_an_id_or_a_service_is_no_span(missing: str) -> None:
    assert read_span({name: value for name, value in OTEL.items() if name != missing}) is None
