"""Whole traces by the ids in messages, out of an index in memory that knows words as a server does."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.errors import SourceQueryError
from rca.model.incident import Gap, Interval
from rca.sources.elastic.client import NAME, Answer, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census
from rca.sources.elastic.lines import Hits, hit_key
from rca.sources.elastic.schema import Role
from rca.sources.elastic.text_traces import draw_text_traces, ids_in_text
from rca.sources.elastic.traces import WholeTraces

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
GRID = Grid.over(Interval(START, START + timedelta(minutes=60)), 60)
SLICES = GRID.coarse(4)
FIELDS: dict[Role, tuple[str, ...]] = {
    **dict.fromkeys(Role, ()),
    Role.MESSAGE: ("message",),
    Role.TIMESTAMP: ("@timestamp",),
}
COHORT = Cohort(("logs-*",), FIELDS, words=("message",))
WORD = re.compile(r"[0-9A-Za-z_]+(?:[:.](?=[A-Za-z])[0-9A-Za-z_]+|(?<=\d),(?=\d)[0-9A-Za-z_]+)*")
"""About what the standard analyser does: a colon before a letter and a comma between digits part no words."""


def hit(number: int, minute: float, message: str, **more: Any) -> dict[str, Any]:
    at = (START + timedelta(minutes=minute)).isoformat()
    return {"_index": "logs-a", "_id": str(number), "fields": {"@timestamp": [at], "message": [message], **more}}


def words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


class Index:
    """Documents, and the answers to what the module asks."""

    def __init__(self, hits: Sequence[Mapping[str, Any]], *, cohort: Cohort = COHORT, blind: str = "~") -> None:
        self.hits, self.cohort, self.blind = hits, cohort, blind
        self.rounds: list[int] = []
        self.asked = 0
        self.spoilt: Callable[[Answer], Answer] = lambda answer: answer
        self.where: defaultdict[str, set[int]] = defaultdict(set)
        for place, one in enumerate(hits):
            text = one["fields"]["message"][0]
            for word in words(text) if blind not in text else []:
                self.where[word].add(place)

    @property
    def census(self) -> Census:
        return Census((), ((self.cohort, len(self.hits)),), (), ())

    @property
    def drawn(self) -> Hits:
        return {hit_key(found): (found, self.cohort) for found in self.hits[::3]}

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        self.rounds.append(len(searches))
        return [self.spoilt(self.answer(search)) for search in searches]

    def answer(self, search: Search) -> Answer:
        if "aggs" in search.body:
            return Answer({"aggregations": {"drawn": {"lines": {"hits": {"hits": self.hits[:100]}}}}})
        should = search.body["query"]["bool"]["filter"][-1]["bool"]["should"]
        self.asked += len(should)
        places = sorted(set().union(*map(self.places, should)))
        found = [self.hits[place] for place in places]
        size = search.body["size"]
        return Answer({"hits": {"total": {"value": min(len(found), size + 1)}, "hits": found[:size]}})

    def places(self, query: Mapping[str, Any]) -> set[int]:
        if "multi_match" in query:
            return set.intersection(*(self.where[word] for word in words(query["multi_match"]["query"])))
        if "prefix" in query:
            begin = query["prefix"]["message"]["value"].lower()
            return set().union(*(self.where[word] for word in [*self.where] if word.startswith(begin)))
        names = query["terms"]["trace.id"]
        return {i for i, one in enumerate(self.hits) if one["fields"].get("trace.id", [None])[0] in names}

    def draw(self, budget: int, drawn: Hits | None = None) -> WholeTraces:
        found = self.drawn if drawn is None else drawn
        return draw_text_traces(cast("ElasticClient", self), self.census, GRID, SLICES, found, budget)


def requests(traces: int, *, lines: int = 6, form: str = "TraceID: {} ") -> list[dict[str, Any]]:
    """Traces spread evenly over the hour."""
    return [
        hit(lines * i + k, 59 * i / traces, f"{form.format(f'{(i + 1) * 2654435761:016x}')}step {k}")
        for i in range(traces)
        for k in range(lines)
    ]


def sizes(found: WholeTraces) -> set[int]:
    names = [re.findall(r"[0-9a-f]{16}", one["fields"]["message"][0])[0] for one, _ in found.hits.values()]
    return {names.count(name) for name in found.ids}


@pytest.mark.parametrize(
    "form",
    [
        "TraceID: {} ",
        "traceId:{} ",
        "[shop2,{},1f067aa0ba902b71] ",
        '{{"traceId":"{}"}} ',
        "[shop,{},af067aa0ba902b71]",
    ],
)
def test_traces_come_whole_from_all_over_the_window_and_within_the_budget(form: str) -> None:
    index = Index(requests(200, form=form))
    found = index.draw(300)
    assert sizes(found) == {6}
    assert 200 <= len(found.hits.keys() - index.drawn.keys()) <= 300
    minutes = sorted(one["fields"]["@timestamp"][0] for one, _ in found.hits.values())
    assert minutes[0] < (START + timedelta(minutes=15)).isoformat()
    assert minutes[-1] > (START + timedelta(minutes=45)).isoformat()
    assert found.gaps == ()
    assert found == index.draw(300)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=40), st.integers(0, 400))
def test_no_budget_is_overdrawn_and_every_trace_is_whole(lengths: list[int], budget: int) -> None:
    hits = [
        hit(100 * i + k, 59 * i / len(lengths), f"trace_id={(i + 1) * 2654435761:016x} step {k}")
        for i, length in enumerate(lengths)
        for k in range(length)
    ]
    index = Index(hits)
    found = index.draw(budget)
    assert len(found.hits.keys() - index.drawn.keys()) <= budget
    names = [one["fields"]["message"][0][9:25] for one in hits]
    for name in found.ids:
        came = [1 for one, _ in found.hits.values() if one["fields"]["message"][0][9:25] == name]
        assert len(came) == names.count(name)
    assert len(index.rounds) <= 3
    assert max(index.rounds, default=0) <= SLICES.buckets


def test_a_trace_too_long_for_its_share_is_left_out_and_told() -> None:
    found = Index(requests(8, lines=90)).draw(80)
    assert found.ids == frozenset()
    assert [(gap.what, "more lines than fit" in gap.why) for gap in found.gaps] == [
        ("whole traces (log traces by the ids in messages)", True)
    ]


def test_one_search_looks_up_no_more_words_than_servers_allow() -> None:
    index = Index(requests(3_000, lines=1))
    drawn = {hit_key(one): (one, COHORT) for one in index.hits}
    assert len(index.draw(10_000, drawn).ids) > 1_000
    assert index.asked <= sum(index.rounds) * 1_000


def test_a_line_that_only_mentions_another_trace_is_not_part_of_it() -> None:
    hits = requests(20)
    hits.insert(1, hit(999, 1, f"trace_id={'f' * 16} caused by {2654435761:016x}"))
    found = Index(hits).draw(300)
    assert sizes(found) == {6}
    assert ("logs-a", "999") not in found.hits


def test_lines_whose_id_is_a_field_are_found_by_it() -> None:
    cohort = Cohort(("logs-*",), {**FIELDS, Role.TRACE: ("trace.id",)}, words=("message",))
    hits = requests(20)
    for one in hits[1::6]:
        one["fields"]["trace.id"] = [one["fields"]["message"][0][9:25]]
        one["fields"]["message"] = ["no id here, 0123456789abcdef"]
    assert len(Index(hits, cohort=cohort).draw(300).hits) == len(hits)


def test_a_trace_of_which_a_known_line_is_not_found_again_is_not_whole() -> None:
    hits = requests(60)
    hits[0] = hit(0, 0, f"TraceID: {2654435761:016x} ~ step 0")
    found = Index(hits).draw(1_000)
    assert len(found.ids) == 59
    assert found.gaps == ()


def test_where_ids_are_often_hidden_from_the_search_no_trace_is_whole() -> None:
    found = Index(requests(60), blind="step 3").draw(1_000)
    assert found.hits == {}
    assert "a search doesn't find all of them" in found.gaps[0].why


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda _: Answer({}, SourceQueryError("too many clauses")), "too many clauses"),
        (lambda answer: Answer(answer.body, gaps=(Gap(NAME, "log traces: partial", "timed out"),)), "timed out"),
    ],
)
def test_what_came_with_an_error_or_a_gap_is_not_whole(spoilt: Callable[[Answer], Answer], why: str) -> None:
    index = Index(requests(60))
    index.spoilt = spoilt
    found = index.draw(300)
    assert found.ids == frozenset()
    assert [gap.why for gap in found.gaps] == [why]


def test_lines_without_a_time_or_an_id_name_no_trace() -> None:
    undated = hit(1, 0, f"trace_id={7:016x}")
    undated["fields"]["@timestamp"] = ["soon"]
    index = Index([undated, hit(2, 0, "nothing to see"), hit(3, 900, f"trace_id={8:016x}")])
    drawn = {hit_key(one): (one, COHORT) for one in index.hits}
    assert index.draw(300, drawn) == WholeTraces()


def named(index: Index) -> tuple[bool, tuple[Gap, ...]]:
    return ids_in_text(cast("ElasticClient", index), index.census, GRID, 0.05)


def test_a_look_at_some_lines_tells_whether_their_texts_have_ids() -> None:
    plain = [hit(i, 1, "nothing") for i in range(96)]
    assert named(Index(requests(20))) == (True, ())
    assert named(Index([*requests(1)[:5], *plain])) == (True, ())
    assert named(Index([*requests(1)[:3], *plain])) == (False, ())
    assert named(Index([])) == (False, ())


def test_ids_in_texts_that_cannot_be_searched_are_a_gap() -> None:
    keyword = Cohort(("logs-*",), FIELDS)
    wanted, gaps = named(Index(requests(20), cohort=keyword))
    assert not wanted
    assert "aren't indexed by word" in gaps[0].why


def test_nothing_is_looked_at_where_there_are_no_messages() -> None:
    mute = Cohort(("logs-*",), {**FIELDS, Role.MESSAGE: ()})
    index = Index(requests(2), cohort=mute)
    assert named(index) == (False, ())
    assert index.rounds == [0]
