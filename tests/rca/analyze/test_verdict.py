"""What the summary says, no surer than it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.analyze.confidence import Standing
from rca.analyze.verdict import verdict
from rca.model.report import Confidence, Evidence, EvidenceKind, Trigger
from rca.model.tuning import Tuning

TUNING = Tuning()
SINCE = datetime(2026, 3, 1, 12, 45, tzinfo=UTC)
DEPLOY = Trigger(1, "deploy", "db", SINCE - timedelta(seconds=90), 2.0, "“v2”: it fits", "0123456789abcdef")
UNKNOWN = Trigger(2, "unknown", "db", None, 0.4, "None of the known changes explains it")
SLOW = Evidence("E1", EvidenceKind.METRIC, "db", "p99 latency x12, 40 ms to 480 ms")
STOOD = Standing(value=1.2, level=3.0, first=2.0, second=1.0, usual=1.5, most=2.0, windows=12, apart=12.0)
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
    assert said.reasons == ("its score is 5.0 times that of the second suspect",)
    assert said.summary.endswith(" caused it.")


@pytest.mark.parametrize(
    ("standing", "abstained", "confidence"),
    [
        (replace(STOOD, value=1.14), True, Confidence.LOW),
        (replace(STOOD, value=1.15), False, Confidence.LOW),
        (replace(STOOD, value=1.25, second=1.6), False, Confidence.LOW),
        (replace(STOOD, value=1.25, second=1.5), False, Confidence.MEDIUM),
        (replace(STOOD, value=2.19), False, Confidence.MEDIUM),
        (replace(STOOD, value=2.2), False, Confidence.HIGH),
        (replace(STOOD, value=2.2, second=2.0), False, Confidence.HIGH),
        (replace(STOOD, value=9.0, windows=5), False, Confidence.MEDIUM),
        (replace(STOOD, value=9.0, first=0.0, second=0.0), True, Confidence.LOW),
    ],
)
def test_confidence_has_three_words(standing: Standing, abstained: bool, confidence: Confidence) -> None:  # noqa: FBT001 - a column
    said = verdict(["a", "b"], standing, (), None, ("a",), Tuning())
    assert (said.abstained, said.confidence) == (abstained, confidence)


@pytest.mark.parametrize(
    ("standing", "reasons"),
    [
        (
            STOOD,
            (
                "a departs from normal 2.0 times as far as in calm times (12 windows compared)",
                "its score is 2.0 times that of the second suspect (b)",
            ),
        ),
        (
            replace(STOOD, usual=2.5, second=1.9),
            (
                "a departs from normal only 1.2 times as far as in calm times (12 windows compared)",
                "its score is only 1.1 times that of the second suspect (b)",
            ),
        ),
        (
            replace(STOOD, usual=0.0, second=0.0),
            (
                "a departs from normal far further than in calm times (12 windows compared)",
                "nobody else stands out",
            ),
        ),
    ],
)
def test_the_reasons_are_told_with_their_numbers(standing: Standing, reasons: tuple[str, ...]) -> None:
    assert verdict(["a", "b"], standing, (), None, ("a",), Tuning()).reasons == reasons


@pytest.mark.parametrize(
    ("usual", "summary"),
    [
        (2.5, "Nothing departs further from normal than is usual in calm times."),
        (1.5, "The data don't single out a service."),
        (None, "The data don't single out a service."),
    ],
)
def test_an_abstention_says_whether_anything_is_out_of_the_ordinary(usual: float | None, summary: str) -> None:
    assert verdict(["a", "b"], replace(STOOD, value=1.0, usual=usual), (), None, (), Tuning()).summary == summary


def test_without_a_comparison_nothing_is_called_sure() -> None:
    stood = Standing(value=9.0, level=9.0, first=9.0, second=0.0, usual=None, most=0.0, windows=0, apart=0.0)
    said = verdict(["a"], stood, (), None, ("a", "b"), Tuning())
    assert said.confidence is Confidence.MEDIUM
    assert said.reasons == (
        "no comparison with the baseline's own windows was possible",
        "nobody else stands out",
    )
