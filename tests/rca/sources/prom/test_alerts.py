"""Alerts out of the series that the server records of them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rca.sources.prom.alerts import alerts, fingerprint
from rca.sources.prom.client import Answer
from rca.sources.prom.plan import Plan

Answers = Callable[..., Answer]
LABELS = {"__name__": "ALERTS", "alertname": "Slow", "service": "a", "alertstate": "firing"}


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_each_stretch_of_firing_is_an_alert(plan: Plan, answer: Answers) -> None:
    firing = answer([(LABELS, dict.fromkeys([1, 2, 4, 8, 9], "1"))])
    found = alerts(firing, None, [], plan.grid, "http://p")
    assert [(alert.starts_at, alert.ends_at, alert.state) for alert in found] == [
        (at(1010), at(1050), "resolved"),
        (at(1080), None, "active"),
    ]
    assert found[0].labels == {"alertname": "Slow", "service": "a"}


def test_it_begins_when_its_condition_did_and_carries_what_the_rule_says(plan: Plan, answer: Answers) -> None:
    firing = answer([(LABELS, {5: "1"})])
    since = answer([({"alertname": "Slow", "service": "a"}, {5: "700"})])
    rules = [
        {
            "name": "Slow",
            "query": "p99 > 1",
            "annotations": {"runbook_url": "http://r", "summary": "{{ $labels.service }} takes {{ $value }} s"},
        }
    ]
    (alert,) = alerts(firing, since, rules, plan.grid, "http://p")
    assert alert.starts_at == at(700)
    assert alert.annotations == {"runbook_url": "http://r"}
    assert alert.generator_url == "http://p/graph?g0.expr=p99%20%3E%201&g0.tab=1"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ $labels.service }} is slow", "a is slow"),
        ("{{$labels.service}} and {{ .Labels.service }}", "a and a"),
        ('{{- index $labels "service" -}}: slow', "a: slow"),
        ("nothing to fill in", "nothing to fill in"),
        ("{{ $labels.pod }} is slow", None),  # a label that the alert hasn't
        ("{{ $labels.service | toUpper }}", None),
        ("{{ $labels.service }} at {{ $value }}", None),
        ("{{ with query }}x{{ end }}", None),
    ],
)
def test_labels_are_filled_in_and_what_else_a_template_says_is_left_out(
    plan: Plan, answer: Answers, template: str, text: str | None
) -> None:
    rules = [{"name": "Slow", "annotations": {"summary": template}}]
    (alert,) = alerts(answer([(LABELS, {5: "1"})]), None, rules, plan.grid, "http://p")
    assert alert.annotations == ({} if text is None else {"summary": text})


def test_of_rules_with_one_name_the_one_with_the_alerts_labels_speaks(plan: Plan, answer: Answers) -> None:
    firing = answer([({**LABELS, "severity": "page"}, {5: "1"})])
    rules = [
        {
            "name": "Slow",
            "query": "p99 > 1",
            "labels": {"severity": severity},
            "annotations": {"summary": severity},
        }
        for severity in ("ticket", "page", "{{ $labels.team }}")
    ]
    (alert,) = alerts(firing, None, rules[:2], plan.grid, "http://p")
    assert alert.annotations == {"summary": "page"}
    (alert,) = alerts(firing, None, rules[:1], plan.grid, "http://p")
    assert (alert.annotations, alert.generator_url) == ({}, "")


def test_rules_that_cannot_be_told_apart_say_what_they_agree_on(plan: Plan, answer: Answers) -> None:
    common = {"name": "Slow", "annotations": {"runbook_url": "http://r"}}
    rules = [
        {**common, "query": "p99 > 1"},
        {"name": "Slow", "query": "p99 > 2", "annotations": {"runbook_url": "http://r", "summary": "very"}},
    ]
    (alert,) = alerts(answer([(LABELS, {5: "1"})]), None, rules, plan.grid, "http://p")
    assert (alert.annotations, alert.generator_url) == ({"runbook_url": "http://r"}, "")


def test_a_begin_after_the_first_firing_is_not_believed(plan: Plan, answer: Answers) -> None:
    firing = answer([(LABELS, {5: "1"}), ({**LABELS, "service": "b"}, {})])
    since = answer([({"alertname": "Slow", "service": "a"}, {5: "99999"})])
    assert [alert.starts_at for alert in alerts(firing, since, [], plan.grid, "")] == [at(1050)]


def test_a_fingerprint_is_alertmanagers() -> None:
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"a": "b"}) != fingerprint({"a": "bc"})
