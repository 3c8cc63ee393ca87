"""The words that every format shares."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.incident import Gap
from rca.model.report import Confidence, OnsetEstimate, Report, Role, SimilarIncident, Suspect, Trigger
from rca.report.present import view

AT = datetime(2026, 11, 22, 3, 11, 40, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("onset", "text"),
    [
        (OnsetEstimate(None), "unknown: nothing departs from normal"),
        (
            OnsetEstimate(None, given=AT),
            "unknown: nothing departs from normal; reported at 2026-11-22 03:11:40 UTC",
        ),
        (OnsetEstimate(AT), "2026-11-22 03:11:40 UTC (uncertainty unknown)"),
        (OnsetEstimate(AT, AT, AT), "2026-11-22 03:11:40 UTC"),
        (OnsetEstimate(AT, AT, AT, AT), "2026-11-22 03:11:40 UTC; reported at 2026-11-22 03:11:40 UTC"),
        (OnsetEstimate(AT, AT, AT, later(-90)), "2026-11-22 03:11:40 UTC; reported 1 min 30 s earlier"),
        (OnsetEstimate(AT, later(-60), later(5)), "2026-11-22 03:11:40 UTC (between 03:10:40 and 03:11:45)"),
    ],
)
def test_the_onset_says_how_uncertain_it_is_and_what_was_told(onset: OnsetEstimate, text: str) -> None:
    assert view.onset_text(onset) == text


@pytest.mark.parametrize(
    ("trigger", "title", "when"),
    [
        (
            Trigger(1, "deploy", "web", later(-60), 1, "", "0123456789abcdef"),
            "deploy of web (commit 0123456789ab…)",
            "03:10:40, 1 min before the onset",
        ),
        (Trigger(1, "scale", "", later(60), 1, ""), "scale", "03:12:40, 1 min after the onset"),
        (Trigger(1, "config", "web", AT, 1, ""), "config of web", "03:11:40, just at the onset"),
        (Trigger(1, "config", "web", None, 1, ""), "config of web", "time unknown"),
    ],
)
def test_a_trigger_says_what_where_and_when(incident: Report, trigger: Trigger, title: str, when: str) -> None:
    assert view.trigger_title(trigger) == title
    assert view.trigger_when(trigger, incident) == when


def test_a_trigger_without_an_onset_has_only_its_time(minimal: Report) -> None:
    assert view.trigger_when(Trigger(1, "deploy", "web", AT, 1, ""), minimal) == "03:11:40"


def test_gaps_for_the_same_reason_are_put_together() -> None:
    gaps = (Gap("a", "x", "why"), Gap("b", "x", "why"), Gap("a", "y", "why"), Gap("a", "x", "why"))
    assert view.gap_groups(gaps) == (view.GapGroup("a", ("x", "y"), "why"), view.GapGroup("b", ("x",), "why"))


def test_what_would_help_names_gaps_then_the_alert_then_a_graph(abstained: Report) -> None:
    alone = replace(
        abstained, suspects=(Suspect(1, "db", 0.1, Role.SYMPTOM),), gaps=(Gap("logs", "all", "no answer"),)
    )
    helps = view.helps(alone)
    assert helps[0] == "logs: all (no answer)"
    assert "--at" in helps[1]
    assert "service graph" in helps[2]


def test_without_any_data_another_window_would_help(minimal: Report) -> None:
    helps = view.helps(replace(minimal, gaps=(Gap("logs", "all", "no answer"),)))
    assert helps[0] == "logs: all (no answer)"
    assert "--since" in helps[1]
    assert len(helps) == 2


def test_numbers_are_added_to_words_that_have_none(incident: Report) -> None:
    falls = incident.evidence[3]
    assert view.evidence_text(falls) == "traffic falls to a third, 120/s to 41.2/s"
    assert view.evidence_text(replace(falls, baseline=None)) == "traffic falls to a third, 41.2/s"
    assert view.evidence_text(replace(falls, observed=None)) == "traffic falls to a third"
    assert view.evidence_text(incident.evidence[0]) == incident.evidence[0].text


def test_a_path_that_the_first_suspects_path_shows_is_not_repeated(incident: Report) -> None:
    first, second = incident.suspects[:2]
    assert view.own_path(incident, first) == ()
    assert view.own_path(incident, second) == ()
    assert view.own_path(incident, replace(second, path=("orders", "web"))) == ("orders", "web")
    assert view.own_path(incident, replace(second, path=tuple("abcdefgh"))) == ("a", "b", "c", "…", "f", "g", "h")


def test_a_service_on_the_path_without_data_has_no_part(incident: Report) -> None:
    suspects = (Suspect(1, "db", 0.9, Role.CAUSE, ("db", "ghost")),)
    assert view.spread(replace(incident, suspects=suspects))[1] == view.Hop("ghost", "", None, "")
    assert view.spread(replace(incident, suspects=(replace(suspects[0], path=("db",)),))) == ()


def test_evidence_that_is_not_there_is_left_out(incident: Report) -> None:
    assert view.evidence_of(incident, replace(incident.suspects[0], evidence=("nope", "E2"))) == (
        incident.evidence[1],
    )


def test_a_first_failure_without_a_time_says_so(incident: Report) -> None:
    assert ("First failure", "db, time unknown") in view.facts(replace(incident, first_failure=("db", None)))


def test_a_past_incident_leaves_out_what_is_not_known() -> None:
    assert view.similar_title(SimilarIncident("INC-1", 0.5, "", "")) == "INC-1 · 50 % alike · cause not confirmed"


@pytest.mark.parametrize(
    ("confidence", "line"),
    [
        (Confidence.HIGH, "orders-db most likely caused it"),
        (Confidence.MEDIUM, "orders-db probably caused it"),
        (Confidence.LOW, "orders-db may have caused it"),
    ],
)
def test_the_first_line_is_no_surer_than_the_verdict(incident: Report, confidence: Confidence, line: str) -> None:
    assert view.headline(replace(incident, verdict=replace(incident.verdict, confidence=confidence))) == line
