from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.span_tree import Node, is_cancelled, nodes
from rca.model.incident import Span

START = datetime(2026, 3, 1, tzinfo=UTC)


def span(
    span_id: str,
    parent: str | None,
    service: str,
    start_ms: float,
    ms: float,
    kind: str = "",
    *,
    error: bool = False,
    fields: Mapping[str, Any] | None = None,
) -> Span:
    at = START + timedelta(milliseconds=start_ms)
    told = {**({"span.kind": kind} if kind else {}), **(fields or {})}
    return Span("t", span_id, parent, service, "op", at, ms, error, told)


def by_id(spans: list[Span], known: tuple[str, ...] = ()) -> dict[str, Node]:
    return {node.span.span_id: node for node in nodes(spans, known)}


@pytest.mark.parametrize("order", [1, -1])
def test_overlapping_children_count_once(order: int) -> None:
    kids = [span("2", "1", "db", 0, 60), span("3", "1", "cache", 30, 60)][::order]
    assert by_id([span("1", None, "web", 0, 100), *kids])["1"].own_ms == pytest.approx(10)


def test_children_within_one_another_count_once() -> None:
    kids = [span("2", "1", "web", 0, 60), span("3", "1", "web", 10, 10), span("4", "1", "web", 30, 40)]
    assert by_id([span("1", None, "web", 0, 100), *kids])["1"].own_ms == pytest.approx(30)


def test_a_child_that_goes_on_afterwards_is_waited_for_as_long_as_the_parent_runs() -> None:
    found = by_id([span("1", None, "web", 0, 100), span("2", "1", "web", 70, 500)])
    assert found["1"].own_ms == pytest.approx(70)
    remote = by_id([span("1", None, "web", 0, 100), span("2", "1", "mail", 70, 500)])
    assert remote["1"].own_ms == pytest.approx(70)


def test_who_consumes_a_message_is_not_waited_for() -> None:
    spans = [
        span("1", None, "web", 0, 100, "server"),
        span("2", "1", "web", 10, 5, "producer"),
        span("3", "2", "mail", 11, 80, "consumer", error=True),
    ]
    found = by_id(spans)
    assert found["1"].own_ms == pytest.approx(95)
    assert found["2"].own_ms == pytest.approx(5)
    assert (found["2"].callee, found["3"].deepest) == ("", True)


@pytest.mark.parametrize("skew_ms", [-5_000.0, -30.0, 0.0, 30.0, 5_000.0])
def test_a_clock_that_is_off_changes_neither_own_time_nor_the_time_in_between(skew_ms: float) -> None:
    spans = [
        span("1", None, "web", 0, 100, "server"),
        span("2", "1", "web", 10, 50, "client"),
        span("3", "2", "orders", 20 + skew_ms, 30, "server"),
        span("4", "1", "mail", 65 + skew_ms, 10),
        span("5", "1", "mail", 85 + skew_ms, 10),
    ]
    found = by_id(spans)
    assert (found["2"].callee, found["2"].answered) == ("orders", True)
    assert found["2"].own_ms == pytest.approx(20)
    assert found["3"].own_ms == pytest.approx(30)
    if abs(skew_ms) != 30:  # moved by a little, children of two services can come to lie over each other
        assert found["4"].span.service == "mail"
    alone = by_id([spans[0], *spans[3:]])
    assert alone["1"].own_ms == pytest.approx(80)


def test_replicas_whose_clocks_differ_are_each_moved_alone() -> None:
    spans = [span("1", None, "web", 0, 100), span("2", "1", "db", 10, 20), span("3", "1", "db", 9_000, 30)]
    assert by_id(spans)["1"].own_ms == pytest.approx(50)


@given(
    st.floats(1, 1e4),
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(-1e5, 1e5), st.floats(0, 1e5)), max_size=6),
)
def test_own_time_lies_between_nothing_and_all(ms: float, kids: list[tuple[str, float, float]]) -> None:
    below = [span(f"k{i}", "1", service, start, took) for i, (service, start, took) in enumerate(kids)]
    assert 0 <= by_id([span("1", None, "a", 0, ms), *below])["1"].own_ms <= ms


def test_a_call_that_nobody_answered_is_addressed_to_its_peer() -> None:
    peer = {"db.system": "postgresql", "server.address": "orders-db"}
    spans = [
        span("1", None, "web", 0, 9, "client", fields=peer),
        span("2", None, "x", 0, 9, "server", fields=peer),
    ]
    assert (by_id(spans, ("orders-db",))["1"].callee, by_id(spans, ("orders-db",))["1"].answered) == (
        "orders-db",
        False,
    )
    assert by_id(spans, ("orders-db",))["2"].callee == ""
    assert by_id(spans)["1"].callee == ""  # nobody that is known


def test_a_topic_called_like_a_service_is_not_that_service() -> None:
    fields = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    spans = [span("1", None, "web", 0, 9, "producer", fields=fields), span("2", None, "orders", 0, 9, "server")]
    assert by_id(spans)["1"].callee == ""


def test_a_span_that_shares_its_clients_id_lies_below_it() -> None:
    client = span("1", None, "web", 0, 100, "client")
    server = span("1", None, "orders", 10, 60, "server", error=True)
    inner = span("2", "1", "orders", 20, 10)
    found = {(n.span.service, n.span.span_id): n for n in nodes([client, server, inner])}
    assert found["web", "1"].callee == "orders"
    assert found["web", "1"].own_ms == pytest.approx(40)
    assert found["orders", "1"].own_ms == pytest.approx(50)


@pytest.mark.parametrize(
    ("kind", "fields", "given_up"),
    [
        ("server", {"rpc.grpc.status_code": 1}, True),
        ("server", {"http.response.status_code": 499}, True),
        ("", {"status_message": "context canceled"}, True),
        ("server", {"error.message": "write: broken pipe"}, True),
        ("client", {"error.message": "write: broken pipe"}, False),
        ("client", {"error": "canceling statement due to statement timeout"}, False),
        ("server", {"rpc.grpc.status_code": 4}, False),
        ("server", {"http.route": "/orders/cancelled"}, False),
    ],
)
def test_what_the_caller_gave_up_is_no_failure(kind: str, fields: dict[str, Any], given_up: bool) -> None:  # noqa: FBT001 - a case
    inner = span("2", "1", "orders", 0, 9, kind, error=True, fields=fields)
    found = by_id([span("1", None, "web", 0, 9, error=True), inner])
    assert is_cancelled(inner) is given_up
    assert (found["1"].deepest, found["2"].deepest) == (given_up, not given_up)


def test_what_worked_was_not_given_up() -> None:
    assert not is_cancelled(span("1", None, "web", 0, 9, fields={"status": "cancelled"}))
