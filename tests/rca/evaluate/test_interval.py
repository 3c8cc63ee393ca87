import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.evaluate.interval import of_mean, wilson


def test_the_interval_of_a_share_by_the_published_example() -> None:
    # 81 of 263: Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_mirrors_its_complement(counts: tuple[int, int]) -> None:
    hits, cases = counts
    low, high = wilson(hits, cases)
    assert 0.0 <= low <= hits / cases + 1e-12
    assert hits / cases - 1e-12 <= high <= 1.0
    assert wilson(cases - hits, cases) == pytest.approx((1 - high, 1 - low))


def test_a_mean_of_one_is_that_one() -> None:
    assert of_mean([0.5], [(0.2, 0.7)]) == pytest.approx((0.2, 0.7))


def test_a_mean_of_more_is_surer_than_each() -> None:
    one = wilson(15, 20)
    low, high = of_mean([0.75] * 4, [one] * 4)
    assert 0.75 - low == pytest.approx((0.75 - one[0]) / 2)
    assert high - 0.75 == pytest.approx((one[1] - 0.75) / 2)
