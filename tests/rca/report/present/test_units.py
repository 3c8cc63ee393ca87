"""Numbers, times and durations as a person would say them."""

import math
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.report.present.units import clock, duration, number, quantity

AT = datetime(2026, 11, 22, 4, 11, 40, 123456, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.0042, "0.0042"),
        (12.5, "12.5"),
        (100, "100"),
        (999.6, "1,000"),
        (1480, "1,480"),
        (99999, "100 k"),
        (250_000, "250 k"),
        (2_500_000, "2.5 M"),
        (-3e9, "-3 G"),
        (4e12, "4 T"),
        (1e16, "1.00e+16"),
        (1e-6, "1.00e-06"),
        (math.nan, "n/a"),
        (-math.inf, "n/a"),
    ],
)
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", ""),
        (math.nan, "s", "n/a"),
        (0.021, "ratio", "2.1 %"),
        (2.1, "%", "2.1 %"),
        (0.48, "s", "480 ms"),
        (480, "ms", "480 ms"),
        (1500, "ms", "1.5 s"),
        (0.0000025, "s", "2.5 µs"),
        (0, "s", "0 s"),
        (300, "s", "5 min"),
        (-300, "seconds", "-5 min"),
        (3e9, "bytes", "2.79 GiB"),
        (512, "bytes", "512 B"),
        (2048, "bytes/s", "2 KiB/s"),
        (12, "1/s", "12/s"),
        (261, "1/min", "261/min"),
        (7, "connections", "7 connections"),
        (7, "", "7"),
    ],
)
def test_a_quantity_is_scaled_to_what_reads_well(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@given(value=st.floats(), unit=st.sampled_from(["", "s", "ms", "bytes", "ratio", "1/s", "%", "bytes/s"]))
def test_any_value_in_any_unit_is_short(value: float, unit: str) -> None:
    assert 0 < len(quantity(value, unit)) < 28


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (148, "2 min 28 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (3605, "1 h"),
        (273_600, "3 d 4 h"),
        (-60, "1 min"),
    ],
)
def test_a_duration_has_two_parts_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_times_are_shown_in_utc() -> None:
    assert clock(AT, date(2026, 11, 22)) == "03:11:40"
    assert clock(AT, date(2026, 11, 21)) == "2026-11-22 03:11:40"
