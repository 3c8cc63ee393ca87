"""What must hold for all alerts: order, names and strangers change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rca.alerts import Grouping, group_alerts
from rca.model.incident import Alert
from topology import Edge, Node, ServiceGraph

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
NAMES = tuple("abcdefg")
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
graphs = st.frozensets(pairs, max_size=10)


@st.composite
def alert_lists(draw: st.DrawFn) -> list[Alert]:
    """Alerts whose beginnings all differ, so that no tie is left to names."""
    starts = draw(st.lists(st.integers(0, 5400), unique=True, max_size=9))
    found = []
    for at in starts:
        ends = draw(st.none() | st.integers(1, 3600))
        start = START + timedelta(seconds=at)
        labels = {"alertname": draw(st.sampled_from(("A", "B"))), "service": draw(st.sampled_from(NAMES))}
        if draw(st.booleans()):
            labels["node"] = draw(st.sampled_from(("node-1", "node-2")))
        end = None if ends is None else start + timedelta(seconds=ends)
        found.append(Alert(labels, {}, start, end, state="resolved" if ends else "active"))
    return found


def built(edges: frozenset[tuple[str, str]], names: dict[str, str] | None = None) -> ServiceGraph:
    new = names or {name: name for name in NAMES}
    return ServiceGraph(
        [Node(new[name]) for name in NAMES], [Edge(new[caller], new[callee]) for caller, callee in sorted(edges)]
    )


def parts(grouping: Grouping, names: dict[str, str] | None = None) -> set[frozenset[tuple[object, ...]]]:
    """Each group as the set of its alerts, its root marked, whatever order or number it has."""
    old = names or {}

    def told(one: object, service: str | None, start: object) -> tuple[object, ...]:
        return one, old.get(service or "", service), start

    return {
        frozenset(
            told(member.folded.alert.labels["alertname"], member.folded.service, member.folded.start)
            for member in group.members
        )
        | {("root", *told(group.root.alert.labels["alertname"], group.root.service, group.root.start))}
        for group in grouping.groups
    }


@settings(deadline=None, max_examples=30)
@given(alert_lists(), graphs, st.randoms(use_true_random=False))
def test_the_order_of_the_alerts_changes_nothing(
    alerts: list[Alert], edges: frozenset[tuple[str, str]], random: object
) -> None:
    shuffled = list(alerts)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis' own Random
    assert group_alerts(alerts, built(edges)) == group_alerts(shuffled, built(edges))


@settings(deadline=None, max_examples=50)
@given(alert_lists(), graphs, st.permutations(NAMES))
def test_the_services_names_change_nothing(
    alerts: list[Alert], edges: frozenset[tuple[str, str]], others: list[str]
) -> None:
    names = {old: f"x-{new}" for old, new in zip(NAMES, others, strict=True)}
    back = {new: old for old, new in names.items()}
    renamed = [
        replace(alert, labels={**alert.labels, "service": names[alert.labels["service"]]}) for alert in alerts
    ]
    ours = group_alerts(alerts, built(edges))
    assert parts(group_alerts(renamed, built(edges, names)), back) == parts(ours)


@settings(deadline=None, max_examples=30)
@given(alert_lists(), graphs, st.integers(-1_000_000, 1_000_000))
def test_a_stranger_far_away_joins_nobody_and_merges_nobody(
    alerts: list[Alert], edges: frozenset[tuple[str, str]], at: int
) -> None:
    stranger = Alert({"alertname": "Far", "service": "stranger"}, {}, START + timedelta(seconds=at))
    ours, theirs = group_alerts(alerts, built(edges)), group_alerts([*alerts, stranger], built(edges))
    alone = frozenset({("Far", "stranger", stranger.starts_at), ("root", "Far", "stranger", stranger.starts_at)})
    assert parts(theirs) == parts(ours) | {alone}


@settings(deadline=None, max_examples=30)
@given(alert_lists(), graphs)
def test_every_alert_is_in_exactly_one_group_and_the_counts_agree(
    alerts: list[Alert], edges: frozenset[tuple[str, str]]
) -> None:
    grouping = group_alerts(alerts, built(edges))
    members = [member.folded for group in grouping.groups for member in group.members]
    assert sum(one.received for one in members) == len(alerts) == grouping.received
    assert len(members) == grouping.folded
    assert all(group.members[0].folded == group.root and group.reason for group in grouping.groups)
    assert [group.number for group in grouping.groups] == list(range(1, len(grouping.groups) + 1))
