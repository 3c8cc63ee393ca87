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
_ACCUSED = 1.2
_MEASURED = frozenset({Kind.ERRORS, Kind.LATENCY})
_AN_ERROR, _A_WARNING, _FAILING = 0.5, 0.4, 0.2


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

    A sum: the deepest failing span (less those that the caller cancelled), the first error line of its own (a line
    that names another service accuses that one), the earliest departing metric, the ranking's own view; less for a
    service that calls another failing one.
    """
    score: dict[str, float] = {}
    signs = (_by_spans(spans), _by_errors(lines, anomalies), _by_metrics(anomalies, step), _by_ranking(shares))
    for service, value in (item for sign in signs for item in sign.items()):
        score[service] = score.get(service, 0.0) + value
    if not score:
        return alerted
    if alerted in score:
        score[alerted] += _ALERTED
    failing = {service for service, value in score.items() if value >= _FAILING}
    for service in sorted(failing):
        if any(callee in failing and callee != service for callee in graph.callees(service)):
            score[service] += _CALLS_FAILING
    return min(score, key=lambda service: (-round(score[service], 6), service))


def _by_spans(spans: Sequence[FailedSpan]) -> dict[str, float]:
    deep = [span.service for span in spans if span.deepest and not span.cancelled]
    return {service: _SPAN * deep.count(service) / len(deep) for service in sorted(set(deep))}


def _by_errors(lines: Sequence[NewLines], anomalies: Sequence[Anomaly]) -> dict[str, float]:
    """The order in which services first told of errors of their own.

    A warning does as well where the service's own errors or latency rose: who fails first often only warns, and
    its callers write the errors.
    """
    measured = {a.service for a in anomalies if a.kind in _MEASURED and a.up and not a.peer}
    firsts: dict[str, float] = {}
    for line in sorted(lines, key=lambda item: (item.first, item.service)):
        warned = line.level >= _A_WARNING and line.service in measured and not line.accused
        if line.level >= _AN_ERROR or warned:
            firsts.setdefault(line.accused or line.service, line.first)
    order = sorted(firsts, key=lambda name: (firsts[name], name))
    return {service: _ERROR / rank for rank, service in enumerate(order, start=1)}


def _by_metrics(anomalies: Sequence[Anomaly], step: float) -> dict[str, float]:
    """The earliest departures; what several callers measure of one callee accuses that one."""
    several = {name for name, callers in accusers(anomalies).items() if len(callers) > 1}
    firsts: dict[str, float] = {}
    for anomaly in anomalies:
        if anomaly.kind in _HARM:
            service = anomaly.peer if anomaly.peer in several else anomaly.service
            firsts[service] = min(firsts.get(service, anomaly.at), anomaly.at)
    start = min(firsts.values(), default=0.0)
    fold = _BUCKETS * max(step, 1.0)
    found = {service: _METRIC * math.exp(-(at - start) / fold) for service, at in sorted(firsts.items())}
    for service in sorted(several):
        found[service] += _ACCUSED
    return found


def accusers(anomalies: Sequence[Anomaly]) -> dict[str, set[str]]:
    """Who measures errors or slowness of whom: callee to callers."""
    found: dict[str, set[str]] = {}
    for anomaly in anomalies:
        if anomaly.peer and anomaly.kind in _MEASURED and anomaly.up:
            found.setdefault(anomaly.peer, set()).add(anomaly.service)
    return found


def _by_ranking(shares: Mapping[str, float]) -> dict[str, float]:
    return {service: _SUSPECT * share for service, share in sorted(shares.items()) if share > 0}
