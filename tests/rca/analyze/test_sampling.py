"""What must not change the ranking of a made-up system: how often it is sampled, and more idle services."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.analyze import analyze
from rca.bundle import read_bundle
from rca.model.incident import Bundle
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray, SignalFrame

MakeBundle = Callable[..., Bundle]
_MODEST = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_FIXTURES = Path(__file__).parents[3] / "fixtures"
_CLEAR = 1.5  # ratio of two scores from which on their order is one; nearer ones count as tied
_NOISE = 0.2  # scores that differ by less are those of services that did nothing
_FAULTS = {"cpu_usage": 0.6, "error_ratio": 0.3, "latency_p99_ms": 400.0}


@dataclass(frozen=True)
class System:
    """A tree of services; the one with a fault slows down all that call it, directly or not.

    Attributes:
        parents: The caller of each service but the first.
        faulty: Which one.
        kind: The metric that shows it first.
        seed: Of the noise.
    """

    parents: tuple[int, ...]
    rows: int
    step: float
    faulty: int
    kind: str
    seed: int

    @property
    def slow(self) -> frozenset[int]:
        """The faulty service and all that call it, directly or not."""
        found = [self.faulty]
        while found[-1] > 0:
            found.append(self.parents[found[-1] - 1])
        return frozenset(found)

    @property
    def idle(self) -> list[int]:
        """The others."""
        return sorted(set(range(len(self.parents) + 1)) - self.slow)

    def bundle(self, make: MakeBundle) -> Bundle:
        """Three series a service, with noise; the fault begins at three quarters of the rows."""
        noise = np.random.default_rng(self.seed)
        late = np.where(np.arange(self.rows) >= round(self.rows * 0.75), 1.0, 0.0)
        series: dict[str, FloatArray] = {}
        for service in range(len(self.parents) + 1):
            levels = {"cpu_usage": (0.2, 0.01), "error_ratio": (0.01, 0.002), "latency_p99_ms": (100.0, 5.0)}
            for metric, (level, spread) in levels.items():
                values = level + spread * noise.standard_normal(self.rows)
                if service == self.faulty and metric == self.kind:
                    values = values + _FAULTS[metric] * late
                elif service in self.slow and metric == "latency_p99_ms":
                    values = values + 100.0 * late
                series[f"s{service}|{metric}"] = np.abs(values)
        edges = [(f"s{parent}", f"s{child}") for child, parent in enumerate(self.parents, 1)]
        made: Bundle = make(series, edges, step=self.step)
        return made


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Three to six services, sampled every 10 s to 5 min."""
    count = draw(st.integers(3, 6))
    return System(
        parents=tuple(draw(st.integers(0, child - 1)) for child in range(1, count)),
        rows=draw(st.integers(40, 120)),
        step=draw(st.sampled_from([10.0, 30.0, 60.0, 300.0])),
        faulty=draw(st.integers(0, count - 1)),
        kind=draw(st.sampled_from(sorted(_FAULTS))),
        seed=draw(st.integers(0, 10_000)),
    )


def sampled_twice_as_often(bundle: Bundle, *, repeated: bool) -> Bundle:
    """Rows at half the step: the new ones repeat what came before, or lie halfway to what comes."""
    frame = bundle.metrics
    assert frame is not None
    half = np.diff(frame.times) / 2
    halfway = frame.values[:-1] if repeated else (frame.values[:-1] + frame.values[1:]) / 2
    rows = 2 * len(frame.times) - 1
    times, values = np.empty(rows), np.empty((rows, len(frame.keys)))
    times[::2], times[1::2] = frame.times, frame.times[:-1] + half
    values[::2], values[1::2] = frame.values, halfway
    return replace(bundle, metrics=SignalFrame(times, values, frame.keys))


def with_copies(bundle: Bundle, service: str, count: int) -> Bundle:
    """More services that do as this one does a little earlier, and that nobody is known to call.

    Exactly the same values in most services would be a machine's, told by each.
    """
    frame = bundle.metrics
    assert frame is not None
    columns = [index for index, key in enumerate(frame.keys) if key.service == service]
    keys = [
        replace(frame.keys[index], service=f"{service}-copy{number}")
        for number in range(count)
        for index in columns
    ]
    copies = [np.roll(frame.values[:, columns], number + 1, axis=0) for number in range(count)]
    values = np.hstack([frame.values, *copies])
    return replace(bundle, metrics=SignalFrame(frame.times, values, (*frame.keys, *keys)))


def assert_same_order(before: Bundle, after: Bundle, tool: ToolInfo) -> None:
    """Who comes first still does, and no two that were clearly apart have changed places."""
    scores = {suspect.service: suspect.score for suspect in analyze(before, tool=tool).suspects}
    later = [suspect.service for suspect in analyze(after, tool=tool).suspects if suspect.service in scores]
    place = {service: number for number, service in enumerate(later)}
    for one, score in scores.items():
        for other, less in scores.items():
            if score > _CLEAR * less + _NOISE and other in place:
                assert place.get(one, len(place)) < place[other], (one, other, score, less)


@_MODEST
@given(system=systems(), repeated=st.booleans())
def test_sampling_twice_as_often_ranks_the_same(
    make_bundle: MakeBundle, tool: ToolInfo, system: System, *, repeated: bool
) -> None:
    bundle = system.bundle(make_bundle)
    assert_same_order(bundle, sampled_twice_as_often(bundle, repeated=repeated), tool)


@_MODEST
@given(system=systems().filter(lambda system: bool(system.idle)), count=st.integers(1, 8))
def test_more_of_an_idle_service_ranks_the_same(
    make_bundle: MakeBundle, tool: ToolInfo, system: System, count: int
) -> None:
    bundle = system.bundle(make_bundle)
    assert_same_order(bundle, with_copies(bundle, f"s{system.idle[0]}", count), tool)


@pytest.mark.parametrize(
    "case",
    ["shop/cart-deploy", "shop/orders-down", "testbed/redis-down", "testbed/net-latency-storefront-catalogue"],
)
def test_a_recorded_system_ranks_the_same_too(tool: ToolInfo, case: str) -> None:
    bundle = read_bundle(_FIXTURES / f"{case}.tar.gz")
    assert_same_order(bundle, sampled_twice_as_often(bundle, repeated=False), tool)
    frame = bundle.metrics
    assert frame is not None
    ranked = [suspect.service for suspect in analyze(bundle, tool=tool).suspects]
    idle = next(service for service in frame.services if service not in ranked[: len(ranked) // 2])
    assert_same_order(bundle, with_copies(bundle, idle, 3), tool)
