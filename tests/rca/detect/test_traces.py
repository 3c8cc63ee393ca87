from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.traces import TraceIndex
from rca.model.incident import Span
from rca.model.tuning.lines import BurstTuning
from rca.model.tuning.spans import SpanTuning

START = datetime(2026, 3, 1, tzinfo=UTC)


def call(minute: int, *, failing: bool = False, web_ms: float = 100.0, db_ms: float = 20.0) -> list[Span]:
    at = START + timedelta(minutes=minute)
    trace = f"t{minute}"
    return [
        Span(trace, "1", None, "web", "GET /", at, web_ms, failing),
        Span(trace, "2", "1", "db", "query", at + timedelta(milliseconds=10), db_ms, failing),
    ]


def evidence(spans: list[Span], minute: int) -> dict[str, tuple[float, float]]:
    index = TraceIndex.build(spans, SpanTuning())
    found = index.evidence((START + timedelta(minutes=minute)).timestamp())
    return {name: (found.failing[i], found.own.z[i]) for i, name in enumerate(index.services)}


def test_an_error_belongs_to_the_deepest_span_that_failed() -> None:
    spans = [span for minute in range(20) for span in call(minute, failing=minute >= 10)]
    found = evidence(spans, 10)
    assert found["db"][0] > 3
    assert found["web"][0] == 0


def test_errors_as_many_as_before_are_no_evidence() -> None:
    spans = [span for minute in range(20) for span in call(minute, failing=minute % 2 == 0)]
    assert evidence(spans, 10)["db"][0] < 1


def test_waiting_for_a_callee_is_not_ones_own_time() -> None:
    spans = [s for m in range(20) for s in call(m, web_ms=900 if m >= 10 else 100, db_ms=820 if m >= 10 else 20)]
    found = evidence(spans, 10)
    assert found["db"][1] > 10
    assert found["web"][1] == 0


def test_a_few_spans_are_not_compared() -> None:
    spans = [s for m in (0, 1, 10, 11) for s in call(m, db_ms=900 if m >= 10 else 20)]
    assert evidence(spans, 10)["db"][1] == 0


def test_a_chosen_baseline_is_kept_to() -> None:
    spans = [span for minute in range(20) for span in call(minute, failing=minute < 10)]
    index = TraceIndex.build(spans, SpanTuning())
    later = ((START + timedelta(minutes=10)).timestamp(), (START + timedelta(minutes=20)).timestamp())
    found = index.evidence(START.timestamp(), baseline=later, end=later[0])
    assert found.failing[index.services.index("db")] > 3
    failed = index.failed(
        index.services.index("db"), START.timestamp(), BurstTuning(), baseline=later, end=later[0]
    )
    assert (failed.after, failed.before, failed.since) == ((10, 10), (0, 10), None)


def test_failing_spans_are_counted_from_the_first_of_them() -> None:
    spans = [span for minute in range(40) for span in call(minute, failing=minute >= 18)]
    index = TraceIndex.build(spans, SpanTuning())
    split = (START + timedelta(minutes=20)).timestamp()
    failed = index.failed(index.services.index("db"), split, BurstTuning())
    assert (failed.after, failed.before) == ((20, 20), (0, 18))
    assert failed.since == pytest.approx((START + timedelta(minutes=18)).timestamp(), abs=0.1)
    assert index.failed(index.services.index("web"), split, BurstTuning()).after == (0, 20)


def slower_by_definition(spans: list[Span], split: float) -> dict[str, tuple[float, float, float]]:
    """How much each service's own time grew, one operation after the other; spans without any below."""
    found: dict[str, tuple[float, float, float]] = {}
    for service, operation in sorted({(s.service, s.operation) for s in spans}):
        mine = [s for s in spans if (s.service, s.operation) == (service, operation)]
        old, new = (
            [s.duration_ms for s in mine if (s.start.timestamp() < split) is early] for early in (True, False)
        )
        if min(len(old), len(new)) < 3:
            continue
        usual = np.log1p(old)
        spread = np.hypot(1.4826 * np.median(np.abs(usual - np.median(usual))), 0.1)
        z = (np.median(np.log1p(new)) - np.median(usual)) / spread
        if z > found.get(service, (0.0,))[0]:
            found[service] = (float(z), float(np.median(old)), float(np.median(new)))
    return found


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_all_operations_at_once_are_as_slow_as_each_alone(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    drawn = zip(random.choice(list("ab"), size), random.choice(list("xyz"), size), strict=True)
    spans = [
        Span(
            f"t{i}", "1", None, str(service), str(operation), START + timedelta(seconds=i), random.gamma(2.0, 50.0)
        )
        for i, (service, operation) in enumerate(drawn)
    ]
    split = (START + timedelta(seconds=size // 2)).timestamp()
    index = TraceIndex.build(spans, SpanTuning())
    seen = index.evidence(split)
    expected = slower_by_definition(spans, split)
    for i, service in enumerate(index.services):
        told = (seen.own.z[i], seen.own.before[i], seen.own.after[i])
        assert told == pytest.approx(expected.get(service, (0.0, np.nan, np.nan)), nan_ok=True)


def ask(
    minute: int,
    caller: str,
    callee: str,
    *,
    ms: float = 20.0,
    inside: float | None = None,
    failing: bool = False,
    number: int = 0,
) -> list[Span]:
    """A request of `caller` that calls `callee`, which writes a span where `inside` says how long it took."""
    at = START + timedelta(minutes=minute, seconds=number)
    trace = f"{caller}-{callee}-{minute}-{number}"
    told = {"span.kind": "client", "peer.service": callee}
    spans = [
        Span(trace, "1", None, caller, "GET /", at, ms + 10, failing, {"span.kind": "server"}),
        Span(trace, "2", "1", caller, f"call {callee}", at, ms, failing, told),
    ]
    if inside is not None:
        far = at + timedelta(seconds=20)  # its clock is off
        spans.append(Span(trace, "3", "2", callee, "serve", far, inside, fields={"span.kind": "server"}))
    return spans


def seen(
    spans: list[Span], minute: int = 10, known: tuple[str, ...] = (), unresolved: tuple[tuple[str, str], ...] = ()
) -> dict[str, dict[str, float]]:
    index = TraceIndex.build(spans, SpanTuning(), known=known, unresolved=unresolved)
    found = index.evidence((START + timedelta(minutes=minute)).timestamp())
    return {
        name: {"failing": found.failing[i], "own": found.own.z[i], "waits": found.waits.z[i]}
        for i, name in enumerate(index.services)
    }


def test_what_a_caller_waits_beyond_what_the_callee_took_is_on_the_callees_side() -> None:
    spans = [s for m in range(20) for s in ask(m, "web", "orders", ms=220 if m >= 10 else 20, inside=15)]
    found = seen(spans)
    assert found["orders"]["waits"] > 10
    assert found["orders"]["own"] == found["web"]["own"] == found["web"]["waits"] == 0


def test_a_callee_that_takes_longer_itself_leaves_nothing_in_between() -> None:
    spans = [
        s
        for m in range(20)
        for s in ask(m, "web", "orders", ms=220 if m >= 10 else 20, inside=215 if m >= 10 else 15)
    ]
    found = seen(spans)
    assert found["orders"]["own"] > 10
    assert found["orders"]["waits"] == 0


def test_who_waits_longer_for_everybody_is_slow_itself() -> None:
    spans = [
        s
        for m in range(20)
        for name in ("orders", "cart", "mail")
        for s in ask(m, "web", name, ms=220 if m >= 10 else 20, inside=15)
    ]
    found = seen(spans)
    assert found["web"]["own"] > 10
    assert max(found[name]["waits"] for name in ("orders", "cart", "mail")) == 0


def test_a_store_that_writes_no_spans_is_waited_for() -> None:
    spans = [s for m in range(20) for s in ask(m, "web", "redis", ms=220 if m >= 10 else 20)]
    assert seen(spans, known=("redis",))["redis"]["waits"] > 10
    assert seen(spans)["web"]["own"] > 10  # nobody is known by that name


def test_who_alone_waits_longer_for_a_store_is_slow_itself() -> None:
    spans = [
        s
        for m in range(20)
        for caller in ("web", "cart")
        for s in ask(m, caller, "redis", ms=220 if m >= 10 and caller == "web" else 20)
    ]
    found = seen(spans, known=("redis",))
    assert found["redis"]["waits"] == 0
    assert found["web"]["own"] > 10


@pytest.mark.parametrize("known", [("bank",), ()])
def test_calls_that_fail_without_an_answer_accuse_who_was_called(known: tuple[str, ...]) -> None:
    spans = [s for m in range(20) for s in ask(m, "pay", "bank", failing=m >= 10)]
    found = seen(spans, known=known)
    first, other = ("bank", "pay") if known else ("pay", "bank")
    assert found[first]["failing"] > 3
    assert found.get(other, {"failing": 0.0})["failing"] == 0


def test_calls_that_only_one_caller_sees_fail_are_its_own() -> None:
    spans = [s for m in range(20) for s in ask(m, "pay", "bank", failing=m >= 10)]
    spans += [s for m in range(20) for s in ask(m, "refunds", "bank")]
    found = seen(spans, known=("bank",))
    assert found["pay"]["failing"] > 3
    assert found["bank"]["failing"] == 0


def test_an_address_that_leads_nowhere_is_the_callers() -> None:
    spans = [s for m in range(20) for s in ask(m, "pay", "bank", failing=m >= 10)]
    found = seen(spans, known=("bank",), unresolved=(("pay", "bank"),))
    assert found["pay"]["failing"] > 3
    assert found["bank"]["failing"] == 0


def test_an_address_that_was_never_called_before_is_the_callers() -> None:
    spans = [s for m in range(10) for s in ask(m, "pay", "bank")]
    spans += [s for m in range(10, 20) for s in ask(m, "pay", "bnak", failing=True)]
    found = seen(spans, known=("bank", "bnak"))
    assert found["pay"]["failing"] > 3
    assert found["bnak"]["failing"] == 0


def test_calls_without_an_answer_are_counted_as_calls() -> None:
    spans = [s for m in range(20) for s in ask(m, "pay", "bank", failing=m >= 10)]
    index = TraceIndex.build(spans, SpanTuning(), known=("bank",))
    split = (START + timedelta(minutes=10)).timestamp()
    bank = index.failed(index.services.index("bank"), split, BurstTuning())
    assert (bank.after, bank.before, bank.unanswered) == ((10, 10), (0, 10), 10)
    assert index.failed(index.services.index("pay"), split, BurstTuning()).after == (0, 20)
