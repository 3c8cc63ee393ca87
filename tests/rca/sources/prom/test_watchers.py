"""Telling exporters and monitors from what they watch."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from rca.errors import SourceError, SourceQueryError
from rca.sources.prom.client import Answer
from rca.sources.prom.names import Labels
from rca.sources.prom.packfile import load_packs
from rca.sources.prom.packs import Pack
from rca.sources.prom.watchers import watchers
from rca.sources.prom.work import Crew, Grid

GRID = Grid(0, 60, 12)
LABELS = Labels("service", namespace="namespace", instance="instance", replica="prometheus_replica")
ABOUT = Pack("up", "targets", ("up",), exporters=(".+exporter_build_info",), ignore=("jmx_.+",), about_target=True)


class Server:
    """Answers every query with the same rows, or an error."""

    def __init__(self, *rows: Mapping[str, str], error: SourceError | None = None) -> None:
        self.rows, self.error = rows, error
        self.asked: list[str] = []

    def query_range(self, promql: str, *_: Any) -> Answer:
        self.asked.append(promql)
        if self.error is not None:
            raise self.error
        return Answer([{"metric": row, "values": []} for row in self.rows])


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew(2, time.monotonic() + 5)
    yield made
    made.close()


def find(
    server: Server, crew: Crew, present: Sequence[str], asked: Sequence[tuple[Pack, str, Labels]]
) -> tuple[Any, Any]:
    return watchers(server, crew, [ABOUT], present, asked, GRID)  # type: ignore[arg-type]  # a stand-in for the client


def test_rows_whose_targets_expose_a_mark_are_exporters(crew: Crew) -> None:
    row = {"service": "cache", "namespace": "n", "instance": "x:9121", "prometheus_replica": "a"}
    server = Server(row)
    asked = [(ABOUT, "up", LABELS), (ABOUT, "process_cpu_seconds_total", LABELS)]
    found, gaps = find(server, crew, ["redis_exporter_build_info", "up"], asked)
    assert found == {LABELS: frozenset({("n", "cache", "x:9121")})}
    assert gaps == ()
    (query,) = server.asked
    assert '__name__=~"process_cpu_seconds_total|up",service!=""' in query
    assert (
        'and on (job, instance, exported_job, exported_instance) {__name__=~"redis_exporter_build_info",' in query
    )


def test_an_exporter_within_the_application_is_none(crew: Crew) -> None:
    server = Server()
    assert find(server, crew, ["jmx_exporter_build_info", "up"], [(ABOUT, "up", LABELS)]) == ({}, ())
    assert server.asked == []


def test_series_that_are_not_about_the_target_are_not_looked_at(crew: Crew) -> None:
    server, other = Server(), Pack("redis", "a store", ("redis_up",))
    assert find(server, crew, ["redis_exporter_build_info"], [(other, "redis_up", LABELS)]) == ({}, ())
    assert server.asked == []


def test_without_an_answer_nobody_is_taken_for_an_exporter_and_that_is_told(crew: Crew) -> None:
    server = Server(error=SourceQueryError("too many samples"))
    found, (gap,) = find(server, crew, ["redis_exporter_build_info"], [(ABOUT, "up", LABELS)])
    assert found == {}
    assert (gap.what, gap.why) == (
        "which processes are exporters", "too many samples; theirs count as the services'",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "known"),
    [
        ("redis_exporter_build_info", True),
        ("nginxexporter_build_info", True),
        ("kube_state_metrics_build_info", True),
        ("prometheus_build_info", True),
        ("otelcol_process_uptime_seconds_total", True),
        ("jmx_exporter_build_info", False),
        ("redis_up", False),  # an application may tell that of its own connection
        ("cart_build_info", False),
        ("process_start_time_seconds", False),
    ],
)
def test_the_packs_know_exporters_and_monitors_by_what_their_libraries_tell(
    crew: Crew, metric: str, *, known: bool
) -> None:
    server = Server()
    packs = load_packs()
    watchers(server, crew, packs, [metric], [(ABOUT, "up", LABELS)], GRID)  # type: ignore[arg-type]  # a stand-in for the client
    assert bool(server.asked) is known
