"""Lines under the name of what collected them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.analyze import analyze
from rca.analyze.collected import told_apart
from rca.analyze.memo import Memo
from rca.analyze.prepare import prepare
from rca.model.incident import Bundle, Span, Symptom
from rca.model.logs import STORED_AS, LogCounts, LogLine
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from tests.frames import columns
from tests.rca.analyze.conftest import ONSET_ROW, ROWS, START, MakeBundle
from topology import Edge, Node, NodeKind, Provenance, ServiceGraph

Quiet = Callable[[int, float, float], FloatArray]
_STEP = 60.0


def _at(row: float) -> timedelta:
    return timedelta(seconds=_STEP * row)


def _lines(service: str, text: str, rows: Sequence[float], level: str = "INFO") -> list[LogLine]:
    return [LogLine(START + _at(row), service, level, text) for row in rows]


@pytest.fixture
def collected(checkout: Bundle) -> Bundle:
    """Four measured services, and the lines of all of them under the name of a shipper."""
    calm = _lines("shipper", "request served", np.arange(0, ROWS, 0.25).tolist())
    failing = np.arange(ONSET_ROW, ROWS, 0.1).tolist()
    errors = _lines("shipper", "cannot reach http://mail:25/send, it timed out", failing, "ERROR")
    return replace(checkout, logs=tuple(calm + errors))


def apart(bundle: Bundle) -> Bundle:
    return told_apart(bundle, prepare(bundle, Tuning().rows), Tuning().collected, Memo(lasting=False))


def renamed(bundle: Bundle, names: Callable[[LogLine], str]) -> Bundle:
    return replace(bundle, logs=tuple(replace(line, service=names(line)) for line in bundle.logs))


def ranked(bundle: Bundle, tool: ToolInfo) -> list[str]:
    return [suspect.service for suspect in analyze(bundle, tool=tool).suspects]


def test_a_name_that_alone_has_lines_and_of_which_nothing_else_is_known_is_not_ranked(
    collected: Bundle, tool: ToolInfo
) -> None:
    assert sorted(ranked(collected, tool)) == ["db", "mail", "orders", "web"]


def test_whom_its_lines_name_is_accused_and_the_query_asks_for_the_name_that_is_stored(
    collected: Bundle, tool: ToolInfo
) -> None:
    report = analyze(collected, tool=tool)
    accused = [item for item in report.evidence if item.service == "mail" and item.template]
    assert accused[0].text.startswith("named in a new log line")
    assert accused[0].query.startswith('service.name : "shipper"')


def test_the_report_says_so_and_what_to_do(collected: Bundle, tool: ToolInfo) -> None:
    gaps = [gap for gap in analyze(collected, tool=tool).gaps if gap.what == "lines of nobody"]
    assert len(gaps) == 1
    assert gaps[0].why == (
        "All lines stand under one name, shipper, known as no service, while 4 services that are known have none: "
        "they are read as lines of nobody, which accuse only whom their text names. To tell them apart, set "
        "elasticsearch.fields.service (docs/packs.md)."
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text("abcxyz-0", min_size=1, max_size=12).filter(lambda name: name.strip("-")))
def test_what_a_collector_is_called_changes_nothing(collected: Bundle, tool: ToolInfo, name: str) -> None:
    one, other = (analyze(bundle, tool=tool) for bundle in (collected, renamed(collected, lambda _: name)))
    assert one.suspects == other.suspects
    assert one.verdict == other.verdict


def test_lines_under_one_name_a_host_are_of_nobody_where_each_stands_for_several_services(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    series = {f"s{i}|latency_ms": quiet(i, 10, 1) for i in range(6)}
    lines = [line for host in ("one", "two") for line in _lines(host, "served", range(ROWS))]
    bundle = make_bundle(series, logs=tuple(lines))
    assert len(ranked(bundle, tool)) == 6
    assert "All lines stand under 2 names, one, two, known" in apart(bundle).gaps[0].why
    # Three names for six services: as likely those of services that are called otherwise elsewhere.
    more = replace(bundle, logs=(*bundle.logs, *_lines("three", "served", [1])))
    assert apart(more) is more


def test_many_names_are_cut_short(make_bundle: MakeBundle, quiet: Quiet) -> None:
    series = {f"s{i:02}|latency_ms": quiet(i, 10, 1) for i in range(18)}
    lines = [line for host in "abcdef" for line in _lines(host, "served", [1])]
    assert "6 names, a, b, c, d and 2 more, known" in apart(make_bundle(series, logs=tuple(lines))).gaps[0].why


def test_a_service_that_only_logs_stays_beside_others_that_log(collected: Bundle) -> None:
    spoken = replace(collected, logs=(*collected.logs, *_lines("web", "served", [1])))
    assert apart(spoken) is spoken


def test_what_logs_beside_two_measured_services_may_be_the_third(collected: Bundle) -> None:
    frame = collected.metrics
    assert frame is not None
    two = columns(frame, [i for i, key in enumerate(frame.keys) if key.service in {"web", "mail"}])
    bundle = replace(collected, metrics=two, graph=ServiceGraph())
    assert apart(bundle) is bundle


def test_what_logs_beside_stores_and_hosts_alone_is_a_service(collected: Bundle) -> None:
    kinds = {"web": NodeKind.CACHE, "orders": NodeKind.DATABASE, "db": NodeKind.QUEUE, "mail": NodeKind.HOST}
    graph = ServiceGraph([Node(name, kind) for name, kind in kinds.items()])
    bundle = replace(collected, graph=graph)
    assert apart(bundle) is bundle


@pytest.mark.parametrize(
    "known",
    [
        lambda b: replace(b, graph=ServiceGraph([], [*b.graph.edges(), Edge("shipper", "db")])),
        lambda b: replace(b, graph=ServiceGraph([Node("shipper", provenance=(Provenance("declared"),))])),
        lambda b: replace(b, spans=(Span("t", "s", None, "shipper", "GET /", START, 1.0),)),
        lambda b: replace(b, symptom=Symptom("shipper")),
    ],
    ids=["an edge", "a declaration", "a span", "the alert"],
)
def test_what_is_known_as_a_service_elsewhere_keeps_its_lines(
    collected: Bundle, known: Callable[[Bundle], Bundle]
) -> None:
    bundle = known(collected)
    assert apart(bundle) is bundle


def test_edges_that_only_the_order_of_lines_told_make_no_service(collected: Bundle) -> None:
    told = Edge("shipper", "db", provenance=(Provenance("log-order"),))
    nodes = [Node("shipper", provenance=(Provenance("log-order"),))]
    bundle = replace(collected, graph=ServiceGraph(nodes, [*collected.graph.edges(), told]))
    assert {line.service for line in apart(bundle).logs} == {"unknown"}


def test_a_shipper_that_is_measured_to_run_and_a_host_lose_their_lines_and_stay_ranked(
    collected: Bundle, make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    series = {f"s{i}|latency_ms": quiet(i, 10, 1) for i in range(4)}
    measured = make_bundle({**series, "shipper|cpu_usage": quiet(9, 0.1, 0.01)}, logs=collected.logs)
    assert {line.service for line in apart(measured).logs} == {"unknown"}
    assert "shipper" in ranked(measured, tool)
    busy = make_bundle({**series, "shipper|requests": quiet(9, 10, 1)}, logs=collected.logs)
    assert apart(busy) is busy
    host = replace(busy, graph=ServiceGraph([Node("shipper", NodeKind.HOST)]))
    assert {line.service for line in apart(host).logs} == {"unknown"}


def test_lines_go_to_the_service_that_their_pod_or_their_span_names(collected: Bundle, tool: ToolInfo) -> None:
    spans = tuple(
        Span("t", span, None, service, "GET /", START, 1.0)
        for span, service in (("s1", "orders"), ("s2", "web"), ("s2", "db"))
    )
    first = [
        replace(collected.logs[0], instance="mail-5c6b7d8f9-xk2lp"),
        replace(collected.logs[1], instance="db"),
        replace(collected.logs[2], instance="host-17", trace_id="t", span_id="s1"),
        replace(collected.logs[3], instance="host-17", trace_id="t", span_id="s2"),  # either side of a call
        replace(collected.logs[4], trace_id="t", span_id="s3"),
    ]
    bundle = replace(collected, logs=(*first, *collected.logs[5:]), spans=spans)
    told = apart(bundle)
    assert [line.service for line in told.logs[:5]] == ["mail", "db", "orders", "unknown", "unknown"]
    assert told.logs[0].fields == {STORED_AS: "shipper"}
    assert (
        "none: 3 as of the services that their pods, spans or texts tell, the others as lines of nobody"
        in told.gaps[0].why
    )
    assert "shipper" not in ranked(bundle, tool)


@pytest.mark.parametrize(
    "form",
    [
        "{} | {}",
        "{}-7f8b9c6d5d-x2x4z {}",
        "Mar  1 12:00:07 host-3 {}[71]: {}",
        "2026-03-01T12:00:07.123Z  INFO [{},5a1f,77] 1 --- {}",
        '{{"time":"2026-03-01T12:00:07","service":"{}","text":"{}"}}',
    ],
)
def test_lines_go_to_the_service_that_stands_at_the_same_place_in_nearly_all(collected: Bundle, form: str) -> None:
    own = [
        line for name in ("web", "orders", "db") for line in _lines("shipper", form.format(name, "ok"), range(9))
    ]
    rest = _lines("shipper", "  at java.base/Thread.run", range(5))
    told = apart(replace(collected, logs=(*own, *rest)))
    assert Counter(line.service for line in told.logs) == {"web": 9, "orders": 9, "db": 9, "unknown": 5}


@pytest.mark.parametrize("speaking", [("web", "db"), ("web", "orders", "db")])
def test_a_name_that_only_some_lines_begin_with_or_that_is_always_the_same_gives_nothing_away(
    collected: Bundle, speaking: Sequence[str]
) -> None:
    named = [line for name in speaking for line in _lines("shipper", f"{name} answered", range(9))]
    rest = _lines("shipper", "served", range(27)) if len(speaking) > 2 else []
    assert {line.service for line in apart(replace(collected, logs=(*named, *rest))).logs} == {"unknown"}


def test_exact_counts_are_nobodys_too(collected: Bundle, tool: ToolInfo) -> None:
    counts = LogCounts(np.array([0.0, 60.0]), ("a", "b", "unknown"), ("ERROR", "INFO"), np.ones((2, 3, 2)))
    six = [Edge(f"s{i}", f"s{i + 1}") for i in range(6)]
    bundle = replace(collected, logs=(), log_counts=counts, graph=ServiceGraph(edges=six))
    told = apart(bundle)
    assert told.log_counts is not None
    assert told.log_counts.services == ("unknown",)
    assert told.log_counts.counts.tolist() == [[[3, 3]], [[3, 3]]]
    assert not {"a", "b"} & set(ranked(bundle, tool))
    assert told.gaps[0].why.startswith("Lines stand under 2 names, a, b, known as no service, while 11 services")
    partly = replace(bundle, logs=(*_lines("a", "served", [1, 2]), *_lines("unknown", "served", [3])))
    assert apart(partly).gaps[0].why.startswith("2 of 3 lines stand under 2 names")


def test_counts_of_others_are_left_as_they_are(collected: Bundle) -> None:
    counts = LogCounts(np.array([0.0, 60.0]), ("unknown",), ("INFO",), np.ones((2, 1, 1)))
    assert apart(replace(collected, log_counts=counts)).log_counts is counts


def test_a_store_that_is_measured_to_run_keeps_its_lines_where_no_service_ships_its_own(
    collected: Bundle, make_bundle: MakeBundle, quiet: Quiet
) -> None:
    series = {f"s{i}|latency_ms": quiet(i, 10, 1) for i in range(4)}
    measured = make_bundle({**series, "shipper|cpu_usage": quiet(9, 0.1, 0.01)}, logs=collected.logs)
    store = replace(measured, graph=ServiceGraph([Node("shipper", NodeKind.DATABASE)]))
    assert apart(store) is store


def test_without_anything_else_known_a_name_is_left_alone(collected: Bundle, tool: ToolInfo) -> None:
    alone = replace(collected, metrics=None, graph=ServiceGraph())
    assert ranked(alone, tool) == ["shipper"]


def test_a_collector_that_the_lines_spell_in_another_way_is_told_with_all_of_its_lines(
    collected: Bundle, tool: ToolInfo
) -> None:
    runs = ServiceGraph(
        [*collected.graph.nodes(), Node("shipper", provenance=(Provenance("kubernetes"),))],
        collected.graph.edges(),
    )
    spelt = renamed(replace(collected, graph=runs), lambda line: line.service.title())
    gaps = [gap.why for gap in analyze(spelt, tool=tool).gaps if gap.what == "lines of nobody"]
    assert len(gaps) == 1
    assert gaps[0].startswith("All lines stand under one name, shipper,")
