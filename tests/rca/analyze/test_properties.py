"""What must not change the ranking: names, order, idle company, units."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.analyze import analyze
from rca.model.incident import Bundle
from rca.model.report import ToolInfo
from rca.model.signals import SignalFrame, SignalKey
from tests.frames import columns
from topology import Edge, ServiceGraph

_MODEST = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NAMES = ("web", "orders", "db", "mail")


def ranking(bundle: Bundle, tool: ToolInfo) -> list[tuple[str, float]]:
    return [(suspect.service, suspect.score) for suspect in analyze(bundle, tool=tool).suspects]


def frame_of(bundle: Bundle) -> SignalFrame:
    assert bundle.metrics is not None
    return bundle.metrics


@_MODEST
@given(order=st.permutations(range(8)))
def test_shuffled_columns_rank_the_same(checkout: Bundle, tool: ToolInfo, order: list[int]) -> None:
    shuffled = replace(checkout, metrics=columns(frame_of(checkout), order))
    assert ranking(shuffled, tool) == ranking(checkout, tool)


@_MODEST
@given(names=st.permutations(_NAMES))
def test_renamed_services_rank_the_same(checkout: Bundle, tool: ToolInfo, names: list[str]) -> None:
    to = dict(zip(_NAMES, names, strict=True))
    frame = frame_of(checkout)
    keys = tuple(replace(key, service=to[key.service]) for key in frame.keys)
    graph = ServiceGraph(edges=[Edge(to[edge.caller], to[edge.callee]) for edge in checkout.graph.edges()])
    renamed = replace(checkout, metrics=SignalFrame(frame.times, frame.values, keys), graph=graph)
    assert ranking(renamed, tool) == [(to[name], score) for name, score in ranking(checkout, tool)]


@_MODEST
@given(count=st.integers(1, 6), level=st.sampled_from([0.0, 1.0, 0.05]))
def test_idle_company_changes_nothing(checkout: Bundle, tool: ToolInfo, count: int, level: float) -> None:
    frame = frame_of(checkout)
    idle = np.full((len(frame.times), 2 * count), level)
    keys = tuple(SignalKey(f"idle{i}", metric) for i in range(count) for metric in ("cpu_usage", "latency_p99_ms"))
    more = SignalFrame(frame.times, np.hstack([frame.values, idle]), (*frame.keys, *keys))
    found = ranking(replace(checkout, metrics=more), tool)
    assert [pair for pair in found if not pair[0].startswith("idle")] == ranking(checkout, tool)


def test_milliseconds_or_seconds_rank_the_same(checkout: Bundle, tool: ToolInfo) -> None:
    frame = frame_of(checkout)
    slow = np.array(["latency" in key.metric for key in frame.keys])
    keys = tuple(replace(key, metric=key.metric.replace("_ms", "_seconds")) for key in frame.keys)
    values = np.where(slow, frame.values / 1e3, frame.values)
    found = ranking(replace(checkout, metrics=SignalFrame(frame.times, values, keys)), tool)
    wanted = ranking(checkout, tool)
    assert [name for name, _ in found] == [name for name, _ in wanted]
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=1e-5)


def test_the_same_bundle_gives_the_same_report(checkout: Bundle, tool: ToolInfo) -> None:
    assert analyze(checkout, tool=tool) == analyze(checkout, tool=tool)


@_MODEST
@given(seed=st.integers(0, 1000))
def test_random_walks_beside_it_displace_nobody(checkout: Bundle, tool: ToolInfo, seed: int) -> None:
    frame = frame_of(checkout)
    random = np.random.default_rng(seed)
    steps = random.standard_normal((len(frame.times), 20 * len(_NAMES)))
    keys = tuple(SignalKey(name, f"gauge_{i}") for name in _NAMES for i in range(20))
    more = SignalFrame(
        frame.times, np.hstack([frame.values, 100 + np.cumsum(steps, axis=0)]), (*frame.keys, *keys)
    )
    assert ranking(replace(checkout, metrics=more), tool)[0][0] == "db"


@_MODEST
@given(seed=st.integers(0, 1000))
def test_a_fifth_of_the_values_missing_displaces_nobody(checkout: Bundle, tool: ToolInfo, seed: int) -> None:
    frame = frame_of(checkout)
    torn = np.where(np.random.default_rng(seed).random(frame.values.shape) < 0.2, np.nan, frame.values)
    found = ranking(replace(checkout, metrics=SignalFrame(frame.times, torn, frame.keys)), tool)
    assert found[0][0] == "db"


@_MODEST
@given(end=st.floats(1.2, 3.0))
def test_traffic_that_grows_over_the_window_displaces_nobody(checkout: Bundle, tool: ToolInfo, end: float) -> None:
    frame = frame_of(checkout)
    growth = np.linspace(1.0, end, len(frame.times))
    calls = np.array([30.0, 20.0, 20.0, 5.0]) * growth[:, None]
    keys = tuple(SignalKey(name, "requests_per_second") for name in _NAMES)
    more = SignalFrame(frame.times, np.hstack([frame.values, calls]), (*frame.keys, *keys))
    assert ranking(replace(checkout, metrics=more), tool)[0][0] == "db"
