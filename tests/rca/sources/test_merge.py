import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rca.model.logs import LogCounts
from rca.model.signals import SignalFrame, SignalKey
from rca.sources.merge import merge_counts, merge_frames, round_significant


def frame(name: str, points: dict[float, float], query: str = "") -> SignalFrame:
    times = np.array(sorted(points))
    values = np.array([[points[time]] for time in sorted(points)])
    return SignalFrame(times, values, (SignalKey("cart", name, query=query),))


def test_series_are_laid_on_the_union_of_their_times() -> None:
    merged = merge_frames([frame("b", {0: 1, 60: 2}), frame("a", {60: 5, 120: 6})])
    assert merged is not None
    assert merged.times.tolist() == [0, 60, 120]
    assert [key.metric for key in merged.keys] == ["a", "b"]
    np.testing.assert_array_equal(merged.values, [[np.nan, 1], [5, 2], [6, np.nan]])


points = st.dictionaries(st.integers(0, 40).map(float), st.integers(-9, 9).map(float), min_size=1, max_size=12)


@given(st.lists(points, min_size=1, max_size=5))
def test_joining_series_is_an_outer_join(columns: list[dict[float, float]]) -> None:
    merged = merge_frames([frame(f"m{place}", column) for place, column in enumerate(columns)])
    oracle = pd.concat([pd.Series(column, name=f"m{place}") for place, column in enumerate(columns)], axis=1)
    assert merged is not None
    pd.testing.assert_frame_equal(
        pd.DataFrame(merged.values, index=merged.times, columns=[key.metric for key in merged.keys]),
        oracle.sort_index().astype(float),
        check_index_type=False,
        check_freq=False,
    )


def test_of_two_series_of_one_name_the_fuller_is_kept() -> None:
    thin, full = frame("a", {0: 1}, "x"), frame("a", {0: 2, 60: 3}, "y")
    for order in ([thin, full], [full, thin]):
        merged = merge_frames(order)
        assert merged is not None
        assert [key.query for key in merged.keys] == ["y"]


def test_nothing_merges_to_nothing() -> None:
    assert merge_frames([]) is None
    assert merge_frames([SignalFrame(np.array([]), np.empty((0, 0)), ())]) is None
    assert merge_counts([]) is None


@given(st.permutations([("a", 0.0), ("b", 60.0), ("c", 30.0), ("a", 90.0)]))
def test_the_order_of_arrival_never_shows(order: list[tuple[str, float]]) -> None:
    expected = merge_frames([frame(name, {at: at + 1}, f"q{at}") for name, at in sorted(order)])
    merged = merge_frames([frame(name, {at: at + 1}, f"q{at}") for name, at in order])
    assert merged is not None
    assert expected is not None
    assert merged.keys == expected.keys
    assert [key.query for key in merged.keys] == [key.query for key in expected.keys]
    np.testing.assert_array_equal(merged.values, expected.values)


def test_counts_add_up_over_buckets_services_and_levels() -> None:
    one = LogCounts(np.array([0.0, 60.0]), ("cart",), ("ERROR", "INFO"), np.array([[[1.0, 5.0]], [[2.0, 6.0]]]))
    two = LogCounts(
        np.array([60.0, 120.0]), ("bill", "cart"), ("INFO",), np.array([[[7.0], [1.0]], [[8.0], [0.0]]])
    )
    merged = merge_counts([one, two])
    assert merged is not None
    assert merged.services == ("bill", "cart")
    assert merged.levels == ("ERROR", "INFO")
    assert merged.counts.sum() == one.counts.sum() + two.counts.sum()
    assert merged.counts[1].tolist() == [[0.0, 7.0], [2.0, 7.0]]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_keeps_seven_significant_digits(value: float) -> None:
    (rounded,) = round_significant(np.array([value]))
    assert abs(rounded - value) <= abs(value) * 1e-6
    if 1e-12 < abs(value) < 1e20:
        assert float(f"{rounded:.7g}") == rounded, "it is written with seven digits"


def test_missing_points_stay_missing_when_rounded() -> None:
    np.testing.assert_array_equal(round_significant(np.array([np.nan, 0.0, 1 / 3])), [np.nan, 0.0, 0.3333333])
