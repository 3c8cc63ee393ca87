"""Since when, told by the first sign."""

from datetime import UTC, datetime, timedelta

import pytest

from rca.analyze.spread import Spread
from rca.analyze.story import began, first_failure, timeline
from rca.model.incident import Bundle, Event, EventKind, Interval, Window
from rca.model.report import Evidence, EvidenceKind, OnsetEstimate
from rca.model.signals import Kind

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONSET = OnsetEstimate(AT, AT - timedelta(seconds=60), AT + timedelta(seconds=60))
LIES = Spread({}, {}, ("db", "web"), (), ())


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else AT + timedelta(seconds=seconds)


def line(seconds: float | None, after: float = 5.0) -> Evidence:
    return Evidence(
        "", EvidenceKind.LOG, "", "", baseline=1.0, observed=after, unit="lines/min", onset=at(seconds)
    )


def test_the_first_failure_is_the_first_suspects_earliest_evidence() -> None:
    found = {"db": [line(5), line(None), line(2)], "web": [line(1)]}
    assert first_failure(["db", "web"], found) == ("db", at(2))
    assert first_failure(["db"], {"db": [line(None)]}) == ("db", None)
    assert first_failure(["mail"], found) is None
    assert first_failure([], found) is None


@pytest.mark.parametrize(
    ("first", "passed_on", "start"),
    [
        (None, [], 0),
        (5, [], 5),
        (-30, [], -30),
        (90, [], 0),
        (5, [line(-2)], -2),
        (5, [line(-40)], 5),
        (5, [line(-2, after=0.1)], 5),
        (5, [line(None)], 5),
        (5, [Evidence("", EvidenceKind.METRIC, "", "", onset=at(-2), signal=Kind.ERRORS)], 5),
        (-55, [line(-63)], -55),
    ],
)
def test_it_began_with_the_first_sign_that_can_be_its_own(
    first: float | None, passed_on: list[Evidence], start: float
) -> None:
    found = {"db": [], "web": passed_on, "mail": [line(-1)]}
    assert began(ONSET, ("db", at(first)), LIES, found, step=4.0) == at(start)


def test_a_change_of_no_kind_is_called_an_event() -> None:
    event = Event(AT, EventKind.OTHER, "db", "db: a table was locked")
    (entry,) = timeline(Bundle("made", Window(Interval(AT, AT + timedelta(hours=1))), events=(event,)), None, ())
    assert entry.what == "event of db: a table was locked"


@pytest.mark.parametrize(
    ("first", "passed_on", "start"),
    [(90, [line(200)], 90), (90, [line(75)], 75), (90, [line(50)], 0), (90, [line(None)], 90)],
)
def test_where_all_that_can_be_shown_comes_later_it_began_with_the_first_of_it(
    first: float, passed_on: list[Evidence], start: float
) -> None:
    found = {"db": [line(first)], "web": passed_on, "mail": [line(-1)]}
    assert began(ONSET, ("db", at(first)), LIES, found, step=4.0) == at(start)


def test_without_an_onset_or_its_range_nothing_is_told() -> None:
    assert began(OnsetEstimate(None), None, LIES, {}, 4.0) is None
    assert began(OnsetEstimate(AT), None, LIES, {}, 4.0) is None
    assert began(ONSET, None, LIES, {}, 4.0) == AT
