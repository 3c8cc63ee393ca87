from dataclasses import replace
from datetime import timedelta

import pytest

from rca.analyze import analyze
from rca.model.incident import Bundle, Interval
from rca.model.report import ToolInfo


@pytest.mark.parametrize("known", [True, False])
def test_an_incident_that_was_over_is_ranked_as_if_the_window_ended_with_it(
    checkout: Bundle, past: Bundle, tool: ToolInfo, *, known: bool
) -> None:
    def told(bundle: Bundle) -> Bundle:
        return bundle if known else replace(bundle, window=replace(bundle.window, onset=None))

    wanted, found = analyze(told(checkout), tool=tool), analyze(told(past), tool=tool)
    assert found.suspects == wanted.suspects
    assert found.span == wanted.span
    assert [gap.why for gap in found.gaps if gap.what == "after the incident"] == [
        "It seems over by 13:00:00 UTC; what came after is left out. If it went on, begin the window later."
    ]


def test_one_that_goes_on_is_left_as_it_is(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(checkout, tool=tool)
    assert report.span == checkout.window.span
    assert "after the incident" not in {gap.what for gap in report.gaps}


def test_a_chosen_baseline_is_not_second_guessed(past: Bundle, tool: ToolInfo) -> None:
    end = past.window.span.end
    chosen = replace(past.window, baseline=Interval(end - timedelta(minutes=30), end))
    assert analyze(replace(past, window=chosen), tool=tool).span == past.window.span


def test_what_was_over_is_not_cut_where_another_time_was_told(past: Bundle, tool: ToolInfo) -> None:
    at = past.window.span.start + timedelta(minutes=20)
    told = replace(past, window=replace(past.window, onset=at))
    assert analyze(told, tool=tool).span == past.window.span
