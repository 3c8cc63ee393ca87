"""Changes of state out of series."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rca.model.incident import EventKind
from rca.sources.prom.client import Answer
from rca.sources.prom.events import events
from rca.sources.prom.names import Labels
from rca.sources.prom.packs import EventRule, Naming, Rule
from rca.sources.prom.plan import Ask, Plan

Asks = Callable[..., Ask]
Answers = Callable[..., Answer]


def rule(kind: Rule, subject: str = "") -> EventRule:
    return EventRule(
        "r", kind, EventKind.OTHER, "x{$F}", ("x",), Naming(("service",)), subject, "{service} {old}>{new}"
    )


def told(plan: Plan, ask: Ask, found: Answer) -> list[tuple[float, str]]:
    assert isinstance(ask.part, EventRule)
    made, gaps = events(ask, ask.part, found, plan, "q")
    assert not gaps
    return [((event.at - datetime.fromtimestamp(1000, UTC)).total_seconds() / 10, event.title) for event in made]


def test_a_new_value_of_a_label_is_told_once_with_the_old_one(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [
        ({"service": "a", "image": "v1", "container": "app"}, dict.fromkeys(range(6), "1")),
        ({"service": "a", "image": "v2", "container": "app"}, dict.fromkeys(range(4, 10), "1")),
        ({"service": "a", "image": "proxy", "container": "side"}, dict.fromkeys(range(3, 10), "1")),
        ({"service": "unknown", "image": "v1"}, {0: "1"}),
    ]
    assert told(plan, ask(rule(Rule.APPEARS, "image")), answer(rows)) == [(4, "a v1>v2")]


def test_a_value_that_rises_or_changes_is_told_across_a_missing_point(
    plan: Plan, ask: Asks, answer: Answers
) -> None:
    rows = [({"service": "a"}, {0: "2", 1: "2", 3: "3", 4: "1"})]
    assert told(plan, ask(rule(Rule.RISES)), answer(rows)) == [(3, "a 2>3")]
    assert told(plan, ask(rule(Rule.CHANGES)), answer(rows)) == [(3, "a 2>3"), (4, "a 3>1")]


def test_a_state_that_starts_is_told_and_one_that_was_there_is_not(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"service": "a", "reason": "Crash"}, {3: "1", 4: "1", 6: "0", 7: "1"}), ({"service": "b"}, {0: "1"})]
    assert told(plan, ask(rule(Rule.STARTS, "reason")), answer(rows)) == [(3, "a >Crash"), (7, "a >Crash")]


def test_a_time_of_creation_within_the_window_is_told(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"service": "a"}, {0: "500", 5: "1045.5"}), ({"service": "b"}, {0: "1100"})]
    assert told(plan, ask(rule(Rule.CREATED)), answer(rows)) == [(4.5, "a >")]


def test_a_time_of_creation_that_wobbles_is_one(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"service": "a"}, {0: "1040", 1: "1041.5", 2: "1039.8", 3: "1080"})]
    assert told(plan, ask(rule(Rule.CREATED)), answer(rows)) == [(3.9, "a >"), (8.0, "a >")]


def test_replicas_that_change_together_are_one_event(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"service": "a", "pod": f"p{number}"}, {0: "0", 1: "1"}) for number in range(3)]
    chosen = ask(rule(Rule.RISES), Labels("service", instance="pod"))
    assert isinstance(chosen.part, EventRule)
    ((event,), _) = events(chosen, chosen.part, answer(rows), plan, "q")
    assert event.details == {"rule": "r", "count": 3, "query": "q", "of": ["p0", "p1", "p2"]}


def test_a_flood_of_events_is_cut_and_said(
    plan: Plan, ask: Asks, answer: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rca.sources.prom.events.MAX_EVENTS", 2)
    chosen = ask(rule(Rule.RISES))
    assert isinstance(chosen.part, EventRule)
    rows = [({"service": "a"}, {number: str(number) for number in range(10)})]
    found, gaps = events(chosen, chosen.part, answer(rows), plan, "q")
    assert len(found) == 2
    assert gaps[0].what == "7 events of a (r)"


def test_a_state_that_became_another_one_keeps_both(plan: Plan, ask: Asks, answer: Answers) -> None:
    chosen = ask(rule(Rule.CHANGES))
    assert isinstance(chosen.part, EventRule)
    ((event,), _) = events(chosen, chosen.part, answer([({"service": "a"}, {0: "3", 1: "1"})]), plan, "q")
    assert (event.details["from"], event.details["to"]) == (3.0, 1.0)
    image = ask(rule(Rule.APPEARS, "image"))
    assert isinstance(image.part, EventRule)
    rows = [({"service": "a", "image": "v1"}, {0: "1"}), ({"service": "a", "image": "v2"}, {1: "1"})]
    ((event,), _) = events(image, image.part, answer(rows), plan, "q")
    assert (event.details["from"], event.details["to"]) == ("v1", "v2")
