import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.cadence import cadence, put_together
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning

ROWS = 12
TUNING = RowTuning()


def scraped(rows: int, seconds: int, phases: list[int]) -> tuple[FloatArray, FloatArray]:
    """One series for each target, scraped at a second of its own: a row for each second at which anything was."""
    times = np.array(sorted({seconds * i + phase for i in range(rows) for phase in phases}), dtype=np.float64)
    values = np.full((len(times), len(phases)), np.nan)
    for column, phase in enumerate(phases):
        values[np.isin(times, seconds * np.arange(rows) + phase), column] = np.arange(rows)
    return times, values


@pytest.mark.parametrize("seconds", [15, 60])
def test_series_scraped_at_their_own_seconds_have_the_interval_of_one(seconds: int) -> None:
    assert cadence(*scraped(ROWS, seconds, [0, 3, 7, 11]), TUNING) == seconds


def test_rows_in_which_most_series_have_a_value_stay() -> None:
    times, values = scraped(ROWS, 60, [0, 0, 0])
    values[::4, 0] = np.nan
    assert cadence(times, values, TUNING) is None


def test_series_without_two_values_have_no_interval() -> None:
    assert cadence(np.arange(3.0), np.full((3, 2), np.nan), TUNING) is None
    assert cadence(np.arange(3.0), np.array([[1.0], [np.nan], [np.nan]]), TUNING) is None


def test_a_series_that_ends_early_or_tears_is_outvoted() -> None:
    times, values = scraped(ROWS, 60, [0, 3, 7, 11, 20])
    values[times > 200, 0] = np.nan
    values[(times > 200) & (times < 500), 1] = np.nan
    assert cadence(times, values, TUNING) == 60


def test_rows_put_together_hold_each_series_once() -> None:
    times, values = scraped(ROWS, 60, [0, 3, 7, 11])
    at, merged = put_together(times, values, 60.0, 0.0)
    assert at.tolist() == [60.0 * i for i in range(ROWS)]
    assert merged.tolist() == [[float(i)] * 4 for i in range(ROWS)]


def test_no_row_holds_what_was_before_an_onset_and_what_was_after() -> None:
    times, values = scraped(ROWS, 60, [0, 30])
    onset = 375.0
    at, merged = put_together(times, values, 60.0, onset)
    assert onset in at
    before = values[times < onset]
    assert np.nanmax(merged[at < onset], axis=0).tolist() == np.nanmax(before, axis=0).tolist()


def test_several_values_of_a_series_in_a_row_are_their_mean_and_none_is_missing() -> None:
    at, merged = put_together(
        np.array([0.0, 5.0, 10.0]), np.array([[1.0, np.nan]] * 2 + [[4.0, np.nan]]), 10.0, 0.0
    )
    assert at.tolist() == [0.0, 10.0]
    assert merged[:, 0].tolist() == [1.0, 4.0]
    assert np.isnan(merged[:, 1]).all()


@given(
    phases=st.lists(st.integers(0, 14), min_size=1, max_size=8),
    anchor=st.integers(-100, 400),
    seconds=st.sampled_from([15.0, 45.0]),
)
def test_nothing_is_lost_and_time_goes_on(phases: list[int], anchor: int, seconds: float) -> None:
    times, values = scraped(ROWS, 15, phases)
    at, merged = put_together(times, values, seconds, float(anchor))
    assert np.all(np.diff(at) > 0)
    assert at[0] <= times[0] < at[0] + seconds
    assert at[-1] <= times[-1] < at[-1] + seconds
    assert np.nanmin(merged) >= np.nanmin(values)
    assert np.nanmax(merged) <= np.nanmax(values)
    assert not np.isnan(merged).all(axis=1).any()
