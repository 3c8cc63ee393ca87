"""The plan of a sample, its weights, and the choice of whole traces."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.model.logs import LogCounts, LogLine
from rca.sources.elastic.client import Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Layer
from rca.sources.elastic.sample import drawn_of
from rca.sources.elastic.sampler import sampled
from rca.sources.elastic.schema import Role, load_schemas
from rca.sources.elastic.strata import (
    FAILING,
    Spread,
    Stratum,
    failing_counts,
    hits_of,
    level_stratum,
    real_counts,
    searches_for_bad,
    searches_for_rest,
    weigh,
)
from rca.sources.elastic.traces import choose, pages

SCHEMA = load_schemas()
FIELDS: dict[Role, tuple[str, ...]] = {
    **dict.fromkeys(Role, ()),
    Role.MESSAGE: ("message",),
    Role.TIMESTAMP: ("@timestamp",),
}
COHORT = Cohort(("logs-*",), FIELDS)
START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
GRID = Grid(START.timestamp(), 60, 60)


def line(service: str, minute: float, level: str = "INFO") -> LogLine:
    return LogLine(START + timedelta(minutes=minute), service, level, "x")


@given(st.integers(1, 20_000), st.integers(1, 2_000), st.integers(1, 300))
def test_no_spread_asks_for_more_than_its_budget(budget: int, services: int, buckets: int) -> None:
    spread = Spread.of(budget, [f"s{i}" for i in range(services)], Grid(0.0, 60, buckets))
    each = spread.errors + spread.warnings + spread.rest
    assert len(spread.services) * spread.slices.buckets * each <= max(3, budget)
    assert min(spread.errors, spread.warnings, spread.rest) >= 1
    assert max(spread.errors, spread.warnings, spread.rest) <= 100


def test_errors_get_the_largest_share_and_time_is_sliced_when_there_is_room() -> None:
    few = Spread.of(5_000, ["a", "b"], GRID)
    assert few.slices.buckets == 20
    assert few.errors > few.rest > few.warnings
    assert Spread.of(5_000, [f"s{i}" for i in range(400)], GRID).slices.buckets == 1


@pytest.mark.parametrize(
    ("budget", "drawn"), [(1, 1), (2_000, 2_000), (8_000, 5_000), (10_000, 5_000), (50_000, 25_000)]
)
def test_where_not_everything_fits_less_is_drawn_of_a_large_budget(budget: int, drawn: int) -> None:
    assert drawn_of(budget) == drawn


def evenly(**services: int) -> Layer:
    return Layer(COHORT, "@timestamp", "s", "l", (), services, {"info": sum(services.values())})


def test_what_errors_and_warnings_leave_over_goes_to_the_rest() -> None:
    spread = Spread.of(600, ["a", "b"], GRID)
    layer = evenly(a=1_000, b=1_000)
    places = 2 * spread.slices.buckets
    assert spread.leaving(600, [layer]).rest == 600 // places
    assert spread.leaving(600, [layer, evenly(b=9)]).rest == (600 - 9) // places
    assert spread.leaving(0, [layer]) == spread
    assert spread.leaving(10**6, [layer]).rest == 100
    assert spread.leaving(600, []).errors == spread.errors


def test_what_quiet_services_cannot_fill_goes_to_the_loud_ones() -> None:
    spread = Spread.of(600, ["loud", "quiet"], GRID)
    rest = spread.leaving(600, [evenly(loud=10**6, quiet=6)]).rest
    assert rest == (600 - 6) // spread.slices.buckets


@given(st.integers(500, 20_000), st.integers(1, 60), st.data())
def test_a_spread_with_an_enlarged_rest_uses_its_budget_and_no_more(
    budget: int, services: int, data: st.DataObject
) -> None:
    names = [f"s{i}" for i in range(services)]
    spread = Spread.of(budget, names, GRID)
    places = len(spread.services) * spread.slices.buckets
    bad = data.draw(st.integers(0, places * (spread.errors + spread.warnings)))
    rest = spread.leaving(budget - bad, [evenly(**dict.fromkeys(names, 10_000))]).rest
    assert bad + places * rest <= budget
    assert rest == 100 or bad + places * (rest + 1) > budget


@given(
    st.integers(60, 20_000),
    st.lists(st.lists(st.sampled_from([0, 0, 1, 40, 3_000]), min_size=24, max_size=24), min_size=1, max_size=20),
)
def test_slices_in_which_services_are_silent_cost_lines_and_neither_budget_nor_weight(
    budget: int, there: list[list[int]]
) -> None:
    names = [f"s{i}" for i in range(len(there))]
    spread = Spread.of(budget, names, GRID)
    filled: dict[Stratum, float] = {
        (name, "INFO", slot): float(count)
        for name, counts in zip(names, there, strict=True)
        for slot, count in enumerate(counts[: spread.slices.buckets])
        if count
    }
    lines_of = Counter[str]()
    for (name, _, _), count in filled.items():
        lines_of[name] += int(count)
    layer = Layer(COHORT, "@timestamp", "s", "l", (), dict(lines_of), {"info": lines_of.total()})
    rest = spread.leaving(budget, [layer]).rest
    drawn = [stratum for stratum, count in filled.items() for _ in range(min(rest, int(count)))]
    assert len(drawn) <= budget
    weighed = weigh([line(name, slot or 0) for name, _, slot in drawn], drawn, filled, lines_of)
    assert sum(one.weight for one in weighed) == pytest.approx(lines_of.total())


def searches(layer: Layer, spread: Spread) -> list[Search]:
    return [
        *searches_for_bad(layer, SCHEMA, GRID, spread),
        *searches_for_rest(layer, SCHEMA, GRID, spread),
    ]


def purposes(layer: Layer, budget: int = 1_000) -> list[tuple[str, dict[str, Any]]]:
    spread = Spread.of(budget, tuple(layer.services), GRID)
    return [(search.purpose, dict(search.body)) for search in searches(layer, spread)]


def test_each_kind_of_level_has_its_own_search_by_its_raw_values() -> None:
    levels = {"error": 5, "Fatal": 1, "warn": 3, "info": 9_991}
    layer = Layer(COHORT, "@timestamp", "service.name", "log.level", (), {"a": 10_000}, levels)
    found = purposes(layer)
    assert [purpose for purpose, _ in found] == ["error messages", "warnings", "log messages"]
    first, _, rest = (body["query"]["function_score"]["query"]["bool"] for _, body in found)
    assert first["filter"][-1] == {"terms": {"log.level": ["error", "Fatal"]}}
    assert rest["must_not"] == [{"terms": {"log.level": ["error", "Fatal", "warn"]}}]
    assert "filter" in found[0][1]["aggs"]["drawn"]


def test_the_rest_is_drawn_at_random_but_for_services_too_quiet_for_it() -> None:
    layer = Layer(COHORT, "@timestamp", "s", "l", (), {"loud": 10**7, "quiet": 40}, {"info": 10**7 + 40})
    loud, quiet = purposes(layer)
    assert loud[1]["aggs"]["drawn"]["random_sampler"]["probability"] < 0.001
    assert loud[1]["aggs"]["drawn"]["aggs"]["services"]["terms"]["include"] == ["loud"]
    assert "'terms'" not in str(loud[1]["query"])  # of all lines, only those that were sampled are looked at
    assert "filter" in quiet[1]["aggs"]["drawn"]
    assert quiet[1]["query"]["function_score"]["query"]["bool"]["filter"][-1] == {"terms": {"s": ["quiet"]}}


def test_without_a_level_words_of_failure_find_the_errors() -> None:
    layer = Layer(COHORT, "@timestamp", "s", None, (), {"a": 10_000})
    (purpose, body), rest = purposes(layer)
    assert purpose == "error messages"
    assert "message" in str(body["query"])
    assert rest[0] == "log messages"
    assert list(searches(layer, Spread.of(9, ["other"], GRID))) == []


def test_services_beyond_the_budget_are_left_out_of_the_query() -> None:
    layer = Layer(COHORT, "@timestamp", "s", "l", (), {"a": 10_000, "b": 10}, {"error": 1})
    spread = Spread.of(3, ("a", "b"), GRID)
    assert spread.services == ("a",)
    search = searches(layer, spread)[0]
    assert {"terms": {"s": ["a"]}} in search.body["query"]["function_score"]["query"]["bool"]["filter"]


ANSWER = {
    "drawn": {
        "services": {
            "buckets": [
                {
                    "key": "a",
                    "times": {
                        "buckets": [
                            {
                                "key": START.timestamp() * 1000,
                                "doc_count": 7,
                                "lines": {"hits": {"hits": [{"_id": "1"}]}},
                            }
                        ]
                    },
                }
            ]
        }
    }
}


def test_hits_and_counts_are_read_out_of_the_buckets() -> None:
    assert list(hits_of(ANSWER)) == [{"_id": "1"}]
    assert list(hits_of({})) == []
    assert failing_counts(ANSWER, GRID) == {("a", FAILING, 0): 7.0}


def test_the_weights_of_a_stratum_add_up_to_its_count() -> None:
    slices = GRID.coarse(2)
    values = np.zeros((60, 2, 2))
    values[:30, 0, 1], values[30:, 0, 1], values[45, 1, 0] = 10, 20, 1
    counts = LogCounts(GRID.times, ("a", "b"), ("ERROR", "INFO"), values)
    lines = [line("a", 1), line("a", 2), line("a", 40), line("b", 45, "ERROR")]
    strata = [(item.service, item.level, slices.index(item.at.timestamp())) for item in lines]
    weighed = weigh(lines, strata, real_counts(counts, slices, {}), {})
    assert [item.weight for item in weighed] == [150.0, 150.0, 600.0, 1.0]


def test_failures_among_lines_without_a_level_do_not_weigh_as_the_others_do() -> None:
    counts = LogCounts(GRID.times[:1], ("a",), ("",), np.array([[[1_000.0]]]))
    real = real_counts(counts, GRID, {("a", FAILING, 0): 10.0, ("unknown", FAILING, 0): 3.0})
    assert real == {("a", "", 0): 990.0, ("a", FAILING, 0): 10.0}
    assert level_stratum(None, "the Request FAILED.") == FAILING
    assert level_stratum(None, "no errors, java.error.Thing") == ""
    assert level_stratum("INFO", "failed") == "INFO"


def test_without_counts_a_services_lines_share_its_total_and_none_weighs_less_than_itself() -> None:
    lines = [line("a", 1), line("a", 2), line("b", 2)]
    weighed = weigh(lines, [("a", "", 0)] * 3, {}, {"a": 10})
    assert [item.weight for item in weighed] == [5.0, 5.0, 1.0]


def test_traces_are_taken_in_turn_from_each_slice_while_they_fit() -> None:
    sizes = {"a": 4, "b": 4, "c": 4, "d": 90, "e": 4}
    assert choose([["a", "d", "b"], ["c", "a", "e", "gone"]], sizes, 14) == (["a", "c", "b"], 1)
    assert choose([["a", "b", "c"], []], sizes, 40) == (["a", "b", "c"], 0)
    assert choose([], {}, 40) == ([], 0)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 400))
def test_the_chosen_traces_never_exceed_the_budget(sizes: list[int], budget: int) -> None:
    named = {f"t{i}": size for i, size in enumerate(sizes)}
    chosen, _ = choose([list(named)], named, budget)
    assert sum(named[name] for name in chosen) <= budget
    assert len(set(chosen)) == len(chosen)


def test_traces_are_fetched_in_answers_the_server_allows() -> None:
    sizes = {"a": 6_000, "b": 4_000, "c": 1, "d": 20_000}
    assert pages(list(sizes), sizes) == [(["a", "b"], 10_000), (["c"], 1), (["d"], 10_000)]


@pytest.mark.parametrize(("share", "how"), [(0.01, "random_sampler"), (0.5, "random_sampler"), (0.51, "filter")])
def test_the_sampler_is_used_for_the_shares_it_takes(share: float, how: str) -> None:
    assert how in sampled({}, share)["drawn"]
