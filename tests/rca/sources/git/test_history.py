from hypothesis import given
from hypothesis import strategies as st

from rca.sources.git.history import in_order


def test_clocks_that_agree_are_believed() -> None:
    assert in_order([10, 20, 20, 30], now=40) == [10, 20, 20, 30]


def test_one_that_cannot_be_right_is_placed_at_the_one_before() -> None:
    assert in_order([10, 20, 3, 30], now=40) == [10, 20, 20, 30]
    assert in_order([10, 99, 20, 30], now=100) == [10, 10, 20, 30]
    assert in_order([99, 20, 30], now=100) == [20, 20, 30]


def test_nobody_commits_in_the_future() -> None:
    assert in_order([10, 20, 500], now=40) == [10, 20, 20]
    assert in_order([500], now=40) == [40]


@given(st.lists(st.integers(0, 100)), st.integers(0, 120))
def test_times_never_fall_and_never_lie_in_the_future(stated: list[int], now: int) -> None:
    times = in_order(stated, now)
    assert times == sorted(times)
    assert all(at <= now for at in times)


@given(st.lists(st.integers(0, 100)))
def test_as_many_clocks_as_possible_are_believed(stated: list[int]) -> None:
    longest = [0] * len(stated)
    for place, at in enumerate(stated):
        longest[place] = 1 + max((longest[i] for i in range(place) if stated[i] <= at), default=0)
    kept = sum(a == b for a, b in zip(in_order(stated, 200), stated, strict=True))
    assert kept >= max(longest, default=0)
