from dataclasses import replace

import numpy as np
import pytest

from rca.detect import table
from rca.detect.failures import Failures, failures
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning
from tests.rca.detect.conftest import MakeFrame

TUNING = RowTuning()
_LATE = np.where(np.arange(20) >= 15, 1.0, 0.0)
_BEFORE, _AFTER = slice(0, 15), slice(15, 20)


def _known(found: Failures) -> FloatArray:
    return found.counts.over(_AFTER)[0]


def test_whole_numbers_are_counts_and_others_rates_a_second(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"a|errors": 2 * _LATE, "b|errors": 0.5 * _LATE}), RowTuning())
    assert _known(failures(made)).tolist() == [10.0, 150.0]


def test_the_unit_says_what_a_rate_is_of(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"a|errors": 2 * _LATE}), RowTuning())
    told = replace(made, keys=tuple(replace(key, unit="1/min") for key in made.keys))
    assert _known(failures(told)) == pytest.approx([10.0])


def test_a_ratio_counts_by_the_requests_it_is_of(make_frame: MakeFrame) -> None:
    made = table.build(
        make_frame(
            {
                "a|error_ratio": 0.25 * _LATE,
                "a|requests": np.full(20, 8.0),
                "b|availability": 100 - 50 * _LATE,
                "b|requests": np.full(20, 4.0),
                "c|error_ratio": 0.25 * _LATE,
            }
        ),
        RowTuning(),
    )
    found = failures(made)
    assert [made.keys[row].service for row in found.rows] == ["a", "b"]
    assert _known(found).tolist() == [10.0, 10.0]


def test_a_ratio_that_a_caller_saw_is_not_of_all_its_requests(make_frame: MakeFrame) -> None:
    columns = {"a|error_ratio_to:b": 0.25 * _LATE, "a|requests": np.full(20, 8.0), "b|requests": np.full(20, 4.0)}
    assert len(failures(table.build(make_frame(columns), RowTuning())).rows) == 0


def test_few_failures_bound_what_they_can_say_and_many_do_not(make_frame: MakeFrame) -> None:
    columns = {
        "a|errors": np.where(np.arange(20) == 17, 1.0, 0.0),
        "b|errors": 50 * _LATE,
        "c|errors": np.ones(20),
    }
    stray, many, usual = failures(table.build(make_frame(columns), RowTuning())).most(_BEFORE, _AFTER, TUNING)
    expected = 0.5 / 3  # a third as long was looked at as before
    assert stray == pytest.approx((1 - expected) / (4 / 3 * expected + 0.75) ** 0.5)
    assert many > 25
    assert usual == 0.0


def test_none_before_says_less_the_shorter_the_look_was(make_frame: MakeFrame) -> None:
    late = np.where(np.arange(40) >= 35, 1.0, 0.0)
    found = failures(table.build(make_frame({"a|errors": late}), TUNING))
    after = slice(35, 40)
    shorter = [found.most(slice(first, 35), after, TUNING)[0] for first in (0, 20, 30)]
    assert sorted(shorter, reverse=True) == shorter
    assert shorter[0] == pytest.approx(5 / (5 / 4 + 0.5) ** 0.5, rel=0.05)
    assert shorter[-1] == pytest.approx((5 - 0.5) / (2 * 0.5 + 5 / 4 + 0.5) ** 0.5)


def test_nothing_known_of_the_incident_bounds_nothing(make_frame: MakeFrame) -> None:
    column = np.where(np.arange(20) < 15, 1.0, np.nan)
    found = failures(table.build(make_frame({"a|errors": column}), RowTuning()))
    assert found.most(_BEFORE, _AFTER, TUNING).tolist() == [np.inf]


def test_without_failures_to_count_there_are_none(make_frame: MakeFrame) -> None:
    found = failures(table.build(make_frame({"a|cpu": np.arange(20.0)}), RowTuning()))
    assert len(found.rows) == 0
    assert found.most(_BEFORE, _AFTER, TUNING).shape == (0,)
