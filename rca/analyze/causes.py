"""Several causes at once: faults that have nothing to do with each other, and what several suspects share.

A ranking alone can't tell them: the second of two causes looks like a runner-up, and the tenants of a broken node
like rivals. The graph and what explains what can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from rca.analyze.confidence import Standing, level, needed
from rca.analyze.parts import explains
from rca.analyze.ranking import Ranked
from rca.model.report import Report, Role
from rca.model.scores import CHANNELS, Channel
from rca.model.tuning import Tuning
from rca.model.tuning.causes import CauseTuning
from rca.rank.structure import IS_SYMPTOM
from rca.report.present.text import listed
from topology import NodeKind, ServiceGraph
from topology.propagate import caller_distances

_NAMED = 4
_RESOURCES = np.array(
    [c in {Channel.CPU, Channel.MEMORY, Channel.DISK, Channel.SATURATION, Channel.RESTARTS} for c in CHANNELS]
)


class Common(StrEnum):
    """What several suspects have in common."""

    NODE = "node"
    DEPENDENCY = "dependency"


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that all close suspects have in common, and nobody else.

    Attributes:
        name: Of the node, or of the dependency.
        services: The suspects, best first.
    """

    kind: Common
    name: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Causes:
    """What the ranking alone doesn't say.

    Attributes:
        also: Services beside the first that failed by themselves, best first.
        shared: What the close suspects share; None when nothing, or when others share it unharmed.
    """

    also: tuple[str, ...] = ()
    shared: Shared | None = None


def causes(
    ranked: Ranked, order: Sequence[str], graph: ServiceGraph, standing: Standing, tuning: Tuning
) -> Causes:
    """Find further causes and shared ones.

    Two incidents at once are rare, so a further cause must be plain: it scores close to the first and far above
    what the baseline's own windows reach (by as much as high confidence needs), isn't connected with it in the
    graph in either direction, isn't explained by a callee, and has a blast radius of its own: a caller whose
    symptoms it explains. Without a graph nothing is said: unrelated can't be told from unknown.

    Args:
        ranked: The ranking.
        order: Services, best first.
        graph: Who calls whom, and where they run.
        standing: What the baseline's own windows reach.
        tuning: The constants.
    """
    scores = dict(zip(ranked.structure.services, ranked.mixed.score.tolist(), strict=True))
    if not order or scores[order[0]] <= 0 or not len(graph):
        return Causes()
    top, of = scores[order[0]], tuning.causes
    close = [name for name in order[: of.looked_at] if scores[name] >= of.close * top and name in graph]
    if len(close) < of.fewest or close[0] != order[0]:
        return Causes()
    calm = {name for name, score in scores.items() if score < of.calm * top}
    shared = _shared_node(ranked, close, calm, graph, of) or _shared_dependency(ranked, close, calm, graph, of)
    if shared:
        return Causes(shared=shared)
    plain = tuning.high_from * needed(standing.usual, standing.apart, tuning)
    names = np.array(ranked.structure.services)
    shown = {name: level(names == name, ranked.services, ranked.mixed, ranked.structure, tuning) for name in close}
    return Causes(also=tuple(_also(ranked, [name for name in close if shown[name] >= plain], graph, of)))


def tell(report: Report, found: Causes) -> Report:
    """The report with what was found: roles, and a sentence in its summary. One that abstains stays as it is."""
    verdict = report.verdict
    if verdict.abstained or found == Causes():
        return report
    if found.shared is not None:
        names = listed(found.shared.services, most=_NAMED)
        where = (
            f"run on the node {found.shared.name}"
            if found.shared.kind is Common.NODE
            else f"depend on {found.shared.name}, of which nothing is measured"
        )
        said = f"Look at {found.shared.name} first: {names} all {where}, and nobody else is hit as hard."
        return replace(report, verdict=replace(verdict, summary=f"{verdict.summary} {said}"))
    names = listed(found.also, most=_NAMED)
    whom = "the two" if len(found.also) == 1 else "them"
    said = f"Independently of it, {names} failed too: nothing connects {whom}."
    return replace(
        report,
        verdict=replace(verdict, summary=f"{verdict.summary} {said}"),
        suspects=tuple(replace(s, role=Role.CAUSE) if s.service in found.also else s for s in report.suspects),
    )


def _also(ranked: Ranked, close: Sequence[str], graph: ServiceGraph, tuning: CauseTuning) -> Iterator[str]:
    index = {name: i for i, name in enumerate(ranked.structure.services)}
    causing = list(close[:1])
    for name in close[1:]:
        i = index[name]
        inherited = ranked.services.explained[ranked.best, i].max(initial=0.0) >= tuning.most
        connected = any(_connected(graph, name, other) for other in causing)
        if inherited or connected or not _shows_cause(ranked, i, tuning):
            continue
        known = {other for one in causing for other in _blast(ranked, index[one], tuning)}
        if _blast(ranked, i, tuning) - known:
            causing.append(name)
            yield name


def _blast(ranked: Ranked, service: int, tuning: CauseTuning) -> set[str]:
    """Callers whose symptoms are mostly explained by a service, and who show some."""
    strength = ranked.services.strength[ranked.best][:, IS_SYMPTOM].max(axis=1, initial=0.0)
    names, plain = ranked.structure.services, float(np.log1p(tuning.shows_z))
    hit = {name for name, level in zip(names, strength, strict=True) if level >= plain}
    return {one.service for one in explains(ranked, service) if one.share >= tuning.most} & hit


def _shows_cause(ranked: Ranked, service: int, tuning: CauseTuning) -> bool:
    """Whether it shows symptoms of its own or a resource that ran out, plainly."""
    strength = ranked.services.strength[ranked.best, service]
    return bool(strength[IS_SYMPTOM | _RESOURCES].max(initial=0.0) >= float(np.log1p(tuning.shows_z)))


def _connected(graph: ServiceGraph, one: str, other: str) -> bool:
    return other in caller_distances(graph, one) or one in caller_distances(graph, other)


def _shared_node(
    ranked: Ranked, close: Sequence[str], calm: set[str], graph: ServiceGraph, tuning: CauseTuning
) -> Shared | None:
    """The one node of all close suspects, when its other tenants are hit too and some other node's are calm."""
    hosts = {node.name: node.host for node in graph.nodes() if node.host}
    host = hosts.get(close[0])
    if not host or any(hosts.get(name) != host for name in close) or _in_line(ranked, close, tuning):
        return None
    tenants = [name for name in ranked.structure.services if hosts.get(name) == host]
    elsewhere = [name for name in ranked.structure.services if name in hosts and hosts[name] != host]
    if any(name in calm for name in tenants) or not any(name in calm for name in elsewhere):
        return None
    return Shared(Common.NODE, host, tuple(close))


def _shared_dependency(
    ranked: Ranked, close: Sequence[str], calm: set[str], graph: ServiceGraph, tuning: CauseTuning
) -> Shared | None:
    """A callee of all close suspects that isn't measured, or is outside, and that nobody calm calls."""
    if _in_line(ranked, close, tuning):
        return None
    common = set.intersection(*(set(graph.callees(name)) for name in close))
    for name in sorted(common):
        known = name in ranked.structure.services and graph.node(name).kind is not NodeKind.EXTERNAL
        callers = [caller for caller in graph.callers(name) if caller in ranked.structure.services]
        if not known and len(callers) >= tuning.fewest and not any(caller in calm for caller in callers):
            return Shared(Common.DEPENDENCY, name, tuple(close))
    return None


def _in_line(ranked: Ranked, close: Sequence[str], tuning: CauseTuning) -> bool:
    """Whether one of them explains another: then it isn't what they share."""
    names = ranked.structure.services
    mine = {names.index(name) for name in close}
    explained, by = ranked.services.explained[ranked.best], ranked.services.by[ranked.best]
    return any(
        int(by[i, number]) in mine and explained[i, number] >= tuning.most
        for i in mine
        for number in range(by.shape[1])
    )
