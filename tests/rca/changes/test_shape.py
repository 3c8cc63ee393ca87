import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.changes.shape import Departure, departures
from rca.model.signals import FloatArray


def departure(values: FloatArray, *, once: bool = False) -> Departure | None:
    return departures(values[None, :], np.array([once]))[0]


def noisy(size: int = 120, level: float = 100.0) -> FloatArray:
    return np.asarray(level + 2.0 * np.sin(np.arange(size) * 1.7), dtype=np.float64)


def test_a_step_departs_where_it_steps() -> None:
    values = noisy()
    values[90:] += 80
    left = departure(values)
    assert left is not None
    assert (left.row, left.began, left.up, left.ramp) == (90, 90, True, False)
    assert left.ratio == pytest.approx(1.8, abs=0.1)


def test_noise_that_leaves_the_baseline_before_a_step_is_no_part_of_it() -> None:
    values = noisy()
    values[30:34] += 30
    values[70:] += 400
    left = departure(values)
    assert left is not None
    assert (left.row, left.began, left.ramp) == (70, 70, False)


def test_a_lower_step_before_a_higher_one_is_where_it_begins() -> None:
    values = noisy()
    values[60:] += 200
    values[80:] += 200
    left = departure(values)
    assert left is not None
    assert left.row == 60


def test_a_fall_departs_downwards() -> None:
    values = noisy()
    values[90:] -= 60
    left = departure(values)
    assert left is not None
    assert not left.up


def test_a_ramp_is_told_from_a_step_and_its_start_is_found() -> None:
    values = noisy()
    values[60:] += 4.0 * np.arange(60)
    left = departure(values)
    assert left is not None
    assert left.ramp
    assert 56 <= left.began <= 63


def test_a_step_that_a_rate_smears_stays_a_step() -> None:
    values = noisy()
    values[90:] += 80
    values[90:95] -= [64, 48, 32, 16, 8]
    left = departure(values)
    assert left is not None
    assert not left.ramp


def test_noise_and_blips_do_not_depart() -> None:
    values = noisy()
    assert departure(values) is None
    values[70] += 90
    assert departure(values) is None
    assert departure(np.zeros(100)) is None
    assert departure(np.full(100, np.nan)) is None


def test_a_single_kill_counts_where_one_is_enough() -> None:
    values = np.zeros(60)
    values[50] = 1.0
    assert departure(values) is None
    left = departure(values, once=True)
    assert left is not None
    assert left.row == 50


def test_missing_points_do_not_move_the_rows() -> None:
    values = noisy()
    values[90:] += 80
    values[20:30] = np.nan
    left = departure(values)
    assert left is not None
    assert left.row == 90


def first_row_out(values: FloatArray, *, once: bool) -> int | None:
    """The definition, one value after the other."""
    known = [i for i, value in enumerate(values) if not np.isnan(value)]
    if len(known) < 10:
        return None
    x = values[known]
    size = max(8, int(0.12 * len(x)))
    middle = np.median(x[:size])
    mad = 1.4826 * np.median(np.abs(x[:size] - middle))
    of_steps = 1.4826 * np.median(np.abs(np.diff(x[:size]))) / np.sqrt(2)
    scale = max(mad, of_steps, 0.03 * abs(middle), 0.01 * (x.max() - x.min()))
    if scale <= 0:
        return None
    away = np.abs((x - middle) / scale)
    for i in range(size, len(x)):
        soon, rest = away[i : i + 4] > 5, away[i:] > 3
        stays = len(soon) > 1 and soon.sum() >= min(3, len(soon)) and rest.mean() >= 0.6
        if away[i] > 5 and (stays or (once and (away[:size] <= 5).all())):
            return known[i]
    return None


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.sampled_from([0.0, 0.1, 0.6]))
def test_all_series_at_once_depart_where_each_one_does(seed: int, size: int, missing: float) -> None:
    random = np.random.default_rng(seed)
    values = random.gamma(2.0, 1.0, (12, size)) + np.round(random.normal(0, 0.4, (12, 1)))
    values[3:9, size // 2 :] += 9 * np.arange(6)[:, None]
    values[9:] = random.random((3, size)) < 0.05
    values[random.random(values.shape) < missing] = np.nan
    once = random.random(12) < 0.4
    together = departures(values, once)
    alone = [departures(values[i : i + 1], once[i : i + 1])[0] for i in range(len(values))]
    assert together == alone
    for left, row, one in zip(together, values, once.tolist(), strict=True):
        first = first_row_out(row, once=one)
        assert (left is None) == (first is None)
        if left is not None and first is not None:  # noise that came out before a step isn't it
            assert left.row == first if one else left.row >= first
