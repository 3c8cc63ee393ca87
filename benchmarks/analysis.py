"""How long the analysis takes, from a bundle in memory to a report: arrays, not loops over series."""

import argparse
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.measure import verdict
from rca.analyze import analyze
from rca.model.incident import Bundle, Interval, Window
from rca.model.logs import LogLine
from rca.model.report import ToolInfo
from rca.model.signals import Kind, SignalFrame, SignalKey
from topology import Edge, ServiceGraph

ROWS, SERIES_EACH, STEP = 240, 8, 30
ONSET_ROW = 200
SMALL, LARGE, LOGGING, LINES = 500, 5_000, 46, 10_000
BOUND, BOUND_RATIO, BOUND_LOGS = 0.5, 10.0, 0.5
_START = datetime(2026, 3, 1, tzinfo=UTC)
_KINDS = (Kind.LATENCY, Kind.ERRORS, Kind.TRAFFIC, Kind.CPU, Kind.MEMORY, Kind.QUEUE, Kind.SATURATION, Kind.DISK)


def make_bundle(services: int, *, rows: int = ROWS, lines: int = 0) -> Bundle:
    """A tree of services, each calling up to three; one deep down saturates, and its callers slow down.

    Args:
        services: How many.
        rows: Of the time axis.
        lines: Log lines over all services, each service with twenty templates.
    """
    rng = np.random.default_rng(7)
    names = [f"service-{i:05d}" for i in range(services)]
    edges = [Edge(names[(i - 1) // 3], names[i]) for i in range(1, services)]
    keys = tuple(SignalKey(name, kind.value, None, kind, declared=True) for name in names for kind in _KINDS)
    values = rng.gamma(9.0, 1.0, (rows, len(keys)))
    onset = rows * ONSET_ROW // ROWS
    faulty = at = services - 1
    values[onset:, faulty * SERIES_EACH + _KINDS.index(Kind.CPU)] *= 6
    while True:
        values[onset:, at * SERIES_EACH + _KINDS.index(Kind.LATENCY)] += 60
        if at == 0:
            break
        at = (at - 1) // 3
    span = rows * STEP
    logs = tuple(
        LogLine(
            _START + timedelta(seconds=span * i / lines),
            names[i % services],
            "INFO",
            f"step {'abcdefghijklmnopqrst'[i // services % 20]} of request {i} took {i % 97} ms",
            f"trace-{i // 5}",
        )
        for i in range(lines)
    )
    return Bundle(
        f"made-{services}",
        Window(Interval(_START, _START + timedelta(seconds=span)), _START + timedelta(seconds=onset * STEP)),
        resolution_seconds=STEP,
        metrics=SignalFrame(_START.timestamp() + STEP * np.arange(rows, dtype=np.float64), values, keys),
        logs=logs,
        graph=ServiceGraph(edges=edges),
    )


def seconds(bundle: Bundle, runs: int) -> float:
    """The median of what the analysis computes, in seconds of this process."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        report = analyze(bundle, tool=ToolInfo("0", "benchmark"))
        taken.append(time.process_time() - began)
    assert report.suspects[0].service == f"service-{len(report.suspects) - 1:05d}", "the fault wasn't found"
    return statistics.median(taken)


def main() -> int:
    """Time the three sizes; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    small = seconds(make_bundle(SMALL), runs)
    kept = [verdict(f"{SMALL} services x {SERIES_EACH} series x {ROWS} rows", small, BOUND, unit=" s")]
    large = seconds(make_bundle(LARGE), runs)
    kept.append(
        verdict(f"{LARGE} services ({large / small:.1f} times the {SMALL})", large, BOUND_RATIO * BOUND, unit=" s")
    )
    logging = seconds(make_bundle(LOGGING, lines=LINES), runs)
    kept.append(verdict(f"{LOGGING} services with {LINES} log lines", logging, BOUND_LOGS, unit=" s"))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
