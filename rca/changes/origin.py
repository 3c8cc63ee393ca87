"""Which service failed first, as a sum of signs: the one whose change matters most."""

import math
from collections.abc import Mapping, Sequence

from rca.changes.facts import Anomaly, FailedSpan, NewLines
from rca.model.signals import Kind
from topology import ServiceGraph

_SPAN, _ERROR, _METRIC, _ALERTED, _CALLS_FAILING, _SUSPECT = 2.2, 1.5, 1.0, 0.3, -0.4, 1.5
_BUCKETS = 5.0
_HARM = frozenset(
    {
        Kind.LATENCY,
        Kind.ERRORS,
        Kind.AVAILABILITY,
        Kind.RESTARTS,
        Kind.QUEUE,
        Kind.MEMORY,
        Kind.CPU,
        Kind.SATURATION,
    }
)
_AN_ERROR, _PLATFORM_LEVEL = 0.5, 0.2


def first_failing(
    *,
    anomalies: Sequence[Anomaly],
    lines: Sequence[NewLines],
    spans: Sequence[FailedSpan],
    shares: Mapping[str, float],
    graph: ServiceGraph,
    alerted: str,
    step: float,
) -> str:
    """The service that most likely failed first, or empty when nothing failed.

    A sum: the deepest failing span (less those that the caller cancelled), the first error line of its own (a line that
    names another service accuses that one), the earliest departing metric, the ranking's own view; less for a service
    that calls another failing one.
    """
    score: dict[str, float] = {}

    def add(service: str, value: float) -> None:
        score[service] = score.get(service, 0.0) + value

    deep = [span for span in spans if span.deepest and not span.cancelled]
    for service in sorted({span.service for span in deep}):
        add(service, _SPAN * sum(span.service == service for span in deep) / len(deep))
    _errors(lines, add)
    harm = [a for a in anomalies if a.kind in _HARM]
    if harm:
        start = min(a.at for a in harm)
        firsts: dict[str, float] = {}
        for a in harm:
            firsts[a.service] = min(firsts.get(a.service, a.at), a.at)
        for service, at in sorted(firsts.items()):
            add(service, _METRIC * math.exp(-(at - start) / (_BUCKETS * max(step, 1.0))))
    for service, share in sorted(shares.items()):
        if share > 0:
            add(service, _SUSPECT * share)
    if not score:
        return alerted
    if alerted in score:
        add(alerted, _ALERTED)
    failing = {service for service, value in score.items() if value >= _PLATFORM_LEVEL}
    for service in sorted(failing):
        if any(callee in failing and callee != service for callee in graph.callees(service)):
            add(service, _CALLS_FAILING)
    return min(score, key=lambda service: (-round(score[service], 6), service))


def _errors(lines: Sequence[NewLines], add) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a closure of the caller
    """The order in which services first told of errors of their own."""
    firsts: dict[str, float] = {}
    for line in sorted(lines, key=lambda item: (item.first, item.service)):
        if line.level >= _AN_ERROR:
            firsts.setdefault(line.accused or line.service, line.first)
    for rank, service in enumerate(sorted(firsts, key=lambda name: (firsts[name], name)), start=1):
        add(service, _ERROR / rank)
