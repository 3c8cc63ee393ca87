"""Requests that walk through the shop: the spans they leave, and what went wrong in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tests.servers.shop.system import CALL_TIMEOUT_SECONDS, TOLD_ON, Behaviour, Fault, Shop, behave

HOP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One service's part in one request, as its server span.

    Attributes:
        parent_id: The caller's server span; None at the entry.
        failed: Whether the request failed here, for its own or for a callee's reason.
        failed_callee: The callee whose failure made it fail; None when the failure is its own.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    caller: str | None
    service: str
    start: datetime
    seconds: float
    failed: bool = False
    failed_callee: str | None = None


def walk_requests(shop: Shop, *, count: int, seed: int) -> Iterator[tuple[SpanRecord, ...]]:
    """Requests spread over the shop's time, in order; each as its spans, callers before callees."""
    behaviour = behave(shop)
    rng = np.random.default_rng([shop.seed, seed])
    length = (shop.end - shop.start).total_seconds()
    for at in np.sort(rng.uniform(0, length, count)):
        walk = _Walk(shop, behaviour, rng, f"{int.from_bytes(rng.bytes(16)):032x}", float(at))
        walk.visit(shop.services[0], None, None, shop.start + timedelta(seconds=float(at)))
        yield tuple(sorted(walk.spans, key=lambda span: span.start))


def span_records(shop: Shop, *, requests: int = 500) -> Iterator[SpanRecord]:
    """The spans of a sample of requests."""
    for spans in walk_requests(shop, count=requests, seed=2):
        yield from spans


class _Walk:
    """One request on its way."""

    def __init__(
        self, shop: Shop, behaviour: Behaviour, rng: np.random.Generator, trace_id: str, at_seconds: float
    ) -> None:
        self._shop = shop
        self._behaviour = behaviour
        self._rng = rng
        self._trace_id = trace_id
        self._row = min(int(at_seconds / shop.step_seconds), len(behaviour.times) - 1)
        self.spans: list[SpanRecord] = []

    def visit(self, service: str, caller: str | None, parent_id: str | None, at: datetime) -> SpanRecord | None:
        """Serve the request in a service; None when nobody is there to serve it."""
        if not self._behaviour.up[service][self._row]:
            return None
        span_id = f"{int.from_bytes(self._rng.bytes(8)):016x}"
        now, failed_callee = at + HOP, None
        for callee in self._called_by(service):
            served = self.visit(callee, service, span_id, now)
            now += timedelta(seconds=min(served.seconds, CALL_TIMEOUT_SECONDS)) if served else HOP
            if (served is None or served.failed) and self._rng.random() < TOLD_ON:
                failed_callee = callee
                break
        now += timedelta(seconds=self._own_seconds(service))
        own = failed_callee is None and self._rng.random() < self._behaviour.own_errors[service][self._row]
        span = SpanRecord(
            trace_id=self._trace_id,
            span_id=span_id,
            parent_id=parent_id,
            caller=caller,
            service=service,
            start=at,
            seconds=(now - at).total_seconds(),
            failed=own or failed_callee is not None,
            failed_callee=failed_callee,
        )
        self.spans.append(span)
        return span

    def _called_by(self, service: str) -> Sequence[str]:
        return [
            callee for callee in self._shop.callees[service] if self._rng.random() < self._share(service, callee)
        ]

    def _own_seconds(self, service: str) -> float:
        waited = sum(
            min(float(self._behaviour.latency[callee][self._row]), CALL_TIMEOUT_SECONDS)
            * self._share(service, callee)
            for callee in self._shop.callees[service]
        )
        own = max(float(self._behaviour.latency[service][self._row]) - waited, 0.001)
        return own * float(np.exp(self._rng.normal(0, 0.3)))

    def _share(self, caller: str, callee: str) -> float:
        return min(1.0, self._shop.calls[caller, callee])


def is_gone(shop: Shop, service: str, at: datetime) -> bool:
    """Whether the service doesn't run at that time."""
    return shop.fault is Fault.DOWN and service == shop.faulty and at >= shop.onset
