"""Every constant of the log readers matters: another value changes what some logs are found to say."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest

from rca.detect.log_resolving import unresolved
from rca.detect.logs import LogIndex
from rca.model.logs import LogCounts, LogLine
from rca.model.tuning.constant import described
from rca.model.tuning.lines import LineTuning
from topology import Edge, ServiceGraph

START, ONSET, END = 800.0, 1_000.0, 1_200.0
SERVICES = ("cart", "front", "recommendations", "stock", "ui")
CHAIN = ServiceGraph((), [Edge("front", "cart"), Edge("cart", "stock")])
FACTORS = (0.01, 0.5, 2.0, 100.0)


def line(at: float, service: str, message: str, level: str = "INFO", trace: str | None = None) -> LogLine:
    return LogLine(datetime.fromtimestamp(at, UTC), service, level, message, trace)


def calm(start: float, end: float, services: tuple[str, ...] = SERVICES) -> Iterator[LogLine]:
    for i, at in enumerate(np.arange(start, end, 4.0).tolist()):
        for service in services:
            yield line(at, service, f"handled request {i}")


def errors() -> Iterator[LogLine]:
    """Errors that grow, at several levels, that name others or pass on a callee's, beside lines of new kinds."""
    yield from calm(START, END)
    for i in range(12):
        at = ONSET + 10 * i
        yield line(at, "stock", f"disk write {i} failed", "ERROR")
        yield line(at, "cart", "could not read", "ERROR")
        yield line(at, "cart", "pool exhausted")
        yield line(at, "ui", "queue fills", "WARN")
        yield line(at, "front", "recommendations said no", "ERROR")
        yield line(at, "front", "calling ui: connection refused", "ERROR")
        yield line(at + 1, "stock", f"rebalance of shard {'abcdefghijkl'[i]} took over from {i} others")
    for at in (810.0, 860.0, 910.0, 960.0, 985.0, 992.0, 996.0):
        yield line(at, "stock", "disk write 0 failed", "ERROR")
    yield line(820.0, "stock", "cache is warm")


def grown() -> Iterator[LogLine]:
    """An error at twice its rate, a few of another, and one that began before the split."""
    yield from calm(START, END)
    for at in (*np.arange(START, ONSET, 10.0).tolist(), *np.arange(ONSET, END, 4.0).tolist()):
        yield line(at, "stock", "disk write failed", "ERROR")
    for at in (ONSET - 90, ONSET + 1, ONSET + 2, ONSET + 3):
        yield line(at, "cart", "could not read", "ERROR")
    for at in np.arange(ONSET - 12, END, 3.0).tolist():
        yield line(at, "front", "payment lost", "ERROR")


def requests(*, slow: bool) -> Iterator[LogLine]:
    """Traced requests that lose lines within a service, from a callee and on the way back, or become slow."""
    for i, at in enumerate(np.arange(START, END, 5.0).tolist()):
        trace, bad = f"{i:032x}", at >= ONSET
        yield line(at, "front", "checkout begins", trace=trace)
        wait = 0.05 * (1 + i % 5) + (1.2 if bad and slow else 0.0)
        if slow or not bad or i % 3:
            yield line(at + wait, "cart", "cart is priced", trace=trace)
            yield line(at + wait + 0.0001, "stock", "stock lookup begins", trace=trace)
            fast = 0.0007 if bad and i % 2 else 0.0001
            yield line(at + wait + fast + 0.0001, "stock", "stock lookup ends", trace=trace)
        elif i % 2:
            yield line(at + wait, "front", "checkout is retried", trace=trace)
        if slow or not bad or i % 2:
            yield line(at + wait + 1.0 + 20.0 * (i % 17 == 0), "front", "checkout ends", trace=trace)
        if i % 20 == 0:
            yield line(at + wait + 1.1, "ui", "page is shown", trace=trace)
    for i, at in enumerate((END - 1.0, END - 0.3)):  # too late to be followed by anything
        yield line(at, "front", "checkout begins", trace=f"{i + 1000:032x}")


def silence() -> Iterator[LogLine]:
    """A service that all but stops, and a hole in what was collected."""
    yield from calm(START, 900.0, ("cart", "front", "stock"))
    yield from calm(940.0, ONSET - 1, ("stock",))
    yield from calm(940.0, END, ("cart", "front"))
    yield from (line(at, "stock", "handled request 1") for at in (1_050.0, 1_100.0, 1_150.0))


@cache
def logs() -> Mapping[str, tuple[tuple[LogLine, ...], LogCounts | None]]:
    times = np.arange(START, END, 10.0)
    counts = np.full((len(times), 2, 3), 10.0) + 9.0 * (np.arange(len(times)) % 7 == 0)[:, None, None]
    counts[times >= ONSET, 0] *= (4.0, 2.0, 2.0)
    counts[times >= ONSET, 1] *= 0.1
    exact = LogCounts(times, ("cart", "stock"), ("ERROR", "WARN", "INFO"), counts)
    return {
        "errors": (tuple(errors()), None),
        "grown": (tuple(grown()), None),
        "missing": (tuple(requests(slow=False)), None),
        "slow": (tuple(requests(slow=True)), None),
        "silence": (tuple(silence()), None),
        "counts": ((), exact),
        "names": (
            tuple(
                line(ONSET + i, "cart", f"calling stock: {why}", "ERROR")
                for i, why in enumerate(("no such host", "no such host", "connection refused"))
            ),
            None,
        ),
    }


def found(name: str, tuning: LineTuning) -> tuple[Any, ...]:
    """All that is made of some logs: the evidence, its words and the names that can't be resolved."""
    lines, counts = logs()[name]
    index = LogIndex.build(lines, tuning, counts=counts, graph=CHAIN, services=SERVICES)
    said = index.evidence(ONSET)
    arrays = ("errors", "own", "accused", "fresh", "vanished", "burst", "silent", "slow", "failing")
    findings = tuple(index.findings(ONSET, service) for service in index.services)
    numbers = tuple(getattr(said, name).tobytes() for name in arrays)
    return numbers, findings, unresolved(lines, SERVICES, tuning)


@cache
def usual(name: str) -> tuple[Any, ...]:
    return found(name, LineTuning())


def changed(name: str, value: Any) -> LineTuning:
    """The constants with another value of one, which may be of a group."""
    plain = LineTuning()
    group, _, inner = name.rpartition(".")
    if not group:
        return replace(plain, **{name: value})
    return replace(plain, **{group: replace(getattr(plain, group), **{inner: value})})


@pytest.mark.parametrize("name", [one.name for one in described(LineTuning())])
def test_another_value_of_a_constant_changes_what_is_found(name: str) -> None:
    value = {one.name: one.value for one in described(LineTuning())}[name]
    quantile = name.endswith("quantile")
    others = [type(value)(min(value * factor, 1.0) if quantile else value * factor) for factor in FACTORS]
    assert any(found(log, changed(name, other)) != usual(log) for other in others for log in logs())
