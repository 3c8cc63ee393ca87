from datetime import UTC, datetime, timedelta

import pytest

from rca.detect.slow_path import slow_path
from rca.detect.span_tree import nodes
from rca.model.incident import Span
from rca.model.report import SlowPath
from rca.model.tuning.spans import SpanTuning

START = datetime(2026, 3, 1, tzinfo=UTC)
ONSET = START + timedelta(minutes=20)


def request(minute: int, *, pay_ms: float = 40.0, wire_ms: float = 2.0) -> list[Span]:
    """`web` asks `shop`, which asks `pay`, which asks a store that writes no spans."""
    at, trace = START + timedelta(minutes=minute), f"t{minute}"

    def span(span_id: str, parent: str | None, service: str, kind: str, after: float, ms: float) -> Span:
        told = {"span.kind": kind} | ({"db.system": "redis"} if span_id == "7" else {})
        return Span(
            trace,
            span_id,
            parent,
            service,
            f"{kind} {span_id}",
            at + timedelta(milliseconds=after),
            ms,
            fields=told,
        )

    inner = pay_ms + 3.0
    outer = inner + wire_ms
    return [
        span("1", None, "web", "server", 0, outer + 20),
        span("2", "1", "web", "client", 5, outer + 10),
        span("3", "2", "shop", "server", 6, outer + 8),
        span("4", "3", "shop", "client", 7, outer),
        span("5", "4", "pay", "server", 7 + wire_ms / 2, inner),
        span("7", "5", "pay", "client", 8 + wire_ms / 2, 3.0),
    ]


def found(spans: list[Span], known: tuple[str, ...] = ()) -> SlowPath | None:
    return slow_path(nodes(spans, known), ONSET.timestamp(), SpanTuning())


def usual(minutes: int = 20) -> list[Span]:
    return [span for minute in range(minutes) for span in request(minute)]


def test_the_way_leads_to_who_takes_the_time() -> None:
    slow = [span for minute in range(20, 26) for span in request(minute, pay_ms=1_900)]
    path = found(usual() + slow)
    assert path is not None
    assert [step.service for step in path.steps] == ["web", "shop", "pay"]
    assert path.steps[0].ms == pytest.approx(1_925)
    assert (path.own_ms, path.usual_ms) == pytest.approx((1_900, 40))
    assert (path.callee, path.calls, path.traces, path.slow) == ("", 0, 6, 6)


def test_time_between_two_services_is_told_of_the_call() -> None:
    slow = [span for minute in range(20, 26) for span in request(minute, wire_ms=800)]
    path = found(usual() + slow)
    assert path is not None
    assert [step.service for step in path.steps] == ["web", "shop"]
    assert (path.callee, path.answered) == ("pay", True)
    assert path.own_ms == pytest.approx(800)


def test_the_time_of_a_store_that_writes_no_spans_is_that_of_the_call() -> None:
    def slow(minute: int) -> list[Span]:
        *rest, store = request(minute, pay_ms=900)
        return [*rest, Span(**{**{f: getattr(store, f) for f in store.__slots__}, "duration_ms": 880.0})]

    path = found(usual() + [span for minute in range(20, 26) for span in slow(minute)], ("redis",))
    assert path is not None
    assert (path.callee, path.answered, path.own_ms, path.usual_ms) == ("redis", False, 880.0, 3.0)


def test_time_that_goes_into_many_calls_is_told_as_such() -> None:
    def slow(minute: int) -> list[Span]:
        first = request(minute, pay_ms=900)
        at = first[4].start
        many = [
            Span(first[0].trace_id, f"q{i}", "5", "pay", "q", at + timedelta(milliseconds=40 * i), 38.0)
            for i in range(20)
        ]
        return [*first, *many]

    path = found(usual() + [span for minute in range(20, 26) for span in slow(minute)])
    assert path is not None
    assert (path.steps[-1].service, path.calls) == ("pay", 21)
    assert (path.own_ms, path.usual_ms) == pytest.approx((903, 43))


def test_the_way_on_which_most_time_was_lost_is_told() -> None:
    slow = [span for minute in range(20, 25) for span in request(minute, pay_ms=100)]
    slower = [span for minute in range(25, 28) for span in request(minute, wire_ms=5_000)]
    path = found(usual() + slow + slower)
    assert path is not None
    assert (path.callee, path.traces, path.slow) == ("pay", 3, 8)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        usual(26),
        [s for m in range(20, 26) for s in request(m, pay_ms=1_900)],
        usual() + [s for m in (20, 21) for s in request(m, pay_ms=1_900)],
    ],
    ids=["no spans", "as usual", "nothing before", "too few"],
)
def test_where_nothing_is_slower_or_known_nothing_is_told(spans: list[Span]) -> None:
    assert found(spans) is None


def test_slow_requests_whose_longest_step_is_as_ever_tell_nothing() -> None:
    def slow(minute: int) -> list[Span]:
        first, *rest = request(minute)
        return [
            Span(first.trace_id, "1", None, "web", first.operation, first.start, 75.0, fields=first.fields),
            *rest,
        ]

    assert found(usual() + [span for minute in range(20, 26) for span in slow(minute)]) is None


def test_the_order_of_the_spans_does_not_matter() -> None:
    spans = usual() + [span for minute in range(20, 26) for span in request(minute, pay_ms=1_900)]
    assert found(spans) == found(spans[::-1])


def test_who_takes_more_itself_than_its_longest_call_takes_it_by_itself() -> None:
    def slow(minute: int) -> list[Span]:
        first = request(minute, pay_ms=400)
        at = first[4].start
        calls = [("a", 0, 150.0), ("b", 150, 80.0)]
        return [
            *first[:-1],
            *(Span(first[0].trace_id, i, "5", "pay", i, at + timedelta(milliseconds=a), ms) for i, a, ms in calls),
        ]

    path = found(usual() + [span for minute in range(20, 26) for span in slow(minute)])
    assert path is not None
    assert (path.steps[-1].service, path.calls) == ("pay", 0)
    assert path.own_ms == pytest.approx(173)
