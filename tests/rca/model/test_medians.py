import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rca.model.medians import medians
from rca.model.signals import FloatArray

_SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=7)
_VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@given(values=arrays.arrays(np.float64, _SHAPES, elements=_VALUES))
def test_medians_agree_with_numpys(values: FloatArray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, where nothing but NaN stands
        expected = np.nanmedian(values, axis=-1)
    assert medians(values) == pytest.approx(expected, nan_ok=True)


def test_no_series_have_no_medians() -> None:
    assert medians(np.empty((0, 3))).shape == (0,)
