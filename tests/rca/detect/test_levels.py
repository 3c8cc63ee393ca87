import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.departure import typical
from rca.detect.levels import Levels
from rca.detect.ordered import Ordered
from rca.model.signals import FloatArray

COUNTED = np.array([False, True, False, True])
SHAPE = (len(COUNTED), 30)


def some_values(seed: int, missing: float) -> FloatArray:
    random = np.random.default_rng(seed)
    values = random.gamma(3.0, 2.0, SHAPE)
    values[random.random(SHAPE) < missing] = np.nan
    return values


@given(
    seed=st.integers(0, 2**32 - 1),
    missing=st.sampled_from([0.0, 0.01, 0.3, 0.9]),
    start=st.integers(0, 10),
    width=st.integers(1, SHAPE[1] - 10),
    series=st.lists(st.integers(0, SHAPE[0] - 1), max_size=6),
)
def test_levels_of_windows_are_what_each_gives_alone_to_the_last_bit(
    *, seed: int, missing: float, start: int, width: int, series: list[int]
) -> None:
    values, stride = some_values(seed, missing), max(1, width // 2)
    some = np.array(series, dtype=np.intp)
    found = Levels.of(Ordered.of(values), COUNTED).windows(some, slice(start, SHAPE[1]), width, stride)
    starts = range(start, SHAPE[1] - width + 1, stride)
    for level, first in zip(found, starts, strict=True):
        np.testing.assert_array_equal(level, typical(values[some, first : first + width], COUNTED[some]))


def test_levels_of_stretches_are_what_each_gives_alone() -> None:
    values, stretches = some_values(1, 0.1), [slice(0, 7), slice(3, 30), slice(5, 6)]
    for level, rows in zip(Levels.of(Ordered.of(values), COUNTED).over(stretches), stretches, strict=True):
        np.testing.assert_allclose(level, typical(values[:, rows], COUNTED), rtol=1e-12)
