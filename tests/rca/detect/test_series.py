import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect import onset, table
from rca.detect.series import median, quantiles, score
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from tests.rca.detect.conftest import MakeFrame

TUNING = Tuning()
_NOISE = np.random.default_rng(3).standard_normal(40)


def z_of(make_frame: MakeFrame, column: FloatArray, metric: str = "latency_ms", row: int = 30) -> float:
    made = table.build(make_frame({f"a|{metric}": column}))
    return float(score(made, [onset.split(made.times, row, None, TUNING)], TUNING).z[0, 0])


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=30), st.floats(0, 1))
def test_quantiles_agree_with_numpy(values: list[float], q: float) -> None:
    row = np.array([values])
    ours = quantiles(np.sort(row, axis=1), np.sum(~np.isnan(row), axis=1).astype(float), q)[0]
    known = row[~np.isnan(row)]
    if len(known):
        assert ours == pytest.approx(np.quantile(known, q), rel=1e-9, abs=1e-6)
    else:
        assert np.isnan(ours)


def test_the_median_of_nothing_is_missing() -> None:
    assert np.isnan(median(np.full((1, 3), np.nan))[0])
    assert np.isnan(median(np.empty((1, 0)))[0])


def test_a_step_departs_and_noise_does_not(make_frame: MakeFrame) -> None:
    step = 100 + _NOISE + np.where(np.arange(40) >= 30, 100, 0)
    assert z_of(make_frame, step) > 10
    assert z_of(make_frame, 100 + _NOISE) < 1


def test_one_peak_is_not_a_departure(make_frame: MakeFrame) -> None:
    peak = 100 + _NOISE
    peak[35] = 1e4
    assert z_of(make_frame, peak) < 1


def test_errors_that_were_zero_are_the_best_evidence(make_frame: MakeFrame) -> None:
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 0.2, 0.0), "error_ratio") == TUNING.z_cap


def test_failures_in_some_minutes_count(make_frame: MakeFrame) -> None:
    some = np.where((np.arange(40) >= 30) & (np.arange(40) % 3 == 0), 0.3, 0.0)
    assert z_of(make_frame, some, "error_ratio") > 10
    assert z_of(make_frame, some, "latency_ms") == 0


def test_a_good_change_is_no_evidence(make_frame: MakeFrame) -> None:
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 10.0, 100.0)) == 0
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 100.0, 90.0), "availability") == 0


def test_what_the_baseline_did_before_counts_less(make_frame: MakeFrame) -> None:
    once = 100 + _NOISE + np.where(np.arange(40) >= 30, 50, 0)
    twice = once + np.where((np.arange(40) >= 2) & (np.arange(40) < 14), 60, 0)
    assert z_of(make_frame, twice) < z_of(make_frame, once)


@pytest.mark.parametrize("factor", [1e-3, 1e3, 7.0])
def test_the_unit_does_not_matter(make_frame: MakeFrame, factor: float) -> None:
    step = 100 + 3 * _NOISE + np.where(np.arange(40) >= 30, 20, 0)
    assert z_of(make_frame, step * factor) == pytest.approx(z_of(make_frame, step), rel=1e-9)


def test_too_few_values_tell_nothing(make_frame: MakeFrame) -> None:
    lonely = np.full(40, np.nan)
    lonely[[5, 35]] = 1.0, 99.0
    assert z_of(make_frame, lonely) == 0


def test_an_idle_service_is_measured_by_the_system(make_frame: MakeFrame) -> None:
    idle = 0.01 + np.where(np.arange(40) >= 30, 0.5, 0.0)
    made = table.build(make_frame({"idle|cpu_usage": idle, "busy|cpu_usage": 50 + _NOISE}))
    z = score(made, [onset.split(made.times, 30, None, TUNING)], TUNING).z[0]
    assert z[0] < 2 < z_of(make_frame, idle, "cpu_usage")
