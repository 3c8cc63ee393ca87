"""From answers to series."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rca.model.signals import Kind, SignalFrame, SignalKey
from rca.sources.prom.assemble import Assembled, assemble, first_of, points
from rca.sources.prom.client import Answer
from rca.sources.prom.names import Labels
from rca.sources.prom.packs import Across, Naming, Signal
from rca.sources.prom.plan import Ask, Plan
from rca.sources.prom.work import Grid

Asks = Callable[..., Ask]
Answers = Callable[..., Answer]
GAUGE = Signal("load", "max by ($S) (load{$F})", ("load",), Naming(("service",)))
ALL = dict.fromkeys(range(10), "1")


def values(made: Assembled, column: int = 0) -> list[float]:
    assert made.frame is not None
    return [float(value) for value in made.frame.values[:, column]]


def columns(made: Assembled) -> list[str]:
    assert made.frame is not None
    return [key.column for key in made.frame.keys]


def test_what_is_no_number_or_lies_beside_the_grid_is_missing() -> None:
    found = points(
        [[0, "1"], [10, "NaN"], [20, "+Inf"], [25, "9"], [30, "-Inf"], [40, "2"], [99, "9"]], Grid(0, 10, 6), 10
    )
    np.testing.assert_array_equal(found, [10, np.nan, np.nan, np.nan, 20, np.nan])


def test_a_series_that_ends_stays_ended(plan: Plan, ask: Asks, answer: Answers) -> None:
    made = assemble([(ask(), answer([({"service": "a"}, {0: "1", 1: "2"})]))], GAUGE, plan)
    assert np.isnan(values(made)[2:]).all()
    assert made.gaps == ()


@pytest.mark.parametrize(
    ("across", "expected"), [(Across.MAX, 3), (Across.MIN, 1), (Across.SUM, 4), (Across.MEAN, 2)]
)
def test_replicas_become_their_service(
    plan: Plan, ask: Asks, answer: Answers, across: Across, expected: float
) -> None:
    signal = replace(GAUGE, across=across)
    rows = [({"service": "a", "instance": "1"}, {0: "1", 1: "1"}), ({"service": "a", "instance": "2"}, {0: "3"})]
    made = assemble([(ask(signal, Labels("service", instance="instance")), answer(rows))], signal, plan)
    assert columns(made) == ["a|load", "a|load|1", "a|load|2"]
    assert values(made)[:2] == [expected, 1]
    assert np.isnan(values(made)[2])
    assert made.frame is not None
    keys = made.frame.keys
    assert keys[0].query.startswith({"mean": "avg"}.get(across, str(across)) + " (max by (service, instance)")
    assert keys[1].query == 'max by (service, instance) (load{service="a",instance="1"})'


def test_a_series_two_servers_scraped_counts_once(plan: Plan, ask: Asks, answer: Answers) -> None:
    signal = replace(GAUGE, across=Across.SUM)
    rows = [({"service": "a", "prometheus_replica": name}, {0: value}) for name, value in (("x", "5"), ("y", "6"))]
    made = assemble([(ask(signal, Labels("service", replica="prometheus_replica")), answer(rows))], signal, plan)
    assert values(made)[0] == 6


def test_series_named_by_different_labels_are_one_service(plan: Plan, ask: Asks, answer: Answers) -> None:
    first = (ask(labels=Labels("service")), answer([({"service": "a"}, {0: "1"})]))
    second = (ask(labels=Labels("job", without=("service",))), answer([({"job": "shop/a"}, {0: "2"})]))
    made = assemble([first, second], GAUGE, plan)
    assert values(made)[0] == 2
    assert made.frame is not None
    assert made.frame.keys[0].query == (
        'max (max by (service) (load{service="a"}) or max by (job) (load{job="shop/a",service=""}))'
    )


def test_too_many_replicas_keep_their_service_alone(
    plan: Plan, ask: Asks, answer: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = Labels("service", instance="instance")
    rows = [({"service": "a", "instance": str(number)}, ALL) for number in range(13)]
    assert columns(assemble([(ask(labels=labels), answer(rows))], GAUGE, plan)) == ["a|load"]
    monkeypatch.setattr("rca.sources.prom.assemble.MAX_REPLICA_SERIES", 1)
    made = assemble([(ask(labels=labels), answer(rows[:2]))], GAUGE, plan)
    assert columns(made) == ["a|load"]
    assert made.gaps[0].what == "2 replicas' own series of load"


def test_more_series_than_a_query_may_give_are_cut_and_said(
    plan: Plan, ask: Asks, answer: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rca.sources.prom.assemble.MAX_SERIES", 1)
    made = assemble([(ask(), answer([({"service": "b"}, ALL), ({"service": "a"}, ALL)]))], GAUGE, plan)
    assert columns(made) == ["a|load"]
    assert made.gaps[0].what == "1 series of load"


def test_nobodys_series_and_empty_ones_are_left_out(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"service": "unknown"}, ALL), ({}, ALL), ({"service": "a"}, {0: "NaN"})]
    made = assemble([(ask(), answer(rows, "half is missing"))], GAUGE, plan)
    assert made.frame is None
    assert [gap.why for gap in made.gaps] == ["the server warns: half is missing"]


def test_a_callee_nobody_knows_is_left_out_and_a_known_one_is_in_the_name(
    plan: Plan, ask: Asks, answer: Answers
) -> None:
    rows = [({"service": "a", "peer": peer}, ALL) for peer in ("unknown", "b")]
    made = assemble([(ask(labels=Labels("service", peer="peer")), answer(rows))], GAUGE, plan)
    assert columns(made) == ["a|load:b"]
    assert made.frame is not None
    assert made.frame.keys[0].peer == "b"


def test_a_quantile_in_the_top_bucket_is_at_least_that(plan: Plan, ask: Asks, answer: Answers) -> None:
    signal = replace(GAUGE, name="took_p99", unit="ms", scale=1000.0)
    rows = [({"service": "a"}, {0: "2.5", 1: "2.5"}), ({"service": "b"}, {0: "2.5", 1: "2"})]
    made = assemble([(ask(signal, top=2.5), answer(rows))], signal, plan)
    assert [(gap.what, gap.why.rpartition(" ")[2]) for gap in made.gaps] == [("took_p99 above 2500 ms", "a")]


def test_many_pods_are_matched_by_their_workloads_name(plan: Plan, ask: Asks, answer: Answers) -> None:
    rows = [({"pod": f"cart-7f8b9c6d5d-{letter}x2x4"}, ALL) for letter in "bcdfghjklmnpqrstvwxz2456"]
    made = assemble([(ask(labels=Labels("pod")), answer(rows))], GAUGE, plan)
    assert made.frame is not None
    assert made.frame.keys[0].query == 'max (max by (pod) (load{pod=~"(?:cart)(?:-[a-z0-9]+){1,2}"}))'


def test_rows_of_exporters_are_left_out_and_their_absence_is_told(plan: Plan, ask: Asks, answer: Answers) -> None:
    up = replace(GAUGE, name="up", kind=Kind.AVAILABILITY, across=Across.MEAN)
    rows = [
        ({"service": "a", "instance": "app"}, ALL),
        ({"service": "a", "instance": "exporter"}, {0: "1", 1: "0", 2: "0"}),
        ({"service": "a", "instance": "another"}, {0: "1", 1: "0"}),
    ]
    labels = Labels("service", instance="instance")
    watching = replace(ask(up, labels), watchers=frozenset({("a", "exporter"), ("a", "another")}))
    made = assemble([(watching, answer(rows))], up, plan)
    assert columns(made) == ["a|up"]
    assert made.frame is not None
    assert made.frame.keys[0].query == 'max by (service, instance) (load{service="a",instance="app"})'
    (gap,) = made.gaps
    assert (gap.what, "in 2 of 10 points" in gap.why) == ("what is measured of a", True)
    assert assemble([(watching, answer(rows))], replace(up, kind=Kind.CPU), plan).gaps == ()


def test_replicas_beside_an_exporter_of_the_same_name_are_named_in_the_query(
    plan: Plan, ask: Asks, answer: Answers
) -> None:
    rows = [({"service": name, "instance": each}, ALL) for name in ("a", "b") for each in ("1", "2")]
    labels = Labels("service", instance="instance")
    watching = replace(ask(GAUGE, labels), watchers=frozenset({("a", "exporter")}))
    made = assemble([(watching, answer(rows))], GAUGE, plan)
    assert made.frame is not None
    queries = {key.column: key.query for key in made.frame.keys}
    assert 'load{service="a",instance=~"1|2"}' in queries["a|load"]
    assert 'load{service="b"}' in queries["b|load"]


def test_of_alternatives_a_service_has_the_first_that_knows_it() -> None:
    times = np.arange(2.0)

    def frame(level: float, *services: str) -> SignalFrame:
        keys = tuple(SignalKey(service, "m") for service in services)
        return SignalFrame(times, np.full((2, len(keys)), level), keys)

    one = first_of([frame(1, "a", "a"), frame(2, "a", "b"), frame(3, "b", "c")])
    assert one is not None
    assert [key.service for key in one.keys] == ["a", "a", "b", "c"]
    assert one.values[0].tolist() == [1, 1, 2, 3]
    assert first_of([]) is None
