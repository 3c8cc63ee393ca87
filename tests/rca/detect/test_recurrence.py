import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rca.detect import table
from rca.detect.departure import departure, typical
from rca.detect.levels import Levels
from rca.detect.ordered import Ordered
from rca.detect.recurrence import recurrence
from rca.model.scores import SeriesTable
from rca.model.signals import Bad, FloatArray, Kind, SignalFrame, SignalKey
from rca.model.tuning.rows import RowTuning

KEYS = tuple(
    SignalKey(service, f"metric_{i}", kind=kind, bad=bad, declared=True)
    for service in "abc"
    for i, (kind, bad) in enumerate(
        [(Kind.LATENCY, Bad.UP), (Kind.QUEUE, Bad.DOWN), (Kind.TRAFFIC, Bad.BOTH), (Kind.ERRORS, Bad.UP)]
    )
)
COUNTED = np.array([key.kind is Kind.ERRORS for key in KEYS])


def share(
    made: SeriesTable,
    before: slice,
    width: int,
    at: tuple[FloatArray, FloatArray],
    counted: NDArray[np.bool_] = COUNTED,
) -> FloatArray:
    """As `recurrence` gives it."""
    levels, (change, center) = Levels.of(Ordered.of(made.values), counted), at
    return recurrence(
        levels, before, width, change=change, center=center, direction=made.direction, tuning=RowTuning()
    )


def share_by_definition(
    made: SeriesTable, before: slice, width: int, change: FloatArray, center: FloatArray
) -> FloatArray:
    """Every window of every series looked at."""
    length = before.stop - before.start
    width = min(width, max(1, length // 2))
    starts = range(before.start, before.stop - width + 1, max(1, width // 2))
    found = np.zeros(len(made))
    for start in starts:
        shift = typical(made.values[:, start : start + width], COUNTED) - center
        found += (change > 0) & (departure(shift, -shift, made.direction) >= change)
    return found / len(starts)


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([8, 31, 60, 254, 255, 256, 300]),
    whole=st.booleans(),
    missing=st.sampled_from([0.0, 0.1, 0.8]),
    ends=st.tuples(st.floats(0, 0.3), st.floats(0.5, 0.9)),
    width=st.integers(1, 60),
)
def test_the_share_of_windows_is_what_looking_at_each_gives_to_the_last_bit(
    *, seed: int, rows: int, whole: bool, missing: float, ends: tuple[float, float], width: int
) -> None:
    random = np.random.default_rng(seed)
    values = random.gamma(3.0, 2.0, (rows, len(KEYS)))
    values = np.floor(values) if whole else values
    values[:, 3] = 0.0
    values[random.random(values.shape) < missing] = np.nan
    values[0] = 1.0
    made = table.build(SignalFrame(np.arange(0.0, 30.0 * rows, 30.0), values, KEYS), RowTuning())
    before = slice(int(ends[0] * rows), int(ends[1] * rows))
    center = np.nan_to_num(typical(made.values[:, before], COUNTED & False))
    # Some are exactly what a window shows.
    shift = (
        typical(made.values[:, before.stop - min(width, before.stop - before.start) : before.stop], COUNTED)
        - center
    )
    change = departure(shift, -shift, made.direction) * random.choice([0.5, 1.0, 1.0], len(KEYS))
    found = share(made, before, width, (change, center))
    assert found.tolist() == share_by_definition(made, before, width, change, center).tolist()


def test_a_mean_of_events_that_a_window_shows_exactly_is_counted_though_sums_round() -> None:
    rows = 40
    values = np.full((rows, 1), 0.1)
    values[10:20], values[30:] = 0.3, 0.3
    made = table.build(SignalFrame(np.arange(0.0, 30.0 * rows, 30.0), values, KEYS[3:4]), RowTuning())
    shown = typical(made.values[:, 30:], np.array([True]))  # ten times 0.3 is a little less than 3
    found = share(made, slice(0, 30), 10, (shown - 0.1, np.array([0.1])), np.array([True]))
    assert found.tolist() == [1 / 5]


@pytest.mark.parametrize("before", [slice(0, 1), slice(3, 3)])
def test_a_baseline_of_a_row_has_no_windows(before: slice) -> None:
    made = table.build(SignalFrame(np.arange(0.0, 120.0, 30.0), np.ones((4, len(KEYS))), KEYS), RowTuning())
    one = np.ones(len(KEYS))
    assert not share(made, before, 2, (one, one)).any()
