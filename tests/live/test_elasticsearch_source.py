"""The Elasticsearch source against real servers: what is loaded is what is read, and what can't be is said."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rca.sources.elastic.client import ElasticClient, Search
from tests.servers.documents import (
    ECS,
    KEYWORD,
    START,
    at,
    busy_system,
    cells,
    checks,
    create,
    ecs,
    gap_texts,
    harvest,
    load,
    settings,
)
from tests.servers.elasticsearch import Elasticsearch


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
