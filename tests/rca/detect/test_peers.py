import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.peers import Peers

VALUES = st.sampled_from([0.0, 1.0, 2.5, 4.0, 7.0, np.nan, np.inf])


@given(st.lists(st.tuples(st.integers(0, 4), VALUES), max_size=20))
def test_all_groups_at_once_agree_with_each_alone(members: list[tuple[int, float]]) -> None:
    groups, values = np.array([g for g, _ in members], dtype=np.intp), np.array([v for _, v in members])
    found = Peers.of(groups).medians(values[None, :])[0]
    for group, median in zip(groups, found, strict=True):
        usable = values[(groups == group) & np.isfinite(values) & (values > 0)]
        assert median == pytest.approx(np.median(usable) if len(usable) else 0.0)


def test_the_largest_of_a_group_counts_for_all_of_it() -> None:
    values = np.array([[1.0, 5.0, np.nan, 3.0], [np.nan, np.nan, 2.0, 0.0]])
    assert Peers.of(np.array([7, 2, 7, 2])).largest(values).tolist() == [
        [1.0, 5.0, 1.0, 5.0],
        [2.0, 0.0, 2.0, 0.0],
    ]


def test_groups_of_which_nobody_asks_are_left_out() -> None:
    values = np.array([[1.0, 5.0, 4.0, 3.0, 9.0]])
    some = Peers.of(np.array([7, 2, 7, 2, 5]), np.array([2, 4]))
    assert some.medians(values).tolist() == [[2.5, 0.0, 2.5, 0.0, 9.0]]
