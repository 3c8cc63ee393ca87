"""Whom a change can touch: the service that failed first, its path, what it depends on, or nobody who is hit."""

import re

from rca.changes.facts import Facts
from topology.propagate import callee_distances, caller_distances

_FIRST = 0.8
_PATH = 0.4
_DEPENDENCY, _FAR_DEPENDENCY = 0.3, -0.1
_NEIGHBOUR, _UNRELATED, _NOBODY = -0.5, -1.3, -1.8
_HEALTHY = 0.4
_SUSPECT = 0.45


def scope(service: str, facts: Facts) -> tuple[float, str]:
    """A score and its reason.

    Args:
        service: Where the change took effect.
        facts: The incident.
    """
    first = facts.first_failing
    if not first:
        return 0.0, "nobody is known to have failed first"
    if not service:
        return _NOBODY, "it belongs to no service that is known"
    if service == first:
        return _FIRST, f"on {first}, which failed first"
    score, why = _by_graph(service, first, facts)
    if score < _DEPENDENCY and _named_by(first, service, facts):
        score, why = _DEPENDENCY, f"on {service}, which the errors of {first} name"
    share = facts.shares.get(service, 0.0)
    if share > 0:
        lifted = _UNRELATED + (_SUSPECT - _UNRELATED) * share
        if lifted > score:
            return lifted, f"on {service}, a suspect itself"
    return score, why


def _by_graph(service: str, first: str, facts: Facts) -> tuple[float, str]:
    hit = _hit(service, facts)
    below = callee_distances(facts.graph, first)
    if service in below:
        score = _DEPENDENCY if below[service] == 1 else _FAR_DEPENDENCY
        return (score if hit else score - _HEALTHY), f"on {service}, on which {first} depends"
    above = caller_distances(facts.graph, first)
    if service in above:
        return (_PATH if hit else _PATH - 2 * _HEALTHY), f"on {service}, which calls {first}"
    if hit:
        return _NEIGHBOUR, f"on {service}, which departs too"
    if facts.services and service not in facts.services and service not in facts.graph:
        return _NOBODY, f"on {service}, of which nothing is known here"
    return _UNRELATED, f"on {service}, which has no part in it"


def _hit(service: str, facts: Facts) -> bool:
    return any(a.service == service for a in facts.anomalies) or any(
        line.service == service for line in facts.lines
    )


def _named_by(first: str, service: str, facts: Facts) -> bool:
    """Whether a service's new lines name another one as a whole word."""
    named = re.compile(rf"(?<![\w-]){re.escape(service)}(?![\w-])", re.IGNORECASE)
    return any(
        line.service == first and (line.accused == service or named.search(line.text) is not None)
        for line in facts.lines
        if line.level > 0
    )
