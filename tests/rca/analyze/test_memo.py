from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from rca.analyze.assess import AnalysisOptions, assess
from rca.analyze.explain import lesser
from rca.analyze.memo import Memo
from rca.model.incident import Bundle, Span, Symptom
from rca.model.logs import LogLine


@pytest.fixture
def rich(checkout: Bundle) -> Bundle:
    """The same incident with lines, spans and an alert."""
    at, late = checkout.window.span.start, timedelta(minutes=50)
    calm = [LogLine(at + timedelta(minutes=m), "db", "INFO", f"checkpoint {m} done") for m in range(60)]
    bad = [LogLine(at + late + timedelta(seconds=s), "orders", "ERROR", "db timed out") for s in range(60)]
    calls = [
        span
        for m in range(60)
        for span in (
            Span(f"t{m}", "1", None, "web", "GET /", at + timedelta(minutes=m), 5.0 + m),
            Span(f"t{m}", "2", "1", "orders", "POST /", at + timedelta(minutes=m), 4.0 + m, error=m > 50),
        )
    ]
    return replace(checkout, logs=(*calm, *bad), spans=tuple(calls), symptom=Symptom("web", "latency_p99_ms"))


def test_variants_are_ranked_as_each_alone(rich: Bundle) -> None:
    options, memo = AnalysisOptions(), Memo()
    for bundle in (rich, *lesser(rich).values(), rich):
        together, alone = assess(bundle, options, memo), assess(bundle, options)
        assert together.order == alone.order
        assert together.stood == alone.stood
        assert together.ranked is not None
        assert alone.ranked is not None
        assert together.ranked.mixed.score.tolist() == alone.ranked.mixed.score.tolist()
        assert together.ranked.series.z.tolist() == alone.ranked.series.z.tolist()


def test_what_doesnt_depend_on_the_difference_is_shared(rich: Bundle) -> None:
    options, memo = AnalysisOptions(), Memo()
    whole = assess(rich, options, memo)
    calm = assess(replace(rich, symptom=None), options, memo)
    assert whole.ranked is not None
    assert calm.ranked is not None
    assert calm.ranked.scorer is whole.ranked.scorer
    assert whole.logs_and_spans is not None
    assert calm.logs_and_spans is not None
    assert calm.logs_and_spans.logs is whole.logs_and_spans.logs
    assert calm.logs_and_spans.traces is whole.logs_and_spans.traces


def counting() -> Iterator[int]:
    return iter(range(10))


def test_the_same_is_made_once_and_another_anew() -> None:
    memo, numbers = Memo(), counting()
    one, other = [1], [1]
    made = [
        memo.once(what, (of,), lambda: next(numbers), values=values)
        for what, of, values in (
            ("a", one, 1),
            ("a", one, 1),
            ("b", one, 1),
            ("a", other, 1),
            ("a", one, 2),
            ("a", one, 1),
        )
    ]
    assert made == [0, 0, 1, 2, 3, 0]


def test_what_something_was_made_of_isnt_taken_for_what_comes_after_it() -> None:
    memo, numbers = Memo(), counting()
    assert [memo.once("number", ([0] * 100,), lambda: next(numbers)) for _ in range(10)] == list(range(10))


def test_nothing_is_kept_of_a_bundle_that_is_analysed_once() -> None:
    memo, numbers, one = Memo(lasting=False), counting(), [1]
    assert [memo.once("a", (one,), lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]
