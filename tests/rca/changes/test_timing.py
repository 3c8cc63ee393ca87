"""When a change took effect, against when things departed."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

import pytest

from rca.changes.facts import Anomaly, Facts
from rca.changes.timing import timing
from rca.model.signals import Kind

HOUR = 3600.0


class MakeFacts(Protocol):
    def __call__(self, *logs: str, metrics: tuple[str, ...] = ..., **more: object) -> Facts: ...


def rising(
    service: str, metric: str, kind: Kind, began: float, *, ramp: bool = True, ratio: float = 2.0
) -> Anomaly:
    return Anomaly(
        service, metric, kind, up=True, at=began + 60, began=began, ramp=ramp, strength=20.0, ratio=ratio
    )


@pytest.mark.parametrize(
    ("anomaly", "waited"),
    [
        (("edge", "rps", Kind.TRAFFIC, -2 * HOUR), True),
        (("alpha", "rps", Kind.TRAFFIC, -0.5 * HOUR), True),
        (("beta", "rps", Kind.TRAFFIC, -0.5 * HOUR), False),
        (("alpha", "cpu", Kind.CPU, -0.5 * HOUR), False),
    ],
)
def test_what_leaves_less_room_may_wait_for_more_to_come_in(
    make_facts: MakeFacts,
    onset: datetime,
    anomaly: tuple[str, str, Kind, float],
    waited: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    at = onset.timestamp()
    service, metric, kind, began = anomaly
    facts = replace(make_facts("slow"), anomalies=(rising(service, metric, kind, at + began),))
    late = [timing(at - HOUR, "alpha", facts, delayed=False, loaded=loaded).score for loaded in (False, True)]
    assert (late[1] > late[0]) is waited


def test_what_came_in_before_and_stays_is_nothing_to_wait_for(make_facts: MakeFacts, onset: datetime) -> None:
    at = onset.timestamp()
    before = rising("alpha", "rps", Kind.TRAFFIC, at - 2 * HOUR, ramp=False)
    facts = replace(make_facts("slow"), anomalies=(before,))
    scores = [timing(at - HOUR, "alpha", facts, delayed=False, loaded=loaded).score for loaded in (False, True)]
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("began", "strength", "speaks"), [(0.0, 20.0, True), (-0.2 * HOUR, 20.0, False), (0.0, 5.0, False)]
)
def test_what_grows_from_the_very_moment_of_a_change_speaks_for_it_wherever_it_is_measured(
    make_facts: MakeFacts, onset: datetime, began: float, strength: float, *, speaks: bool
) -> None:
    changed = onset.timestamp() - 1.5 * HOUR
    fields = replace(rising("store", "mapped_fields", Kind.OTHER, changed + began), strength=strength)
    facts = replace(make_facts("rejected"), anomalies=(fields,))
    assert ("grows from it on" in timing(changed, "alpha", facts, delayed=False).why) is speaks


@pytest.mark.parametrize(
    ("metric", "exonerates"), [("queue_depth", True), ("replicas", False), ("ready_pods", False)]
)
def test_how_many_run_says_nothing_for_a_later_change(
    make_facts: MakeFacts,
    onset: datetime,
    metric: str,
    exonerates: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    at = onset.timestamp()
    facts = replace(make_facts("slow"), anomalies=(rising("alpha", metric, Kind.OTHER, at - HOUR),))
    assert ("before it" in timing(at - 0.5 * HOUR, "alpha", facts, delayed=False).why) is exonerates
