"""Sparklines and the geometry of plots."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.model.incident import Interval
from rca.model.report import Evidence, EvidenceKind
from rca.report.present.plot import Band, plot, sparkline


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def evidence(
    points: tuple[tuple[float, float], ...], onset: float | None = None, normal: float | None = None
) -> Evidence:
    return Evidence(
        "E1",
        EvidenceKind.METRIC,
        "a",
        "rises",
        baseline=normal,
        onset=None if onset is None else at(onset),
        points=points,
    )


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 5, ""),
        ([math.nan], 5, ""),
        ([3.0], 5, "▁"),
        ([1.0, 1.0, 1.0], 5, "▁▁▁"),
        ([0.0, 1.0], 5, "▁█"),
        ([0.0, 0.0, 9.0, 0.0], 2, "▁█"),
    ],
)
def test_a_sparkline_keeps_the_worst_of_each_share(values: list[float], width: int, line: str) -> None:
    assert sparkline(list(enumerate(values)), width) == line


def test_a_dip_survives_when_the_normal_value_is_known() -> None:
    points = [(0.0, 10.0), (1.0, 10.0), (2.0, 0.0), (3.0, 10.0)]
    assert sparkline(points, 2) == "██"
    assert sparkline(points, 2, normal=10.0) == "█▁"


def test_a_hole_shows_as_dots() -> None:
    assert sparkline([(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (12.0, 2.0)], 5) == "▁▁··█"


@given(
    points=st.lists(st.tuples(st.floats(), st.floats()), max_size=30),
    width=st.integers(1, 40),
    normal=st.none() | st.floats(allow_nan=False),
)
def test_any_points_give_a_line_no_wider_than_asked(
    points: list[tuple[float, float]], width: int, normal: float | None
) -> None:
    assert len(sparkline(points, width, normal=normal)) <= width


@pytest.mark.parametrize(
    "points",
    [(), ((1.0, 2.0),), ((1.0, 2.0), (1.0, 3.0)), ((1.0, math.nan), (2.0, 3.0)), ((1.0, 2.0), (1e15, 3.0))],
)
def test_fewer_than_two_points_in_time_make_no_plot(points: tuple[tuple[float, float], ...]) -> None:
    assert plot(evidence(points), None) is None


def test_a_plot_places_line_onset_baseline_and_normal_value() -> None:
    points = ((0.0, 0.0), (50.0, 0.0), (100.0, 10.0))
    shape = plot(evidence(points, onset=50, normal=5.0), Interval(at(-50), at(40)), width=200, height=108)
    assert shape is not None
    assert shape.lines == ("0.0,104.0 100.0,104.0 200.0,4.0",)
    assert shape.onset_x == 100.0
    assert shape.baseline == Band(0.0, 80.0)
    assert shape.normal_y == 54.0
    assert (shape.low, shape.high, shape.first, shape.last) == (0.0, 10.0, 0.0, 100.0)


def test_what_lies_outside_a_plot_is_left_out() -> None:
    shape = plot(evidence(((0.0, 1.0), (10.0, 2.0)), onset=99, normal=7.0), Interval(at(50), at(60)))
    assert shape is not None
    assert (shape.onset_x, shape.baseline, shape.normal_y) == (None, None, None)
