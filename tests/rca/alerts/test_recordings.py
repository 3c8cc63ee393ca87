"""The testbed's recordings: one incident for a fault that ran alone, two for two laid over each other.

The figures are those of docs/alerts.md.
"""

import csv
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

from rca.alerts import Group, group_alerts
from rca.bundle import read_bundle
from rca.model.incident import Bundle
from topology import ServiceGraph
from topology.merge import merge
from topology.propagate import callee_distances

TWO = "two-at-once"
RECORDINGS = Path(__file__).parents[3] / "fixtures" / "testbed"


@cache
def labels() -> dict[str, dict[str, str]]:
    with (RECORDINGS / "labels.csv").open(encoding="utf-8") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


@cache
def recorded() -> dict[str, Bundle]:
    """Every recording of one fault in which an alert fired, by its name."""
    names = [name for name, row in sorted(labels().items()) if row["fault"] != TWO]
    found = {name: read_bundle(RECORDINGS / f"{name}.tar.gz") for name in names}
    return {name: bundle for name, bundle in found.items() if bundle.alerts}


@cache
def system() -> ServiceGraph:
    return merge(*(bundle.graph for bundle in recorded().values())).graph


def groups(*bundles: Bundle) -> tuple[Group, ...]:
    """The incidents in the alerts of the recordings, shifted so that their first alerts fire together."""
    first = min(alert.starts_at for alert in bundles[0].alerts)
    alerts = []
    for bundle in bundles:
        shift = first - min(alert.starts_at for alert in bundle.alerts)
        alerts += [
            replace(one, starts_at=one.starts_at + shift, ends_at=one.ends_at + shift if one.ends_at else None)
            for one in bundle.alerts
        ]
    return group_alerts(alerts, system()).groups


def test_a_fault_that_ran_alone_is_one_incident() -> None:
    assert len(recorded()) >= 17
    assert {name: len(groups(bundle)) for name, bundle in recorded().items()} == dict.fromkeys(recorded(), 1)


def test_two_faults_that_ran_together_are_two_incidents() -> None:
    for name, row in labels().items():
        if row["fault"] == TWO:
            assert len(groups(read_bundle(RECORDINGS / f"{name}.tar.gz"))) == 2


def test_the_first_alert_is_the_faulty_services_wherever_that_has_one() -> None:
    truth = {name: set(row["root_cause_service"].split(";")) for name, row in labels().items()}
    for name, bundle in recorded().items():
        (group,) = groups(bundle)
        assert group.root.service in truth[name] or not truth[name] & set(group.services), name


def test_two_faults_at_once_are_two_incidents_unless_one_service_depends_on_the_other() -> None:
    roots = {name: str(groups(bundle)[0].root.service) for name, bundle in recorded().items()}
    below = {service: callee_distances(system(), service) for service in roots.values()}
    wrong = []
    for one, other in combinations(recorded(), 2):
        related = roots[one] in below[roots[other]] or roots[other] in below[roots[one]]
        if len(groups(recorded()[one], recorded()[other])) != (1 if related else 2):
            wrong.append((one, other))
    assert wrong == []
