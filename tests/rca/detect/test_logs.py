from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.detect.logs import FindingKind, LogEvidence, LogFinding, LogIndex
from rca.model.logs import TRACE_COMPLETE, LogCounts, LogLine
from rca.model.signals import FloatArray
from rca.model.tuning.lines import LineTuning
from topology import Edge, ServiceGraph

build = partial(LogIndex.build, tuning=LineTuning())
ONSET = 1_000.0
SERVICES = ("cart", "front", "stock")
CHAIN = ServiceGraph((), [Edge("front", "cart"), Edge("cart", "stock")])


def line(at: float, service: str, message: str, level: str = "INFO", *, trace: str | None = None) -> LogLine:
    return LogLine(datetime.fromtimestamp(at, UTC), service, level, message, trace)


def healthy(start: float = 700.0, end: float = 1_300.0, *, without: str = "") -> Iterator[LogLine]:
    """A line a second of each service, without traces."""
    for second in range(int(start), int(end)):
        for i, service in enumerate(SERVICES):
            if service != without:
                yield line(second + i / 10, service, f"handled request {second} in {second % 7} ms")


def request(at: float, *, lookup: float = 0.01, fails: bool = False) -> Iterator[LogLine]:
    """One traced request: front calls cart, that calls stock; where it fails, stock breaks off early."""
    trace = f"{int(at * 10):032x}"
    yield line(at, "front", "checkout begins", trace=trace)
    yield line(at + 0.001, "cart", "cart is priced", trace=trace)
    yield line(at + 0.002, "stock", "stock lookup begins", trace=trace)
    if not fails:
        yield line(at + 0.002 + lookup, "stock", "stock lookup ends", trace=trace)
        yield line(at + 0.003 + lookup, "cart", "cart has its price", trace=trace)
    yield line(at + 0.004 + lookup, "front", "checkout ends", trace=trace)


def first(index: LogIndex, scores: FloatArray) -> str:
    return index.services[int(np.argmax(scores))]


def strongest(index: LogIndex, service: str, kind: FindingKind) -> LogFinding:
    return next(finding for finding in index.findings(ONSET, service) if finding.kind is kind)


def all_scores(evidence: LogEvidence) -> FloatArray:
    names = ("errors", "own", "accused", "fresh", "vanished", "burst", "silent", "slow", "failing")
    return np.array([getattr(evidence, name) for name in names])


def test_a_new_error_accuses_the_service_that_wrote_it() -> None:
    errors = [line(ONSET + i, "cart", f"disk write failed for order {i}", "ERROR") for i in range(20)]
    index = build([*healthy(), *errors])
    assert first(index, index.evidence(ONSET).failing) == "cart"
    finding = index.findings(ONSET, "cart")[0]
    assert finding.kind is FindingKind.NEW
    assert finding.template == "disk write failed for order <n>"
    assert finding.before == 0.0
    assert finding.after == pytest.approx(4.0, rel=0.02)
    assert finding.onset == errors[0].at
    assert finding.example == errors[0]
    assert finding.query() == 'service.name : "cart" and message : "disk write failed for order"'


def test_an_error_logged_at_info_counts_as_one() -> None:
    errors = [line(ONSET + i, "cart", f"query {i} failed: connection refused") for i in range(20)]
    assert first(*_with(errors)) == "cart"


def test_an_error_that_was_always_there_is_no_evidence() -> None:
    errors = [line(700 + i * 5, "cart", f"disk write failed for order {i}", "ERROR") for i in range(120)]
    index = build([*healthy(), *errors])
    assert index.evidence(ONSET).failing.max() < 1.0
    assert index.findings(ONSET, "cart") == ()


def test_an_error_that_bursts_tells_both_rates() -> None:
    errors = [line(700 + i * 30, "cart", f"write {i} failed", "ERROR") for i in range(10)]
    errors += [line(ONSET + i, "cart", f"write {i} failed", "ERROR") for i in range(300)]
    finding = strongest(build([*healthy(), *errors]), "cart", FindingKind.BURSTING)
    assert finding.text == "log line x30, 2 to 60 a minute: “write <n> failed”"
    assert finding.onset == datetime.fromtimestamp(ONSET, UTC)


def test_lines_just_before_the_split_belong_to_the_burst_not_to_the_baseline() -> None:
    errors = [line(ONSET - 10 + i, "cart", f"write {i} failed", "ERROR") for i in range(310)]
    finding = strongest(build([*healthy(), *errors]), "cart", FindingKind.NEW)
    assert finding.text == "new log line, 60 a minute: “write <n> failed”"
    assert (finding.before, finding.onset) == (0.0, datetime.fromtimestamp(ONSET - 10, UTC))


def test_of_lines_that_only_became_some_more_nobody_says_since_when() -> None:
    errors = [line(700 + i * 2, "cart", f"write {i} failed", "ERROR") for i in range(150)]
    errors += [line(ONSET + i, "cart", f"write {i} failed", "ERROR") for i in range(300)]
    finding = strongest(build([*healthy(), *errors]), "cart", FindingKind.BURSTING)
    assert finding.text == "log line x2, 30 to 60 a minute: “write <n> failed”"
    assert finding.onset is None


def test_rare_lines_are_counted_by_the_hour() -> None:
    errors = [line(ONSET + i * 75, "cart", f"write {i} failed", "ERROR") for i in range(4)]
    finding = strongest(build([*healthy(), *errors]), "cart", FindingKind.NEW)
    assert finding.text == "new log line, 48 an hour: “write <n> failed”"


def test_errors_grow_with_the_service_s_own_traffic_without_being_evidence() -> None:
    busy = [line(ONSET + i / 10, "cart", f"handled request {i} in 3 ms") for i in range(3_000)]
    errors = [line(700 + i * 3, "cart", f"item {i} rejected", "ERROR") for i in range(100)]
    errors += [line(ONSET + i / 3, "cart", f"item {i} rejected", "ERROR") for i in range(900)]
    assert build([*healthy(), *busy, *errors]).evidence(ONSET).failing[0] < 3.0
    assert build([*healthy(), *errors]).evidence(ONSET).failing[0] > 10.0


def test_errors_grow_with_the_whole_systems_traffic_without_being_evidence() -> None:
    busy = [
        line(ONSET + i / 10, name, f"handled request {i} in 3 ms")
        for i in range(3_000)
        for name in ("front", "stock")
    ]
    errors = [line(700 + i * 3, "cart", f"item {i} rejected", "ERROR") for i in range(100)]
    errors += [line(ONSET + i / 2, "cart", f"item {i} rejected", "ERROR") for i in range(600)]
    assert build([*healthy(), *busy, *errors]).evidence(ONSET).failing[0] < 3.0
    assert build([*healthy(), *errors]).evidence(ONSET).failing[0] > 10.0


def test_a_caller_whose_callee_fails_too_has_inherited_its_errors() -> None:
    errors = [line(ONSET + i, "stock", f"cannot open page {i}", "ERROR") for i in range(20)]
    errors += [line(ONSET + i + 0.5, "cart", f"request {i} failed", "ERROR") for i in range(20)]
    index = build([*healthy(), *errors], graph=CHAIN)
    evidence = index.evidence(ONSET)
    cart, stock = index.services.index("cart"), index.services.index("stock")
    assert evidence.own[cart] < 0.5 * evidence.own[stock]
    assert evidence.errors[cart] > 0.9 * evidence.errors[stock]


def test_within_a_trace_the_first_error_is_the_origin_without_a_graph() -> None:
    errors = []
    for i in range(20):
        errors.append(line(ONSET + i, "stock", f"cannot open page {i}", "ERROR", trace=f"{i + 1:032x}"))
        errors.append(line(ONSET + i + 0.1, "front", f"request {i} failed", "ERROR", trace=f"{i + 1:032x}"))
    index = build([*healthy(), *errors])
    evidence = index.evidence(ONSET)
    assert first(index, evidence.own) == "stock"
    assert evidence.own[index.services.index("front")] < 0.3 * evidence.errors[index.services.index("front")]


def test_errors_that_name_a_service_accuse_it_even_when_it_never_logs() -> None:
    errors = [line(ONSET + i, "cart", f"timeout calling payment-db after {i} ms", "ERROR") for i in range(20)]
    index = build([*healthy(), *errors], services=["payment-db"])
    assert first(index, index.evidence(ONSET).failing) == "payment-db"
    finding = index.findings(ONSET, "payment-db")[0]
    assert finding.kind is FindingKind.ACCUSED
    assert finding.speaker == "cart"
    assert "cart names it" in finding.text


def test_an_accused_service_that_works_as_before_is_believed_less() -> None:
    errors = [line(ONSET + i, "front", f"call to service cart failed try {i}", "ERROR") for i in range(20)]
    alive = build([*healthy(), *errors]).evidence(ONSET)
    gone = build([*healthy(700, 1_000), *healthy(1_000, 1_300, without="cart"), *errors]).evidence(ONSET)
    assert alive.accused[0] < 0.5 * gone.accused[0]


def test_a_line_that_no_longer_follows_accuses_its_service() -> None:
    before = [entry for i in range(100) for entry in request(800 + 2 * i)]
    after = [entry for i in range(50) for entry in request(ONSET + 2 * i, fails=True)]
    index = build([*before, *after], graph=CHAIN)
    evidence = index.evidence(ONSET)
    assert first(index, evidence.vanished) == "stock"
    assert first(index, evidence.failing) == "stock"
    finding = strongest(index, "stock", FindingKind.VANISHED)
    assert finding.template == "stock lookup ends"
    assert finding.text == (
        "log line missing, 100 % to 1 % of traces: “stock lookup ends” after “stock lookup begins”"
    )
    assert finding.onset == datetime.fromtimestamp(ONSET + 0.002, UTC)


def test_new_calm_lines_say_the_less_the_more_kinds_of_line_come_once_anyway() -> None:
    words = [f"{a}{b}" for a in "bcdfghk" for b in ("ale", "ine", "ord", "ush", "amp", "ent")]
    new = [line(ONSET + i, "cart", f"{word} arrived at last") for i, word in enumerate(words[-10:])]

    def fresh(times: int) -> float:
        old = [
            line(700 + 6 * i + j, "cart", f"{word} is in order")
            for i, word in enumerate(words[:30])
            for j in range(times)
        ]
        return float(build([*old, *new, *healthy(without="cart")]).evidence(ONSET).fresh[0])

    assert fresh(5) > 1.4
    assert fresh(1) < 0.2


def test_an_error_that_no_longer_follows_is_no_missing_line() -> None:
    lines = []
    for i in range(100):
        trace = f"{i:032x}"
        lines.append(line(800 + 4 * i, "cart", "cart is priced", trace=trace))
        if 800 + 4 * i < ONSET:
            lines.append(line(800.1 + 4 * i, "cart", "no price found", "ERROR", trace=trace))
        lines.append(line(800.2 + 4 * i, "cart", "cart is done", trace=trace))
    assert build(lines).evidence(ONSET).vanished.max() == 0.0


def test_a_line_that_may_still_come_is_not_missing() -> None:
    lines = [entry for at in range(700, 1_010) for entry in request(float(at), lookup=10.0)]
    seen = [entry for entry in lines if entry.at.timestamp() < ONSET + 5]
    assert build(seen).evidence(ONSET).vanished.max() < 2.0


def test_a_calm_line_that_takes_another_s_place_is_fresh() -> None:
    before = [entry for i in range(100) for entry in request(800 + 2 * i)]
    after = [
        replace(entry, message="stock answers from memory") if entry.message == "stock lookup ends" else entry
        for i in range(50)
        for entry in request(ONSET + 2 * i)
    ]
    index = build([*before, *after], graph=CHAIN)
    assert first(index, index.evidence(ONSET).fresh) == "stock"
    assert strongest(index, "stock", FindingKind.NEW).template == "stock answers from memory"


def test_requests_of_a_new_kind_are_no_evidence() -> None:
    before = [entry for i in range(100) for entry in request(800 + 2 * i)]
    after = [entry for i in range(50) for entry in request(ONSET + 2 * i)]
    new = [
        line(ONSET + 2 * i + j / 100 + 1, "cart", text, trace=f"{900 + i:032x}")
        for i in range(50)
        for j, text in enumerate(("voucher arrives", "voucher is stored"))
    ]
    index = build([*before, *after, *new])
    assert index.evidence(ONSET).failing.max() < 1.0
    assert index.findings(ONSET, "cart") == ()


def test_slow_hops_accuse_the_service_that_touches_them_all() -> None:
    before = [entry for i in range(100) for entry in request(800 + 2 * i)]
    after = [entry for i in range(50) for entry in request(ONSET + 2 * i, lookup=0.5)]
    index = build([*before, *after], graph=CHAIN)
    evidence = index.evidence(ONSET)
    assert first(index, evidence.slow) == "stock"
    assert evidence.failing.max() < 1.0
    finding = strongest(index, "stock", FindingKind.SLOW)
    assert finding.text == (
        "log line late, usually 10 ms, now up to 500 ms: “stock lookup ends” after “stock lookup begins” of stock"
    )
    assert finding.unit == "s"


def test_a_service_that_falls_silent_is_told_with_when_it_was_last_heard() -> None:
    index = build([*healthy(700, 1_000), *healthy(1_000, 1_300, without="stock")])
    assert first(index, index.evidence(ONSET).silent) == "stock"
    finding = strongest(index, "stock", FindingKind.SILENT)
    assert finding.before == pytest.approx(60.0, rel=0.05)
    assert finding.after == 0.0
    assert finding.onset is not None
    assert 990 < finding.onset.timestamp() < 1_000
    assert finding.query() == 'service.name : "stock"'


def test_when_the_whole_system_is_quiet_no_service_is_silent() -> None:
    lines = [*healthy(700, 1_000), line(1_299, "front", "handled request 1 in 3 ms")]
    assert build(lines).evidence(ONSET).silent.max() < 1.0


def test_exact_counts_show_a_burst_that_the_sample_missed() -> None:
    times = np.arange(700.0, 1_300.0, 10.0)
    counts = np.full((len(times), 3, 2), 10.0)
    counts[:, :, 0] = 1.0
    counts[times >= ONSET, 1, 0] = 40.0
    exact = LogCounts(times, SERVICES, ("ERROR", "INFO"), counts)
    index = build([*healthy()], counts=exact)
    assert first(index, index.evidence(ONSET).burst) == "front"
    assert first(index, index.evidence(ONSET).failing) == "front"
    assert first(build([], counts=exact), build([], counts=exact).evidence(ONSET).burst) == "front"


def counted(errors: FloatArray, calm: FloatArray | float = 10.0) -> LogCounts:
    """Exact counts of 60 stretches of ten seconds, the incident being the last 30; shapes `(60, 3)`."""
    counts = np.stack([errors, np.broadcast_to(calm, errors.shape)], axis=2)
    return LogCounts(np.arange(700.0, 1_300.0, 10.0), SERVICES, ("ERROR", "INFO"), counts)


def test_counted_errors_grow_with_the_services_own_traffic_without_being_a_burst() -> None:
    late = np.arange(60)[:, None] >= 30
    errors, calm = np.where(late, 10.0, 1.0), np.where(late, 100.0, 10.0)
    assert (
        build([], counts=counted(np.repeat(errors, 3, 1), np.repeat(calm, 3, 1))).evidence(ONSET).burst.max() < 1
    )
    assert build([], counts=counted(np.repeat(errors, 3, 1))).evidence(ONSET).burst.min() > 10


def test_counts_that_vary_anyway_burst_less() -> None:
    errors = np.full((60, 3), 10.0)
    errors[::2, 1] = 0.0
    errors[1::2, 1] = 20.0
    errors[30:] += 10.0
    steady, restless, _ = build([], counts=counted(errors)).evidence(ONSET).burst
    assert restless < 0.5 * steady


@pytest.mark.parametrize(("left", "silent"), [(0.5, False), (0.05, True)])
def test_a_log_that_only_became_shorter_is_not_silent(left: float, silent: bool) -> None:  # noqa: FBT001 - a parameter
    calm = np.full((60, 3), 200.0)
    calm[30:, 1] *= left
    assert bool(build([], counts=counted(np.zeros((60, 3)), calm)).evidence(ONSET).silent[1] > 0) is silent


def test_a_burst_of_counted_errors_that_a_callee_explains_is_not_the_callers() -> None:
    errors = [line(ONSET + i, "stock", f"cannot open page {i}", "ERROR") for i in range(20)]
    errors += [line(ONSET + i + 0.5, "cart", f"request {i} failed", "ERROR") for i in range(20)]
    exact = np.ones((60, 3))
    exact[30:, [0, 2]] = 40.0
    evidence = build([*healthy(), *errors], graph=CHAIN, counts=counted(exact)).evidence(ONSET)
    assert evidence.burst[0] > 10
    assert evidence.failing[0] < 0.5 * evidence.burst[0]


def test_lines_in_no_order_seem_to_vanish_by_chance_only() -> None:
    """Of many pairs of lines in no order some follow in each of a few traces: as many as there are to look at."""
    words = ["alpha", "bravo", "delta", "golf", "hotel", "india", "kilo", "lima", "mike", "oscar", "papa", "romeo"]
    messages = [f"{word} is done" for word in words]
    strongest = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        lines = [
            line(at + 0.001 * i, SERVICES[pick % 3], messages[pick], trace=f"{at:032x}")
            for at in range(930, 1_036, 7)
            for i, pick in enumerate(random.choice(len(messages), 10, replace=False).tolist())
        ]
        strongest.append(build(lines, graph=CHAIN).evidence(ONSET).vanished.max())
    assert np.mean(np.array(strongest) > 1.0) < 0.1


def test_weights_stand_for_lines() -> None:
    errors = [line(ONSET + 10 * i, "cart", f"write {i} failed", "ERROR") for i in range(10)]
    light = build([*healthy(), *errors])
    heavy = build([*healthy(), *(replace(entry, weight=60.0) for entry in errors)])
    assert heavy.findings(ONSET, "cart")[0].after == pytest.approx(60 * light.findings(ONSET, "cart")[0].after)
    assert heavy.evidence(ONSET).errors[0] == pytest.approx(light.evidence(ONSET).errors[0], rel=0.5)


def test_of_a_sample_only_the_traces_that_came_whole_tell_of_order() -> None:
    before = [entry for i in range(100) for entry in request(800 + 2 * i)]
    after = [entry for i in range(50) for entry in request(ONSET + 2 * i, fails=True)]
    sampled = [replace(entry, weight=5.0) for entry in (*before, *after)]
    assert build(sampled).evidence(ONSET).vanished.max() == 0.0
    whole = [replace(entry, fields={TRACE_COMPLETE: True}) for entry in sampled]
    drawn_alone = [line(ONSET + i, "front", "checkout begins", trace=f"{i:032x}") for i in range(90)]
    mixed = build([*whole, *(replace(entry, weight=900.0) for entry in drawn_alone)])
    complete = build([*before, *after])
    assert first(mixed, mixed.evidence(ONSET).vanished) == "stock"
    assert mixed.evidence(ONSET).vanished == pytest.approx(complete.evidence(ONSET).vanished)


def test_where_errors_began_is_read_from_whole_traces() -> None:
    """In a trace of which only one error was drawn, that one isn't the first for it."""
    lines = [*healthy()]
    for i in range(40):
        trace = f"{i:032x}"
        lines += [
            line(ONSET + 5 * i, "stock", f"disk {i} failed", "ERROR", trace=trace),
            line(ONSET + 5 * i + 0.1, "front", f"checkout {i} failed", "ERROR", trace=trace),
        ]
    whole = [replace(entry, weight=3.0, fields={TRACE_COMPLETE: True}) for entry in lines]
    torn = [entry for entry in lines if not (entry.service == "stock" and entry.level == "ERROR")]
    lone = [replace(entry, weight=3.0, trace_id=f"x{entry.trace_id}") for entry in torn if entry.level == "ERROR"]
    alone = build(whole).evidence(ONSET)
    beside = build([*whole, *lone]).evidence(ONSET)
    assert alone.own[1] < 0.5 * alone.errors[1]
    assert beside.own[2] == pytest.approx(beside.errors[2])
    assert beside.own[1] < 0.7 * beside.errors[1]


def test_a_hole_in_the_baseline_is_not_counted_as_quiet_time() -> None:
    errors = [line(at, "cart", f"write {at} failed", "ERROR") for at in range(700, 1_300, 10)]
    lines = [*healthy(), *errors]
    whole = build(lines).evidence(ONSET)
    holed = build([entry for entry in lines if not 730 < entry.at.timestamp() < 970]).evidence(ONSET)
    assert holed.seconds_before == pytest.approx(60, abs=3)
    assert whole.seconds_before == pytest.approx(300, abs=3)
    assert holed.failing.max() < 1.0


def test_without_a_baseline_the_lines_say_nothing() -> None:
    index = build([*healthy(1_000)])
    evidence = index.evidence(ONSET)
    assert not evidence.comparable
    assert all_scores(evidence).max() == 0.0
    assert index.findings(ONSET, "cart") == ()


def test_a_baseline_may_lie_after_the_incident() -> None:
    errors = [line(ONSET + i, "cart", f"write {i} failed", "ERROR") for i in range(20)]
    index = build([*healthy(1_000, 1_600), *errors])
    evidence = index.evidence(ONSET, baseline=(1_100.0, 1_600.0), end=1_100.0)
    assert first(index, evidence.failing) == "cart"


def test_nothing_at_all_is_no_error() -> None:
    index = build([])
    assert index.services == ()
    assert len(index.evidence(ONSET).failing) == 0
    assert index.findings(ONSET, "nobody") == ()


def test_the_order_of_lines_changes_nothing() -> None:
    lines = [entry for i in range(60) for entry in request(880 + 4 * i, fails=i > 30)]
    forth, back = (build(given_lines, graph=CHAIN) for given_lines in (lines, lines[::-1]))
    assert np.array_equal(all_scores(forth.evidence(ONSET)), all_scores(back.evidence(ONSET)))
    assert forth.findings(ONSET, "stock") == back.findings(ONSET, "stock")


_LINES = st.lists(
    st.builds(
        line,
        st.floats(900, 1_100),
        st.sampled_from(SERVICES),
        st.one_of(st.text(max_size=30), st.sampled_from(["it failed", "ok", "call to stock failed"])),
        st.sampled_from(["", "INFO", "ERROR", "WARN", "odd"]),
        trace=st.sampled_from([None, "a" * 16, "b" * 16]),
    ),
    max_size=25,
)


@given(_LINES, st.floats(850, 1_150))
@settings(deadline=None, max_examples=60)
def test_scores_are_finite_and_not_negative_whatever_the_lines(lines: list[LogLine], split: float) -> None:
    index = build(lines, graph=CHAIN)
    scores = all_scores(index.evidence(split))
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    for service in index.services:
        index.findings(split, service)


def _with(errors: list[LogLine]) -> tuple[LogIndex, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    index = build([*healthy(), *errors])
    return index, index.evidence(ONSET).failing


def test_another_graph_over_the_same_services_needs_no_line_read_again() -> None:
    lines = [*healthy(), *[line(ONSET + i, "cart", f"request {i} failed", "ERROR") for i in range(20)]]
    alone = build(lines, services=["front", "cart", "stock"])
    again = build(lines, graph=CHAIN, like=alone)
    fresh = build(lines, graph=CHAIN)
    assert again.table is alone.table
    assert again.evidence(ONSET).failing.tolist() == fresh.evidence(ONSET).failing.tolist()
    assert build(lines, graph=CHAIN, services=["another"], like=alone).table is not alone.table


def test_of_other_services_the_lines_needn_t_be_read_again_either() -> None:
    lines = [*healthy(), *[line(ONSET + i, "cart", "call to another failed", "ERROR") for i in range(20)]]
    alone = build(lines)
    again = build(lines, services=["another"], like=alone)
    fresh = build(lines, services=["another"])
    assert again.texts is alone.texts
    assert again.services == fresh.services != alone.services
    assert again.evidence(ONSET).failing.tolist() == fresh.evidence(ONSET).failing.tolist()
