"""Spans and recorded changes of a real Elasticsearch."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from rca.model.incident import EventKind
from rca.sources.elastic import ElasticsearchSource
from tests.servers.documents import KEYWORD, at, create, gap_texts, harvest, load, request, settings
from tests.servers.elasticsearch import Elasticsearch


def test_apm_documents_become_spans_and_counted_calls(elasticsearch_any: Elasticsearch, index_name: str) -> None:
    spans = index_name.replace("logs-", "traces-")
    names = [
        "trace.id",
        "span.id",
        "transaction.id",
        "parent.id",
        "service.name",
        "event.outcome",
        "processor.event",
    ]
    names += ["span.name", "transaction.name", "span.type", "span.subtype", "span.destination.service.resource"]
    properties: dict[str, Any] = {"@timestamp": {"type": "date"}, **dict.fromkeys(names, KEYWORD)}
    create(elasticsearch_any, spans, properties | {"span.duration.us": {"type": "long"}})
    base = {"trace.id": "t1", "@timestamp": at(60)}
    server = {"service.name": "shop", "processor.event": "transaction", "transaction.id": "a", "span.id": "a"}
    client = {"service.name": "shop", "processor.event": "span", "span.id": "b", "parent.id": "a"}
    target = {"span.type": "db", "span.subtype": "postgresql", "span.destination.service.resource": "postgresql"}
    load(
        elasticsearch_any,
        spans,
        [
            base | server | {"transaction.name": "GET /"},
            base | client | target | {"span.name": "SELECT", "span.duration.us": 2500, "event.outcome": "failure"},
        ],
    )
    found = harvest(settings(elasticsearch_any, index_name, span_indices=(spans,)))
    assert [(s.span_id, s.parent_id, s.operation, s.duration_ms, s.error) for s in found.spans] == [
        ("a", None, "GET /", 0.0, False),
        ("b", "a", "SELECT", 2.5, True),
    ]
    assert found.spans[1].fields["span.kind"] == "client"
    assert found.graph is not None
    edge = next(found.graph.edges())
    assert (edge.caller, edge.callee, edge.errors) == ("shop", "postgresql", 1.0)


def test_recorded_changes_become_events(elasticsearch_any: Elasticsearch, index_name: str) -> None:
    load(
        elasticsearch_any,
        index_name,
        [
            {"@timestamp": at(60), "service": "cart", "kind": "deploy", "message": "cart 1.2.3", "commit": "abc"},
            {
                "@timestamp": at(90),
                "service": "cart",
                "reason": "BackOff",
                "message": "restarting failed container",
            },
            {"@timestamp": at(95), "message": "somebody did something"},
        ],
    )
    found = harvest(settings(elasticsearch_any, f"{index_name}-none", event_indices=(index_name,)))
    assert [(event.kind, event.service) for event in found.events] == [
        (EventKind.DEPLOY, "cart"),
        (EventKind.RESTART, "cart"),
    ]
    assert found.events[0].details["commit"] == "abc"
    assert "1 events" in gap_texts(found)


def test_changes_are_found_by_whatever_field_is_a_date_in_each_index(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    deploys, audit, notes = (f"{index_name}-{name}" for name in ("deploys", "audit", "notes"))
    create(elasticsearch_any, audit, {"time": {"type": "date"}, "@timestamp": KEYWORD})
    create(elasticsearch_any, notes, {"time": KEYWORD})
    load(
        elasticsearch_any, deploys, [{"@timestamp": at(60), "service": {"name": "cart"}, "image": "cart:abc1234"}]
    )
    load(
        elasticsearch_any,
        audit,
        [
            {
                "time": at(90),
                "@timestamp": "no date",
                "team": "checkout",
                "verb": "promoted",
                "git": {"commit": {"id": "abc1234"}},
            },
            {"time": at(95), "team": "pay", "verb": "flag turned on"},
        ],
    )
    load(elasticsearch_any, notes, [{"time": at(99), "service": "cart"}])
    everywhere = settings(elasticsearch_any, f"{index_name}-none", event_indices=(deploys, audit, notes))
    found = harvest(everywhere)
    assert [(event.service, event.details) for event in found.events] == [("cart", {"image": "cart:abc1234"})]
    assert f"events in {notes}" in gap_texts(found)
    assert "2 events" in gap_texts(found)  # of the audit: nobody knows that `team` is the service
    own = harvest(
        settings(
            elasticsearch_any,
            f"{index_name}-none",
            event_indices=(audit,),
            event_fields={"service": "team", "kind": "verb", "title": "nowhere"},
        )
    )
    assert [(event.service, event.kind, event.details) for event in own.events] == [
        ("checkout", EventKind.DEPLOY, {"commit": "abc1234"}),
        ("pay", EventKind.CONFIG, {}),
    ]
    assert "configured event title field nowhere" in gap_texts(own)


def test_changes_before_the_window_are_found_as_far_as_is_looked_back(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    load(elasticsearch_any, index_name, [{"@timestamp": at(-3000), "service": "cart", "kind": "deploy"}])
    source = ElasticsearchSource(settings(elasticsearch_any, f"{index_name}-none", event_indices=(index_name,)))
    for lookback, expected in ((timedelta(minutes=20), 0), (timedelta(hours=1), 1)):
        asked = replace(request(), lookback=lookback)
        assert sum(len(piece.events) for piece in source.harvest(asked)) == expected
    checks = {check.name: check for check in source.check(replace(request(), lookback=timedelta(hours=1)))}
    assert "1 changes" in checks["events"].detail
    source.close()
