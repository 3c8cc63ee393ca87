from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from topology import Provenance, ServiceGraph
from topology.logorder import from_log_order

LinesOf = Callable[..., list[Any]]


def ends(graph: ServiceGraph) -> list[tuple[str, str]]:
    return [(edge.caller, edge.callee) for edge in graph.edges()]


def graph_of(lines_of: LinesOf, *traces: str, **settings: Any) -> ServiceGraph:
    lines = [line for number, words in enumerate(traces) for line in lines_of(words, f"t{number}")]
    return from_log_order(lines, **settings)


def test_lines_inside_another_services_lines_are_its_calls(lines_of: LinesOf) -> None:
    graph = graph_of(lines_of, *["a b c b a"] * 3)
    assert ends(graph) == [("a", "b"), ("b", "c")]
    assert graph.edge("a", "b").provenance == (Provenance("log-order", "nested in 3 of 3 traces"),)
    assert graph.edge("a", "b").weight == 1.0
    assert graph.node("c").provenance == (Provenance("log-order"),)


def test_two_calls_after_each_other_are_both_the_callers(lines_of: LinesOf) -> None:
    assert ends(graph_of(lines_of, *["a b b a c a b a"] * 3)) == [("a", "b"), ("a", "c")]


def test_order_without_nesting_is_not_believed_where_nesting_shows(lines_of: LinesOf) -> None:
    assert ends(graph_of(lines_of, *["a b c a"] * 5)) == [("a", "b")]


def test_a_chain_without_returns_has_no_shortcut(lines_of: LinesOf) -> None:
    graph = graph_of(lines_of, *["a b c"] * 3)
    assert ends(graph) == [("a", "b"), ("b", "c")]
    assert graph.edge("b", "c").provenance == (Provenance("log-order", "by order alone in 3 of 3 traces"),)


def test_a_few_traces_are_no_evidence(lines_of: LinesOf) -> None:
    assert ends(graph_of(lines_of, *["a b a"] * 2)) == []
    assert ends(graph_of(lines_of, *["a b a"] * 2, min_traces=2)) == [("a", "b")]


def test_a_direction_must_be_consistent(lines_of: LinesOf) -> None:
    assert ends(graph_of(lines_of, *["a b a"] * 8, *["b a b"] * 2)) == [("a", "b")]
    assert ends(graph_of(lines_of, *["a b a"] * 7, *["b a b"] * 3)) == []


def test_services_that_began_in_the_same_instant_say_nothing_of_each_other(lines_of: LinesOf) -> None:
    lines = []
    for number in range(5):
        first, second, third = lines_of("a b a", f"t{number}")
        lines += [first, replace(second, at=first.at), third, replace(second, at=third.at)]
    assert ends(from_log_order(lines)) == []


def test_lines_without_a_trace_or_a_service_are_passed_over(lines_of: LinesOf) -> None:
    lines = lines_of("a b a", "") + lines_of("a unknown a", "t1") + [replace(lines_of("a")[0], trace_id=None)]
    assert ends(from_log_order(lines, min_traces=1)) == []


def test_a_shared_id_of_many_requests_has_one_vote(lines_of: LinesOf) -> None:
    assert ends(graph_of(lines_of, "a b a " * 50)) == []


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abcd"), st.sampled_from("tuvw")), max_size=60),
    st.randoms(),
)
def test_lines_in_any_order_give_the_same_graph(drawn: list[tuple[int, str, str]], random: Any) -> None:
    class Row:
        def __init__(self, row: tuple[int, str, str]) -> None:
            self.at, self.service, self.trace_id = row

    lines: list[Any] = [Row(row) for row in drawn]
    graph = from_log_order(lines, min_traces=1)
    assert graph == from_log_order(random.sample(lines, len(lines)), min_traces=1)
    assert all(edge.caller != edge.callee for edge in graph.edges())
