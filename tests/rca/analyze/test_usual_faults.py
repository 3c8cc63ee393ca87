"""A made-up system with the usual columns, without a graph: the service with the fault comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rca.analyze import analyze
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray, SignalFrame, SignalKey

_START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_CALLS = {0: (1, 2), 1: (3, 4), 2: (4, 5), 3: (6,), 4: (6, 7), 5: (), 6: (), 7: ()}
_METRICS = ("cpu", "mem", "diskio", "socket", "workload", "error", "latency-50", "latency-90")
_FAULTS = ("cpu", "memory", "disk", "socket", "delay", "loss")


def system(seed: int, fault: str, step: int) -> tuple[Bundle, str]:
    """Ten minutes without and ten with a fault, and who has it.

    Both have stray errors, bursts of disk writes and a service that idles.
    """
    random = np.random.default_rng(seed)
    rows = 1200 // step
    on = (np.arange(rows) >= rows // 2).astype(np.float64)
    guilty, idle = int(random.integers(1, 8)), 5
    guilty = 3 if guilty == idle else guilty
    waits = {s: random.uniform(3, 30) * np.exp(0.1 * random.standard_normal(rows)) for s in _CALLS}
    lost = np.zeros(rows)
    if fault == "delay":
        waits[guilty] = waits[guilty] + 150 * on
    elif fault == "loss":
        waits[guilty], lost = waits[guilty] + 30 * on, 0.03 * on
    latency: dict[int, FloatArray] = {}
    failing: dict[int, FloatArray] = {}
    for s in sorted(_CALLS, reverse=True):
        latency[s] = waits[s] + sum((latency[c] for c in _CALLS[s]), np.zeros(rows))
        failing[s] = 1e-4 + lost * (s == guilty) + sum((0.5 * failing[c] for c in _CALLS[s]), np.zeros(rows))
    load = 60 * np.exp(0.1 * random.standard_normal(rows)) * 500 / (500 + latency[0])
    columns: list[FloatArray] = []
    for s in _CALLS:
        calls = random.poisson(load * step * (0.002 if s == idle else 1.0)).astype(np.float64)
        bursts = (random.random(rows) < 0.05) * random.lognormal(10, 1, rows)
        mine = on * (s == guilty)
        columns += [
            (0.01 + 0.002 * calls / step) * np.exp(0.1 * random.standard_normal(rows))
            + 0.6 * mine * (fault == "cpu"),
            1e8 * (s + 1) * (1 + 0.01 * random.standard_normal(rows)) * (1 + mine * (fault == "memory")),
            bursts + 1e7 * mine * (fault == "disk"),
            np.round(20 + latency[s] / 5 + random.standard_normal(rows) + 80 * mine * (fault == "socket")),
            calls / step,
            random.binomial(calls.astype(int), np.minimum(failing[s], 1.0)) / step,
            latency[s],
            2 * latency[s] * np.exp(0.1 * random.standard_normal(rows)),
        ]
    keys = tuple(SignalKey(f"service{s}", metric) for s in _CALLS for metric in _METRICS)
    times = _START.timestamp() + step * np.arange(rows, dtype=np.float64)
    window = Window(Interval(_START, _START + timedelta(seconds=1200)), onset=_START + timedelta(seconds=600))
    return Bundle("made", window, metrics=SignalFrame(times, np.array(columns).T, keys)), f"service{guilty}"


@pytest.mark.parametrize("step", [5, 15, 60])
@pytest.mark.parametrize("fault", _FAULTS)
def test_the_service_with_the_fault_comes_first(tool: ToolInfo, fault: str, step: int) -> None:
    for seed in (1, 2):
        bundle, guilty = system(seed, fault, step)
        assert analyze(bundle, tool=tool).suspects[0].service == guilty


@pytest.mark.parametrize("fault", [fault for fault in _FAULTS if fault != "delay"])
def test_it_comes_first_at_a_row_a_second_too_unless_its_callers_wait_as_long(tool: ToolInfo, fault: str) -> None:
    for seed in (1, 2):
        bundle, guilty = system(seed, fault, 1)
        assert analyze(bundle, tool=tool).suspects[0].service == guilty


@pytest.mark.parametrize("late", [0, 90])
def test_a_row_a_second_outweighs_no_other_time_where_the_time_told_is_late(tool: ToolInfo, late: int) -> None:
    for seed in (12, 13):
        bundle, guilty = system(seed, "memory", 1)
        assert bundle.window.onset is not None
        told = replace(bundle.window, onset=bundle.window.onset + timedelta(seconds=late))
        assert analyze(replace(bundle, window=told), tool=tool).suspects[0].service == guilty


@pytest.mark.parametrize("fault", _FAULTS)
def test_it_is_near_the_top_where_nobody_knows_since_when(tool: ToolInfo, fault: str) -> None:
    for seed in (1, 2):
        bundle, guilty = system(seed, fault, 15)
        hidden = replace(bundle, window=replace(bundle.window, onset=None))
        assert guilty in [suspect.service for suspect in analyze(hidden, tool=tool).suspects[:3]]
