"""How it spread: roles, paths, who was hit, and who on the way was not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rca.analyze.evidence import Item, is_outburst
from rca.analyze.ranking import MOSTLY, Ranked
from rca.model.report import Role
from rca.model.scores import CHANNELS, Channel
from rca.rank.structure import IS_SYMPTOM, NO_SERVICES
from topology import ServiceGraph
from topology.propagate import caller_distances, explaining_path

_PATHS = 25  # suspects whose path is worked out
ANOMALOUS = float(np.log1p(3.0))
_TELLING = np.array([c not in {Channel.HOST, Channel.OTHER, Channel.TRAFFIC} for c in CHANNELS])


@dataclass(frozen=True, slots=True)
class Spread:
    """How the incident lies over the graph.

    Attributes:
        roles: Of every service.
        paths: From a service to where the symptom was seen; empty where there is no such path.
        impact: Services hit, the suspect first.
        user_facing: Those of them that nobody calls.
        healthy: Callers of the first suspect, direct or not, that stayed healthy; those on its path first.
    """

    roles: Mapping[str, Role]
    paths: Mapping[str, tuple[str, ...]]
    impact: tuple[str, ...]
    user_facing: tuple[str, ...]
    healthy: tuple[str, ...]


def spread(
    ranked: Ranked,
    order: Sequence[str],
    graph: ServiceGraph,
    signs: Mapping[str, Sequence[Item]],
    *,
    alerted: str | None,
    abstained: bool,
) -> Spread:
    """Work out roles and paths.

    Args:
        ranked: The ranking.
        order: Services, best first.
        graph: Who calls whom.
        signs: Each service's evidence, that too which a callee explains: who only passes errors on is hit as well.
        alerted: Where the symptom was seen, if anybody said.
        abstained: No service is singled out, so none is called the cause.
    """
    services = ranked.structure.services
    strength = ranked.services.strength[ranked.best]
    loudest = strength[:, _TELLING].max(axis=1, initial=0.0)
    anomalous = {services[i]: float(loudest[i]) for i in np.flatnonzero(loudest >= ANOMALOUS)}
    shows = strength[:, IS_SYMPTOM].max(axis=1, initial=0.0)
    symptomatic = {services[i] for i in np.flatnonzero(shows >= ANOMALOUS)}
    for service, level in _told(signs).items():
        symptomatic.add(service)
        anomalous[service] = max(level, anomalous.get(service, 0.0))
    first = order[0] if order else ""
    upstream = caller_distances(graph, first)
    seen_at = alerted or _furthest(upstream, symptomatic - {first}) or first
    told = [service for service in order[:_PATHS] if service in anomalous or service == first]
    paths = {service: explaining_path(graph, service, seen_at, anomalous) for service in told}
    roles = {service: _role(service, ranked, anomalous, symptomatic, upstream) for service in order}
    if order and not abstained:
        roles[first] = Role.CAUSE
    hit = [s for s in order[1:] if s in symptomatic and (s in upstream or s == alerted)]
    known = set(services)
    path = paths.get(first, ())
    impact = (first, *hit) if order and not abstained else tuple(hit)
    return Spread(
        roles,
        paths,
        impact,
        tuple(service for service in impact if service in graph and _is_entrance(graph, service)),
        tuple(s for s in dict.fromkeys((*path[1:], *upstream)) if s in known - {first} and s not in anomalous),
    )


def _told(signs: Mapping[str, Sequence[Item]]) -> dict[str, float]:
    """The level, in ln(1 + z), of errors that came up in each service's lines and spans, inherited ones too."""
    levels = {
        service: max((item.level for item in items if is_outburst(item.evidence)), default=0.0)
        for service, items in signs.items()
    }
    return {service: level for service, level in levels.items() if level >= ANOMALOUS}


def _is_entrance(graph: ServiceGraph, service: str) -> bool:
    """Whether it is at the edge of the system: it calls other services, and nobody calls it.

    What only reads a queue or a database works behind the scenes.
    """
    calls_services = any(graph.node(name).kind not in NO_SERVICES for name in graph.callees(service))
    return calls_services and not graph.callers(service)


def _role(
    service: str,
    ranked: Ranked,
    anomalous: Mapping[str, float],
    symptomatic: set[str],
    upstream: Mapping[str, int],
) -> Role:
    if service not in anomalous:
        return Role.BYSTANDER
    inherited = ranked.explained_by(service)[0] >= MOSTLY
    return Role.SYMPTOM if service in symptomatic and (inherited or service in upstream) else Role.BYSTANDER


def _furthest(upstream: Mapping[str, int], symptomatic: set[str]) -> str | None:
    """The caller furthest up that shows symptoms: where users would have noticed."""
    reached = [(-hops, name) for name, hops in upstream.items() if name in symptomatic]
    return min(reached)[1] if reached else None
