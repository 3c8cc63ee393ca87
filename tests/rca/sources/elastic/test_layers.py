"""The census: which candidates hold values, document by document."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from rca.errors import SourceQueryError
from rca.model.incident import Interval
from rca.model.logs import TRACE_COMPLETE
from rca.sources.elastic.client import Answer, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census, Layer, take_census
from rca.sources.elastic.sample import draw, weighed
from rca.sources.elastic.schema import Role, load_schemas
from rca.sources.elastic.silence import unassigned

SCHEMA = load_schemas()
START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(minutes=10))
FIELDS: dict[Role, tuple[str, ...]] = {
    **dict.fromkeys(Role, ()),
    Role.TIMESTAMP: ("@timestamp",),
    Role.SERVICE: ("service.name", "app"),
    Role.LEVEL: ("log.level", "level"),
    Role.MESSAGE: ("message",),
    Role.TRACE: ("trace.id",),
}
COHORT = Cohort(("logs-*",), FIELDS, ("service",))


def buckets(*items: tuple[Any, int], other: int = 0) -> dict[str, Any]:
    found = [{"key": key, "doc_count": count} for key, count in items]
    return {"buckets": found, "sum_other_doc_count": other}


def answer(total: int, **aggregations: Any) -> Answer:
    return Answer({"hits": {"total": {"value": total}}, "_shards": {"total": 1}, "aggregations": aggregations})


class Scripted:
    """Gives the same answers whatever is asked, and keeps the questions."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = answers, list[Search]()

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        self.asked += searches
        return list(self.answers)

    def one(self, search: Search) -> Answer:
        return self.search([search])[0]


def census(*answers: Answer, cohorts: Sequence[Cohort] = (COHORT,)) -> Census:
    return take_census(cast("ElasticClient", Scripted(*answers)), cohorts, SPAN)


OVERVIEW = answer(20, drawn={"trace_0": {"doc_count": 12}})
FIRST = answer(
    10,
    services=buckets(("a", 6), ("b", 4), other=3),
    level_0=buckets(("INFO", 5)),
    level_1={"doc_count": 3, "values": buckets((50, 3)), "services": buckets(("a", 3))},
    no_level={"doc_count": 2, "services": buckets(("b", 2))},
)


def test_documents_part_by_the_fields_that_hold_their_service_and_level() -> None:
    found = census(OVERVIEW, FIRST, answer(0))
    parts = [(layer.service, layer.level, dict(layer.services)) for layer in found.layers]
    assert parts == [
        ("service.name", "log.level", {"a": 3, "b": 2}),
        ("service.name", "level", {"a": 3}),
        ("service.name", None, {"b": 2}),
    ]
    assert found.services == {"a": 6, "b": 4}
    assert (found.total, found.traced) == (20, (((COHORT, "trace.id"), 12),))
    assert [gap.why for gap in found.gaps] == ["3 lines are theirs; narrow elasticsearch.indices"]


def test_how_many_lines_have_a_trace_is_judged_by_a_share_of_them() -> None:
    server = Scripted(OVERVIEW, FIRST, answer(0))
    take_census(cast("ElasticClient", server), [COHORT], SPAN)
    assert server.asked[0].body["aggs"]["drawn"]["random_sampler"]["probability"] < 0.1


def test_without_any_field_for_traces_none_is_drawn() -> None:
    server = Scripted(answer(20), FIRST, answer(0))
    untraced = Cohort(("logs-*",), FIELDS | {Role.TRACE: ()})
    assert take_census(cast("ElasticClient", server), [untraced], SPAN).traced == ()
    assert "aggs" not in server.asked[0].body


def test_layers_never_overlap() -> None:
    server = Scripted(OVERVIEW, FIRST, answer(0))
    found = take_census(cast("ElasticClient", server), [COHORT], SPAN)
    second = server.asked[2].body["query"]["bool"]["filter"][1]["bool"]
    assert second["must_not"] == [{"exists": {"field": "service.name"}}]
    assert found.layers[2].filters[1]["bool"]["must_not"] == [
        {"exists": {"field": "log.level"}},
        {"exists": {"field": "level"}},
    ]


def test_without_any_field_for_the_level_a_layer_has_none() -> None:
    bare = Cohort(("logs-*",), FIELDS | {Role.LEVEL: (), Role.SERVICE: ("app",)})
    found = census(OVERVIEW, answer(20, services=buckets(("a", 20))), cohorts=[bare])
    assert [(layer.level, layer.raw_levels(SCHEMA, frozenset({"ERROR"}))) for layer in found.layers] == [
        (None, ())
    ]


def test_one_refused_question_is_a_gap_and_all_refused_are_an_error() -> None:
    refused = Answer({}, SourceQueryError("no"))
    assert "no" in [gap.why for gap in census(OVERVIEW, FIRST, refused).gaps]
    with pytest.raises(SourceQueryError, match="no"):
        census(refused, refused, refused)


def test_indices_without_a_timestamp_are_not_asked() -> None:
    undated = Cohort(("x",), dict.fromkeys(Role, ()))
    assert census(cohorts=[undated]) == Census((), (), (), ())


def test_lines_without_a_service_or_a_level_are_gaps_with_their_share() -> None:
    found = {gap.what: gap.why for gap in unassigned(census(OVERVIEW, FIRST, answer(0)))}
    assert set(found) == {
        "10 of 20 lines (50.0 %) without a service",
        "service field service in logs-*",
        "level of 2 lines (20.0 %)",
    }
    rare = Layer(COHORT, "@timestamp", "app", "level", (), {"a": 99_999})
    few = Census((rare,), ((COHORT, 100_000),), (), ())
    assert unassigned(few)[0].what == "1 of 100000 lines (<0.1 %) without a service"


def test_lines_of_whole_traces_are_marked_and_all_weigh_what_their_stratum_says() -> None:
    def hit(number: int, **more: Any) -> dict[str, Any]:
        at = (START + timedelta(seconds=number)).isoformat()
        return {"_id": str(number), "fields": {"@timestamp": [at], "app": ["a"], "message": ["it failed"], **more}}

    class Both:
        def one(self, search: Search) -> Answer:
            if "drawn" in search.body["aggs"]:
                slots = [{"traces": {"buckets": [{"key": "t"}]}}]
                return Answer({"aggregations": {"drawn": {"times": {"buckets": slots}}}})
            return Answer({"aggregations": {"traces": buckets(("t", 2))}})

        def search(self, searches: Sequence[Search]) -> list[Answer]:
            if searches[0].purpose == "log traces":
                traced = {"trace.id": ["t"], "log.level": ["info"]}
                return [Answer({"hits": {"hits": [hit(1, **traced), hit(2, **traced), {"_id": "lost"}]}})]
            slot = {"key": START.timestamp() * 1000, "doc_count": 7, "lines": {"hits": {"hits": [hit(1), hit(3)]}}}
            drawn = {"services": {"buckets": [{"key": "a", "times": {"buckets": [slot]}}]}}
            if searches[0].purpose == "log messages":
                return [Answer({}, SourceQueryError("too slow"))] * len(searches)
            return [Answer({"aggregations": {"drawn": drawn}})]

    layer = Layer(COHORT, "@timestamp", "app", None, (), {"a": 50_000})
    whole = Census((layer,), ((COHORT, 50_000),), (((COHORT, "trace.id"), 40_000),), ())
    sample = draw(cast("ElasticClient", Both()), whole, SCHEMA, Grid.over(SPAN, 60), 100)
    assert [gap.why for gap in sample.gaps] == ["too slow"]
    lines = weighed(sample, whole, None)
    assert [(line.trace_id, TRACE_COMPLETE in line.fields) for line in lines] == [
        ("t", True),
        ("t", True),
        (None, False),
    ]
    assert sum(line.weight for line in lines) == pytest.approx(50_000)
    assert sum(sample.failing.values()) == 7
    untraced = Census((layer,), ((COHORT, 50_000),), (((COHORT, "trace.id"), 4),), ())
    bare = draw(cast("ElasticClient", Both()), untraced, SCHEMA, Grid.over(SPAN, 60), 100)
    assert len(bare.lines) == 2
    assert not any(TRACE_COMPLETE in line.fields for line in bare.lines)


class Lavish:
    """As many lines as asked for of every service and slice of time, errors only of the first few services.

    Their messages may name traces, which no search by words finds.
    """

    def __init__(self, names: Sequence[str], failing: int, message: str = "x") -> None:
        self._names, self._failing, self._message = names, names[:failing], message

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        return [self._answer(search) for search in searches]

    def _answer(self, search: Search) -> Answer:
        if "aggs" not in search.body:
            return Answer({})
        if "services" not in search.body["aggs"]["drawn"]["aggs"]:
            hits = [{"_id": str(i), "fields": {"message": [self._message]}} for i in range(9)]
            return Answer({"aggregations": {"drawn": {"lines": {"hits": {"hits": hits}}}}})
        times = search.body["aggs"]["drawn"]["aggs"]["services"]["aggs"]["times"]
        lines = times["aggs"]["lines"]["top_hits"]["size"]
        step = int(times["date_histogram"]["fixed_interval"].removesuffix("ms"))
        slots = range(int(START.timestamp() * 1000), int(SPAN.end.timestamp() * 1000), step)
        names = self._failing if search.purpose == "error messages" else self._names
        found = [
            {"key": name, "times": {"buckets": [self._slot(search.purpose, name, slot, lines) for slot in slots]}}
            for name in names
        ]
        return Answer({"aggregations": {"drawn": {"services": {"buckets": found}}}})

    def _slot(self, purpose: str, name: str, milliseconds: int, lines: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
        fields = {"@timestamp": [at], "app": [name], "message": [self._message]}
        hits = [{"_id": f"{purpose} {name} {milliseconds} {i}", "fields": fields} for i in range(lines)]
        return {"key": milliseconds, "doc_count": 9 * lines, "lines": {"hits": {"hits": hits}}}


@pytest.mark.parametrize("failing", [0, 1, 3, 20])
def test_as_many_lines_come_however_few_services_have_errors(failing: int) -> None:
    names = [f"s{i:02d}" for i in range(20)]
    levels = {"error": 500, "info": 99_500}
    layer = Layer(COHORT, "@timestamp", "app", "level", (), dict.fromkeys(names, 5_000), levels)
    whole = Census((layer,), ((COHORT, 100_000),), (), ())
    server = cast("ElasticClient", Lavish(names, failing))
    sample = draw(server, whole, SCHEMA, Grid.over(SPAN, 60), 2_000)
    assert 0.9 * 2_000 < len(sample.lines) <= 2_000


def test_where_traces_named_in_texts_cannot_be_found_the_lines_are_drawn_by_stratum() -> None:
    searchable = replace(COHORT, words=("message",))
    names = [f"s{i:02d}" for i in range(20)]
    levels = {"error": 500, "info": 99_500}
    layer = Layer(searchable, "@timestamp", "app", "level", (), dict.fromkeys(names, 5_000), levels)
    whole = Census((layer,), ((searchable, 100_000),), (), ())
    server = cast("ElasticClient", Lavish(names, 3, f"trace_id={'a' * 32}"))
    sample = draw(server, whole, SCHEMA, Grid.over(SPAN, 60), 2_000)
    assert 0.9 * 2_000 < len(sample.lines) <= 2_000
    assert [gap.what for gap in sample.gaps] == ["whole traces (log traces by the ids in messages)"]


def test_of_more_services_than_lines_the_quietest_are_a_gap() -> None:
    layer = Layer(COHORT, "@timestamp", "app", "level", (), {f"s{i:02d}": 10 for i in range(50)}, {"info": 500})
    many = Census((layer,), ((COHORT, 500),), (), ())

    class Empty(Scripted):
        def search(self, searches: Sequence[Search]) -> list[Answer]:
            return [Answer({})] * len(searches)

    found = draw(cast("ElasticClient", Empty()), many, SCHEMA, Grid.over(SPAN, 60), 30)
    assert [gap.what for gap in found.gaps] == ["messages of the 40 quietest services"]
