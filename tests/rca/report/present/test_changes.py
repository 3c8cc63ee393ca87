"""Which changes are shown, named or left out, and in which words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.report import OnsetEstimate, Report, TimelineEntry, Trigger
from rca.report.present import changes

AT = datetime(2026, 11, 22, 3, 11, 40, tzinfo=UTC)
NONE = Trigger(9, "unknown", "web", None, 0.4, "None of the known changes explains it")


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def change(kind: str = "deploy", service: str = "web", seconds: float = -60, score: float = 2.0) -> Trigger:
    return Trigger(1, kind, service, later(seconds), score, "“v2”: it fits")


def made(report: Report, *triggers: Trigger) -> Report:
    return replace(report, triggers=triggers, onset=OnsetEstimate(AT, AT, AT), first_failure=None, timeline=())


def set_off_by(report: Report) -> str:
    return dict(changes.facts(report))["Set off by"]


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        (
            Trigger(1, "deploy", "web", later(-60), 1, "", "0123456789abcdef"),
            "deploy of web (commit 0123456789ab), 03:10:40, 1 min before it began",
        ),
        (Trigger(1, "scale", "", later(60), 1, ""), "scale, 03:12:40, 1 min after the likeliest onset"),
        (Trigger(1, "config", "web", AT, 1, ""), "config of web, 03:11:40, right when it began"),
        (Trigger(1, "config", "web", None, 1, ""), "config of web, time unknown"),
        (Trigger(1, "network", "web", None, 1, ""), "something else: network"),
        (Trigger(1, "traffic", "web", AT, 1, "a surge"), "something else: a surge"),
    ],
)
def test_a_trigger_says_what_where_and_when(incident: Report, trigger: Trigger, text: str) -> None:
    assert changes.heading(trigger, made(incident)) == text


def test_what_is_no_change_is_told_whole_by_its_heading() -> None:
    assert changes.why(Trigger(1, "traffic", "web", AT, 1, "a surge")) == ""
    assert changes.why(change()) == "“v2”: it fits"


def test_without_an_onset_a_trigger_has_only_its_time(minimal: Report) -> None:
    assert changes.when(Trigger(1, "deploy", "web", AT, 1, ""), minimal) == "03:11:40"


def test_how_far_a_change_lies_from_the_onset_is_what_the_times_shown_differ_by() -> None:
    at = datetime(2026, 11, 22, 15, 29, 12, 900_000, tzinfo=UTC)
    onset = datetime(2026, 11, 22, 15, 29, 15, 100_000, tzinfo=UTC)
    assert changes.apart(at, onset) == ", 3 s before it began"
    assert changes.apart(onset, at) == ", 3 s after the likeliest onset"
    assert changes.apart(onset, onset.replace(microsecond=999_999)) == ", right when it began"


def test_what_is_less_likely_than_no_change_is_only_named(incident: Report) -> None:
    late = change("config", "cart", 30, -0.6)
    node = Trigger(4, "node", "node-a", None, 0.1, "a machine")
    found = changes.changes(made(incident, change(), NONE, node, late))
    assert found == changes.Changes("", (change(),), (late,))


def test_a_restart_belongs_to_the_deploy_in_the_same_seconds(incident: Report) -> None:
    restart, alone = change("restart", seconds=-58, score=0.5), change("restart", seconds=-20, score=0.45)
    found = changes.changes(made(incident, change(), restart, alone, NONE))
    assert found.serious == (change(), alone)


def test_where_no_change_explains_it_that_is_said_first(incident: Report) -> None:
    late = change(score=-1.0)
    network = Trigger(1, "network", "web", None, 1.2, "the connection of web to db")
    found = changes.changes(made(incident, network, NONE, late))
    assert found == changes.Changes("None of the known changes explains it.", (network,), (late,))


def test_that_no_change_set_it_off_is_left_to_the_summary(incident: Report) -> None:
    network = Trigger(1, "network", "web", None, 1.2, "the connection of web to db")
    late = change(score=-1.0)
    assert changes.facts(made(incident, network, NONE, late)) == ()
    assert changes.facts(made(incident, NONE, late)) == ()


def test_nothing_on_record_and_nothing_near_are_told_apart(incident: Report) -> None:
    nothing = made(incident, NONE)
    assert changes.changes(nothing).lead == changes.NONE_ON_RECORD
    far = TimelineEntry(later(600), "deploy of mail: v3", kind="deploy", service="mail")
    assert changes.changes(replace(nothing, timeline=(far,))).lead == (
        "None of the changes on record is near it in time and place."
    )
    assert changes.facts(nothing) == ()


def test_two_records_of_one_rollout_are_one_change(incident: Report) -> None:
    known = replace(change(), commit="c0ffee")
    platform, other = change(seconds=-55, score=1.5), replace(change(seconds=-50, score=1.0), commit="f00")
    found = changes.changes(made(incident, known, platform, other, NONE))
    assert found.serious == (known, other)


def test_a_change_hardly_ahead_of_the_next_is_only_possible(incident: Report) -> None:
    close, clear = change(score=0.8), change(score=0.9)
    assert set_off_by(made(incident, close, NONE)).startswith("possibly deploy of web")
    assert set_off_by(made(incident, clear, NONE)).startswith("deploy of web")
    rollout = change("restart", seconds=-58, score=0.8)
    assert changes.is_likely((clear, rollout, NONE), AT)


def test_a_change_after_it_began_is_only_possible(incident: Report) -> None:
    assert set_off_by(made(incident, change("other", seconds=30), NONE)) == (
        "possibly event of web, 03:12:10, 30 s after the likeliest onset"
    )


def test_where_no_service_is_singled_out_changes_are_told_and_nothing_is_explained(abstained: Report) -> None:
    network = Trigger(1, "network", "web", None, 1.2, "the connection of web to db")
    found = changes.changes(made(abstained, network, NONE, change("config", "cart", 30, 0.1)))
    assert found.serious == ()
    assert [trigger.kind for trigger in found.unlikely] == ["config"]
    assert found.lead == "No service is singled out that one of them could have set off."
    assert changes.changes(made(abstained, change(), network, NONE)).serious == (change(),)


def test_where_no_service_is_singled_out_nothing_set_it_off(abstained: Report) -> None:
    assert changes.facts(made(abstained, change())) == ()


def test_an_unlikely_change_is_told_in_a_line_with_all_its_times(incident: Report) -> None:
    late = replace(change("config", "cart", 30, 0.1), why="“keep”: little harm in it")
    bare = replace(change("config", "", 60, 0.1), why="", at=None)
    assert changes.unlikely(made(incident, NONE, replace(late, at=later(60)), late, late, bare)) == (
        "config of cart, 03:12:10 and 03:12:40: “keep”: little harm in it",
        "config, time unknown",
    )


def test_a_deploy_of_which_nobody_knows_what_it_changed_is_possible_at_most() -> None:
    known = change()
    assert changes.is_likely((known, NONE), AT)
    assert not changes.is_likely((replace(known, on_record=False), NONE), AT)
