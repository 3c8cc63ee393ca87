"""Servers that several processes share: whoever needs one first starts it, under a lock."""

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.servers.elasticsearch import Elasticsearch, start_elasticsearch
from tests.servers.fetch import ELASTICSEARCH_8, ELASTICSEARCH_9, ElasticsearchRelease, UnavailableError
from tests.servers.http import Endpoint
from tests.servers.process import ServerProcess
from tests.servers.prometheus import Prometheus, start_prometheus

Server = TypeVar("Server", bound=Endpoint)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a named server is set up."""

    release: ElasticsearchRelease | None = None
    secured: bool = False
    tls: bool = False


KINDS = {
    "elasticsearch_8": Kind(ELASTICSEARCH_8),
    "elasticsearch_9": Kind(ELASTICSEARCH_9),
    "elasticsearch_secured": Kind(ELASTICSEARCH_8, secured=True),
    "elasticsearch_tls": Kind(ELASTICSEARCH_8, secured=True, tls=True),
    "prometheus": Kind(),
    "prometheus_secured": Kind(secured=True),
    "prometheus_tls": Kind(secured=True, tls=True),
}


class SharedServers:
    """The servers noted in a folder.

    Args:
        folder: Where the processes agree; one JSON file a server.
        owner: The process whose end also ends the servers started here.
        history: Makes the OpenMetrics text that each Prometheus is back-filled with.
    """

    def __init__(
        self, folder: Path, *, owner: int, history: Callable[[], Iterator[str]] = lambda: iter(())
    ) -> None:
        self._folder = folder
        self._owner = owner
        self._history = history

    def elasticsearch(self, name: str) -> Elasticsearch:
        """The Elasticsearch of that name.

        Raises:
            UnavailableError: It can't be had, here or in the process that tried first.
        """
        kind = KINDS[name]
        if kind.release is None:
            raise ValueError(f"{name} is no Elasticsearch")
        release = kind.release
        return self._shared(
            name,
            Elasticsearch,
            lambda: start_elasticsearch(release, secured=kind.secured, tls=kind.tls, owner=self._owner),
        )

    def prometheus(self, name: str) -> Prometheus:
        """The Prometheus of that name.

        Raises:
            UnavailableError: It can't be had, here or in the process that tried first.
        """
        kind = KINDS[name]
        return self._shared(
            name,
            Prometheus,
            lambda: start_prometheus(self._history(), secured=kind.secured, tls=kind.tls, owner=self._owner),
        )

    def once(self, what: str, do: Callable[[], None]) -> None:
        """Do something that all the processes need done, in the first that asks."""
        with self._locked(what):
            done = self._folder / f"{what}.done"
            if not done.exists():
                do()
                done.touch()

    def stop(self) -> None:
        """Stop every server that is noted."""
        for path in sorted(self._folder.glob("*.json")):
            note = json.loads(path.read_text())
            path.unlink()
            if "guard" in note:
                ServerProcess(note["guard"], Path(note["folder"])).stop()

    def _shared(self, name: str, kind: type[Server], start: Callable[[], tuple[Server, ServerProcess]]) -> Server:
        path = self._folder / f"{name}.json"
        with self._locked(name):
            if not path.exists():
                path.write_text(json.dumps(_start(start), default=str))
            note = json.loads(path.read_text())
        if "unavailable" in note:
            raise UnavailableError(note["unavailable"])
        fields: dict[str, Any] = note["server"]
        ca_certs = fields.pop("ca_certs")
        return kind(**fields, ca_certs=Path(ca_certs) if ca_certs else None)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self._folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _start(start: Callable[[], tuple[Endpoint, ServerProcess]]) -> dict[str, Any]:
    """What to note about a server: where it is, or why there is none."""
    try:
        server, running = start()
    except UnavailableError as error:
        return {"unavailable": str(error)}
    return {"server": asdict(server), "guard": running.guard_pid, "folder": str(running.folder)}


def serve_until_interrupted(folder: Path, history: Callable[[], Iterator[str]]) -> None:
    """Start every server that can be had, note them in the folder, stop them on Ctrl-C or SIGTERM."""
    folder.mkdir(parents=True, exist_ok=True)
    shared = SharedServers(folder, owner=os.getpid(), history=history)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        for name, kind in KINDS.items():
            _say(shared, name, is_elasticsearch=kind.release is not None)
        os.write(2, f"ready; RCA_TEST_STATE={folder} pytest -m live … uses them; Ctrl-C stops them\n".encode())
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        shared.stop()


def _say(shared: SharedServers, name: str, *, is_elasticsearch: bool) -> None:
    try:
        server: Endpoint = shared.elasticsearch(name) if is_elasticsearch else shared.prometheus(name)
    except UnavailableError as error:
        os.write(2, f"{name}: {error}\n".encode())
    else:
        os.write(2, f"{name}: {server.url}\n".encode())
