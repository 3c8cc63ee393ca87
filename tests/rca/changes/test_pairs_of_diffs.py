"""Diffs that do harm, each with a twin in which the same words are innocent; docs/changes.md has the figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from rca.changes.facts import Facts
from rca.changes.findings import Content
from rca.changes.weigh import weigh_changes
from rca.model.incident import Commit, Event
from rca.model.report import Trigger

POSSIBLE = 0.6
"""A score up to which a change is called possible, and no more."""
NAMED_AT_MOST = 18
"""Innocent twins of 300 that are, alone and right at the onset; docs/changes.md has how many are."""


class DiffPair(Protocol):
    name: str
    path: str
    logs: Sequence[str]
    metrics: Sequence[str]
    guilty: str
    innocent: str


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


class MakeFacts(Protocol):
    def __call__(self, *logs: str, metrics: tuple[str, ...] = ..., since: datetime = ...) -> Facts: ...


class MakeCommit(Protocol):
    def __call__(self, sha: str, diff: str | None, minutes: float, path: str = ...) -> Commit: ...


class MakeDeploy(Protocol):
    def __call__(self, sha: str, minutes: float, service: str = ...) -> Event: ...


def test_the_harmful_diff_is_told_from_its_twin(first_pair: DiffPair, judged: Judged) -> None:
    assert judged(first_pair.guilty, first_pair.path).potency >= 0.5
    assert judged(first_pair.innocent, first_pair.path).potency < 0.42


def test_a_later_harmful_diff_is_told_from_its_twin(later_pair: DiffPair, judged: Judged) -> None:
    assert judged(later_pair.guilty, later_pair.path).potency >= 0.5
    assert judged(later_pair.innocent, later_pair.path).potency < 0.42


def test_the_guilty_deploy_comes_before_its_twin_right_at_the_onset(
    first_pair: DiffPair,
    onset: datetime,
    make_facts: MakeFacts,
    make_commit: MakeCommit,
    make_deploy: MakeDeploy,
) -> None:
    since = onset - timedelta(minutes=9)
    facts = make_facts(*first_pair.logs, metrics=tuple(first_pair.metrics), since=since)
    commits = [
        make_commit("a", first_pair.guilty, 14, first_pair.path),
        make_commit("b", first_pair.innocent, 7, first_pair.path),
    ]
    triggers = weigh_changes(facts, [make_deploy("a", 9), make_deploy("b", 2)], commits)
    ranks = {trigger.commit: trigger.rank for trigger in triggers}
    assert ranks["a" * 40] == 1
    assert ranks.get("b" * 40, 99) > ranks["a" * 40]


def test_an_innocent_twin_alone_is_possible_at_most_though_it_is_deployed_at_the_onset(
    every_pair: DiffPair, make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    first = alone(every_pair, make_facts, make_commit, make_deploy)
    assert not first.is_change or first.score < POSSIBLE


def test_few_innocent_twins_are_named_at_all(
    every_pair_of_all: Sequence[DiffPair],
    make_facts: MakeFacts,
    make_commit: MakeCommit,
    make_deploy: MakeDeploy,
) -> None:
    named = [p for p in every_pair_of_all if alone(p, make_facts, make_commit, make_deploy).is_change]
    assert len(named) <= NAMED_AT_MOST, [pair.name for pair in named]


def alone(pair: DiffPair, make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy) -> Trigger:
    facts = make_facts(*pair.logs, metrics=tuple(pair.metrics))
    return weigh_changes(facts, [make_deploy("b", 0.5)], [make_commit("b", pair.innocent, 7, pair.path)])[0]
