"""What the shop's services write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tests.servers.shop.system import CACHE, DATABASE, Fault, Shop
from tests.servers.shop.traces import SpanRecord, is_gone, walk_requests

SERVED = (
    "{verb} /api/{service}/{id} served in {ms} ms",
    "handled request {hex} for customer {id} in {ms} ms",
    "{service}: response 200 with {bytes} bytes to {ip}",
)
BACKGROUND = (
    ("INFO", "refreshed {n} entries of the {service} configuration"),
    ("INFO", "health check ok, {n} connections open"),
    ("DEBUG", "collected {bytes} bytes of garbage in {ms} ms"),
    ("WARN", "retrying a slow lookup of record {id}, attempt {few} of 5"),
    ("INFO", "scheduled job reconcile-{service} finished, {n} rows"),
)
# The faulty service's own words, by what is wrong with it.
FAULTS: dict[Fault, tuple[str, ...]] = {
    Fault.SLOW: (
        "connection pool exhausted: 20 of 20 in use, waited {ms} ms for request {hex}",
        "TimeoutError: provider at {ip}:8443 gave no answer within 2000 ms",
    ),
    Fault.CPU: (
        "worker loop blocked for {ms} ms, {n} requests queued",
        "deadline exceeded while rendering response {hex}",
    ),
    Fault.DEPLOY: (
        "NullPointerException: Cannot invoke Money.currency() because amount is null, order {id}",
        "could not parse field 'amount' of request {hex}: unexpected token",
    ),
    Fault.DOWN: (),
    Fault.NONE: (),
}
STORE_FAULTS = {
    DATABASE: ("FATAL: sorry, too many clients already", "canceling statement due to statement timeout: pid {id}"),
    CACHE: (
        "OOM command not allowed when used memory > 'maxmemory', client {ip}",
        "slow command EVAL took {ms} ms",
    ),
}
STRAY = ("ERROR", "request {hex} rejected: invalid token of customer {id}")
INHERITED = (
    "call to {callee} failed: 503 Service Unavailable (attempt {few} of 3)",
    "could not complete request {hex}: {callee} gave no answer within 2000 ms",
)
REFUSED = "call to {callee} failed: connection refused ({ip}:8080)"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line, before a shipper gives it a shape; `level` is upper case."""

    at: datetime
    service: str
    level: str
    message: str
    pod: str
    trace_id: str | None = None
    span_id: str | None = None


def log_records(shop: Shop, *, requests: int = 8000) -> Iterator[LogRecord]:
    """The lines of that many requests and of the services' background work, in order of time.

    A request leaves about four lines; each service also writes a background line a minute, one in a hundred of
    them an error that has nothing to do with the fault.
    """
    rng = np.random.default_rng([shop.seed, 3])
    lines = [
        line for spans in walk_requests(shop, count=requests, seed=4) for line in _of_request(shop, spans, rng)
    ]
    lines += _background(shop, rng)
    yield from sorted(lines, key=lambda line: (line.at, line.service, line.message))


def pod_of(shop: Shop, service: str, number: int, *, at: datetime) -> str:
    """The pod's name; a rollout gives new ones."""
    rolled = shop.deployed_at is not None and service == shop.faulty and at >= shop.deployed_at
    return f"{service}-{'7d9f8b6c4' if rolled else '5c6b7d8f9'}-{('xk2lp', 'm8qzt')[number]}"


def _of_request(shop: Shop, spans: Sequence[SpanRecord], rng: np.random.Generator) -> Iterator[LogRecord]:
    for span in spans:
        if span.failed:
            level, template = "ERROR", _reason(shop, span, rng)
        else:
            level, template = "INFO", _choose(SERVED, rng)
        ended = span.start + timedelta(seconds=span.seconds)
        yield LogRecord(
            at=ended if span.failed else span.start + timedelta(microseconds=100),
            service=span.service,
            level=level,
            message=_fill(template, span.service, rng, callee=span.failed_callee or ""),
            pod=pod_of(shop, span.service, int(rng.integers(0, 2)), at=ended),
            trace_id=span.trace_id,
            span_id=span.span_id,
        )


def _reason(shop: Shop, span: SpanRecord, rng: np.random.Generator) -> str:
    if span.failed_callee is not None:
        gone = is_gone(shop, span.failed_callee, span.start)
        return REFUSED if gone else _choose(INHERITED, rng)
    at_fault = span.service == shop.faulty and span.start >= shop.onset
    own = STORE_FAULTS.get(span.service, FAULTS[shop.fault])
    return _choose(own, rng) if at_fault and own else STRAY[1]


def _background(shop: Shop, rng: np.random.Generator) -> Iterator[LogRecord]:
    minutes = int((shop.end - shop.start).total_seconds() // 60)
    for service in shop.services:
        for minute in range(minutes):
            at = shop.start + timedelta(minutes=minute, seconds=float(rng.uniform(0, 60)))
            if is_gone(shop, service, at):
                continue
            level, template = BACKGROUND[int(rng.integers(0, len(BACKGROUND)))]
            if rng.random() < 0.01:
                level, template = STRAY
            pod = pod_of(shop, service, int(rng.integers(0, 2)), at=at)
            yield LogRecord(at, service, level, _fill(template, service, rng), pod)
    if shop.deployed_at is not None:
        pod = pod_of(shop, shop.faulty, 0, at=shop.deployed_at)
        yield LogRecord(shop.deployed_at, shop.faulty, "INFO", "starting version 2.8.0", pod)
    if shop.fault is Fault.DOWN:
        last = shop.onset - timedelta(milliseconds=5)
        yield LogRecord(
            last, shop.faulty, "FATAL", "cannot allocate memory, exiting", pod_of(shop, shop.faulty, 0, at=last)
        )


def _choose(templates: Sequence[str], rng: np.random.Generator) -> str:
    return templates[int(rng.integers(0, len(templates)))]


def _fill(template: str, service: str, rng: np.random.Generator, *, callee: str = "") -> str:
    numbers = rng.integers(0, 2**31, size=6)
    return template.format(
        service=service,
        callee=callee,
        verb=("GET", "POST", "PUT")[int(numbers[0]) % 3],
        id=int(numbers[1]) % 1_000_000,
        hex=f"{int(numbers[2]):08x}",
        ms=int(numbers[3]) % 900 + 2,
        n=int(numbers[4]) % 20 + 1,
        few=int(numbers[4]) % 3 + 1,
        bytes=int(numbers[5]) % 100_000,
        ip=f"10.1.{int(numbers[0]) % 256}.{int(numbers[1]) % 256}",
    )
