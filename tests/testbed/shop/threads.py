"""The shop's services on Flask and Werkzeug's threads."""

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
import urllib3
from flask import Flask, Response, g, request
from prometheus_client import Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from psycopg_pool import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from . import kit


def make_app(service: kit.Service) -> Flask:
    """An application with tracing, metrics, access log and error answers."""
    app = Flask(service.name)
    _bound(app, service)
    _observe(app, service)
    _answer_failures(app, service)
    _operate(app, service)
    return app


def _bound(app: Flask, service: kit.Service) -> None:
    """Take so many requests at once and no more."""
    slots = threading.BoundedSemaphore(int(service.config.get("max_in_flight", 64)))

    @app.before_request
    def begin() -> Response | None:
        g.began, g.held = time.perf_counter(), False
        kit.TRACE.set(None if request.path == "/metrics" else kit.Trace.of(request.headers.get("traceparent")))
        if request.path.startswith(("/metrics", "/internal")):
            return None
        if not slots.acquire(blocking=False):
            service.log.warning("too many requests in flight, shedding %s", request.path)
            return Response("overloaded", 503)
        g.held = True
        kit.IN_FLIGHT.inc()
        return None

    @app.teardown_request
    def release(_error: BaseException | None) -> None:
        if g.get("held"):
            slots.release()
            kit.IN_FLIGHT.dec()


def _observe(app: Flask, service: kit.Service) -> None:
    """Count and log each answer."""

    @app.after_request
    def count(answer: Response) -> Response:
        if request.path == "/metrics":
            return answer
        seconds = time.perf_counter() - g.began
        route = request.url_rule.rule if request.url_rule else "none"
        kit.REQUESTS.labels(request.method, route, str(answer.status_code)).inc()
        kit.DURATION.labels(request.method, route).observe(seconds)
        trace = kit.TRACE.get()
        if trace is not None:
            kit.TRACER.end_request(trace, f"{request.method} {route}", seconds, failed=answer.status_code >= 500)
        service.log.info(
            "%s %s answered %d in %d ms",
            request.method,
            request.path,
            answer.status_code,
            seconds * 1000,
            extra={"ecs": {"http": {"response": {"status_code": answer.status_code}}}},
        )
        return answer


def _answer_failures(app: Flask, service: kit.Service) -> None:
    """What a route raises becomes an answer, and a line in the log."""

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return Response(str(error.description), error.code)
        if isinstance(error, MemoryError):
            service.log.critical("out of memory, giving up", exc_info=error)
            os._exit(137)
        if isinstance(error, kit.UpstreamError):
            service.log.error("%s %s failed: %s", request.method, request.path, error)
            return Response(str(error), 502)
        service.log.error("%s %s failed", request.method, request.path, exc_info=error)
        return Response("internal error", 500)


def _operate(app: Flask, service: kit.Service) -> None:
    """What the monitoring and the operators ask for."""

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/internal/reindex")
    def reindex() -> str:
        seconds = float(request.args["seconds"])
        service.log.info("rebuilding the index as asked, %d workers", 2)
        for _ in range(2):
            threading.Thread(target=_rebuild_index, args=(seconds,), daemon=True).start()
        return "started"


def _rebuild_index(seconds: float) -> None:
    """Tokenise and count, in pure Python, as the old indexer does."""
    end = time.monotonic() + seconds
    words: dict[str, int] = {}
    while time.monotonic() < end:
        for number in range(20_000):
            word = f"{number * 7919 % 5003:x}"
            words[word] = words.get(word, 0) + 1


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: Any, **_named: Any) -> None:
        """Nothing: the access log is the application's."""


def serve(service: kit.Service, app: Flask, *, tls: ssl.SSLContext | None = None) -> None:
    """Answer until SIGTERM; then finish what was begun."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", service.port))
    listener.listen(128)
    server = make_server(
        "127.0.0.1",
        service.port,
        app,
        threaded=True,
        request_handler=_Quiet,
        ssl_context=tls,
        fd=listener.fileno(),
    )
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    service.ready()
    server.serve_forever(poll_interval=0.1)
    listener.close()
    server.server_close()
    service.log.info("stopped as asked")
    os._exit(0)


class Peer:
    """Calls to one other service over HTTP, with a timeout and retries."""

    def __init__(self, service: kit.Service, name: str, *, ca: str | None = None) -> None:
        self._name, self._log = name, service.log
        config = service.peer(name)
        self._url, self._timeout = str(config["url"]), float(config["timeout"])
        self._retries = int(config.get("retries", 0))
        self._pool = urllib3.PoolManager(
            retries=False, maxsize=32, headers={"Connection": "close"}, ca_certs=ca, assert_hostname=False
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answered.

        Raises:
            UpstreamError: It failed, after all retries.
        """
        for attempt in range(self._retries + 1):
            try:
                return self._once(method, path, body)
            except kit.UpstreamError as error:
                if attempt == self._retries or 400 <= error.status < 500:
                    raise
                self._log.warning("calling %s again (attempt %d): %s", self._name, attempt + 2, error)
        return None

    def _once(self, method: str, path: str, body: Any) -> Any:
        outgoing, status = kit.Outgoing(self._name, method, "external"), "error"
        try:
            answer = self._pool.request(
                method,
                self._url + path,
                json=body,
                headers=outgoing.headers | {"Connection": "close"},
                timeout=urllib3.Timeout(total=self._timeout),
            )
            status = str(answer.status)
            if answer.status >= 400:
                text = answer.data.decode(errors="replace")[:200]
                raise kit.UpstreamError(self._name, f"answered {answer.status}: {text}", answer.status)
            outgoing.failed = False
            return answer.json()
        except urllib3.exceptions.HTTPError as error:
            raise kit.UpstreamError(self._name, f"{type(error).__name__}: {error}") from error
        finally:
            kit.CLIENT_REQUESTS.labels(self._name, method, status).inc()
            kit.CLIENT_DURATION.labels(self._name).observe(outgoing.seconds)
            outgoing.end()


class Database:
    """PostgreSQL: from a pool when the configuration has one, else a connection for each use."""

    def __init__(self, service: kit.Service) -> None:
        settings = service.config["database"]
        self._conninfo = (
            f"{service.runtime['postgres']} application_name={service.name} connect_timeout=3 "
            f"options='-c statement_timeout={int(settings['statement_timeout_ms'])}'"
        )
        self._pool: ConnectionPool | None = None
        if "pool_size" in settings:
            self._pool = ConnectionPool(
                self._conninfo,
                min_size=1,
                max_size=int(settings["pool_size"]),
                timeout=float(settings["pool_timeout"]),
                max_lifetime=20,
                name=service.name,
                open=True,
            )
            _export_pool(self._pool)

    @contextmanager
    def use(self) -> Iterator["Session"]:
        """A transaction."""
        if self._pool is not None:
            began = time.perf_counter()
            try:
                connection = self._pool.getconn()
            finally:
                POOL_WAIT.observe(time.perf_counter() - began)
            try:
                with connection.transaction():
                    yield Session(connection)
            finally:
                self._pool.putconn(connection)
            return
        with _measured("connect"):
            connection = psycopg.connect(self._conninfo)
        with connection:
            yield Session(connection)


POOL_WAIT = Histogram(
    "db_pool_wait_duration_seconds", "Waiting for a connection of the pool.", buckets=kit.BUCKETS
)


def _export_pool(pool: ConnectionPool) -> None:
    """The pool's state under the names OpenTelemetry gives them."""

    def of(name: str) -> Callable[[], float]:
        return lambda: float(pool.get_stats().get(name, 0))

    Gauge("db_client_connection_pending_requests", "Waiting.").set_function(of("requests_waiting"))
    Gauge("db_client_connection_max", "Size.").set_function(lambda: float(pool.max_size))
    Gauge("db_client_connection_used", "In use.").set_function(
        lambda: float(pool.get_stats().get("pool_size", 0) - pool.get_stats().get("pool_available", 0))
    )


class Session:
    """Statements within one transaction, measured."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, operation: str, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        with _measured(operation):
            cursor = self._connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def _measured(operation: str) -> Iterator[None]:
    outgoing = kit.Outgoing("postgres", operation, "db")
    try:
        yield
        outgoing.failed = False
    finally:
        kit.DB_REQUESTS.labels("postgres", operation, "error" if outgoing.failed else "ok").inc()
        kit.DB_DURATION.labels("postgres", operation).observe(outgoing.seconds)
        outgoing.end()


class Cache:
    """Redis, measured."""

    def __init__(self, service: kit.Service) -> None:
        settings = service.config["redis"]
        self._redis = redis.Redis(
            host=settings["host"],
            port=int(settings["port"]),
            socket_timeout=float(settings["timeout"]),
            socket_connect_timeout=float(settings["timeout"]),
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            protocol=2,  # nothing that an older Redis answers with an error, or its error counts move
            lib_name=None,
            lib_version=None,
        )

    def do(self, operation: str, *arguments: Any) -> Any:
        """Run one command."""
        outgoing = kit.Outgoing("redis", operation, "cache")
        try:
            answer = self._redis.execute_command(operation, *arguments)  # type: ignore[no-untyped-call]  # redis-py's
            outgoing.failed = False
            return answer
        finally:
            kit.CACHE_REQUESTS.labels("redis", operation.lower(), "error" if outgoing.failed else "ok").inc()
            kit.CACHE_DURATION.labels("redis", operation.lower()).observe(outgoing.seconds)
            outgoing.end()
