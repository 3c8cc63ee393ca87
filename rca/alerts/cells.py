"""What groups are made of: the alerts of one service, or of one machine, that belong together in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rca.alerts.fold import Episode, Folded
from rca.alerts.labels import identity, mentioned, name_of, places, scope, severity, zone
from topology import ServiceGraph

OWN_WINDOW = timedelta(minutes=30)
"""Two alerts of one service that begin this close are of one incident."""
WINDOW = timedelta(minutes=15)
"""So far apart may the alerts of a cause and of its effect begin; their rules wait for different times."""
LASTING = timedelta(hours=1)
"""So long after its beginning may a cause that still fires bring forth an effect."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Alerts of one subject, near in time.

    Attributes:
        service: None when no label names one.
        members: By first firing; never empty.
        lead: The first of them; of several at once, the worst.
        places: The machines they name, and the graph's host of the service.
        zones: The availability zones they name.
        mentions: The values of their labels.
        episodes: Every time one of them fired.
        key: Tells it apart from every other; names come last, so that they decide only what nothing else does.
    """

    service: str | None
    members: tuple[Folded, ...]
    lead: Folded
    places: frozenset[str]
    zones: frozenset[str]
    mentions: frozenset[str]
    episodes: tuple[Episode, ...]
    key: tuple[Any, ...]

    @property
    def start(self) -> datetime:
        """When the first of them fired."""
        return self.members[0].start

    @property
    def title(self) -> str:
        """What it is called: the service, else the machine, else the alert."""
        return self.service or next(iter(sorted(self.places)), name_of(self.lead.alert))

    @property
    def scope(self) -> tuple[str, ...]:
        """Cluster, namespace, environment of the first."""
        return scope(self.lead.alert)


def cells(folded: Iterable[Folded], graph: ServiceGraph | None) -> list[Cell]:
    """The alerts by subject, each subject's cut where nothing of it fired for a while; by time."""
    subjects: dict[tuple[str, object], list[Folded]] = {}
    for one in folded:
        where = places(one.alert)
        subject: tuple[str, object] = ("alert", identity(one.alert))
        if one.service:
            subject = ("service", one.service)
        elif where:
            subject = ("place", min(where))
        subjects.setdefault(subject, []).append(one)
    found = [_cell(run, graph) for own in subjects.values() for run in _runs(own)]
    return sorted(found, key=lambda cell: cell.key)


def gap(cause: Cell, effect: Cell) -> float | None:
    """Seconds between their nearest beginnings; None when they are too far apart to have to do with each other.

    A cause that still fires reaches further: an hour from its beginning.
    """
    best = min(
        abs((one.start - other.start).total_seconds()) for one in cause.episodes for other in effect.episodes
    )
    if best <= WINDOW.total_seconds():
        return best
    reach = [
        (effect.start - episode.start).total_seconds()
        for episode in cause.episodes
        if episode.covers(effect.start) and effect.start - episode.start <= LASTING
    ]
    return min(reach, default=None)


def _cell(run: tuple[Folded, ...], graph: ServiceGraph | None) -> Cell:
    service, lead = run[0].service, min(run, key=_first)
    where = _union(places(one.alert) for one in run)
    if graph is not None and service is not None and service in graph and graph.node(service).host:
        where |= {graph.node(service).host}
    return Cell(
        service,
        run,
        lead,
        where,
        zones=frozenset(zone(one.alert) for one in run) - {""},
        mentions=_union(mentioned(one.alert) for one in run),
        episodes=tuple(episode for one in run for episode in one.episodes),
        key=(lead.start, severity(lead.alert), service or "", identity(lead.alert)),
    )


def _first(one: Folded) -> tuple[Any, ...]:
    return one.start, severity(one.alert), identity(one.alert)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _runs(own: list[Folded]) -> list[tuple[Folded, ...]]:
    """Cut where a beginning lies far from every earlier one and nothing earlier still fires by then."""
    found: list[list[Folded]] = []
    for one in sorted(own, key=lambda folded: (folded.start, identity(folded.alert))):
        if found and any(_joins(one, earlier) for earlier in found[-1]):
            found[-1].append(one)
        else:
            found.append([one])
    return [tuple(run) for run in found]


def _joins(one: Folded, earlier: Folded) -> bool:
    return any(
        abs(one.start - episode.start) <= OWN_WINDOW
        or (episode.covers(one.start) and one.start - episode.start <= LASTING)
        for episode in earlier.episodes
    )
