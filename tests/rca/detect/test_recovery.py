import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.detect.recovery import ended
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning

ROWS, BEGIN = 80, 40


def system(end: int | None, *, seed: int = 1, count: int = 12, rows: int = ROWS) -> FloatArray:
    """Noise around 10 in each series, and three of them at 40 from `BEGIN` up to `end`."""
    values: FloatArray = 10 + np.random.default_rng(seed).standard_normal((rows, count))
    values[BEGIN:end, :3] += 30
    return values


def up(values: FloatArray) -> FloatArray:
    return np.ones(values.shape[1])


def told(values: FloatArray, at: int = BEGIN) -> int | None:
    return ended(values, up(values), at, (at - 10, at + 2), told=at, clear=1.0, tuning=RowTuning())


def hidden(values: FloatArray) -> int | None:
    return ended(values, up(values), len(values), (0, len(values)), told=None, clear=4.0, tuning=RowTuning())


def test_an_incident_that_was_over_ends_where_it_was() -> None:
    assert told(system(52)) == 52
    assert hidden(system(52)) == 52


def test_one_that_goes_on_has_no_end() -> None:
    assert told(system(None)) is None
    assert hidden(system(60, rows=61)) is None


def test_too_few_calm_rows_after_it_say_nothing() -> None:
    assert told(system(ROWS - 2)) is None
    assert told(system(70)) is None
    assert told(system(66)) == 66


def test_calm_data_have_no_end() -> None:
    assert told(system(BEGIN)) is None
    assert hidden(system(BEGIN)) is None


def test_a_series_that_gets_worse_downwards_is_read_so() -> None:
    values = system(52)
    assert ended(-values, -up(values), ROWS, (0, ROWS), told=None, clear=4.0, tuning=RowTuning()) == 52
    assert ended(-values, up(values), ROWS, (0, ROWS), told=None, clear=4.0, tuning=RowTuning()) is None
    assert ended(values, 0 * up(values), ROWS, (0, ROWS), told=None, clear=4.0, tuning=RowTuning()) is None


def test_single_loud_rows_are_no_incident() -> None:
    values = system(BEGIN)
    values[::9, :6] += 500
    assert hidden(values) is None


def test_an_older_blip_does_not_hide_what_goes_on() -> None:
    values = system(None)
    values[20:28, 3:7] += 30
    assert hidden(values) is None


def test_what_began_long_after_the_time_that_was_told_is_another_thing() -> None:
    values = system(BEGIN)
    values[50:56, :3] += 30
    assert told(values, BEGIN) is None
    assert told(values, 50) == 56


def test_an_incident_that_does_not_outweigh_what_else_departs_has_no_end() -> None:
    values = system(52)
    values[20:22, :3] += 30
    assert hidden(values) == 52
    values[18:20, :3] += 30
    assert hidden(values) is None


def test_what_was_told_is_not_over_before_it() -> None:
    values = system(BEGIN)
    values[44:48, :3] += 30
    assert ended(values, up(values), 50, (40, 52), told=50, clear=1.0, tuning=RowTuning()) is None
    assert ended(values, up(values), 46, (40, 52), told=46, clear=1.0, tuning=RowTuning()) == 48


def test_a_fault_that_is_most_of_the_window_is_not_taken_for_what_is_usual() -> None:
    values = system(BEGIN)
    values[20:, :3] += 30
    assert hidden(values) is None


@pytest.mark.parametrize("rows", [0, 3, 6])
def test_a_short_window_says_nothing(rows: int) -> None:
    values = system(None)[:rows]
    assert hidden(values) is None
    assert ended(values, up(values), min(3, rows), (0, rows), told=3, clear=1.0, tuning=RowTuning()) is None


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(45, 60), missing=st.floats(0, 0.2))
def test_the_end_is_found_within_two_rows_though_values_are_missing(seed: int, end: int, missing: float) -> None:
    values = system(end, seed=seed)
    values[np.random.default_rng(seed).random(values.shape) < missing] = np.nan
    found = told(values)
    assert found is not None
    assert abs(found - end) <= 2


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(12)), factor=st.sampled_from([1e-3, 7.0, 1e6]))
def test_neither_order_nor_unit_matters(order: list[int], factor: float) -> None:
    assert told(system(52)[:, order] * factor) == 52
