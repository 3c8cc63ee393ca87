import numpy as np
import pytest

from rca.detect.onset import candidates, seconds, split
from rca.model.tuning import Tuning

TUNING = Tuning()
MINUTES = np.arange(0.0, 3600.0, 60.0, dtype=np.float64)


def test_a_given_onset_is_sought_further_back_than_forward() -> None:
    assert candidates(MINUTES, 2700.0, None, TUNING).tolist() == [*range(35, 51)]


def test_a_given_onset_leaves_a_quarter_of_what_lies_before_it_as_baseline() -> None:
    assert candidates(MINUTES, 720.0, None, TUNING).tolist() == [*range(3, 18)]


def test_without_one_the_grid_widens_with_the_distance() -> None:
    rows = candidates(MINUTES, None, None, TUNING)
    assert rows[-1] == 59
    assert rows[0] >= 59 - 45
    assert np.all(np.diff(np.diff(rows)) <= 0)


def test_a_candidate_stands_for_the_time_half_way_to_its_neighbours() -> None:
    assert seconds(MINUTES, np.array([0, 1, 2, 6])).tolist() == [60.0, 60.0, 150.0, 240.0]
    assert seconds(MINUTES, np.array([7])).tolist() == [60.0]
    assert seconds(MINUTES[:1], np.array([0])).tolist() == [1.0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_window_of_less_than_three_rows_has_none(count: int) -> None:
    assert len(candidates(MINUTES[:count], None, None, TUNING)) == 0


def test_three_rows_are_enough() -> None:
    assert candidates(MINUTES[:3], None, None, TUNING).tolist() == [2]
    assert candidates(MINUTES[:3], 1e9, None, TUNING).tolist() == [2]


def test_the_baseline_ends_at_the_candidate() -> None:
    made = split(MINUTES, 40, None, TUNING)
    assert made.before.tolist() == list(range(40))
    assert made.after.tolist() == list(range(40, 60))
    assert made.recent.tolist() == list(range(35, 40))


def test_a_chosen_baseline_is_kept_to() -> None:
    made = split(MINUTES, 40, (0.0, 600.0), TUNING)
    assert made.before.tolist() == list(range(10))
    assert len(made.recent) == 0


def test_a_baseline_after_the_incident_ends_it() -> None:
    later = (1800.0, 3600.0)
    assert candidates(MINUTES, None, later, TUNING).max() == 29
    made = split(MINUTES, 10, later, TUNING)
    assert made.after.tolist() == list(range(10, 30))
    assert made.before.tolist() == list(range(30, 60))


def test_where_a_baseline_was_collected_before_the_window_the_whole_window_is_sought_and_nothing_else() -> None:
    rows = candidates(MINUTES, None, None, TUNING, lead=10)
    assert rows[0] == 10
    assert rows[-1] == 59


def test_too_few_rows_before_the_window_are_no_baseline() -> None:
    assert (
        candidates(MINUTES, None, None, TUNING, lead=2).tolist()
        == candidates(MINUTES, None, None, TUNING).tolist()
    )


def test_a_long_baseline_keeps_its_guard_and_a_short_one_its_rows() -> None:
    guarded = split(MINUTES, 60, None, TUNING, guard_seconds=120.0)
    assert guarded.before.tolist() == list(range(58))
    assert guarded.recent.tolist() == list(range(53, 58))
    assert len(split(MINUTES, 28, None, TUNING, guard_seconds=120.0).before) == 28
    assert len(split(MINUTES, 60, None, TUNING, guard_seconds=59.0).before) == 60


def test_a_chosen_baseline_has_no_guard() -> None:
    assert split(MINUTES, 40, (0.0, 600.0), TUNING, guard_seconds=600.0).before.tolist() == list(range(10))
