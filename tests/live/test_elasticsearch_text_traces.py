"""Whole traces whose ids stand in messages alone, out of a real server: found there, or said to be missing."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from rca.model.trace_ids import ids_in
from rca.sources.elastic.client import Answer, ElasticClient, Search
from tests.servers.documents import (
    ECS,
    KEYWORD,
    START,
    busy_system,
    cells,
    checks,
    create,
    gap_texts,
    harvest,
    load,
    settings,
)
from tests.servers.elasticsearch import Elasticsearch

BY_TEXT = "log traces by the ids in messages"


def as_uuid(number: int) -> str:
    """A made-up id."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def as_hex(number: int) -> str:
    """The same in the usual form of today's tracers."""
    return as_uuid(number).replace("-", "")


def told_in_text(lines: int, form: str, name: Callable[[int], str] = as_hex) -> Iterator[dict[str, Any]]:
    """The busy system, whose requests' ids stand in the text in this form."""
    for i, document in enumerate(busy_system(lines)):
        trace = document.pop("trace.id", None)
        if trace is not None:
            document["message"] = f"{form.format(name(i // 8), f'{i:016x}'[::-1])} {document['message']}"
        yield document


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Search]:
    """Every search that is sent."""
    searches: list[Search] = []
    ask = ElasticClient.search

    def noted(self: ElasticClient, sent: Sequence[Search]) -> list[Answer]:
        searches.extend(sent)
        return ask(self, sent)

    monkeypatch.setattr(ElasticClient, "search", noted)
    return searches


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("TraceID: {}", as_hex),
        ("traceId:{}", as_hex),
        ("[shop2,{},{}]", as_hex),
        ("trace_id={}", as_uuid),
        ('{{"traceId":"{}"}}', as_uuid),
    ],
)
def test_traces_named_in_messages_come_whole(
    elasticsearch_any: Elasticsearch, index_name: str, form: str, name: Callable[[int], str]
) -> None:
    create(elasticsearch_any, index_name, ECS)
    load(elasticsearch_any, index_name, told_in_text(8_000, form, name))
    given = settings(elasticsearch_any, index_name, sample_lines=1_600)
    found = harvest(given)
    assert 1_000 < len(found.logs) <= 1_600
    assert found.logs == harvest(given).logs
    whole = [line for line in found.logs if line.fields.get("trace.complete")]
    assert len(whole) >= 600
    assert set(Counter(line.trace_id for line in whole).values()) == {8}
    assert all(line.trace_id == ids_in(line.message).trace for line in whole)
    assert min(line.at for line in whole) < START + timedelta(minutes=3)
    assert max(line.at for line in whole) > START + timedelta(minutes=27)
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for line in found.logs:
        weights[line.service, line.level] += line.weight
    assert dict(weights) == pytest.approx(cells(found.log_counts))
    assert found.gaps == ()
    said = checks(given)
    assert said["traces"].ok is True
    assert said["traces"].detail.startswith("ids in the text of messages, in no field")
    told = "(trace.id, which hardly any line has: else from the message, where it names one)"
    assert f"trace: {told};" in said["fields"].facts[0]
    assert found.record is not None
    assert [fields["trace"] for fields in found.record.details["fields"]] == [told]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (KEYWORD, "aren't indexed by word"),
        ({"type": "text", "index": False}, "aren't indexed by word"),
        ({"type": "text", "analyzer": "keyword"}, "a search doesn't find all of them"),
    ],
)
def test_where_messages_cannot_be_searched_for_an_id_that_is_a_gap(
    elasticsearch_8: Elasticsearch, index_name: str, message: Mapping[str, Any], why: str
) -> None:
    properties = {name: kind for name, kind in ECS.items() if name != "trace.id"}
    create(elasticsearch_8, index_name, properties | {"message": message})
    load(elasticsearch_8, index_name, told_in_text(6_000, "TraceID: {}"))
    found = harvest(settings(elasticsearch_8, index_name, sample_lines=800))
    assert why in gap_texts(found)
    assert "elasticsearch.fields.trace" in gap_texts(found)
    assert not any(line.fields.get("trace.complete") for line in found.logs)
    assert 500 < len(found.logs) <= 800


@pytest.mark.parametrize(
    ("documents", "message", "ok", "detail"),
    [
        (told_in_text(2_000, "TraceID: {}"), KEYWORD, None, "aren't indexed by word"),
        (told_in_text(2_000, ""), {"type": "text"}, None, "hardly any line has the id of a trace"),
        (busy_system(2_000), {"type": "text"}, True, "ids in trace.id, of about"),
    ],
    ids=["unsearchable", "none", "field"],
)
def test_doctor_says_where_the_ids_of_traces_stand(
    elasticsearch_8: Elasticsearch,
    index_name: str,
    documents: Iterator[dict[str, Any]],
    message: Mapping[str, Any],
    ok: bool | None,  # noqa: FBT001 - a column
    detail: str,
) -> None:
    create(elasticsearch_8, index_name, ECS | {"message": message})
    load(elasticsearch_8, index_name, documents)
    said = checks(settings(elasticsearch_8, index_name))["traces"]
    assert (said.ok, detail in said.detail) == (ok, True), said
    assert bool(said.hint) is ("indexed" in detail)


def test_a_system_with_a_trace_field_is_asked_nothing_more(
    elasticsearch_8: Elasticsearch, index_name: str, asked: list[Search]
) -> None:
    create(elasticsearch_8, index_name, ECS)
    load(elasticsearch_8, index_name, busy_system(6_000))
    harvest(settings(elasticsearch_8, index_name, sample_lines=800))
    assert {search.purpose for search in asked} == {
        "log census", "log counts", "error messages", "log messages", "log traces"
    }  # fmt: skip


def test_texts_without_ids_are_drawn_by_stratum_alone(
    elasticsearch_8: Elasticsearch, index_name: str, asked: list[Search]
) -> None:
    create(elasticsearch_8, index_name, ECS)
    load(elasticsearch_8, index_name, ({**line, "trace.id": None} for line in busy_system(6_000)))
    found = harvest(settings(elasticsearch_8, index_name, sample_lines=800))
    assert BY_TEXT not in {search.purpose for search in asked}
    assert 700 < len(found.logs) <= 800
    assert found.gaps == ()


def test_what_is_asked_and_fetched_for_traces_in_text_is_bounded(
    elasticsearch_8: Elasticsearch, index_name: str, asked: list[Search]
) -> None:
    sizes = []
    for lines in (6_000, 24_000):
        index = f"{index_name}-{lines}"
        create(elasticsearch_8, index, ECS)
        load(elasticsearch_8, index, told_in_text(lines, "TraceID: {}"))
        asked.clear()
        harvest(settings(elasticsearch_8, index, sample_lines=1_600))
        chased = [search for search in asked if search.purpose == BY_TEXT]
        assert len(chased) <= 3 * 12
        sizes.append(sum(search.body["size"] for search in chased))
    assert max(sizes) < 3 * 1_600


def test_ids_in_the_text_are_read_where_everything_fits(elasticsearch_8: Elasticsearch, index_name: str) -> None:
    create(elasticsearch_8, index_name, ECS)
    load(elasticsearch_8, index_name, told_in_text(800, "TraceID: {}"))
    found = harvest(settings(elasticsearch_8, index_name))
    assert set(Counter(line.trace_id for line in found.logs if line.service != "quiet").values()) == {8}
