from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.errors import SourceQueryError
from rca.model.incident import Interval
from rca.sources.elastic.client import Answer, ElasticClient, Search
from rca.sources.elastic.counts import BUCKETS, Grid, Tally, count
from rca.sources.elastic.failures import TooManyBucketsError
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Layer
from rca.sources.elastic.schema import Role, load_schemas
from rca.sources.merge import merge_counts

SCHEMA = load_schemas()
COHORT = Cohort(("logs-*",), dict.fromkeys(Role, ()))
START = datetime(2026, 2, 3, 4, 0, 7, tzinfo=UTC)
GRID = Grid.over(Interval(START, START + timedelta(minutes=10)), 60)


def layer(services: int, level: str | None = "log.level") -> Layer:
    levels = {"error": 1, "info": 1} if level else {}
    return Layer(COHORT, "@timestamp", "service.name", level, (), {f"s{i}": 2 for i in range(services)}, levels)


class Limited:
    """A server that has each asked service log twice, an error and an info, and refuses more than so many."""

    def __init__(self, names: Sequence[str], limit: int, buckets: int = GRID.buckets) -> None:
        self.names, self.limit, self.asked, self.buckets = names, limit, [0], buckets

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        body = searches[0].body
        chosen = [f["terms"]["service.name"] for f in body["query"]["bool"]["filter"] if "terms" in f]
        names = chosen[0] if chosen else self.names
        self.asked.append(len(names))
        if len(names) > self.limit:
            return [Answer({}, TooManyBucketsError("too many"))]
        return [Answer({"aggregations": {"services": {"buckets": [self.bucket(name) for name in names]}}})]

    def bucket(self, name: str) -> dict[str, Any]:
        times = {"buckets": [{"doc_count": int(place == 0)} for place in range(self.buckets)]}
        levels = [{"key": level, "doc_count": 1, "times": times} for level in ("error", "info")]
        return {"key": name, "doc_count": 2, "levels": {"buckets": levels}, "times": times}


def run(server: object, layers: Sequence[Layer]) -> Iterator[tuple[Tally, list[Any]]]:
    return count(cast("ElasticClient", server), layers, SCHEMA, GRID)


def test_a_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    whole = layer(10)
    server = Limited(tuple(whole.services), 3)
    parts = [counts for tally, _ in run(server, [whole]) if (counts := tally.counts()) is not None]
    assert server.asked == [0, 10, 5, 2, 3, 5, 2, 3]
    cube = merge_counts(parts)
    assert cube is not None
    assert cube.counts.sum() == 20.0
    assert cube.services == tuple(sorted(whole.services))
    assert cube.levels == ("ERROR", "INFO")


def test_a_single_service_that_is_still_too_large_is_a_gap() -> None:
    (tally, gaps) = next(run(Limited(("s0",), 0), [layer(1)]))
    assert tally.counts() is None
    assert [gap.what for gap in gaps] == ["log counts of s0"]


def test_a_refused_batch_is_a_gap_and_the_others_are_counted() -> None:
    class Refusing(Limited):
        def search(self, _: Sequence[Search]) -> list[Answer]:
            return [Answer({}, SourceQueryError("no", hint="ask"))]

    gaps = [gap for _, found in run(Refusing((), 0), [layer(3)]) for gap in found]
    assert [(gap.what, gap.why) for gap in gaps] == [("log counts of 3 services (s0, …)", "no. Ask.")]


def test_services_without_a_level_are_counted_without_one() -> None:
    whole = layer(2, None)
    tally, _ = next(run(Limited(tuple(whole.services), 9), [whole]))
    counts = tally.counts()
    assert counts is not None
    assert (counts.levels, counts.counts.sum()) == (("",), 2.0)


def test_batches_stay_under_the_servers_limit() -> None:
    long = Grid(0.0, 60, 600)
    server = Limited(tuple(layer(500).services), 10_000, long.buckets)
    list(count(cast("ElasticClient", server), [layer(500)], SCHEMA, long))
    assert sum(server.asked) == 500
    assert max(server.asked) * 2 * 600 <= BUCKETS


def test_buckets_begin_where_the_window_does_and_are_whole() -> None:
    grid = Grid.over(Interval(START, START + timedelta(seconds=150)), 60)
    assert grid.buckets == 2
    assert grid.times.tolist() == [START.timestamp(), START.timestamp() + 60]
    assert grid.span == Interval(START, START + timedelta(seconds=120))
    assert grid.histogram("t")["date_histogram"]["offset"] == "7000ms"
    assert Grid.over(Interval(START, START + timedelta(seconds=5)), 60).buckets == 1


def test_every_bucket_is_asked_for_so_that_its_place_tells_its_time() -> None:
    asked = GRID.every_bucket("t")["date_histogram"]
    first = int(START.timestamp() * 1000)
    assert asked["min_doc_count"] == 0
    assert asked["extended_bounds"] == {"min": str(first), "max": str(first + 9 * 60_000)}


def test_an_answer_with_other_buckets_than_those_asked_for_is_a_gap_and_not_counted() -> None:
    whole = layer(2)
    (tally, gaps) = next(run(Limited(tuple(whole.services), 9, GRID.buckets - 1), [whole]))
    assert tally.counts() is None
    assert [gap.what for gap in gaps] == ["log counts of 2 services (s0, …)"]
    assert gaps[0].why == "the server didn't answer with the 10 buckets it was asked for"


def test_raw_levels_that_mean_the_same_are_added_up() -> None:
    tally = Tally(GRID)
    for _ in range(2):
        assert tally.add("a", "INFO", [{"doc_count": place} for place in range(GRID.buckets)])
    counts = tally.counts()
    assert counts is not None
    assert counts.counts[:, 0, 0].tolist() == [2.0 * place for place in range(GRID.buckets)]


@given(st.integers(1, 500), st.integers(1, 60))
def test_coarse_buckets_cover_all_fine_ones(buckets: int, slices: int) -> None:
    fine = Grid(100.0, 30, buckets)
    coarse = fine.coarse(slices)
    assert coarse.step % fine.step == 0
    assert coarse.buckets <= slices
    places = [coarse.index(float(seconds)) for seconds in fine.times]
    assert None not in places


def test_an_unreachable_server_ends_the_counting() -> None:
    class Down:
        def search(self, _: Sequence[Search]) -> list[Answer]:
            raise SourceQueryError("down")

    with pytest.raises(SourceQueryError):
        list(run(Down(), [layer(1)]))
