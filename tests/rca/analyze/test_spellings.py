"""Sources that write one service's name in their own ways."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.analyze import analyze
from rca.analyze.explain import explain
from rca.analyze.memo import Memo
from rca.analyze.spellings import with_one_name_each
from rca.model.incident import Bundle, Event, EventKind, Span, Symptom
from rca.model.logs import LogCounts, LogLine
from rca.model.report import ToolInfo
from tests.rca.analyze.conftest import ONSET_ROW, START
from topology import Edge, Node, NodeKind, Provenance, ServiceGraph

POD = "7f8b9c6d5d-x2x4z"
WAYS = {
    "in capitals": lambda name: name.upper(),
    "as a class": lambda name: f"{name.title()}Service",
    "in a namespace": lambda name: f"shop/{name}",
    "as an address": lambda name: f"{name}.shop.svc.cluster.local",
    "as a pod": lambda name: f"{name}-{POD}",
    "as a pod of a deployment in a namespace": lambda name: f"shop/{name}-service-{POD}",
}


def lines(*services: str) -> tuple[LogLine, ...]:
    return tuple(LogLine(START + timedelta(seconds=i), name, "INFO", "served") for i, name in enumerate(services))


def heard(bundle: Bundle) -> list[str]:
    """Who the lines are of, and what the report says of names."""
    found = with_one_name_each(bundle)
    return [line.service for line in found.logs]


@pytest.fixture
def spoken(checkout: Bundle) -> Bundle:
    """`checkout` as all its sources see it, under one name each."""
    names = ("web", "orders", "db", "mail")
    counts = LogCounts(np.array([0.0, 60.0]), tuple(sorted(names)), ("INFO",), np.ones((2, 4, 1)))
    spans = tuple(Span("t", name, None, name, "GET", START, 5.0) for name in names)
    return replace(
        checkout,
        logs=lines(*names),
        log_counts=counts,
        spans=spans,
        events=(Event(START, EventKind.DEPLOY, "orders", "v2"),),
        symptom=Symptom("web", "latency_p99_ms"),
    )


def respelt(bundle: Bundle, way: Callable[[str], str]) -> Bundle:
    """All but the series write names in another way."""
    counts = bundle.log_counts
    assert counts is not None
    assert bundle.symptom is not None
    names = [way(name) for name in counts.services]
    order = np.argsort(names)
    return replace(
        bundle,
        graph=ServiceGraph(
            edges=[replace(e, caller=way(e.caller), callee=way(e.callee)) for e in bundle.graph.edges()]
        ),
        logs=tuple(replace(line, service=way(line.service)) for line in bundle.logs),
        log_counts=LogCounts(counts.times, tuple(sorted(names)), counts.levels, counts.counts[:, order]),
        spans=tuple(replace(span, service=way(span.service)) for span in bundle.spans),
        events=tuple(replace(event, service=way(event.service)) for event in bundle.events),
        symptom=replace(bundle.symptom, service=way(bundle.symptom.service)),
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_however_the_others_spell_them_the_services_of_the_series_rank_the_same(
    spoken: Bundle, tool: ToolInfo, way: Callable[[str], str]
) -> None:
    plain, found = analyze(spoken, tool=tool), analyze(respelt(spoken, way), tool=tool)
    assert [(s.service, s.score) for s in found.suspects] == [(s.service, s.score) for s in plain.suspects]
    assert found.verdict == plain.verdict
    (gap,) = set(found.gaps) - set(plain.gaps)
    assert gap.what == "services under several names"
    assert f"{way('orders')} for orders" in gap.why


def test_the_query_that_shows_a_line_asks_for_the_name_that_its_source_has(
    checkout: Bundle, tool: ToolInfo
) -> None:
    at = [START + timedelta(seconds=i) for i in range(0, 3600, 5)]
    calm = tuple(LogLine(moment, f"db-{POD}", "INFO", "row was written") for moment in at)
    errors = tuple(LogLine(moment, f"db-{POD}", "ERROR", "disk is full") for moment in at[12 * ONSET_ROW :])
    report = analyze(replace(checkout, logs=calm + errors), tool=tool)
    queries = [item.query for item in report.evidence if item.service == "db" and "disk is full" in item.text]
    assert queries
    assert all(f'service.name : "db-{POD}"' in query for query in queries)


def test_where_all_agree_the_bundle_is_the_same(spoken: Bundle) -> None:
    assert with_one_name_each(spoken) is spoken


def test_what_has_one_name_each_keeps_it(spoken: Bundle) -> None:
    once = with_one_name_each(respelt(spoken, WAYS["as a pod"]))
    assert with_one_name_each(once) is once


def test_all_pods_of_a_service_are_that_service(checkout: Bundle) -> None:
    pods = [f"orders-{POD}", "orders-7f8b9c6d5d-bbbbb", "orders"]
    assert heard(replace(checkout, logs=lines(*pods))) == ["orders"] * 3


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["prod/orders", "staging/orders"], id="two namespaces"),
        pytest.param(["Orders", "orders"], id="a source that tells them apart"),
        pytest.param(["orders-service", "orders-server"], id="two that say they are a service"),
        pytest.param(["ordering", "order"], id="names that are only alike"),
        pytest.param(["unknown", "-", ""], id="names of nobody"),
    ],
)
def test_names_that_may_be_of_two_services_are_left(checkout: Bundle, names: list[str]) -> None:
    assert heard(replace(checkout, logs=lines(*names))) == names


def test_a_name_that_spells_two_known_ones_is_left(make_bundle: Callable[..., Bundle]) -> None:
    series = np.arange(60.0)
    bundle = make_bundle({"a/cart|cpu": series, "b/cart|cpu": series[::-1]}, logs=lines("cart"))
    assert heard(bundle) == ["cart"]


def test_a_pod_of_a_numbered_service_is_not_its_neighbours(make_bundle: Callable[..., Bundle]) -> None:
    series = np.arange(60.0)
    bundle = make_bundle({"worker-1|cpu": series, "worker-2|cpu": series[::-1]}, logs=lines(f"worker-2-{POD}"))
    assert heard(bundle) == ["worker-2"]


def test_addresses_are_not_cut_at_their_dots(make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle({"10.1.1.1|cpu": np.arange(60.0)}, logs=lines("10.2.2.2"))
    assert heard(bundle) == ["10.2.2.2"]


def test_counts_under_two_names_are_added_up(checkout: Bundle) -> None:
    names = (f"orders-{POD}", "orders-7f8b9c6d5d-bbbbb", "web")
    counts = LogCounts(np.array([0.0]), tuple(sorted(names)), ("INFO",), np.array([[[1.0], [2.0], [4.0]]]))
    found = with_one_name_each(replace(checkout, log_counts=counts)).log_counts
    assert found is not None
    assert found.services == ("orders", "web")
    assert found.counts.tolist() == [[[3.0], [4.0]]]


def test_counts_whose_names_agree_stay(checkout: Bundle) -> None:
    counts = LogCounts(np.array([0.0]), ("web",), ("INFO",), np.ones((1, 1, 1)))
    found = with_one_name_each(replace(checkout, log_counts=counts, logs=lines("Orders")))
    assert found.log_counts is counts


def test_what_two_sources_say_of_one_service_in_the_graph_is_put_together(checkout: Bundle) -> None:
    mesh, order = (Provenance("istio"),), (Provenance("log-order"),)
    graph = ServiceGraph(
        [Node("Db", NodeKind.DATABASE, owner="storage", provenance=(Provenance("declared"),))],
        [
            Edge("web", "orders", 3.0, provenance=mesh),
            Edge("shop/web", "shop/orders", provenance=order),
            Edge("orders", "Db", provenance=mesh),
            Edge(f"orders-{POD}", "orders-7f8b9c6d5d-bbbbb", provenance=(Provenance("spans"),)),  # calls itself
        ],
    )
    found = with_one_name_each(replace(checkout, graph=graph)).graph
    assert {(edge.caller, edge.callee) for edge in found.edges()} == {("web", "orders"), ("orders", "db")}
    assert (found.node("db").kind, found.node("db").owner) == (NodeKind.DATABASE, "storage")


def test_a_node_that_nothing_is_said_of_is_taken_for_its_service(checkout: Bundle) -> None:
    graph = ServiceGraph([Node("DB", NodeKind.DATABASE)], checkout.graph.subgraph(["web", "orders"]).edges())
    assert with_one_name_each(replace(checkout, graph=graph)).graph.node("db").kind is NodeKind.DATABASE


def test_without_series_the_graphs_names_are_kept(checkout: Bundle) -> None:
    found = with_one_name_each(replace(checkout, metrics=None, logs=lines("Orders-Service")))
    assert [line.service for line in found.logs] == ["orders"]


def test_many_names_are_not_all_listed(make_bundle: Callable[..., Bundle]) -> None:
    names = [f"svc{letter}" for letter in "abcdefghij"]
    bundle = make_bundle(
        {f"{name}|cpu": np.arange(60.0) for name in names}, logs=lines(*(n.upper() for n in names))
    )
    assert with_one_name_each(bundle).gaps[-1].why.endswith("SVCH for svch and 2 more.")


def test_an_explanation_without_the_series_speaks_of_the_same_services(spoken: Bundle, tool: ToolInfo) -> None:
    pods = respelt(spoken, WAYS["as a pod"])
    plain, found = (explain(bundle, "db", tool=tool) for bundle in (spoken, pods))
    assert [(a.without, a.first, a.rank) for a in found.ablations] == [
        (a.without, a.first, a.rank) for a in plain.ablations
    ]


def test_what_was_renamed_is_kept_for_the_variants(spoken: Bundle) -> None:
    memo, pods = Memo(), respelt(spoken, WAYS["as a pod"])
    assert with_one_name_each(pods, memo).logs is with_one_name_each(replace(pods, symptom=None), memo).logs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    measured=st.lists(st.sampled_from(["a", "A", "b", "x/a", "a-service", "a-0", "a-1", "b.y"]), unique=True),
    said=st.lists(st.sampled_from(["a", "A", "b", "x/a", "a-service", "a-0", "a-1", "b.y", "B-svc", "y/b"])),
)
def test_no_name_is_lost_and_what_was_measured_keeps_its_own(
    make_bundle: Callable[..., Bundle], measured: list[str], said: list[str]
) -> None:
    bundle = make_bundle({f"{name}|cpu": np.arange(60.0) for name in ["z", *measured]}, logs=lines(*said))
    found = with_one_name_each(bundle)
    assert found.metrics is bundle.metrics
    for before, after in zip(bundle.logs, found.logs, strict=True):
        assert after.service == before.service or after.service in measured
        assert before.service not in measured or after.service == before.service
