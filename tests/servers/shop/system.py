"""The shop: who calls whom, what fails when, and how that spreads to the callers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Call = tuple[str, str]

START = datetime(2026, 2, 3, 2, 0, tzinfo=UTC)
DATABASE, CACHE = "orders-db", "session-cache"

# Caller, callee, calls of the callee for each request to the caller. A caller comes before its callees.
CALLS: tuple[tuple[str, str, float], ...] = (
    ("gateway", "storefront", 0.85),
    ("gateway", "accounts", 0.3),
    ("storefront", "search", 0.4),
    ("storefront", "checkout", 0.3),
    ("storefront", "catalog", 0.5),
    ("accounts", CACHE, 0.9),
    ("search", "catalog", 0.6),
    ("checkout", "cart", 0.9),
    ("checkout", "payments", 0.8),
    ("checkout", "orders", 0.8),
    ("cart", "pricing", 0.7),
    ("cart", CACHE, 0.9),
    ("orders", DATABASE, 1.0),
)
ENTRY, ENTRY_RATE = "gateway", 40.0
CALL_TIMEOUT_SECONDS = 2.0
TOLD_ON = 0.85  # share of a callee's failures that fail the caller; the others are retried or tolerated


class Fault(StrEnum):
    """What is wrong with the faulty service from the onset on."""

    NONE = "none"
    SLOW = "slow"  # slow, and part of the requests fail
    CPU = "cpu"  # burns its processors, is throttled, gets slow
    DEPLOY = "deploy"  # a new version, rolled out a minute before the onset, fails many requests
    DOWN = "down"  # it is gone: no answer, no series, no log


@dataclass(frozen=True, slots=True)
class Shop:
    """A system, its fault and its time; the truth that a ranking is measured against.

    Attributes:
        services: By name, callers before callees.
        calls: Calls of a callee for each request to its caller.
        callees: Whom each service calls.
        faulty: The service that fails; of no meaning without a fault.
        deployed_at: When the bad version was rolled out, for `Fault.DEPLOY`.
        step_seconds: The scrape interval.
    """

    services: tuple[str, ...]
    calls: Mapping[Call, float]
    callees: Mapping[str, tuple[str, ...]]
    fault: Fault
    faulty: str
    start: datetime
    onset: datetime
    end: datetime
    step_seconds: int
    seed: int

    @property
    def edges(self) -> tuple[Call, ...]:
        """Who calls whom, sorted."""
        return tuple(sorted(self.calls))

    @property
    def deployed_at(self) -> datetime | None:
        """When the bad version was rolled out, if it was."""
        return self.onset - timedelta(seconds=60) if self.fault is Fault.DEPLOY else None

    @property
    def symptom(self) -> str:
        """Where the customers notice it."""
        return self.services[0]

    @property
    def affected(self) -> tuple[str, ...]:
        """Every service that calls the faulty one, directly or not, sorted; without the faulty one."""
        hit = {self.faulty}
        for caller in reversed(self.services):
            if hit.intersection(self.callees[caller]):
                hit.add(caller)
        return tuple(sorted(hit - {self.faulty}))

    def is_store(self, service: str) -> bool:
        """Whether it is a database or a cache, which speaks through an exporter and serves no HTTP."""
        return service in {DATABASE, CACHE}


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """What happens at each scrape.

    Attributes:
        times: Shape `(n,)`, unix seconds.
        rate: Requests a second by service, each of shape `(n,)`.
        errors: Share of requests that fail, inherited failures included.
        own_errors: Share that fails in the service itself.
        latency: Median seconds, waiting for callees included.
        cpu: Cores in use over the limit, 0 to 1.
        up: Whether it runs.
    """

    times: Floats
    rate: dict[str, Floats]
    errors: dict[str, Floats]
    own_errors: dict[str, Floats]
    latency: dict[str, Floats]
    cpu: dict[str, Floats]
    up: dict[str, NDArray[np.bool_]]


def make_shop(
    *,
    fault: Fault = Fault.SLOW,
    faulty: str = "payments",
    size: int = 12,
    seed: int = 7,
    start: datetime = START,
    minutes: int = 120,
    onset_minute: int = 90,
    step_seconds: int = 15,
) -> Shop:
    """A shop of `size` services, 12 at least: the named ones, then numbered ones behind them.

    Raises:
        ValueError: It is too small, or the faulty service isn't in it.
    """
    calls = {(caller, callee): share for caller, callee, share in CALLS}
    services = list(dict.fromkeys(name for call in calls for name in call))
    if size < len(services):
        raise ValueError(f"a shop has at least {len(services)} services")
    rng = np.random.default_rng([seed, 0])
    behind = [name for name in services if name not in {DATABASE, CACHE}]
    for number in range(len(services) + 1, size + 1):
        name = f"worker-{number:03d}"
        for caller in sorted({behind[int(i)] for i in rng.integers(0, len(behind), size=int(rng.integers(1, 3)))}):
            calls[caller, name] = 0.3
        services.append(name)
        behind.append(name)
    if faulty not in services:
        raise ValueError(f"no service {faulty} in a shop of {size}")
    return Shop(
        services=tuple(_callers_first(services, calls)),
        calls=calls,
        callees={name: tuple(callee for caller, callee in calls if caller == name) for name in services},
        fault=fault,
        faulty=faulty,
        start=start,
        onset=start + timedelta(minutes=onset_minute),
        end=start + timedelta(minutes=minutes),
        step_seconds=step_seconds,
        seed=seed,
    )


def behave(shop: Shop) -> Behaviour:
    """Play the fault through the system."""
    rng = np.random.default_rng([shop.seed, 1])
    times = np.arange(shop.start.timestamp(), shop.end.timestamp(), shop.step_seconds, dtype=np.float64)
    severity = np.clip((times - shop.onset.timestamp() + shop.step_seconds) / 60.0, 0.0, 1.0) * (
        times >= shop.onset.timestamp()
    )
    if shop.fault is Fault.NONE:
        severity = np.zeros_like(times)

    def noise(scale: float) -> Floats:
        return np.exp(rng.normal(0.0, scale, len(times)))

    rate: dict[str, Floats] = dict.fromkeys(shop.services, np.zeros_like(times))
    rate[shop.services[0]] = ENTRY_RATE * (1 + 0.08 * np.sin(times / 1800.0)) * noise(0.03)
    for service in shop.services:
        for callee in shop.callees[service]:
            rate[callee] = rate[callee] + rate[service] * shop.calls[service, callee] * noise(0.02)
    played = Behaviour(times, rate, {}, {}, {}, {}, {})
    for service in reversed(shop.services):
        here = severity if service == shop.faulty else np.zeros_like(times)
        base_latency, base_cpu = 0.004 + 0.03 * float(rng.random()), 0.15 + 0.2 * float(rng.random())
        own = _Own(0.001 * noise(0.4), base_latency * noise(0.06), np.clip(base_cpu * noise(0.05), 0, 1), here < 0)
        own = _fail(own, shop.fault, here)
        good, waited = 1 - own.errors, own.latency
        for callee in shop.callees[service]:
            share = min(1.0, shop.calls[service, callee])
            good = good * (1 - TOLD_ON * share * played.errors[callee])
            waited = waited + share * np.minimum(played.latency[callee], CALL_TIMEOUT_SECONDS)
        played.errors[service], played.latency[service] = 1 - good, waited
        played.own_errors[service], played.cpu[service], played.up[service] = own.errors, own.cpu, ~own.gone
    return played


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """What a service does by itself; each of shape `(n,)`."""

    errors: Floats
    latency: Floats
    cpu: Floats
    gone: NDArray[np.bool_]


def _fail(own: _Own, fault: Fault, severity: Floats) -> _Own:
    """The same with the fault, whose severity is 0 to 1."""
    match fault:
        case Fault.SLOW:
            return replace(own, errors=own.errors + 0.3 * severity, latency=own.latency + 0.8 * severity)
        case Fault.CPU:
            burnt, slower = np.maximum(own.cpu, 0.98 * severity), own.latency * (1 + 14 * severity)
            return replace(own, errors=own.errors + 0.04 * severity, latency=slower, cpu=burnt)
        case Fault.DEPLOY:
            return replace(own, errors=own.errors + 0.45 * severity)
        case Fault.DOWN:
            gone = severity > 0
            return replace(own, errors=np.where(gone, 1.0, own.errors), gone=gone)
        case Fault.NONE:
            return own


def _callers_first(services: list[str], calls: Mapping[Call, float]) -> list[str]:
    """A topological order, stable in the given order."""
    ordered: list[str] = []
    waiting = list(services)
    while waiting:
        blocked = {callee for caller, callee in calls if caller in waiting}
        ordered += [name for name in waiting if name not in blocked]
        waiting = [name for name in waiting if name in blocked]
    return ordered
