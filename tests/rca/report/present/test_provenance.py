"""How a report was made, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.incident import Interval, SourceRecord
from rca.model.report import Report
from rca.report.present import provenance

AT = datetime(2026, 11, 22, 3, 11, 40, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (-3600, -120, "guard 2 min before the onset"),
        (-3600, 0, "up to the first row that departs"),
        (600, 1200, "taken after the onset"),
        (-600, 600, "overlaps the onset"),
    ],
)
def test_the_baseline_says_how_it_lies_to_the_onset(incident: Report, start: float, end: float, text: str) -> None:
    assert text in provenance.baseline_text(replace(incident, baseline=Interval(later(start), later(end))))


def test_a_baseline_without_an_onset_is_only_named(minimal: Report) -> None:
    assert provenance.baseline_text(minimal) == "none: nothing could be taken as normal"
    with_one = replace(minimal, baseline=Interval(later(-60), AT))
    assert provenance.baseline_text(with_one) == "2026-11-22 03:10:40 UTC to 03:11:40 (1 min)"


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (SourceRecord("prometheus", "mimir", "2.14", {"a": "b"}), "prometheus (mimir 2.14), 1 query"),
        (SourceRecord("prometheus", "prometheus"), "prometheus, 0 queries"),
    ],
)
def test_a_source_says_who_answered(source: SourceRecord, title: str) -> None:
    assert provenance.source_title(source) == title


def test_how_it_was_made_names_no_source_and_no_simple_ranking_where_there_is_none(minimal: Report) -> None:
    lines = dict(provenance.made_of(minimal))
    assert lines["Asked"] == "no source on record"
    assert "Simple ranker" not in lines
    assert lines["Redacted"] == "nothing"
