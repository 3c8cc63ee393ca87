"""What is wrong, doubtful or missing in a graph, and what to do about it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum

import networkx as nx

from topology.graph import NodeKind, ServiceGraph
from topology.names import base, canonical, is_unknown, visible

_UNOWNED = frozenset({NodeKind.EXTERNAL, NodeKind.HOST})
_SHOWN = 8


class Severity(StrEnum):
    """How much a problem matters to a ranking."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    Attributes:
        code: A stable word for it: `cycle`, `self-call`, `isolated`, …
        services: Whom it is about; for a cycle, in the order of the calls.
        text: What is the matter, in one sentence.
        hint: What to do.
    """

    severity: Severity
    code: str
    services: tuple[str, ...]
    text: str
    hint: str


def validate(graph: ServiceGraph, *, seen: Iterable[str] = ()) -> tuple[Problem, ...]:
    """Every problem of a graph, the severest first.

    Args:
        graph: Who calls whom.
        seen: The services that logs or metrics named; those that the graph lacks are reported.
    """
    seen = sorted(set(seen))
    found = [
        *_unknown_names(graph),
        *_self_calls(graph),
        *_cycles(graph),
        *_unseen(graph, seen),
        *_near_duplicates(graph, seen),
        *_external_callers(graph),
        *_isolated(graph),
        *_unreachable(graph),
        *_missing(graph),
    ]
    found = [replace(one, text=visible(one.text), hint=visible(one.hint)) for one in found]
    rank = list(Severity)
    return tuple(sorted(found, key=lambda problem: (rank.index(problem.severity), problem.code, problem.services)))


def _unknown_names(graph: ServiceGraph) -> Iterator[Problem]:
    for node in graph.nodes():
        if is_unknown(node.name):
            text = f"{node.name!r} is no service's name but says that a source didn't know it"
            hint = "drop it: paths through it join services that have nothing to do with each other"
            yield Problem(Severity.ERROR, "unknown-name", (node.name,), text, hint)


def _self_calls(graph: ServiceGraph) -> Iterator[Problem]:
    for edge in graph.edges():
        if edge.caller == edge.callee:
            hint = "remove the edge; a service's calls to itself explain nothing"
            yield Problem(Severity.WARNING, "self-call", (edge.caller,), f"{edge.caller} calls itself", hint)


def _cycles(graph: ServiceGraph) -> Iterator[Problem]:
    """One cycle for each group of services that reach each other: the shortest through its first one by name."""
    for group in nx.strongly_connected_components(graph.digraph):
        if len(group) == 1:
            continue
        cycle = _shortest_cycle(graph, min(group), group)
        ring = " → ".join((*cycle, cycle[0]))
        more = f", in a group of {len(group)} that all reach each other" if len(group) > len(cycle) else ""
        hint = "check each call's direction; if all are real, only times tell who began it inside the cycle"
        yield Problem(Severity.WARNING, "cycle", cycle, f"calls go in a circle: {ring}{more}", hint)


def _shortest_cycle(graph: ServiceGraph, start: str, group: Iterable[str]) -> tuple[str, ...]:
    inside = set(group)
    came_from: dict[str, str] = {}
    queue = deque([start])
    while start not in came_from:
        name = queue.popleft()
        for callee in graph.callees(name):
            if callee in inside and callee not in came_from and callee != name:
                came_from[callee] = name
                queue.append(callee)
    ring = [came_from[start]]
    while ring[-1] != start:
        ring.append(came_from[ring[-1]])
    return tuple(reversed(ring))


def _unseen(graph: ServiceGraph, seen: Sequence[str]) -> Iterator[Problem]:
    """Services with data that the graph lacks."""
    by_canonical = {canonical(node.name): node.name for node in graph.nodes()}
    by_base = {base(node.name): node.name for node in graph.nodes()}
    by_ends: defaultdict[str, set[str]] = defaultdict(set)  # a slip spares the first letter or the last
    for node in graph.nodes():
        by_ends[node.name[:1]].add(node.name)
        by_ends[node.name[-1:]].add(node.name)
    for name in seen:
        if name in graph or is_unknown(name):
            continue
        near = by_canonical.get(canonical(name)) or by_base.get(base(name))
        near = near or next(iter(get_close_matches(name, by_ends[name[:1]] | by_ends[name[-1:]], 1, 0.85)), None)
        hint = (
            f"if it is {near}, write one name in both places" if near else "declare whom it calls and who calls it"
        )
        text = f"{name} has logs or metrics, and the graph doesn't know it"
        yield Problem(Severity.WARNING, "not-in-graph", (name,), text, hint)


def _near_duplicates(graph: ServiceGraph, seen: Sequence[str]) -> Iterator[Problem]:
    """Names in the graph that may mean one service: spelt differently, or with and without a namespace."""
    spelt: defaultdict[str, list[str]] = defaultdict(list)
    rooted: defaultdict[str, list[str]] = defaultdict(list)
    for node in graph.nodes():
        spelt[canonical(node.name)].append(node.name)
        rooted[base(node.name)].append(node.name)
    measured = set(seen)
    for names in spelt.values():
        if len(names) > 1:
            yield _duplicate(names, measured, Severity.WARNING)
    for root, names in rooted.items():
        spellings = {canonical(name) for name in names}
        if root in spellings and len(spellings) > 1:
            yield _duplicate(names, measured, Severity.NOTE)


def _duplicate(names: Sequence[str], measured: set[str], severity: Severity) -> Problem:
    keep = [name for name in names if name in measured]
    which = (
        f"the name that the data have is {keep[0]}"
        if len(keep) == 1
        else "take the name that logs and metrics use"
    )
    text = f"{_listed(names)} may be one service under several names"
    return Problem(severity, "near-duplicate", tuple(names), text, f"if so, use one: {which}")


def _external_callers(graph: ServiceGraph) -> Iterator[Problem]:
    for node in graph.nodes():
        callees = graph.callees(node.name)
        if node.kind is NodeKind.EXTERNAL and callees:
            text = f"{node.name} is external and calls {_listed(callees)}"
            hint = "if it calls back, keep it; otherwise its kind or the direction is wrong"
            yield Problem(Severity.WARNING, "external-calls", (node.name,), text, hint)


def _isolated(graph: ServiceGraph) -> Iterator[Problem]:
    alone = [node.name for node in graph.nodes() if not graph.callers(node.name) and not graph.callees(node.name)]
    if alone:
        text = f"no calls lead to or from {_listed(alone)}"
        hint = "declare the calls, or trace them; without, only their own signals can accuse or clear them"
        yield Problem(Severity.WARNING, "isolated", tuple(alone), text, hint)


def _unreachable(graph: ServiceGraph) -> Iterator[Problem]:
    """Services that no gateway leads to; says nothing of a graph without gateways."""
    gateways = [node.name for node in graph.nodes() if node.kind is NodeKind.GATEWAY]
    reached = set(gateways)
    queue = deque(gateways)
    while queue:
        for callee in graph.callees(queue.popleft()):
            if callee not in reached:
                reached.add(callee)
                queue.append(callee)
    lost = [
        node.name
        for node in graph.nodes()
        if node.name not in reached and (graph.callers(node.name) or graph.callees(node.name))
    ]
    if gateways and lost:
        text = f"no gateway leads to {_listed(lost)}"
        hint = "fine for jobs and consumers; otherwise a call on the way is missing"
        yield Problem(Severity.NOTE, "unreachable", tuple(lost), text, hint)


def _missing(graph: ServiceGraph) -> Iterator[Problem]:
    ours = [node for node in graph.nodes() if node.kind not in _UNOWNED]
    unowned = tuple(node.name for node in ours if not node.owner)
    if unowned:
        text = f"nobody is named as the owner of {_listed(unowned)}"
        yield Problem(Severity.NOTE, "no-owner", unowned, text, "add `owner:`; a report then says whom to wake")
    without = tuple(node.name for node in ours if not node.runbook)
    if without:
        text = f"there is no runbook for {_listed(without)}"
        yield Problem(Severity.NOTE, "no-runbook", without, text, "add `runbook:`; a report then links to it")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
