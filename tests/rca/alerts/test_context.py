from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.alerts import alert_context, alert_of
from rca.model.incident import Alert, Interval, Symptom
from rca.model.report import (
    Confidence,
    Evidence,
    EvidenceKind,
    OnsetEstimate,
    Report,
    Role,
    SimilarIncident,
    Suspect,
    ToolInfo,
    Verdict,
)

AT = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
ALERT = Alert({"alertname": "HighCpu", "service": "checkout"}, {}, AT)
PAST = SimilarIncident("inc-1", 0.8, "", "rolled back.", at=AT - timedelta(days=3))


@pytest.fixture
def report() -> Report:
    return Report(
        tool=ToolInfo("1", "x"),
        bundle_id="b",
        bundle_title="",
        bundle_sha256="",
        span=Interval(AT - timedelta(hours=1), AT + timedelta(hours=1)),
        baseline=None,
        onset=OnsetEstimate(AT),
        verdict=Verdict(abstained=False, confidence=Confidence.HIGH, summary=""),
        suspects=(
            Suspect(1, "redis", 0.9, Role.CAUSE, path=("redis", "cart", "checkout", "gateway")),
            Suspect(2, "checkout", 0.1, Role.SYMPTOM),
        ),
        evidence=(
            Evidence("E2", EvidenceKind.LOG, "redis", "lines", strength=0.2),
            Evidence("E1", EvidenceKind.METRIC, "redis", "latency x20, 1 ms to 20 ms", strength=0.9),
        ),
    )


def test_the_alert_is_told_by_what_it_goes_with_and_what_it_resembles(report: Report) -> None:
    assert alert_context(replace(report, similar=(PAST,)), ALERT) == (
        "HighCpu of checkout: goes with trouble in redis, two hops down (latency x20, 1 ms to 20 ms),"
        " and resembles the incident of last Thursday (inc-1), fixed by: rolled back."
    )


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"service": "cart"}, "A of cart: goes with trouble in redis, one hop down"),
        ({"service": "mail"}, "A of mail: goes with trouble in redis, though no known call leads there from mail"),
        ({}, "A: goes with trouble in redis, the likeliest cause"),
        ({"service": "redis"}, "A of redis: nothing that redis depends on explains it better than redis itself"),
    ],
)
def test_where_the_alert_stands_to_the_suspect(report: Report, labels: dict[str, str], told: str) -> None:
    alert = replace(ALERT, labels={"alertname": "A", **labels})
    assert alert_context(replace(report, evidence=()), alert) == told + "."


def test_without_a_suspect_nothing_is_made_up(report: Report) -> None:
    said = "HighCpu of checkout: no service stands out as its cause."
    assert alert_context(replace(report, suspects=()), ALERT) == said
    abstained = replace(report, verdict=replace(report.verdict, abstained=True))
    assert alert_context(abstained, ALERT) == said
    quiet = replace(report, suspects=(replace(report.suspects[0], score=0.0),))
    assert alert_context(quiet, ALERT) == said


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (None, "the incident inc-1"),
        (AT - timedelta(days=8), "the incident of 2026-11-14 (inc-1)"),
        (AT - timedelta(hours=1), "the incident of 2026-11-22 (inc-1)"),
        (AT - timedelta(days=1), "the incident of last Saturday (inc-1)"),
    ],
)
def test_the_past_incident_is_dated_as_people_would(report: Report, at: datetime | None, told: str) -> None:
    past = replace(PAST, at=at, resolution="")
    assert alert_context(replace(report, similar=(past,)), ALERT).endswith(f", and resembles {told}.")


def test_a_recorded_symptom_that_came_from_an_alert_gives_it_back() -> None:
    alert = alert_of(Symptom("checkout", "HighCpu", AT))
    assert alert == ALERT
    assert alert_of(Symptom("checkout")) is None
    assert alert_of(None) is None
