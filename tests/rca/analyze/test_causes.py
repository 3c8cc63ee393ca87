"""Several causes at once: made-up systems whose faults are known, because they were put there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest

from rca.analyze.assess import AnalysisOptions, rank_bundle
from rca.analyze.causes import Causes, Common, Shared, causes, tell
from rca.analyze.compose import analyze
from rca.analyze.confidence import standing
from rca.analyze.prepare import prepare
from rca.model.incident import Bundle
from rca.model.report import Role, ToolInfo
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.model.tuning.causes import CauseTuning
from rca.model.tuning.rows import RowTuning
from topology import Edge, Node, NodeKind, ServiceGraph

MakeBundle: TypeAlias = Callable[..., Bundle]
ROWS, ONSET_ROW = 60, 45
Columns = dict[str, FloatArray]
Edges = list[tuple[str, str]]
FAULT = np.where(np.arange(ROWS) >= ONSET_ROW, 1.0, 0.0)
NEVER = np.zeros(ROWS)


def noisy(seed: int, level: float) -> FloatArray:
    made: FloatArray = level * (1 + 0.04 * np.random.default_rng(seed).standard_normal(ROWS))
    return made


def chain(name: str, fault: FloatArray, seed: int) -> tuple[Columns, Edges]:
    """Top calls mid, mid calls leaf; the leaf's CPU saturates and slows all three."""
    columns = {}
    for i, (place, level, rise) in enumerate((("top", 200, 400), ("mid", 80, 390), ("leaf", 10, 380))):
        columns[f"{name}-{place}|latency_p99_ms"] = noisy(seed + 2 * i, level) + rise * fault
        columns[f"{name}-{place}|cpu_usage"] = noisy(seed + 2 * i + 1, 0.2)
    columns[f"{name}-leaf|cpu_usage"] += 0.7 * fault
    return columns, [(f"{name}-top", f"{name}-mid"), (f"{name}-mid", f"{name}-leaf")]


def tenants(hosts: Mapping[str, str], hit: Sequence[str]) -> tuple[Columns, list[Node]]:
    """Services that call nobody, each on a node; some turn slow and busy together."""
    columns = {}
    for i, name in enumerate(hosts):
        fault = FAULT if name in hit else NEVER
        columns[f"{name}|latency_p99_ms"] = noisy(40 + i, 100) + 300 * fault
        columns[f"{name}|cpu_usage"] = noisy(60 + i, 0.2) + 0.3 * fault
    return columns, [Node(name, host=host) for name, host in hosts.items()]


def failing(hit: Sequence[str], calm: Sequence[str]) -> Columns:
    return {
        f"{name}|error_rate": noisy(80 + i, 0.01) + (0.3 * FAULT if name in hit else NEVER)
        for i, name in enumerate((*hit, *calm))
    }


def of(bundle: Bundle, *, usual: float | None = None, **constants: Any) -> Causes:
    prepared = prepare(bundle, RowTuning())
    ranked, evidence = rank_bundle(bundle, prepared, AnalysisOptions())
    assert ranked is not None
    stood = standing(ranked, evidence, Tuning())
    order = [ranked.structure.services[i] for i in ranked.order()]
    stood = replace(stood, usual=stood.usual if usual is None else usual)
    tuning = replace(Tuning(), causes=replace(CauseTuning(), **constants))
    return causes(ranked, order, prepared.graph, stood, tuning)


@pytest.fixture
def two_faults(make_bundle: MakeBundle) -> Bundle:
    one, its_edges = chain("shop", FAULT, 1)
    other, more_edges = chain("mail", FAULT, 21)
    return make_bundle({**one, **other}, its_edges + more_edges)


def test_two_faults_in_unrelated_parts_are_both_named(two_faults: Bundle, tool: ToolInfo) -> None:
    report = analyze(two_faults, tool=tool)
    assert {suspect.service for suspect in report.suspects[:2]} == {"shop-leaf", "mail-leaf"}
    found = of(two_faults)
    assert found == Causes(also=(report.suspects[1].service,))
    told = tell(report, found)
    assert [s.role for s in told.suspects[:3]] == [Role.CAUSE, Role.CAUSE, Role.SYMPTOM]
    said = f"Independently of it, {found.also[0]} failed too: nothing connects the two."
    assert said in told.verdict.summary
    third = tell(report, Causes(also=(found.also[0], report.suspects[2].service)))
    assert third.verdict.summary.endswith("failed too: nothing connects them.")


@pytest.mark.parametrize(
    ("name", "value"), [("close", 1.01), ("looked_at", 1), ("most", 0.0), ("fewest", 50), ("shows_z", 1e6)]
)
def test_constants_that_ask_for_more_leave_one_cause(two_faults: Bundle, name: str, value: float) -> None:
    assert of(two_faults, **{name: value}) == Causes()


def test_one_fault_has_one_cause(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    one, its_edges = chain("shop", FAULT, 1)
    other, more_edges = chain("mail", NEVER, 21)
    bundle = make_bundle({**one, **other}, its_edges + more_edges)
    assert of(bundle) == Causes()
    report = analyze(bundle, tool=tool)
    assert tell(report, Causes()) is report


def test_a_loud_service_that_nobody_suffers_from_is_no_second_cause(make_bundle: MakeBundle) -> None:
    columns, edges = chain("shop", FAULT, 1)
    columns["batch|cpu_usage"] = noisy(91, 0.2) + 0.7 * FAULT
    columns["timer|cpu_usage"] = noisy(92, 0.2)
    assert of(make_bundle(columns, [*edges, ("timer", "batch")])).also == ()


def test_a_second_fault_on_the_first_one_s_path_is_not_called_independent(make_bundle: MakeBundle) -> None:
    columns, edges = chain("shop", FAULT, 1)
    columns["shop-mid|cpu_usage"] = columns["shop-mid|cpu_usage"] + 0.7 * FAULT
    assert of(make_bundle(columns, edges)).also == ()


def test_what_a_way_leads_to_is_not_called_independent_though_nobody_measures_the_way(two_faults: Bundle) -> None:
    way = [Edge("mail-leaf", "bus"), Edge("bus", "shop-leaf")]
    graph = ServiceGraph(edges=[*two_faults.graph.edges(), *way])
    assert of(replace(two_faults, graph=graph)).also == ()


def test_what_the_baseline_reaches_too_is_no_second_cause(two_faults: Bundle) -> None:
    assert of(two_faults, usual=5.0).also == ()


def test_without_a_graph_nothing_is_said(two_faults: Bundle) -> None:
    assert of(replace(two_faults, graph=ServiceGraph())) == Causes()


def test_a_node_whose_tenants_are_all_hit_is_named(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    hosts = {"x": "n1", "y": "n1", "z": "n1", "u": "n2", "v": "n2"}
    columns, nodes = tenants(hosts, "xyz")
    bundle = make_bundle(columns, graph=ServiceGraph(nodes))
    found = of(bundle)
    assert found.shared is not None
    assert (found.shared.kind, found.shared.name, sorted(found.shared.services)) == (
        Common.NODE,
        "n1",
        ["x", "y", "z"],
    )
    assert of(bundle, calm=0.0) == Causes()  # then nobody elsewhere is known to be calm
    assert "Look at n1 first" in tell(analyze(bundle, tool=tool), found).verdict.summary


@pytest.mark.parametrize(
    ("hosts", "hit"),
    [
        ({"x": "n1", "y": "n1", "w": "n1", "u": "n2"}, "xy"),  # a tenant is unharmed
        ({"x": "n1", "y": "n2", "u": "n2"}, "xy"),  # two nodes
        ({"x": "n1", "y": "n1"}, "xy"),  # nowhere else is known to be calm
    ],
)
def test_a_node_is_not_blamed_for_what_it_does_not_explain(
    make_bundle: MakeBundle, hosts: dict[str, str], hit: str
) -> None:
    columns, nodes = tenants(hosts, hit)
    assert of(make_bundle(columns, graph=ServiceGraph(nodes))) == Causes()


def test_a_node_is_not_blamed_where_one_of_its_tenants_explains_the_other(make_bundle: MakeBundle) -> None:
    columns, edges = chain("shop", FAULT, 1)
    columns["shop-mid|cpu_usage"] = columns["shop-mid|cpu_usage"] + 0.7 * FAULT
    columns["idle|cpu_usage"] = noisy(95, 0.2)
    hosts = {"shop-mid": "n1", "shop-leaf": "n1", "shop-top": "n2", "idle": "n2"}
    nodes = [Node(name, host=host) for name, host in hosts.items()]
    apart = ServiceGraph(nodes, [Edge("shop-top", "shop-mid")])
    assert of(make_bundle(columns, graph=apart)).shared is not None
    together = ServiceGraph(nodes, [Edge(a, b) for a, b in edges])
    assert of(make_bundle(columns, graph=together)).shared is None


@pytest.mark.parametrize("kind", [NodeKind.EXTERNAL, NodeKind.UNKNOWN])
def test_a_dependency_that_nobody_measures_is_named(
    make_bundle: MakeBundle, kind: NodeKind, tool: ToolInfo
) -> None:
    edges = [Edge(name, "pay-api") for name in "xyz"]
    bundle = make_bundle(failing("xyz", "uv"), graph=ServiceGraph([Node("pay-api", kind)], edges))
    found = of(bundle)
    assert found.shared is not None
    assert (found.shared.kind, found.shared.name) == (Common.DEPENDENCY, "pay-api")
    assert (
        "depend on pay-api, of which nothing is measured"
        in tell(analyze(bundle, tool=tool), found).verdict.summary
    )


def test_a_dependency_that_others_call_unharmed_is_not_blamed(make_bundle: MakeBundle) -> None:
    edges = [Edge(name, "pay-api") for name in "xyzu"]
    assert of(make_bundle(failing("xyz", "uv"), graph=ServiceGraph(edges=edges))) == Causes()


def test_a_report_that_abstains_stays_as_it_is(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    report = analyze(make_bundle({"a|cpu_usage": noisy(1, 0.2)}), tool=tool)
    assert report.verdict.abstained
    assert tell(report, Causes(shared=Shared(Common.NODE, "n1", ("a",)))) is report
