"""The Elasticsearch source against real servers: what is loaded is what is read, and what can't be is said."""

import base64
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rca.config.settings import ElasticsearchSettings
from rca.errors import SourceAuthError, SourceQueryError, SourceUnreachableError
from rca.model.incident import EventKind, Interval
from rca.model.logs import LogCounts
from rca.sources.base import Check, Harvest, Request
from rca.sources.elastic import ElasticsearchSource
from rca.sources.elastic.client import ElasticClient, Search
from rca.sources.merge import merge_counts
from tests.servers.elasticsearch import BEARER_TOKEN, PASSWORD, READER, SERVICE_ACCOUNT, STRANGER, Elasticsearch

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
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": {"properties": properties}}
    server.request("PUT", f"/{index}", json=body)


def load(server: Elasticsearch, index: str, documents: Iterable[Mapping[str, Any]]) -> None:
    lines: list[str] = []
    for document in documents:
        lines += ['{"index":{}}', json.dumps(document)]
        if len(lines) >= 20_000:
            send(server, index, lines)
            lines = []
    send(server, index, lines)


def send(server: Elasticsearch, index: str, lines: list[str]) -> None:
    if lines:
        body = ("\n".join(lines) + "\n").encode()
        assert not server.request("POST", f"/{index}/_bulk?refresh=true", data=body)["errors"]


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def ecs(seconds: float, service: str, level: str, message: str, trace: str | None = None) -> dict[str, Any]:
    document = {"@timestamp": at(seconds), "service.name": service, "log.level": level, "message": message}
    return document | ({"trace.id": trace} if trace else {})


def settings(server: Elasticsearch, *indices: str, **more: Any) -> ElasticsearchSettings:
    given = {"span_indices": (), "username": server.username or None, "password": server.password or None}
    return ElasticsearchSettings(url=server.url, indices=indices, ca_certs=server.ca_certs, **(given | more))


def request(step: int = 60) -> Request:
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
    source = ElasticsearchSource(given)
    found = {check.name: check for check in source.check(request())}
    source.close()
    return found


def cells(counts: LogCounts | None) -> dict[tuple[str, str], float]:
    assert counts is not None
    return {
        (service, level): float(counts.counts[:, j, k].sum())
        for j, service in enumerate(counts.services)
        for k, level in enumerate(counts.levels)
        if counts.counts[:, j, k].any()
    }


def gap_texts(found: Harvest) -> str:
    return "\n".join(f"{gap.what}: {gap.why}" for gap in found.gaps)


def test_what_was_loaded_is_counted_exactly_and_read_whole_when_it_fits(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_any, index_name, ECS)
    inside = [ecs(10 * i, f"s{i % 3}", ["INFO", "error"][i % 2], f"line {i}", f"t{i // 4}") for i in range(180)]
    load(
        elasticsearch_any, index_name, [*inside, ecs(-1, "s0", "INFO", "before"), ecs(1800, "s0", "INFO", "after")]
    )
    found = harvest(settings(elasticsearch_any, index_name))
    assert cells(found.log_counts) == {(f"s{i}", level): 30.0 for i in range(3) for level in ("ERROR", "INFO")}
    assert found.log_counts is not None
    assert found.log_counts.times[0] == START.timestamp()
    assert found.log_counts.counts.sum(axis=(1, 2)).tolist() == [6.0] * 30
    assert [line.message for line in found.logs] == [f"line {i}" for i in range(180)]
    assert {line.weight for line in found.logs} == {1.0}
    assert found.logs[5].trace_id == "t1"
    assert found.gaps == ()
    assert found.record is not None
    assert found.record.version == elasticsearch_any.version
    assert found.record.details["fields"][0]["service"] == "service.name"
    head, _, body = found.record.queries["log counts"].partition(" {")
    pasted = elasticsearch_any.request("POST", head.removeprefix("POST "), json=json.loads("{" + body))
    assert len(pasted["aggregations"]["services"]["buckets"]) == 3


def busy_system(lines: int) -> Iterator[dict[str, Any]]:
    """Requests of eight lines through four services; one in 200 lines is an error, a quiet service has three."""
    for i in range(lines):
        trace = i // 8
        level = "ERROR" if i % 200 == 7 else "INFO"
        yield ecs(1799 * i / lines, f"s{i % 4}", level, f"step {i % 8} of request {trace}", f"{trace * 7919:08x}")
    for seconds in (100, 900, 1700):
        yield ecs(seconds, "quiet", "ERROR", "the disk is full")


def test_a_sample_is_bounded_weighted_repeatable_and_keeps_traces_whole(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_any, index_name, ECS)
    load(elasticsearch_any, index_name, busy_system(24_000))
    given = settings(elasticsearch_any, index_name, sample_lines=1_600)
    found = harvest(given)
    assert 1_000 < len(found.logs) <= 1_600
    assert found.logs == harvest(given).logs
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for line in found.logs:
        weights[line.service, line.level] += line.weight
    assert dict(weights) == pytest.approx(cells(found.log_counts))
    assert [line.weight for line in found.logs if line.service == "quiet"] == [1.0, 1.0, 1.0]
    whole = [line for line in found.logs if line.fields.get("trace.complete")]
    assert set(Counter(line.trace_id for line in whole).values()) == {8}
    assert len(whole) >= 600
    assert min(line.at for line in whole) < START + timedelta(minutes=3)
    assert max(line.at for line in whole) > START + timedelta(minutes=27)


def test_the_bytes_that_travel_do_not_grow_with_the_logs(
    elasticsearch_8: Elasticsearch, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    travelled: list[int] = []
    ask = ElasticClient.search

    def weighed(self: ElasticClient, searches: list[Search]) -> list[Any]:
        answers = ask(self, searches)
        travelled.append(sum(len(json.dumps(dict(answer.body))) for answer in answers))
        return answers

    monkeypatch.setattr(ElasticClient, "search", weighed)
    sizes = []
    for lines in (6_000, 60_000):
        index = f"{index_name}-{lines}"
        create(elasticsearch_8, index, ECS)
        load(elasticsearch_8, index, busy_system(lines))
        travelled.clear()
        harvest(settings(elasticsearch_8, index, sample_lines=2_000))
        sizes.append(sum(travelled))
    assert sizes[1] < 1.25 * sizes[0]


def test_five_hundred_services_fit_under_the_servers_limit_of_buckets(
    elasticsearch_8: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_8, index_name, ECS)
    levels = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
    load(
        elasticsearch_8,
        index_name,
        (ecs(60 * m + 1, f"s{s:03d}", lv, "x") for s in range(500) for m in range(30) for lv in levels),
    )
    found = harvest(settings(elasticsearch_8, index_name, sample_lines=2_000))
    assert set(cells(found.log_counts).values()) == {30.0}
    assert len(cells(found.log_counts)) == 2_500
    assert len(found.logs) <= 2_000
    assert len({line.service for line in found.logs}) == 500


def test_otel_documents_are_read_through_their_aliases_and_numbers(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    properties = {
        "@timestamp": {"type": "date_nanos"},
        "resource": {"properties": {"attributes": {"properties": {"service.name": KEYWORD}}}},
        "attributes": {"properties": {"server.address": KEYWORD, "exception.message": {"type": "text"}}},
        "body": {"properties": {"text": {"type": "text"}}},
        "severity_number": {"type": "long"},
        "trace_id": KEYWORD,
        "message": {"type": "alias", "path": "body.text"},
        "trace": {"properties": {"id": {"type": "alias", "path": "trace_id"}}},
        "service": {"properties": {"name": {"type": "alias", "path": "resource.attributes.service.name"}}},
    }
    create(elasticsearch_any, index_name, properties)
    document = {"resource": {"attributes": {"service.name": "cart"}}, "trace_id": "ab" * 16}
    load(
        elasticsearch_any,
        index_name,
        [
            document
            | {"@timestamp": "2026-02-03T04:05:06.123456789Z", "severity_number": 17, "body": {"text": "no"}}
            | {"attributes": {"server.address": "sessions", "exception.message": "Connection refused"}},
            document | {"@timestamp": "2026-02-03T04:05:07Z", "severity_number": 10, "body": {"text": "yes"}},
        ],
    )
    found = harvest(settings(elasticsearch_any, index_name))
    assert cells(found.log_counts) == {("cart", "ERROR"): 1.0, ("cart", "INFO"): 1.0}
    first = found.logs[0]
    assert (first.message, first.level, first.trace_id) == ("no", "ERROR", "ab" * 16)
    assert first.at == datetime(2026, 2, 3, 4, 5, 6, 123456, tzinfo=UTC)
    assert first.fields == {"error.message": "Connection refused", "server.address": "sessions"}


def test_documents_of_several_shippers_in_one_index_are_all_counted_and_the_nameless_are_a_gap(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    properties = ECS | {
        "kubernetes": {"properties": {"container": {"properties": {"name": KEYWORD}}, "container_name": KEYWORD}},
        "log": {"properties": {"level": KEYWORD}},
        "level": KEYWORD,
    }
    del properties["log.level"]
    create(elasticsearch_any, index_name, properties)
    load(
        elasticsearch_any,
        index_name,
        [
            {"@timestamp": at(1), "service.name": "a", "log": {"level": "warn"}, "message": "m"},
            {"@timestamp": at(2), "service.name": "a", "level": "Error", "message": "m"},
            {"@timestamp": at(3), "kubernetes": {"container": {"name": "b"}}, "message": "ERROR it broke"},
            {"@timestamp": at(4), "kubernetes": {"container_name": "c"}, "level": "info", "message": "m"},
            {"@timestamp": at(5), "message": "whose?"},
        ],
    )
    found = harvest(settings(elasticsearch_any, index_name))
    assert cells(found.log_counts) == {("a", "WARN"): 1, ("a", "ERROR"): 1, ("b", ""): 1, ("c", "INFO"): 1}
    assert [(line.service, line.level) for line in found.logs] == [
        ("a", "WARN"),
        ("a", "ERROR"),
        ("b", "ERROR"),
        ("c", "INFO"),
    ]
    assert "1 of 5 lines (20.0 %) without a service" in gap_texts(found)
    assert "level of 1 lines" in gap_texts(found)


def test_a_field_of_two_types_is_used_where_it_can_be_and_the_other_index_is_named(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    text = {"type": "text", "fields": {"keyword": KEYWORD}}
    for suffix, mapping in (("good", KEYWORD), ("sub", text), ("bad", {"type": "text"})):
        create(elasticsearch_any, f"{index_name}-{suffix}", ECS | {"service.name": mapping})
        load(elasticsearch_any, f"{index_name}-{suffix}", [ecs(60, f"of {suffix}", "INFO", "x")])
    found = harvest(settings(elasticsearch_any, f"{index_name}-*"))
    assert cells(found.log_counts) == {("of good", "INFO"): 1.0, ("of sub", "INFO"): 1.0}
    assert f"service field service.name in {index_name}-bad" in gap_texts(found)
    assert "1 of 3 lines" in gap_texts(found)


def test_names_with_quotes_braces_and_wildcards_are_only_names(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    names = ['a" or *', "{}\\", "*", "b"]
    create(elasticsearch_any, index_name, ECS)
    load(elasticsearch_any, index_name, [ecs(i, name, "ERROR", "x") for i, name in enumerate(names)])
    found = harvest(settings(elasticsearch_any, index_name))
    assert set(cells(found.log_counts)) == {(name, "ERROR") for name in names}
    assert found.record is not None
    assert found.record.queries['error lines of a" or *'] == r'service.name: "a\" or *" and log.level: "ERROR"'


def test_an_index_that_is_not_there_is_a_gap_and_what_to_do(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    given = settings(elasticsearch_any, f"{index_name}-*", f"{index_name}-concrete")
    found = harvest(given)
    assert (found.logs, found.log_counts) == ((), None)
    assert "no index matched" in gap_texts(found)
    assert checks(given)["indices"].ok is False


def test_a_service_that_falls_silent_is_a_gap(elasticsearch_8: Elasticsearch, index_name: str) -> None:
    create(elasticsearch_8, index_name, ECS)
    steady = [ecs(20 * i, "steady", "INFO", "x") for i in range(90)]
    load(elasticsearch_8, index_name, [*steady, *(ecs(20 * i, "gone", "INFO", "x") for i in range(30))])
    assert "logs of gone from 04:10:00 UTC on" in gap_texts(harvest(settings(elasticsearch_8, index_name)))


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


def test_a_wrong_password_and_a_missing_privilege_are_told_apart_and_name_no_secret(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_secured, index_name, ECS)
    load(elasticsearch_secured, index_name, [ecs(1, "a", "INFO", "x")])
    wrong = settings(replace(elasticsearch_secured, password="not the pass-word"), index_name)
    with pytest.raises(SourceAuthError, match="401") as caught:
        harvest(wrong)
    assert "not the pass-word" not in f"{caught.value.message} {caught.value.hint}"
    stranger = settings(replace(elasticsearch_secured, username=STRANGER, password=PASSWORD), index_name)
    with pytest.raises(SourceAuthError, match="403") as caught:
        harvest(stranger)
    assert "privilege `" in caught.value.hint
    assert checks(wrong)["sign-in"].ok is False
    assert checks(stranger)["sign-in"].ok is False


def test_a_reader_needs_no_more_than_the_documented_privileges(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_secured, index_name, ECS)
    load(elasticsearch_secured, index_name, busy_system(3_000))
    reader = settings(
        replace(elasticsearch_secured, username=READER, password=PASSWORD), index_name, sample_lines=500
    )
    found = harvest(reader)
    assert cells(found.log_counts)["s0", "INFO"] == 750.0
    assert found.logs
    assert found.gaps == ()
    said = checks(reader)
    assert [said[name].ok for name in ("connection", "indices", "fields", "services", "levels")] == [True] * 5
    assert said["services"].facts[0] == "s0: 750 lines"
    assert "ago" in said["newest document"].detail


def test_a_bearer_token_of_a_service_account_is_let_in(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    """Those accounts may read no logs, which is another answer than a token that isn't known."""
    create(elasticsearch_secured, index_name, ECS)
    nobody = replace(elasticsearch_secured, username="", password="")
    given = settings(nobody, index_name, bearer_token=BEARER_TOKEN)
    signed_in = checks(given)["sign-in"]
    assert signed_in.ok
    assert SERVICE_ACCOUNT in signed_in.detail
    assert any("this user may see none of them" in gap.why for gap in harvest(given).gaps)


@pytest.mark.parametrize("way", ["api_key", "bearer_token"])
def test_a_key_or_token_that_the_server_does_not_know_is_refused_and_not_repeated(
    elasticsearch_secured: Elasticsearch, way: str
) -> None:
    """These servers lack the module by which a key could be made; test_connection shows what is sent."""
    unknown = base64.b64encode(b"VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw").decode()
    nobody = replace(elasticsearch_secured, username="", password="")
    given = settings(nobody, "logs-none", **{way: unknown})
    with pytest.raises(SourceAuthError, match="401") as caught:
        harvest(given)
    assert unknown not in f"{caught.value.message}{caught.value.hint}"


def test_an_index_of_a_remote_cluster_is_read_beside_the_local_ones(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    node = next(iter(elasticsearch_any.request("GET", "/_nodes/_local/transport")["nodes"].values()))
    cluster = index_name.replace("logs-", "")
    seeds = f"cluster.remote.{cluster}.seeds"
    address = node["transport"]["publish_address"]
    try:  # the server is its own remote cluster
        elasticsearch_any.request("PUT", "/_cluster/settings", json={"persistent": {seeds: [address]}})
        for name, service in ((f"{index_name}-near", "near"), (f"{index_name}-far", "far")):
            create(elasticsearch_any, name, ECS)
            load(elasticsearch_any, name, [ecs(i, service, "ERROR", "x") for i in range(3)])
        found = harvest(settings(elasticsearch_any, f"{index_name}-near", f"{cluster}:{index_name}-f*"))
        assert cells(found.log_counts) == {("near", "ERROR"): 3.0, ("far", "ERROR"): 3.0}
        assert Counter(line.service for line in found.logs) == {"near": 3, "far": 3}
        assert found.record is not None
        assert found.record.details["indices_matched"] == 2
    finally:
        elasticsearch_any.request("PUT", "/_cluster/settings", json={"persistent": {seeds: None}})


def test_a_remote_cluster_that_nobody_configured_is_named(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    with pytest.raises(SourceQueryError, match=r"no such remote cluster: \[nowhere\]"):
        harvest(settings(elasticsearch_any, f"nowhere:{index_name}"))


def test_hidden_backing_indices_are_read_by_the_name_over_them(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    """As a data stream's are; these servers lack the module that makes one."""
    for number in (1, 2):
        backing = f".ds-{index_name}-2026.02.03-00000{number}"
        body = {
            "settings": {"index.hidden": True, "number_of_replicas": 0},
            "mappings": {"properties": ECS},
            "aliases": {index_name: {"is_write_index": number == 2, "is_hidden": False}},
        }
        elasticsearch_any.request("PUT", f"/{backing}", json=body)
        load(elasticsearch_any, backing, [ecs(i, f"s{number}", "INFO", "x") for i in range(3)])
    for pattern in (index_name, f"{index_name[:-2]}*"):
        found = harvest(settings(elasticsearch_any, pattern))
        assert cells(found.log_counts) == {("s1", "INFO"): 3.0, ("s2", "INFO"): 3.0}


def test_tls_holds_with_the_authority_or_the_fingerprint_and_not_without(elasticsearch_tls: Elasticsearch) -> None:
    with_authority = settings(elasticsearch_tls, "logs-none")
    with_fingerprint = replace(with_authority, ca_certs=None, fingerprint=elasticsearch_tls.fingerprint)
    for given in (with_authority, with_fingerprint):
        assert checks(given)["connection"].ok is True
    with pytest.raises(SourceUnreachableError, match="TLS"):
        harvest(replace(with_authority, ca_certs=None))


def test_the_clock_of_documents_from_the_future_is_doubted(
    elasticsearch_8: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_8, index_name, ECS)
    ahead = (datetime.now(UTC) + timedelta(hours=8)).isoformat()
    load(elasticsearch_8, index_name, [{"@timestamp": ahead, "service.name": "a", "message": "x"}])
    check = checks(settings(elasticsearch_8, index_name))["newest document"]
    assert check.ok is None
    assert "8.0 h in the future" in check.detail
    assert "clock" in check.hint


def test_a_field_of_the_users_choice_replaces_the_schemas(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_any, index_name, ECS | {"team": {"type": "text", "fields": {"keyword": KEYWORD}}})
    load(elasticsearch_any, index_name, [ecs(1, "a", "INFO", "x") | {"team": "blue"}])
    found = harvest(settings(elasticsearch_any, index_name, fields={"service": "team"}))
    assert set(cells(found.log_counts)) == {("blue", "INFO")}
    mistaken = harvest(settings(elasticsearch_any, index_name, fields={"service": "nope"}))
    assert set(cells(mistaken.log_counts)) == {("a", "INFO")}
    assert "configured service field nope" in gap_texts(mistaken)
