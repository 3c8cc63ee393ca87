"""What the summary says set the incident off, no surer than it is."""

from datetime import UTC, datetime, timedelta

import pytest

from rca.analyze.confidence import Standing
from rca.analyze.verdict import verdict
from rca.model.report import Evidence, EvidenceKind, Trigger
from rca.model.tuning import Tuning

TUNING = Tuning()
SINCE = datetime(2026, 3, 1, 12, 45, tzinfo=UTC)
DEPLOY = Trigger(1, "deploy", "db", SINCE - timedelta(seconds=90), 2.0, "“v2”: it fits", "0123456789abcdef")
UNKNOWN = Trigger(2, "unknown", "db", None, 0.4, "None of the known changes explains it")
SLOW = Evidence("E1", EvidenceKind.METRIC, "db", "p99 latency x12, 40 ms to 480 ms")
HEAD = "db most likely caused it since 2026-03-01 12:45:00 UTC: p99 latency x12, 40 ms to 480 ms. Also hit: web."


def other(kind: str, score: float) -> Trigger:
    return Trigger(1, kind, "db", None, score, "bad data: 7 is in most of the errors")


def summary(*triggers: Trigger, value: float = 9.0) -> str:
    standing = Standing(value, 5.0, 5.0, 1.0, 1.0, 1.2, 12, 12.0)
    return verdict(["db", "web"], standing, [SLOW], SINCE, ("db", "web"), TUNING, triggers=triggers).summary


@pytest.mark.parametrize(
    ("triggers", "said"),
    [
        ((), ""),
        (
            (DEPLOY, UNKNOWN),
            " Most likely set off by a change: deploy of db (commit 0123456789ab), 1 min 30 s before it began.",
        ),
        ((Trigger(1, "config", "db", None, 0.6, ""), UNKNOWN), " Possibly set off by a change: config of db."),
        ((UNKNOWN,), ""),
        ((UNKNOWN, DEPLOY), " No known change explains it."),
        ((other("data", 0.9), UNKNOWN), " Perhaps: bad data: 7 is in most of the errors."),
        ((other("data", 1.6), UNKNOWN), " Likely: bad data: 7 is in most of the errors."),
        (
            (other("data", 1.6), UNKNOWN, DEPLOY),
            " No known change explains it; likely: bad data: 7 is in most of the errors.",
        ),
    ],
)
def test_the_summary_says_what_set_it_off(triggers: tuple[Trigger, ...], said: str) -> None:
    assert summary(*triggers) == HEAD + said


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        (TUNING.high_from, "most likely caused"),
        (TUNING.medium_from, "probably caused"),
        (TUNING.abstain_below, "may have caused"),
    ],
)
def test_the_claim_is_no_surer_than_the_confidence(value: float, claim: str) -> None:
    assert summary(value=value).startswith(f"db {claim} it since ")
    assert "caused" not in summary(value=TUNING.abstain_below / 2)


def test_a_short_baseline_is_not_counted_in_windows() -> None:
    said = verdict(["db"], Standing(9.0, 5.0, 5.0, 1.0, 1.0, 0.0, 0, 0.0), (), None, ("db",), TUNING)
    assert said.reasons == ("its score is x5.0 that of the second suspect",)
    assert said.summary.endswith(" caused it.")
