import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.surprise import surprise

_COUNTS = st.floats(0, 1e9)


def test_one_of_what_never_was_is_little_and_a_hundred_are_much() -> None:
    assert surprise(np.array([1.0, 100.0]), np.zeros(2)) == pytest.approx([1 / 0.75**0.5, 100 / 25.5**0.5])


def test_near_what_is_expected_it_is_nine_tenths_of_a_poisson_counts_residual() -> None:
    expected, more = 1e6, 1000.0
    assert surprise(np.array([expected + more]), np.array([expected])) == pytest.approx(
        0.894 * more / expected**0.5, rel=1e-3
    )


@given(observed=_COUNTS, expected=_COUNTS)
def test_as_many_as_expected_or_fewer_surprise_nobody(observed: float, expected: float) -> None:
    low, high = sorted((observed, expected))
    assert surprise(np.array([low]), np.array([high])).tolist() == [0.0]


@given(expected=_COUNTS, seen=st.tuples(_COUNTS, _COUNTS))
def test_more_surprise_more_but_no_more_than_twice_their_root(expected: float, seen: tuple[float, float]) -> None:
    observed = np.sort(seen)
    few, many = surprise(observed, np.full(2, expected))
    assert few <= many * (1 + 1e-9)
    assert many <= 2 * observed[1] ** 0.5


@given(expected=_COUNTS, observed=_COUNTS, longer=st.tuples(st.floats(0, 100), st.floats(0, 100)))
def test_the_shorter_the_look_at_what_is_usual_the_less_surprises(
    expected: float, observed: float, longer: tuple[float, float]
) -> None:
    seen, usual = np.full(2, observed), np.full(2, expected)
    long_look, short_look = surprise(seen, usual, np.sort(longer))
    assert short_look <= long_look
