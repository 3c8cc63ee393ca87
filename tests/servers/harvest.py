"""What a Prometheus source harvests of a window, put together for tests."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from rca.config.settings import PrometheusSettings
from rca.model.incident import Alert, Event, Gap, Interval, SourceRecord
from rca.model.signals import FloatArray, SignalKey
from rca.sources.base import Check, Request
from rca.sources.prom import PrometheusSource
from tests.servers.conventions import START, STEP, TIMES
from topology import Edge, ServiceGraph


@dataclass(frozen=True)
class Found:
    """A harvest, put together."""

    series: dict[tuple[str, str, str | None], tuple[SignalKey, FloatArray]]
    graph: list[ServiceGraph]
    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]
    gaps: tuple[Gap, ...]
    record: SourceRecord

    def early_and_late(self, service: str, metric: str, instance: str | None = None) -> tuple[float, float]:
        """The medians before and during the incident."""
        values = self.series[service, metric, instance][1]
        half = len(values) // 2
        return float(np.nanmedian(values[4 : half - 2])), float(np.nanmedian(values[half + 6 :]))

    def edge(self, caller: str, callee: str, source: str) -> Edge:
        """The one edge between the two that was learnt there."""
        found = [
            edge for graph in self.graph for edge in graph.edges()
            if (edge.caller, edge.callee, edge.provenance[0].source) == (caller, callee, source)
        ]  # fmt: skip
        assert len(found) == 1
        return found[0]


def request(*, step: int = STEP, seconds: float = 60.0) -> Request:
    """The whole back-filled history."""
    span = Interval(datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(TIMES[-1], UTC))
    return Request(span, step, time.monotonic() + seconds)


def harvest(settings: PrometheusSettings, asked: Request | None = None) -> Found:
    """Everything that comes; each piece must say truly how many there are."""
    source = PrometheusSource(settings)
    try:
        pieces = list(source.harvest(asked or request()))
    finally:
        source.close()
    assert [piece.done for piece in pieces] == list(range(1, len(pieces) + 1))
    assert {piece.total for piece in pieces} == {len(pieces)}
    series = {
        (key.service, key.metric, key.instance): (key, piece.metrics.values[:, column])
        for piece in pieces if piece.metrics is not None
        for column, key in enumerate(piece.metrics.keys)
    }  # fmt: skip
    record = next(piece.record for piece in pieces if piece.record is not None)
    return Found(
        series=series,
        graph=[piece.graph for piece in pieces if piece.graph is not None],
        events=tuple(event for piece in pieces for event in piece.events),
        alerts=tuple(alert for piece in pieces for alert in piece.alerts),
        gaps=tuple(gap for piece in pieces for gap in piece.gaps),
        record=record,
    )


def check(settings: PrometheusSettings, asked: Request | None = None) -> dict[str, Check]:
    """What the doctor is told, by name."""
    source = PrometheusSource(settings)
    try:
        return {check.name: check for check in source.check(asked or request())}
    finally:
        source.close()
