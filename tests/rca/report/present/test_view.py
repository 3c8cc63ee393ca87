"""The words that every format shares."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.incident import Gap
from rca.model.report import Confidence, OnsetEstimate, PathStep, Report, Role, SimilarIncident, SlowPath, Suspect
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
        (OnsetEstimate(AT, AT, AT, AT), "2026-11-22 03:11:40 UTC; reported at that time"),
        (OnsetEstimate(AT, AT, AT, later(-90)), "2026-11-22 03:11:40 UTC; reported 1 min 30 s earlier"),
        (OnsetEstimate(AT, later(-60), later(5)), "2026-11-22 03:11:40 UTC (between 03:10:40 and 03:11:45)"),
    ],
)
def test_the_onset_says_how_uncertain_it_is_and_what_was_told(
    minimal: Report, onset: OnsetEstimate, text: str
) -> None:
    assert view.onset_text(replace(minimal, onset=onset)) == text


def test_the_onset_is_the_first_sign_where_one_is_known(minimal: Report) -> None:
    onset = OnsetEstimate(AT, later(-60), AT)
    assert view.began(replace(minimal, onset=onset)) == AT
    assert view.began(replace(minimal, onset=replace(onset, began=later(-4)))) == later(-4)


def test_the_summary_does_not_repeat_the_headline(incident: Report) -> None:
    def below(summary: str) -> str:
        return view.summary(replace(incident, verdict=replace(incident.verdict, summary=summary)))

    assert below("orders-db most likely caused it since 03:11: slow.") == "Since 03:11: slow."
    assert below("orders-db most likely caused it: slow.") == "slow."
    assert below("orders-db may have caused it: slow.") == "orders-db may have caused it: slow."


def test_without_a_verdict_nothing_is_called_hit_or_certain(abstained: Report) -> None:
    assert [label for label, _ in view.facts(abstained)] == ["Onset", "Slowest path"]


def test_who_was_hit_where_users_come_in_and_who_stayed_healthy_is_told(incident: Report) -> None:
    facts = dict(view.facts(replace(incident, user_facing=("checkout",))))
    assert facts["Hit"] == "orders-db, orders, checkout; at the edge of the system: checkout"
    assert facts["Not hit"] == "gateway (calling it, directly or through others)"
    alone = replace(incident, impact=("web",), user_facing=("web",), healthy_on_path=())
    assert dict(view.facts(alone))["Hit"] == "web, at the edge of the system"
    assert "Not hit" not in dict(view.facts(alone))
    blind = replace(alone, gaps=(Gap("analysis", "topology", "No dependency is known."),))
    assert dict(view.facts(blind))["Hit"] == "web; whom else can't be told without a service graph"


def test_suspects_are_shown_in_order_and_those_not_involved_in_a_line(incident: Report) -> None:
    suspects = view.split(incident, detailed=5)
    assert [s.rank for s in suspects.shown] == [1, 2, 3]
    assert suspects.detailed == suspects.shown
    assert [s.rank for s in suspects.further] == [4]
    assert len(suspects.quiet) == 38
    second = replace(incident.suspects[1], role=Role.BYSTANDER, score=0.1)
    aside = replace(
        incident, suspects=(incident.suspects[0], second, *incident.suspects[2:]), impact=("orders-db", "checkout")
    )
    suspects = view.split(aside, detailed=5)
    assert [s.rank for s in suspects.shown] == [1, 2, 3]
    assert [s.rank for s in suspects.detailed] == [1, 3]


def test_who_is_nearly_as_suspect_is_shown_though_it_has_nothing_to_show(incident: Report) -> None:
    first, second, *others = incident.suspects
    bare = replace(
        second, role=Role.BYSTANDER, evidence=(), score=first.score / 2, why="it departs at other times"
    )
    found = replace(incident, suspects=(first, bare, *others), impact=(first.service,))
    suspects = view.split(found, detailed=5)
    assert [s.rank for s in suspects.shown][:2] == [1, 2]
    assert bare not in (*suspects.detailed, *suspects.quiet)
    assert view.aside(found, bare) == "it departs at other times"
    alone = replace(found, suspects=(first, bare, *(replace(s, evidence=(), role=Role.BYSTANDER) for s in others)))
    assert [s.rank for s in view.split(alone, detailed=5).shown] == [1, 2]


def test_an_empty_memory_is_told_from_one_that_holds_nothing_like_it(incident: Report) -> None:
    assert "not asked" in view.similar_empty(replace(incident, similar=None))
    assert "rca incidents add" in view.similar_empty(replace(incident, similar=()))
    seen = view.similar_empty(replace(incident, similar=(), remembered=3))
    assert seen == "Not seen before: nothing like it among 3 past incidents."


def test_a_metrics_name_is_shown_unless_the_words_are_made_of_it(incident: Report) -> None:
    sign = replace(incident.evidence[0], text="pool in use x2", metric="pool_in_use")
    assert view.metric_text(sign) == ""
    assert view.metric_text(replace(sign, metric="db:pool")) == "db:pool"
    assert view.metric_text(replace(sign, metric="")) == ""


def test_the_first_suspect_is_shown_even_with_nothing_to_show(abstained: Report) -> None:
    first = replace(abstained.suspects[0], role=Role.BYSTANDER, evidence=())
    bare = replace(abstained, suspects=(first, *abstained.suspects[1:]), impact=())
    assert view.split(bare, detailed=5).shown[0] == first
    assert view.spread(bare) == ()


def test_why_leaves_out_what_the_first_evidence_says(incident: Report) -> None:
    first = incident.suspects[0]
    text = incident.evidence[0].text
    assert view.why(incident, replace(first, why=text)) == ""
    assert view.why(incident, replace(first, why=f"its callee db explains it: {text}")) == (
        "its callee db explains it"
    )
    assert view.why(incident, replace(first, evidence=(), why=text)) == text


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


def test_only_gaps_that_can_be_mended_are_advice(abstained: Report) -> None:
    gaps = tuple(Gap("analysis", what, "…") for what in ("constant series", "logs", "baseline"))
    helps = view.helps(replace(abstained, gaps=gaps, onset=OnsetEstimate(AT)))
    assert [text.split(" ")[:2] for text in helps] == [["log", "lines"], ["a", "longer"], ["the", "time"]]


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


@pytest.mark.parametrize(
    ("callee", "answered", "calls", "text"),
    [
        ("", False, 0, "web 2 s → pay 1.9 s by itself, usually 40 ms (3 of 4 slow traces)"),
        ("", False, 24, "web 2 s → pay 1.9 s in 24 calls, usually 40 ms (3 of 4 slow traces)"),
        (
            "redis",
            False,
            0,
            "web 2 s → pay 1.95 s → 1.9 s in its call to redis, usually 40 ms (3 of 4 slow traces)",
        ),
    ],
)
def test_the_slowest_path_says_who_took_the_time(
    minimal: Report,
    callee: str,
    answered: bool,  # noqa: FBT001 - a case
    calls: int,
    text: str,
) -> None:
    steps = (PathStep("web", 2000.0), PathStep("pay", 1950.0))
    path = SlowPath(steps, callee, answered=answered, calls=calls, own_ms=1900.0, usual_ms=40.0, traces=3, slow=4)
    assert view.slow_path_text(replace(minimal, slow_path=path)) == text
    assert ("Slowest path", text) in view.facts(replace(minimal, slow_path=path))


def test_time_between_two_services_leaves_out_the_callees_and_long_ways_are_cut(minimal: Report) -> None:
    steps = tuple(PathStep(f"s{i}", 100.0 - i) for i in range(9))
    path = SlowPath(steps, "far", answered=True, calls=0, own_ms=90.0, usual_ms=2.0, traces=3, slow=3)
    text = view.slow_path_text(replace(minimal, slow_path=path))
    assert text.startswith("s0 100 ms → s1 99 ms → s2 98 ms → … → s7 93 ms")
    assert "90 ms in its call to far, its own time left out, usually 2 ms" in text


def test_a_hop_has_the_time_of_the_evidence_beside_it(incident: Report) -> None:
    first = incident.suspects[0]
    strongest, *others = view.evidence_of(incident, first)
    assert strongest.onset
    earlier = replace(others[0], onset=strongest.onset - timedelta(minutes=3))
    evidence = tuple(earlier if item.id == earlier.id else item for item in incident.evidence)
    assert view.spread(replace(incident, evidence=evidence))[0].onset == strongest.onset
