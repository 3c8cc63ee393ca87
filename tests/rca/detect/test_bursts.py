"""Where a burst begins."""

from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.bursts import began as began_with
from rca.model.tuning.lines import BurstTuning

began = partial(began_with, tuning=BurstTuning())


def test_a_burst_is_followed_back_before_the_split() -> None:
    times = np.array([94.0, 96.0, 98.0, 100.0, 102.0, 104.0, 106.0, 108.0])
    assert began(times, 0.0, 100.0, 110.0) == 94.0


def test_a_lone_line_long_before_is_not_of_the_burst() -> None:
    assert began(np.array([10.0, 100.0, 101.0, 102.0, 103.0, 104.0]), 0.0, 100.0, 106.0) == 100.0


def test_of_a_few_only_new_ones_have_a_beginning() -> None:
    assert began(np.array([10.0, 100.0, 102.0]), 0.0, 100.0, 106.0) is None
    assert began(np.array([100.0, 102.0]), 0.0, 100.0, 106.0) == 100.0


def test_a_steady_stream_begins_nowhere() -> None:
    assert began(np.arange(0.0, 200.0, 2.0), 0.0, 100.0, 200.0) is None


def test_what_ended_before_the_split_is_no_burst() -> None:
    assert began(np.array([90.0, 91.0]), 0.0, 100.0, 200.0) is None


@given(st.lists(st.floats(0, 200, allow_nan=False), max_size=40))
def test_a_burst_begins_at_one_of_its_lines_and_not_after_its_first_in_the_incident(times: list[float]) -> None:
    ordered = np.array(sorted(times))
    at = began(ordered, 0.0, 100.0, 200.0)
    if at is not None:
        assert at in times
        assert at <= ordered[ordered >= 100.0].min()
