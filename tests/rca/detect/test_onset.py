import numpy as np
import pytest

from rca.detect.onset import candidates, split
from rca.model.tuning import Tuning

TUNING = Tuning()
MINUTES = np.arange(0.0, 3600.0, 60.0, dtype=np.float64)


def test_a_given_onset_is_sought_further_back_than_forward() -> None:
    assert candidates(MINUTES, 2700.0, None, TUNING).tolist() == [*range(35, 47)]


def test_without_one_the_grid_widens_with_the_distance() -> None:
    rows = candidates(MINUTES, None, None, TUNING)
    assert rows[-1] == 59
    assert rows[0] >= 59 - 45
    assert np.all(np.diff(np.diff(rows)) <= 0)


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
