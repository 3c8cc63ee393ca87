from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rca.bundle import write_bundle
from rca.model.incident import Bundle, Event, EventKind, Interval, Window
from rca.model.logs import LogLine
from rca.model.signals import Bad, Kind, SignalFrame, SignalKey
from topology import Edge, Node, NodeKind, Provenance, ServiceGraph

START = datetime(2026, 11, 22, 2, tzinfo=UTC)
ONSET = START + timedelta(minutes=50)
SERVICES = ("cart", "checkout", "gateway", "redis")


def incident(*, quiet: bool = False) -> Bundle:
    """Redis turns slow; what calls it turns slow and fails; the gateway feels a little of it."""
    rows = 70
    rng = np.random.default_rng(7)
    times = np.arange(rows, dtype=np.float64) * 60.0 + START.timestamp()
    late = np.where((times >= ONSET.timestamp()) & (not quiet), 1.0, 0.0)
    keys, columns = [], []
    for service, slow, failing in zip(SERVICES, (6.0, 4.0, 2.0, 20.0), (0.08, 0.05, 0.02, 0.0), strict=True):
        keys.append(
            SignalKey(service, "latency_p99", None, Kind.LATENCY, Bad.UP, "s", f"p99 of {service}", declared=True)
        )
        columns.append(0.05 * (1 + 0.05 * rng.standard_normal(rows)) * (1 + slow * late))
        keys.append(SignalKey(service, "error_ratio", None, Kind.ERRORS, Bad.UP, "ratio", declared=True))
        columns.append(np.clip(0.001 + 0.0003 * rng.standard_normal(rows), 0, 1) + failing * late)
    lines = [
        LogLine(START + timedelta(minutes=m, seconds=n), service, "INFO", f"handled request {m * 7 + n} in {n} ms")
        for m in range(rows)
        for n, service in enumerate(SERVICES)
    ]
    if not quiet:
        lines += [
            LogLine(ONSET + timedelta(seconds=9 * n), "cart", "ERROR", f"redis timed out after {n + 200} ms")
            for n in range(60)
        ]
    calls = (("gateway", "checkout"), ("checkout", "cart"), ("cart", "redis"))
    edges = [Edge(caller, callee, provenance=(Provenance("declared"),)) for caller, callee in calls]
    return Bundle(
        id="incident-quiet" if quiet else "incident-redis",
        title="A slow redis",
        window=Window(Interval(START, START + timedelta(minutes=rows)), None if quiet else ONSET),
        resolution_seconds=60.0,
        metrics=SignalFrame(times, np.array(columns, dtype=np.float64).T, tuple(keys)),
        logs=tuple(sorted(lines, key=lambda line: (line.at, line.service))),
        graph=ServiceGraph([Node("redis", NodeKind.CACHE)], edges),
        events=(Event(ONSET - timedelta(minutes=3), EventKind.DEPLOY, "redis", "deploy v7"),),
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A recorded incident of redis."""
    path = tmp_path / "redis.tar.gz"
    write_bundle(incident(), path)
    return path


@pytest.fixture
def quiet_bundle(tmp_path: Path) -> Path:
    """A recording in which nothing happens."""
    path = tmp_path / "quiet.zip"
    write_bundle(incident(quiet=True), path)
    return path
