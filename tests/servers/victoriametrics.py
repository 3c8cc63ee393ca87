"""A real VictoriaMetrics on a free loopback port, with an imported history: another server that speaks the API."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.servers import process
from tests.servers.fetch import fetch_victoriametrics
from tests.servers.http import Endpoint

START_SECONDS = 60.0


@contextmanager
def run_victoriametrics(openmetrics: Iterable[str]) -> Iterator[Endpoint]:
    """A server for the length of a `with`.

    Args:
        openmetrics: Pieces of an OpenMetrics text with timestamps in seconds: its history.

    Raises:
        UnavailableError: It can't be had or started here.
    """
    program = fetch_victoriametrics()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with process.new_folder("victoriametrics") as folder:
        running = process.start(
            [
                *(program, f"-storageDataPath={folder / 'data'}", f"-httpListenAddr={address}"),
                *("-retentionPeriod=100y", "-memory.allowedBytes=200MB"),
            ],
            folder,
        )
    try:
        server = Endpoint(f"http://{address}")
        running.wait_until(lambda: server.answers("/health"), seconds=START_SECONDS, what="VictoriaMetrics")
        server.request("POST", "/api/v1/import/prometheus", data="".join(_lines(openmetrics)).encode())
        server.request("GET", "/internal/force_flush")
        yield server
    finally:
        running.stop()


def _lines(openmetrics: Iterable[str]) -> Iterator[str]:
    """Prometheus' own text form, whose timestamps are milliseconds."""
    for line in (line for piece in openmetrics for line in piece.splitlines()):
        if not line.startswith("#"):
            series, _, seconds = line.rpartition(" ")
            yield f"{series} {seconds}000\n"
