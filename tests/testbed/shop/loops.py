"""The shop's services on aiohttp's event loop."""

import asyncio
import os
import signal
import threading
import time
from typing import Any

import redis.asyncio
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from prometheus_client import generate_latest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from . import kit
from .threads import _rebuild_index


def make_app(service: kit.Service) -> web.Application:
    """An application with tracing, metrics, access log and error answers."""
    limit = int(service.config.get("max_in_flight", 64))
    in_flight = 0

    @web.middleware
    async def around(request: web.Request, handler: Any) -> web.StreamResponse:
        nonlocal in_flight
        if request.path in {"/metrics", "/internal/reindex"}:
            return await _plain(request, handler)
        kit.TRACE.set(kit.Trace.of(request.headers.get("traceparent")))
        began = time.perf_counter()
        if in_flight >= limit:
            service.log.warning("too many requests in flight, shedding %s", request.path)
            answer: web.StreamResponse = web.Response(text="overloaded", status=503)
        else:
            in_flight += 1
            kit.IN_FLIGHT.inc()
            try:
                answer = await _answered(service, request, handler)
            finally:
                in_flight -= 1
                kit.IN_FLIGHT.dec()
        seconds = time.perf_counter() - began
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        kit.REQUESTS.labels(request.method, route, str(answer.status)).inc()
        kit.DURATION.labels(request.method, route).observe(seconds)
        trace = kit.TRACE.get()
        if trace is not None:
            kit.TRACER.end_request(trace, f"{request.method} {route}", seconds, failed=answer.status >= 500)
        service.log.info(
            "%s %s answered %d in %d ms",
            request.method,
            request.path,
            answer.status,
            seconds * 1000,
            extra={"ecs": {"http": {"response": {"status_code": answer.status}}}},
        )
        return answer

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def health(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def reindex(request: web.Request) -> web.Response:
        seconds = float(request.query["seconds"])
        service.log.info("rebuilding the index as asked, %d workers", 2)
        for _ in range(2):
            threading.Thread(target=_rebuild_index, args=(seconds,), daemon=True).start()
        return web.Response(text="started")

    app = web.Application(middlewares=[around])
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health", health)
    app.router.add_post("/internal/reindex", reindex)
    return app


async def _plain(request: web.Request, handler: Any) -> web.StreamResponse:
    answer: web.StreamResponse = await handler(request)
    return answer


async def _answered(service: kit.Service, request: web.Request, handler: Any) -> web.StreamResponse:
    """The handler's answer; what it raises becomes one, and a line in the log."""
    try:
        return await _plain(request, handler)
    except web.HTTPException as error:
        return web.Response(text=error.text, status=error.status)
    except kit.UpstreamError as error:
        service.log.error("%s %s failed: %s", request.method, request.path, error)  # noqa: TRY400 - not our stack
        return web.Response(text=str(error), status=502)
    except MemoryError as error:
        service.log.critical("out of memory, giving up", exc_info=error)
        os._exit(137)
    except Exception:
        service.log.exception("%s %s failed", request.method, request.path)
        return web.Response(text="internal error", status=500)


def serve(service: kit.Service, app: web.Application, *background: Any) -> None:
    """Answer until SIGTERM; then finish what was begun."""
    asyncio.run(_serve(service, app, background))
    service.log.info("stopped as asked")
    os._exit(0)


async def _serve(service: kit.Service, app: web.Application, background: Any) -> None:
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=0, shutdown_timeout=3)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", service.port, reuse_port=True).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(one()) for one in background]
    service.ready()
    await stop.wait()
    for task in tasks:
        task.cancel()
    await runner.cleanup()


class Peer:
    """Calls to one other service over HTTP, with a timeout and retries."""

    def __init__(self, service: kit.Service, name: str) -> None:
        self._name, self._log = name, service.log
        config = service.peer(name)
        self._url, self._timeout = str(config["url"]), float(config["timeout"])
        self._retries = int(config.get("retries", 0))
        self._session: ClientSession | None = None

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answered.

        Raises:
            UpstreamError: It failed, after all retries.
        """
        for attempt in range(self._retries + 1):
            try:
                return await self._once(method, path, body)
            except kit.UpstreamError as error:
                if attempt == self._retries or 400 <= error.status < 500:
                    raise
                self._log.warning("calling %s again (attempt %d): %s", self._name, attempt + 2, error)
        return None

    async def _once(self, method: str, path: str, body: Any) -> Any:
        if self._session is None:
            self._session = ClientSession(connector=TCPConnector(force_close=True, limit=0))
        outgoing, status = kit.Outgoing(self._name, method, "external"), "error"
        try:
            async with self._session.request(
                method,
                self._url + path,
                json=body,
                headers=outgoing.headers,
                timeout=ClientTimeout(total=self._timeout),
            ) as answer:
                status = str(answer.status)
                if answer.status >= 400:
                    text = (await answer.text())[:200]
                    raise kit.UpstreamError(self._name, f"answered {answer.status}: {text}", answer.status)
                found = await answer.json(content_type=None)
                outgoing.failed = False
                return found
        except TimeoutError as error:
            raise kit.UpstreamError(self._name, f"no answer within {self._timeout} s") from error
        except ClientError as error:
            raise kit.UpstreamError(self._name, f"{type(error).__name__}: {error}") from error
        finally:
            kit.CLIENT_REQUESTS.labels(self._name, method, status).inc()
            kit.CLIENT_DURATION.labels(self._name).observe(outgoing.seconds)
            outgoing.end()


class Cache:
    """Redis, measured."""

    def __init__(self, service: kit.Service) -> None:
        settings = service.config["redis"]
        self._redis = redis.asyncio.Redis(
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

    async def do(self, operation: str, *arguments: Any) -> Any:
        """Run one command."""
        outgoing = kit.Outgoing("redis", operation, "cache")
        try:
            answer = await self._redis.execute_command(operation, *arguments)  # type: ignore[no-untyped-call]  # redis-py's
            outgoing.failed = False
            return answer
        finally:
            kit.CACHE_REQUESTS.labels("redis", operation.lower(), "error" if outgoing.failed else "ok").inc()
            kit.CACHE_DURATION.labels("redis", operation.lower()).observe(outgoing.seconds)
            outgoing.end()
