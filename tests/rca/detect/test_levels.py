import numpy as np
import pytest
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
    missing=st.sampled_from([0.0, 0.3, 0.9]),
    width=st.integers(1, SHAPE[1]),
    few=st.sampled_from([0, 10**6]),
    kept=st.sampled_from([0, 10**6]),
)
def test_levels_of_windows_are_what_each_gives_alone_to_the_last_bit(
    *, seed: int, missing: float, width: int, few: int, kept: int
) -> None:
    values = some_values(seed, missing)
    starts = range(0, SHAPE[1] - width + 1, max(1, width // 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rca.detect.levels._FEW", few)
        patch.setattr("rca.detect.levels._KEPT", kept)
        levels = Levels.of(Ordered.of(values), COUNTED)
        levels.windows(starts[:2], width)
        found = levels.windows(starts, width)
    for level, start in zip(found, starts, strict=True):
        np.testing.assert_array_equal(level, typical(values[:, start : start + width], COUNTED))


def test_no_more_windows_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.detect.levels._KEPT", 5 * len(COUNTED))
    levels = Levels.of(Ordered.of(some_values(1, 0.1)), COUNTED)
    for width in range(5, 15):
        levels.windows([0, 3], width)
        assert len(levels.kept) <= 5
