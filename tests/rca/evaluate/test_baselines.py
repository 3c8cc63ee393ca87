import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.evaluate.baselines import baro, chance, chance_of_reciprocal, largest_z, robust_scores
from rca.model.signals import FloatArray, SignalFrame, SignalKey

ROWS, ONSET = 40, 30.0


def frame(**columns: FloatArray) -> SignalFrame:
    keys = tuple(SignalKey(name.split("__")[0], name.split("__")[1]) for name in columns)
    return SignalFrame(np.arange(ROWS, dtype=np.float64), np.array(list(columns.values())).T, keys)


def wave(level: float = 10.0) -> FloatArray:
    found: FloatArray = level + np.sin(np.arange(ROWS, dtype=np.float64))
    return found


def risen(by: float) -> FloatArray:
    return wave() + np.where(np.arange(ROWS) >= ONSET, by, 0.0)


def test_a_robust_score_by_hand() -> None:
    before = np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0], [4.0, 7.0], [5.0, 7.0]])
    after = np.array([[9.0, 9.0], [-90.0, 8.0]])
    # median 3, quartiles 2 and 4; a spread of 0 counts as 1
    assert robust_scores(before, after) == pytest.approx([(9 - 3) / 2, 2.0])


def test_baro_sees_rises_only_and_drops_what_was_constant() -> None:
    constant = np.where(np.arange(ROWS) >= ONSET, 50.0 + np.arange(ROWS), 0.0)
    found = baro(frame(down__cpu=risen(-50.0), up__cpu=risen(5.0), dead__errors=constant), ONSET)
    assert found == ("up", "down")


def test_baro_fills_gaps_forwards() -> None:
    gappy = risen(20.0)
    gappy[35:] = np.nan
    gappy[:3] = np.nan
    assert baro(frame(a__cpu=gappy, b__cpu=risen(5.0)), ONSET)[0] == "a"


def test_the_largest_z_counts_both_directions() -> None:
    found = largest_z(frame(down__cpu=risen(-50.0), up__cpu=risen(5.0), calm__cpu=wave()), ONSET)
    assert found == ("down", "up", "calm")


@pytest.mark.parametrize("ranker", [baro, largest_z])
@pytest.mark.parametrize("onset", [None, -5.0, 1000.0])
def test_without_rows_on_both_sides_nobody_is_ranked(ranker: object, onset: float | None) -> None:
    assert callable(ranker)
    assert ranker(frame(a__cpu=wave()), onset) == ()
    assert ranker(None, onset) == ()


@given(st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.integers(1, 7))
def test_chance_is_the_mean_over_all_orders(sizes: tuple[int, int], depth: int) -> None:
    services, accepted = sizes
    places = [
        min((order.index(i) + 1 for i in range(accepted)), default=None)
        for order in itertools.permutations(range(services))
    ]
    hits = [place is not None and place <= depth for place in places]
    assert chance(services, accepted, depth) == pytest.approx(sum(hits) / len(hits))
    reciprocal = [1 / place if place else 0.0 for place in places]
    assert chance_of_reciprocal(services, accepted) == pytest.approx(sum(reciprocal) / len(reciprocal))
