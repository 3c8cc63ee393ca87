import numpy as np
import pytest

from rca.detect.departure import departure, scaled, typical

GAP = float("nan")


def test_events_have_a_mean_and_anything_else_a_median_of_what_is_there() -> None:
    values = np.array([[0.0, 0.0, 6.0, GAP], [0.0, 0.0, 6.0, GAP], [1.0, GAP, 4.0, GAP], [GAP] * 4])
    found = typical(values, np.array([True, False, False, True]))
    assert found[:3].tolist() == [2.0, 0.0, 2.5]
    assert np.isnan(found[3])


@pytest.mark.parametrize(
    ("up", "direction", "expected"), [(3.0, 1.0, 3.0), (3.0, -1.0, 0.0), (-3.0, 0.0, 3.0), (GAP, 1.0, 0.0)]
)
def test_only_the_bad_way_counts(up: float, direction: float, expected: float) -> None:
    some = np.array([up])
    assert departure(some, -some, np.array([direction])).tolist() == [expected]


def test_what_moves_though_it_never_did_departs_infinitely() -> None:
    assert scaled(np.array([1.0, 0.0, 3.0]), np.array([0.0, 0.0, 2.0])).tolist() == [np.inf, 0.0, 1.5]
