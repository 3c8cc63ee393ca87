"""What every service of the shop has: configuration, flags, logs, trace context and metrics."""

import json
import logging
import math
import os
import resource
import secrets
import sys
import threading
import time
import tomllib
import traceback
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import redis
from prometheus_client import Counter, Gauge, Histogram
from redis.backoff import NoBackoff
from redis.retry import Retry

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
DURATION = Histogram("http_request_duration_seconds", "Time to answer.", ["method", "route"], buckets=BUCKETS)
CLIENT_REQUESTS = Counter("http_client_requests_total", "Calls made.", ["peer_service", "method", "status"])
CLIENT_DURATION = Histogram(
    "http_client_request_duration_seconds", "Time a call took.", ["peer_service"], buckets=BUCKETS
)
DB_REQUESTS = Counter("db_client_requests_total", "Statements sent.", ["peer_service", "operation", "status"])
DB_DURATION = Histogram(
    "db_client_request_duration_seconds", "Time a statement took.", ["peer_service", "operation"], buckets=BUCKETS
)
CACHE_REQUESTS = Counter("cache_client_requests_total", "Commands sent.", ["peer_service", "operation", "status"])
CACHE_DURATION = Histogram(
    "cache_client_request_duration_seconds",
    "Time a command took.",
    ["peer_service", "operation"],
    buckets=BUCKETS,
)
IN_FLIGHT = Gauge("http_requests_in_flight", "Requests being answered.")


@dataclass(frozen=True, slots=True)
class Trace:
    """W3C trace context of the request being answered."""

    trace_id: str
    span_id: str
    parent_id: str = ""

    @classmethod
    def of(cls, traceparent: str | None) -> "Trace":
        """A span of its own within the caller's trace, or of a new one."""
        parts = (traceparent or "").split("-")
        if len(parts) == 4 and len(parts[1]) == 32:
            return cls(parts[1], secrets.token_hex(8), parts[2])
        return cls(secrets.token_hex(16), secrets.token_hex(8))


TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@dataclass(slots=True)
class Outgoing:
    """A call to another service or to a store.

    Attributes:
        peer: Who is called.
        operation: What is asked of it.
        kind: As Elastic APM names them: `external`, `db`, `cache`.
        span_id: Of the call; the callee's parent.
    """

    peer: str
    operation: str
    kind: str
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: float = field(default_factory=time.perf_counter)
    failed: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """What the call carries."""
        trace = TRACE.get()
        return {"traceparent": f"00-{trace.trace_id}-{self.span_id}-01"} if trace else {}

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.perf_counter() - self.began

    def end(self) -> None:
        """Write the span."""
        trace = TRACE.get()
        if trace is not None:
            described: dict[str, Any] = {"type": self.kind, "name": f"{self.operation} {self.peer}"}
            described |= {"destination": {"service": {"resource": self.peer}}}
            TRACER.write(
                "span", trace.trace_id, self.span_id, trace.span_id, self.seconds, described, failed=self.failed
            )


class Tracer:
    """Writes sampled spans to a file, one JSON object a line, as Elastic APM's indices hold them."""

    def __init__(self) -> None:
        self._file: TextIO | None = None
        self._service = ""

    def open(self, service: str, folder: str) -> None:
        """Write to a file of the folder from now on; without a folder, nowhere."""
        self._service = service
        if folder:
            self._file = (Path(folder) / f"{service}.jsonl").open("a", buffering=1)

    def end_request(self, trace: Trace, name: str, seconds: float, *, failed: bool, kind: str = "request") -> None:
        """Write the span of an answered request or a handled message."""
        described = {"type": kind, "name": name}
        self.write(
            "transaction", trace.trace_id, trace.span_id, trace.parent_id, seconds, described, failed=failed
        )

    def write(
        self,
        event: str,
        trace_id: str,
        own: str,
        parent: str,
        seconds: float,
        described: dict[str, Any],
        *,
        failed: bool,
    ) -> None:
        """One line, if the trace is among the sampled ones."""
        if self._file is None or int(trace_id[:2], 16) >= SAMPLED_OF_256:
            return
        began = datetime.fromtimestamp(time.time() - seconds, UTC)
        document = {
            "@timestamp": began.isoformat(timespec="milliseconds"),
            "processor": {"event": event},
            "service": {"name": self._service},
            "trace": {"id": trace_id},
            "event": {"outcome": "failure" if failed else "success"},
            event: {"id": own, "duration": {"us": int(seconds * 1e6)}, **described},
        }
        if parent:
            document["parent"] = {"id": parent}
        self._file.write(json.dumps(document) + "\n")


TRACER = Tracer()
SAMPLED_OF_256 = 80


class EcsFormatter(logging.Formatter):
    """One JSON object a line, by the Elastic Common Schema."""

    def __init__(self, service: str, version: str) -> None:
        super().__init__()
        self._fixed = {
            "service": {"name": service, "version": version, "node": {"name": f"{service}-{os.getpid()}"}},
            "ecs": {"version": "8.11"},
        }

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        document: dict[str, Any] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log": {"level": record.levelname.lower(), "logger": record.name},
            "message": record.getMessage(),
            **self._fixed,
            **getattr(record, "ecs", {}),
        }
        trace = TRACE.get()
        if trace:
            document |= {"trace": {"id": trace.trace_id}, "span": {"id": trace.span_id}}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            stack = "".join(traceback.format_exception(error))[-1500:]
            document["error"] = {"type": type(error).__name__, "message": str(error)[:500], "stack_trace": stack}
        return json.dumps(document)


threading.stack_size(512 * 1024)  # address space is limited, and threads are many


class Service:
    """Configuration, flags and log of one service.

    Attributes:
        name: As the metrics and logs know it.
        config: `config/NAME.toml`.
        runtime: Where the run's processes are: ports and folders.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.runtime: dict[str, Any] = json.loads(Path(os.environ["SHOP_RUNTIME"]).read_text())
        self.config: dict[str, Any] = tomllib.loads(Path(f"config/{name}.toml").read_text())
        self._flags: dict[str, Any] = {}
        self._flags_read = 0.0
        self.log = self._logger()
        TRACER.open(name, self.runtime["traces"])
        self.port = int(self.runtime["ports"][name])
        (Path(self.runtime["pids"]) / name).write_text(str(os.getpid()))

    def peer(self, name: str) -> dict[str, Any]:
        """`[peers.NAME]` of the configuration: `url`, `timeout`, `retries`."""
        found: dict[str, Any] = self.config["peers"][name]
        return found

    def flag(self, name: str) -> bool:
        """Whether a feature is switched on; the file is looked at again when it changed."""
        path = Path("flags.toml")
        changed = path.stat().st_mtime
        if changed != self._flags_read:
            self._flags, self._flags_read = tomllib.loads(path.read_text()), changed
        return bool(self._flags.get(self.name, {}).get(name, False))

    def ready(self) -> None:
        """Say that the service answers; from now on it may use only so much more memory."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + int(self.runtime["memory_mb"]) * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        self.log.info("listening on port %d, version %s", self.port, os.environ.get("SHOP_VERSION", "1"))
        Path(os.environ["SHOP_READY"]).touch()

    def _logger(self) -> logging.Logger:
        handler = logging.FileHandler(Path(self.runtime["logs"]) / f"{self.name}.jsonl")
        handler.setFormatter(EcsFormatter(self.name, os.environ.get("SHOP_VERSION", "1")))
        log = logging.getLogger(self.name)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        sys.excepthook = lambda kind, error, trace: log.critical(
            "unhandled exception, exiting", exc_info=(kind, error, trace)
        )
        return log


def export_backlog(service: Service, queue: str) -> None:
    """Show how many messages wait in a stream, whether or not anybody still takes them."""
    settings = service.config["redis"]
    client = redis.Redis(
        host=settings["host"],
        port=int(settings["port"]),
        socket_timeout=0.3,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        lib_name=None,
        lib_version=None,
    )

    def length() -> float:
        try:
            return float(str(client.xlen(queue)))
        except redis.RedisError:
            return math.nan

    Gauge("queue_messages", "Messages waiting.", ["queue"]).labels(queue).set_function(length)


class UpstreamError(Exception):
    """A call to another service failed.

    Attributes:
        status: What it answered; 0 when it didn't.
    """

    def __init__(self, peer: str, message: str, status: int = 0) -> None:
        super().__init__(f"{peer}: {message}")
        self.peer = peer
        self.status = status
