"""The whole system: the shop, its stores, its users, and what watches it; started, and ended without a trace.

Every process runs under a guard that ends it when it is asked to or when this process is gone, however that ended.
All files of a run lie in one folder, which goes last.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import requests

from tests.servers import process
from tests.servers.elasticsearch import Elasticsearch, run_elasticsearch, system_user
from tests.servers.fetch import ELASTICSEARCH_8, UnavailableError, fetch_prometheus
from tests.servers.http import Endpoint
from tests.testbed import certificates, layout, monitoring, stores
from tests.testbed.changes import Change, Repository
from tests.testbed.debian import Programs, fetch_programs
from tests.testbed.layout import (
    SERVICES,
    SPOOLING,
    STORES,
    THIRD_PARTY,
    free_ports,
)

TOOLS = Path(__file__).parent / "tools"
START_SECONDS = 60.0
MEMORY_MEGABYTES = 250  # what a service may grow by
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 8.0


@dataclass(slots=True)
class Running:
    """A service that is kept running."""

    server: process.ServerProcess
    version: int = 1
    backoff: float = FIRST_BACKOFF
    restart_at: float = 0.0
    wanted: bool = True
    started: float = field(default_factory=time.monotonic)


class Stand:
    """One run of the system; use it as a context.

    Args:
        name: Of the run; its indices carry it.
        elasticsearch: A server to use; None starts one.
        rate: Journeys of users a second, on a day's average.
        seed: Of the users.
        proxied: Links that go through the proxy.
        traced: Whether spans are written, too.
        certificate_seconds: How long the payment service's certificate is valid from now.

    Raises:
        UnavailableError: On entering: a program can't be had or started here.
    """

    def __init__(
        self,
        name: str,
        *,
        elasticsearch: Elasticsearch | None = None,
        rate: float = 4.0,
        seed: str = "0",
        proxied: Sequence[tuple[str, str]] = (),
        certificate_seconds: float = 86_400.0,
        traced: bool = True,
    ) -> None:
        self.name = name
        self.rate, self.seed = rate, seed
        self.proxied = tuple(proxied)
        self.certificate_seconds = certificate_seconds
        self.traced = traced
        self._given = elasticsearch
        self._stack = ExitStack()
        self._services: dict[str, Running] = {}
        self._count = 0
        self._lock = threading.RLock()
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stack = stack
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._stack.close()

    # -- what the faults and the recorder use ------------------------------------------------------------------

    @property
    def log_index(self) -> str:
        """Where the shop's logs go."""
        return f"logs-shop-{self.name}"

    @property
    def span_index(self) -> str:
        """Where the shop's spans go."""
        return f"traces-shop-{self.name}"

    @property
    def event_index(self) -> str:
        """Where deploys, configuration changes and flags are recorded."""
        return f"changes-{self.name}"

    def launch(
        self, name: str, command: Sequence[str | Path], *, user: str | None = None, grace: float = 5.0
    ) -> process.ServerProcess:
        """Start a process of this run; it ends with the run."""
        with self._lock:
            self._count += 1
            folder = self.root / "processes" / f"{name}-{self._count}"
        folder.mkdir()
        if user is not None:
            os.chmod(folder, 0o777)  # noqa: PTH101, S103 - another user's process writes there
        return process.start(command, folder, user=user, grace_seconds=grace)

    def python(self, name: str, tool: str, *arguments: str | Path | float) -> process.ServerProcess:
        """Start one of the programs of `tools/`."""
        return self.launch(name, [sys.executable, "-P", TOOLS / tool, *map(str, arguments)])

    def apply(self, change: Change) -> str:
        """Commit a change, record it, roll it out; the commit's hash."""
        sha = self.repository.commit(change)
        if change.kind != "none":
            self.record(change.kind, change.service, change.message, commit=sha)
        if change.kind in {"deploy", "config"}:
            self.roll_out(change.service)
        return sha

    def record(self, action: str, service: str, message: str, **more: str) -> None:
        """Write an event as a deployment tool would."""
        document = {
            "@timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": {"action": action},
            "service": {"name": service},
            "message": message,
            **more,
        }
        self.elasticsearch.request("POST", f"/{self.event_index}/_doc?refresh=true", json=document)

    def roll_out(self, service: str) -> None:
        """Start a new process of a service; when it answers, end the old one."""
        with self._lock:
            old = self._services[service]
            old.wanted = False
            fresh = self._start_service(service, old.version + 1)
            self._services[service] = fresh
        old.server.stop()

    def kill(self, service: str) -> None:
        """Take a service away, for good."""
        with self._lock:
            self._services[service].wanted = False
        self._services[service].server.stop()

    def pid(self, service: str) -> int:
        """The process of a service or store."""
        return int((self.root / "pids" / service).read_text())

    def control(self, name: str, **values: Any) -> None:
        """Tell one of the programs of `tools/` how to behave; it looks at its file again and again."""
        path = self.root / "control" / f"{name}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(values))
        fresh.replace(path)

    def link(self, caller: str, callee: str, **state: Any) -> None:
        """Set the state of a proxied link: `delay` in seconds, `loss` of a chunk, `cut`."""
        self.control("network", **{str(self.ports[f"{caller}>{callee}"]): state})

    def sql(self) -> "psycopg.Connection[Any]":
        """A connection of the database's owner."""
        return psycopg.connect(f"{self.postgres} user=shop", autocommit=True)

    def spool_of(self, service: str) -> Path:
        """The disk of a service, which only its own mount namespace holds, seen from outside."""
        return Path(f"/proc/{self.pid(service)}/root{self.root}/spool/{service}")

    def post(self, service: str, path: str) -> None:
        """Ask a service for something, as an operator."""
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{layout.address(service, self.ports[service])}{path}", timeout=5, verify=False)

    # -- starting ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        programs, prometheus = fetch_programs(), fetch_prometheus()
        self.root = Path(tempfile.mkdtemp(prefix="rca-testbed-"))
        os.chmod(self.root, 0o755)  # noqa: PTH101, S103 - PostgreSQL runs as another user
        for name in ("processes", "logs", "traces", "pids", "ready", "control", "spool"):
            (self.root / name).mkdir()
        self._guard_folder()
        self._reserve()
        if self._given is None:
            self.elasticsearch = self._stack.enter_context(run_elasticsearch(ELASTICSEARCH_8))
        else:
            self.elasticsearch = self._given
            self._stack.callback(self._drop_indices)
        monitoring.create_indices(self)
        self._start_stores(programs)
        self._start_tools()
        self._start_services()
        self._start_monitoring(programs, prometheus.prometheus)
        threading.Thread(target=self._keep_running, daemon=True, name="restarts").start()
        self.users = self._later(
            self.python(
                "users",
                "users.py",
                f"http://127.0.0.1:{self.ports['gateway']}",
                self.root / "control" / "users.json",
                self.seed,
                self.rate,
            )
        )

    def _guard_folder(self) -> None:
        """Have the run's folder removed last, by a process that outlives this one."""
        command: list[str | Path] = [sys.executable, "-P", TOOLS / "janitor.py", self.root / "processes"]
        try:
            janitor = process.start(command, self.root, grace_seconds=60)
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise
        self._stack.callback(janitor.stop)
        janitor.wait_until((self.root / "ready").exists, seconds=10, what="the janitor")

    def _reserve(self) -> None:
        links = [f"{caller}>{callee}" for caller, callee in self.proxied]
        self.ports = free_ports([*SERVICES, *STORES, THIRD_PARTY, *monitoring.EXPORTERS, "prometheus", *links])
        self.certificate_ends = certificates.make(self.root, valid_seconds=self.certificate_seconds)
        self.postgres = f"host=127.0.0.1 port={self.ports['postgres']} dbname=shop"
        self.repository = Repository(self.root / "repository")
        values = {name: layout.address(name, self.ports[name]) for name in (*SERVICES, THIRD_PARTY)}
        values |= {"redis": str(self.ports["redis"]), "certificate": str(self.root / "payment.pem")}
        self.repository.create(values, layout.through_proxy(self.proxied, self.ports))
        runtime = {
            "ports": self.ports,
            "logs": str(self.root / "logs"),
            "pids": str(self.root / "pids"),
            "spool": str(self.root / "spool"),
            "traces": str(self.root / "traces") if self.traced else "",
            "memory_mb": MEMORY_MEGABYTES,
            "postgres": f"{self.postgres} user=app",
            "ca": str(self.root / "ca.pem"),
        }
        (self.root / "runtime.json").write_text(json.dumps(runtime))
        self.control("users", factor=1.0)
        self.control("cardgate", mood="well")
        self.control("network")

    def _start_stores(self, programs: Programs) -> None:
        self.redis = self._later(self.launch("redis", stores.redis_command(programs, self.root, self.ports)))
        command = stores.postgres_command(programs, self.root, self.ports)
        server = self._later(self.launch("postgres", command, user=system_user(), grace=15))
        answers = partial(stores.has_database, self.ports["postgres"])
        server.wait_until(answers, seconds=START_SECONDS, what="PostgreSQL")
        first_line = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
        (self.root / "pids" / "postgres").write_text(first_line)
        with self.sql() as connection:
            connection.execute(stores.SCHEMA.read_text().encode())

    def _start_tools(self) -> None:
        control = self.root / "control"
        self._later(
            self.python("cardgate", "cardgate.py", self.ports[THIRD_PARTY], control / "cardgate.json", self.seed)
        )
        pairs = [f"{self.ports[f'{a}>{b}']}:{self.ports[b]}" for a, b in self.proxied]
        if pairs:
            self._later(self.python("network", "proxy.py", control / "network.json", *pairs))
        self._later(
            self.python("shipper", "shipper.py", self.root / "logs", self.elasticsearch.url, self.log_index)
        )
        if self.traced:
            self._later(
                self.python("tracer", "shipper.py", self.root / "traces", self.elasticsearch.url, self.span_index)
            )

    def _start_services(self) -> None:
        self._stack.callback(self._stop_services)
        for service in SERVICES:
            self._services[service] = self._start_service(service, 1, wait=False)
        for service in SERVICES:
            self._await(service, self._services[service])

    def _start_service(self, service: str, version: int, *, wait: bool = True) -> Running:
        """One process of a service; with `wait`, until it answers or has ended."""
        ready = self.root / "ready" / service
        ready.unlink(missing_ok=True)
        environment = {
            "SHOP_RUNTIME": self.root / "runtime.json",
            "SHOP_READY": ready,
            "SHOP_VERSION": f"1.{version}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        log = self.root / "logs" / f"{service}.log"
        program: list[str | Path] = [
            *("env", f"--chdir={self.repository.folder}"),
            *(f"{name}={value}" for name, value in environment.items()),
            *("sh", "-c", f'exec "$@" 2>>{log}', "sh", sys.executable, "-m", f"shop.{service}"),
        ]
        if service in SPOOLING:
            program = [*stores.own_disk(self.root / "spool" / service), *program]
        running = Running(self.launch(service, program), version)
        if wait:
            deadline = time.monotonic() + START_SECONDS
            ended = running.server.folder / "ended"
            while not ready.exists() and not ended.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        return running

    def _await(self, service: str, running: Running) -> None:
        ready = self.root / "ready" / service
        running.server.wait_until(ready.exists, seconds=START_SECONDS, what=service)

    def _start_monitoring(self, programs: Programs, prometheus: Path) -> None:
        for name, command in monitoring.exporter_commands(programs, self.ports).items():
            self._later(self.launch(name, command))
        monitoring.write_configuration(self.root, self.ports)
        command = monitoring.prometheus_command(prometheus, self.root, self.ports)
        self._later(self.launch("prometheus", command))
        self.prometheus = Endpoint(f"http://127.0.0.1:{self.ports['prometheus']}")
        deadline = time.monotonic() + START_SECONDS
        while not self.prometheus.answers("/-/ready"):
            if time.monotonic() > deadline:
                raise UnavailableError("Prometheus was not ready in time")
            time.sleep(0.1)

    def _later(self, server: process.ServerProcess) -> process.ServerProcess:
        self._stack.callback(server.stop)
        return server

    # -- keeping the services running --------------------------------------------------------------------------

    def _keep_running(self) -> None:
        """Start a service again that ended, later each time, as an orchestrator does."""
        while not self._ending.wait(0.2):
            for service in SERVICES:
                with self._lock:
                    running = self._services[service]
                    if running.wanted and not self._ending.is_set():
                        self._look_after(service, running)

    def _look_after(self, service: str, running: Running) -> None:
        now = time.monotonic()
        if not (running.server.folder / "ended").exists():
            return
        if not running.restart_at:
            running.restart_at = now + running.backoff
            return
        if now >= running.restart_at:
            running.server.stop()
            fresh = self._start_service(service, running.version, wait=False)
            fresh.backoff = min(running.backoff * 2, LONGEST_BACKOFF)
            self._services[service] = fresh

    def _stop_services(self) -> None:
        self._ending.set()
        with self._lock:
            for running in self._services.values():
                running.wanted = False
                running.server.stop()

    def _drop_indices(self) -> None:
        for index in (self.log_index, self.event_index, self.span_index):
            self.elasticsearch.request("DELETE", f"/{index}?ignore_unavailable=true")
