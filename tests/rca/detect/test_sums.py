import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.sums import Deviations, Sums

_ROWS = st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(float("nan"))), min_size=1, max_size=30)


@given(values=_ROWS, ends=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_sums_over_any_stretch_agree_with_numpy(values: list[float], ends: tuple[int, int]) -> None:
    start, stop = sorted(min(end, len(values)) for end in ends)
    part = np.array(values[start:stop])
    total, count = Sums.of(np.array([values])).over(slice(start, stop))
    assert total[0] == pytest.approx(np.nansum(part), abs=1e-9)
    assert count[0] == np.sum(~np.isnan(part))


@given(values=_ROWS, ends=st.tuples(st.integers(0, 30), st.integers(0, 30)), level=st.floats(-1e3, 1e3))
def test_deviations_over_any_stretch_agree_with_numpy(
    values: list[float], ends: tuple[int, int], level: float
) -> None:
    start, stop = sorted(min(end, len(values)) for end in ends)
    part = np.array([value for value in values[start:stop] if not np.isnan(value)])
    found = Deviations.of(np.array([values]), np.array([level])).over(slice(start, stop))[0]
    assert found == pytest.approx(part.std() if len(part) else 0.0, abs=5e-3)


def test_a_constant_has_no_deviation_though_it_changes_later() -> None:
    series = np.array([[0.05] * 20 + [1e6 / 3] * 30])
    assert Deviations.of(series, np.array([1e6 / 3])).over(slice(0, 20)).tolist() == [0.0]
