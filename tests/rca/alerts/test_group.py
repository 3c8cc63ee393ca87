from collections.abc import Callable
from dataclasses import replace

import pytest

from rca.alerts import Grouping, group_alerts
from rca.model.incident import Alert
from topology import Edge, Node, ServiceGraph

Make = Callable[..., Alert]


def services(grouping: Grouping) -> list[set[str]]:
    return [set(group.services) for group in grouping.groups]


def whys(grouping: Grouping) -> dict[str, str]:
    return {one.folded.service or "-": one.why for group in grouping.groups for one in group.members}


def test_a_chain_of_callers_is_one_incident_that_starts_at_its_deepest(make: Make, shop: ServiceGraph) -> None:
    alerts = [make("Slow", name, at) for name, at in (("gateway", 90), ("checkout", 30), ("cache", 60))]
    grouping = group_alerts(alerts, shop)
    (group,) = grouping.groups
    assert group.root.service == "cache"
    assert group.services == ("cache", "checkout", "gateway")
    assert group.reason == "checkout and gateway depend on cache, and their alerts began within 60 s"
    assert whys(grouping) == {
        "cache": "deepest in the graph of those that fired",
        "checkout": "calls cache over two hops, which began 30 s later",
        "gateway": "calls checkout, which began 60 s earlier",
    }
    assert (grouping.received, grouping.folded, group.weak) == (3, 3, False)


def test_two_faults_at_once_below_one_gateway_stay_two(make: Make, shop: ServiceGraph) -> None:
    """The gateway goes with the nearer and says that the other would explain it too."""
    alerts = [make("Slow", name, at) for name, at in (("cache", 0), ("cart", 20), ("index", 10), ("search", 25))]
    grouping = group_alerts([*alerts, make("Errors", "gateway", 40)], shop)
    assert services(grouping) == [{"cache", "cart"}, {"index", "search", "gateway"}]
    assert whys(grouping)["gateway"].endswith("; incident 1 would explain it too")


def test_siblings_that_nothing_ties_are_two(make: Make, shop: ServiceGraph) -> None:
    grouping = group_alerts([make("Slow", "cart"), make("Slow", "search", 5)], shop)
    assert services(grouping) == [{"cart"}, {"search"}]
    assert {group.reason for group in grouping.groups} == {
        "nothing that it depends on or that depends on it fired near it in time"
    }


def test_callers_of_one_silent_dependency_are_one(make: Make, shop: ServiceGraph) -> None:
    grouping = group_alerts([make("Slow", "payments"), make("Slow", "orders", 50)], shop)
    (group,) = grouping.groups
    assert "2 of the 2 services that call ledger within 50 s; ledger has no alert of its own" in group.reason
    assert len(group_alerts([make("Slow", "payments"), make("Slow", "orders", 300)], shop).groups) == 2


def test_few_of_many_callers_do_not_blame_the_silent_dependency(make: Make) -> None:
    graph = ServiceGraph(edges=[Edge(f"caller-{number}", "db") for number in range(5)])
    alerts = [make("Slow", f"caller-{number}") for number in range(3)]
    assert len(group_alerts(alerts[:2], graph).groups) == 2
    assert len(group_alerts(alerts, graph).groups) == 1


def test_a_machine_that_fails_explains_what_runs_on_it(make: Make) -> None:
    graph = ServiceGraph([Node("cart", host="node-7"), Node("search")])
    alerts = [
        make("NodeDown", None, 20, job="node-exporter", instance="node-7:9100"),
        make("Slow", "cart"),
        make("Slow", "search", 10, node="node-7"),
        make("Slow", "mail", 10),
    ]
    grouping = group_alerts(alerts, graph)
    assert services(grouping) == [{"cart", "search"}, {"mail"}]
    assert grouping.groups[0].root.alert.labels["alertname"] == "NodeDown"
    assert whys(grouping)["cart"] == "runs on node-7, which began 20 s later"


def test_services_of_one_machine_at_once_are_one(make: Make, shop: ServiceGraph) -> None:
    alerts = [make("Slow", name, at, node="node-7") for name, at in (("cart", 0), ("search", 30))]
    (group,) = group_alerts(alerts, shop).groups
    assert group.reason == "2 services on node-7 within 30 s"


def test_a_zone_needs_three_services(make: Make) -> None:
    graph = ServiceGraph([Node(name) for name in "abc"])
    alerts = [make("Slow", name, zone="eu-1a") for name in "abc"]
    assert len(group_alerts(alerts[:2], graph).groups) == 2
    (group,) = group_alerts(alerts, graph).groups
    assert group.reason == "3 services in zone eu-1a at once"


def test_a_label_that_names_another_service_ties_the_two(make: Make) -> None:
    alerts = [make("Slow", "cart", 40, upstream="sessions"), make("Down", "sessions", 300)]
    grouping = group_alerts(alerts)
    assert services(grouping) == [{"sessions", "cart"}]
    assert whys(grouping)["cart"] == "its labels name sessions, which began 4 min later"


def test_of_two_that_wait_for_each_other_the_earlier_is_the_cause(make: Make) -> None:
    graph = ServiceGraph(edges=[Edge("a", "b"), Edge("b", "a")])
    assert group_alerts([make("Slow", "a", 10), make("Slow", "b", 20)], graph).groups[0].root.service == "a"
    both = [make("Slow", "a", 10, peer="b"), make("Slow", "b", 20, peer="a")]
    assert group_alerts(both).groups[0].root.service == "a"


def test_a_ring_of_mentions_still_has_a_beginning(make: Make) -> None:
    ring = [
        make("Slow", name, at, peer=peer) for at, (name, peer) in enumerate((("a", "b"), ("b", "c"), ("c", "a")))
    ]
    (group,) = group_alerts(ring).groups
    assert len(group.members) == 3


def test_hours_apart_the_same_service_has_two_incidents(make: Make, shop: ServiceGraph) -> None:
    alerts = [make("Slow", "cart", 0, 600), make("Errors", "cart", 7200), make("Errors", "cart", 7300, path="/x")]
    first, second = group_alerts(alerts, shop).groups
    assert (len(first.members), len(second.members)) == (1, 2)
    assert second.reason == "2 alerts of cart, begun within 100 s"
    assert [one.why for one in second.members] == ["first to fire", "also of cart, 100 s later"]


@pytest.mark.parametrize(("cause", "groups"), [((0, None), 1), ((0, 600), 2), ((-7200, None), 2)])
def test_a_cause_that_still_fires_reaches_an_hour(
    make: Make, shop: ServiceGraph, cause: tuple[int, int | None], groups: int
) -> None:
    disk, effect = make("DiskFull", "cache", *cause), make("Slow", "cart", 3000)
    assert len(group_alerts([disk, effect], shop).groups) == groups
    own = make("Errors", "cache", 3000)
    assert len(group_alerts([disk, own], shop).groups) == groups


def test_without_a_graph_time_ties_what_shares_a_namespace_and_is_called_weak(make: Make) -> None:
    alerts = [
        make("Slow", "cart", 0, namespace="shop"),
        make("Slow", "search", 60, namespace="shop"),
        make("Slow", "mail", 30, namespace="office"),
        make("Slow", "late", 200, namespace="shop"),
    ]
    grouping = group_alerts(alerts)
    assert services(grouping) == [{"cart", "search"}, {"mail"}, {"late"}]
    assert [group.weak for group in grouping.groups] == [True, False, False]
    assert whys(grouping)["search"] == "60 s later; only its time ties it to the others"
    assert (grouping.graph, len(grouping.unplaced)) == (0, 4)
    assert "namespace" in grouping.groups[1].reason


def test_an_empty_graph_is_no_graph(make: Make) -> None:
    alerts = [make("Slow", "cart"), make("Slow", "search")]
    assert group_alerts(alerts, ServiceGraph()) == group_alerts(alerts)
    assert group_alerts([]).groups == ()


def test_a_flapping_alert_is_named(make: Make, shop: ServiceGraph) -> None:
    grouping = group_alerts([make("Slow", "cart", at, at + 60) for at in (0, 600, 1200)], shop)
    assert [one.alert.labels["alertname"] for one in grouping.flapping] == ["Slow"]
    assert grouping.groups[0].reason.endswith("; 1 alert flapping")
    assert not grouping.groups[0].fires


def test_a_member_of_a_silenced_alert_says_so(make: Make) -> None:
    (group,) = group_alerts([replace(make("Slow", "cart"), state="suppressed")]).groups
    assert group.root.suppressed
    assert group.fires
