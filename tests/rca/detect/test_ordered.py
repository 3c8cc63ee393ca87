import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.ordered import Ordered, Quantiles

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=30)


@given(VALUES, st.floats(0, 1), st.integers(0, 30), st.integers(0, 30))
def test_quantiles_of_any_stretch_agree_with_numpy(values: list[float], q: float, start: int, width: int) -> None:
    rows = slice(min(start, len(values)), min(start + width, len(values)))
    both = np.array([values, values[::-1]])
    found = Ordered.of(both).quantiles(rows, (q, 0.5)).values
    for i, row in enumerate(both):
        known = row[rows][~np.isnan(row[rows])]
        if len(known):
            assert found[:, i] == pytest.approx(np.quantile(known, [q, 0.5]), rel=1e-9, abs=1e-6)
        else:
            assert np.isnan(found[:, i]).all()


def test_of_no_series_there_are_no_quantiles() -> None:
    assert Ordered.of(np.empty((0, 4))).quantiles(slice(0, 4), (0.5,)).values.shape == (1, 0)


def test_quantiles_of_logarithms_are_interpolated_between_logarithms() -> None:
    values = np.array([[1.0, 4.0, 0.0], [9.0, 2.0, 2.0]])
    plain = Quantiles.stacked([Ordered.of(values).quantiles(slice(0, 3), (0.2, 0.9))])
    found = plain.of_logs(np.array([1]), np.array([[0.5]])).values
    assert found[0, :, 0] == pytest.approx(np.quantile(np.log(values[1] + 0.5), [0.2, 0.9]))
