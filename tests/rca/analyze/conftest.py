from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import pytest

from rca.model.incident import Bundle, Interval, Span, Window
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray, SignalFrame, SignalKey
from topology import Edge, ServiceGraph

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS, ONSET_ROW = 60, 45
CALM = 40  # rows that follow on an incident that is over
MakeBundle: TypeAlias = Callable[..., Bundle]


def _bundle(
    series: Mapping[str, Sequence[float] | FloatArray],
    edges: Sequence[tuple[str, str]] = (),
    *,
    onset: bool = True,
    step: float = 60.0,
    **more: Any,
) -> Bundle:
    columns = list(series)
    values = np.array([np.asarray(series[name], dtype=np.float64) for name in columns]).T
    rows = len(values)
    times = START.timestamp() + step * np.arange(rows, dtype=np.float64)
    keys = tuple(SignalKey(name.split("|")[0], name.split("|")[1]) for name in columns)
    at = START + timedelta(seconds=step * round(rows * 0.75)) if onset else None
    span = Interval(START, START + timedelta(seconds=step * rows))
    graph = ServiceGraph(edges=[Edge(a, b) for a, b in edges])
    base = Bundle("made", Window(span, at), metrics=SignalFrame(times, values, keys), graph=graph)
    return replace(base, **more)


@pytest.fixture
def make_bundle() -> MakeBundle:
    """A bundle from columns; the onset is at three quarters of the rows."""
    return _bundle


@pytest.fixture
def tool() -> ToolInfo:
    return ToolInfo("0", "test")


@pytest.fixture
def quiet() -> Callable[[int, float, float], FloatArray]:
    """Noise around a level, reproducible."""

    def make(seed: int, level: float, spread: float) -> FloatArray:
        made: FloatArray = level + spread * np.random.default_rng(seed).standard_normal(ROWS)
        return made

    return make


@pytest.fixture
def checkout(make_bundle: MakeBundle, quiet: Callable[[int, float, float], FloatArray]) -> Bundle:
    """Four services; `db` saturates its CPU and slows `orders`, and that `web`."""
    fault = np.where(np.arange(ROWS) >= ONSET_ROW, 1.0, 0.0)
    return make_bundle(
        {
            "web|latency_p99_ms": quiet(1, 200, 8) + 400 * fault,
            "web|cpu_usage": quiet(2, 0.3, 0.02),
            "orders|latency_p99_ms": quiet(3, 80, 4) + 390 * fault,
            "orders|cpu_usage": quiet(4, 0.2, 0.02),
            "db|latency_p99_ms": quiet(5, 10, 0.5) + 380 * fault,
            "db|cpu_usage": quiet(6, 0.2, 0.02) + 0.75 * fault,
            "mail|latency_p99_ms": quiet(7, 50, 3),
            "mail|cpu_usage": quiet(8, 0.1, 0.01),
        },
        [("web", "orders"), ("orders", "db"), ("web", "mail")],
    )


@pytest.fixture
def past(checkout: Bundle) -> Bundle:
    """The incident of `checkout`, over after its 15 rows, and 40 calm ones after it."""
    frame = checkout.metrics
    assert frame is not None
    values = np.vstack([frame.values, frame.values[:CALM]])
    times = frame.times[0] + frame.step * np.arange(len(values))
    start = checkout.window.span.start
    span = Interval(start, start + timedelta(seconds=frame.step * len(values)))
    return replace(
        checkout,
        metrics=SignalFrame(times, values, frame.keys),
        window=Window(span, checkout.window.onset),
    )


def traced(bundle: Bundle, *, failing_from: int = 100, every: int = 1, slow_from: int = 100) -> tuple[Span, ...]:
    """A trace each minute: `web` waits for `orders`, which turns slow or fails from a minute on."""
    start = bundle.window.span.start
    found = []
    for i in range(0, 60, every):
        at, slow = start + timedelta(minutes=i, seconds=20), 900.0 if i >= slow_from else 0.0
        failing = i >= failing_from
        found.append(Span(f"t{i}", "1", None, "web", "GET", at, 60.0 + slow, failing))
        found.append(Span(f"t{i}", "2", "1", "orders", "serve", at, 40.0 + slow, failing))
    return tuple(found)
