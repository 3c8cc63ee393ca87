"""What one group of alerts has to do with another: which explains it, and what causes several share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rca.alerts.cells import Cell, gap
from rca.alerts.words import after, listed, number_word, within
from rca.model.words import counted
from topology import ServiceGraph
from topology.propagate import callee_distances

MAX_HOPS = 3
"""Trouble is followed through so many calls; services between may have no alert."""
SECONDS_A_HOP = 180.0
"""A cause that began this much further away counts as one hop further away."""
BURST = timedelta(minutes=2)
"""What has only a machine, a zone or a silent dependency in common must begin within this."""
ZONE_SERVICES = 3
"""So many services of one zone at once are the zone's failure, not chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """What explains an effect.

    Attributes:
        why: In plain words, without the times.
    """

    cause: Cell
    cost: float
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Several that nothing else explains, and what they have in common.

    Attributes:
        why: In plain words.
        weak: Only time ties them.
    """

    cells: tuple[Cell, ...]
    why: str
    weak: bool = False


def explanations(found: Sequence[Cell], graph: ServiceGraph | None) -> dict[Cell, list[Link]]:
    """For each that something downstream of it explains: what, the likeliest first.

    Trouble travels from a callee to its callers and from a machine to what runs on it, never the other way: two
    failing services don't become one incident because one gateway calls both. Where two wait for each other, the
    earlier explains the later.
    """
    known = {cell.service for cell in found if cell.service}
    below: dict[str, Mapping[str, int]] = {
        name: callee_distances(graph, name) if graph is not None else {} for name in sorted(known)
    }
    of: dict[str | None, list[Cell]] = {}
    for cell in found:
        of.setdefault(cell.service, []).append(cell)
    explained: dict[Cell, list[Link]] = {}
    for effect in found:
        near = effect.mentions | below.get(effect.service or "", {}).keys()
        causes = [cause for name in sorted(near & known) for cause in of[name]] + of.get(None, [])
        links = [link for cause in causes if cause is not effect and (link := _link(effect, cause, below))]
        if links:
            explained[effect] = sorted(links, key=lambda link: (link.cost, link.cause.key))
    return explained


def shared_causes(roots: Sequence[Cell], graph: ServiceGraph | None) -> Iterator[Shared]:
    """What several that nothing explains have in common, the stronger ties first."""
    yield from _same_machine(roots)
    if graph is not None:
        yield from _silent_dependencies(roots, graph)
    yield from _same_zone(roots)
    unplaced = [cell for cell in roots if graph is None or not _placed(cell, graph)]
    for scope in sorted({cell.scope for cell in unplaced}):
        for burst in _bursts(cell for cell in unplaced if cell.scope == scope):
            if len(burst) > 1:
                yield Shared(burst, f"began {_width(burst)}; only their time ties them together", weak=True)


def _link(effect: Cell, cause: Cell, below: Mapping[str, Mapping[str, int]]) -> Link | None:
    told = _relation(effect, cause, below)
    if told is None:
        return None
    apart = gap(cause, effect)
    if apart is None:
        return None
    hops, why = told
    return Link(cause, hops + apart / SECONDS_A_HOP, f"{why}, which began {after(cause.start, effect.start)}")


def _relation(effect: Cell, cause: Cell, below: Mapping[str, Mapping[str, int]]) -> tuple[int, str] | None:
    """How many hops down the cause is, and in which way; None when it isn't below."""
    if cause.service is None:
        machine = sorted(cause.places & effect.places)
        return (1, f"runs on {machine[0]}") if machine and effect.service else None
    if effect.service is None or effect.service == cause.service:
        return None
    earlier = cause.key < effect.key
    hops = below[effect.service].get(cause.service)
    if hops is not None and hops <= MAX_HOPS:
        mutual = effect.service in below[cause.service]
        way = "" if hops == 1 else f" over {number_word(hops)} hops"
        return (hops, f"calls {cause.service}{way}") if earlier or not mutual else None
    if cause.service in effect.mentions and effect.service not in below[cause.service]:
        mutual = effect.service in cause.mentions
        return (1, f"its labels name {cause.service}") if earlier or not mutual else None
    return None


def _placed(cell: Cell, graph: ServiceGraph) -> bool:
    """Whether more than time could tie it to others: it is in the graph, or is a machine that services run on."""
    return cell.service in graph if cell.service else bool(cell.places)


def _same_machine(roots: Sequence[Cell]) -> Iterator[Shared]:
    for machine in sorted({place for cell in roots for place in cell.places}):
        for burst in _bursts(cell for cell in roots if machine in cell.places):
            if _services(burst) > 1:
                yield Shared(burst, f"{counted(_services(burst), 'service')} on {machine} {_width(burst)}")


def _silent_dependencies(roots: Sequence[Cell], graph: ServiceGraph) -> Iterator[Shared]:
    """What at least half of a dependency's callers, and two of them, share when they fail at once."""
    called = {callee for cell in roots if cell.service for callee in graph.callees(cell.service)}
    for callee in sorted(called):
        callers = graph.callers(callee)
        for burst in _bursts(cell for cell in roots if cell.service in callers):
            if _services(burst) > 1 and 2 * _services(burst) >= len(callers):
                yield Shared(
                    burst,
                    f"{_services(burst)} of the {len(callers)} services that call {callee} {_width(burst)};"
                    f" {callee} has no alert of its own",
                )


def _same_zone(roots: Sequence[Cell]) -> Iterator[Shared]:
    for zone in sorted({name for cell in roots for name in cell.zones}):
        for burst in _bursts(cell for cell in roots if zone in cell.zones):
            if _services(burst) >= ZONE_SERVICES:
                yield Shared(burst, f"{counted(_services(burst), 'service')} in zone {zone} {_width(burst)}")


def _bursts(found: Iterable[Cell]) -> Iterator[tuple[Cell, ...]]:
    """Cut into runs that begin within `BURST` of the run's first, so that a long storm doesn't chain up."""
    run: list[Cell] = []
    for cell in sorted(found, key=_key):
        if run and cell.start - run[0].start > BURST:
            yield tuple(run)
            run = []
        run.append(cell)
    if run:
        yield tuple(run)


def _key(cell: Cell) -> tuple[Any, ...]:
    return cell.key


def _services(burst: Sequence[Cell]) -> int:
    return len({cell.service for cell in burst if cell.service})


def _width(burst: Sequence[Cell]) -> str:
    seconds = (max(cell.start for cell in burst) - min(cell.start for cell in burst)).total_seconds()
    return within(seconds)


def titles(found: Iterable[Cell]) -> str:
    """Their names, each once, by time."""
    return listed(list(dict.fromkeys(cell.title for cell in sorted(found, key=_key))))
