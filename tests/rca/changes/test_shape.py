import numpy as np
import pytest

from rca.changes.shape import departure
from rca.model.signals import FloatArray


def noisy(size: int = 120, level: float = 100.0) -> FloatArray:
    return np.asarray(level + 2.0 * np.sin(np.arange(size) * 1.7), dtype=np.float64)


def test_a_step_departs_where_it_steps() -> None:
    values = noisy()
    values[90:] += 80
    left = departure(values)
    assert left is not None
    assert (left.row, left.began, left.up, left.ramp) == (90, 90, True, False)
    assert left.ratio == pytest.approx(1.8, abs=0.1)


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
