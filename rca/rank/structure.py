"""What the graph and the alert mean for the ranking, as arrays; made once for a bundle."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.incident import Symptom
from rca.model.scores import CHANNELS, Channel, SeriesTable, Side
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from topology import ServiceGraph
from topology.graph import NodeKind

SLOW = frozenset({Channel.LATENCY, Channel.EDGE, Channel.CLIENT, Channel.LOG_SLOWNESS, Channel.TRACE_SLOWNESS})
FAILING = frozenset(
    {Channel.ERRORS, Channel.AVAILABILITY, Channel.CLIENT_ERRORS, Channel.LOG_FAILURE, Channel.TRACE_FAILURE}
)
CLASSES = (SLOW, FAILING)
SYMPTOMS = SLOW | FAILING
IS_SYMPTOM = np.array([c in SYMPTOMS for c in CHANNELS])  # by channel, for arrays of shape (…, k)
STORES = frozenset({NodeKind.DATABASE, NodeKind.CACHE, NodeKind.QUEUE})  # who mostly answer and call nobody
NO_SERVICES = STORES | {NodeKind.EXTERNAL, NodeKind.HOST}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Series of a caller and of its callee that measure the same, for one class of symptoms.

    Attributes:
        edge: Shape `(p,)`, which edge a pair belongs to, ascending.
        caller: Shape `(p,)`, the caller's row in the table.
        callee: Shape `(p,)`, the callee's.
        factor: Shape `(p,)`, the callee's unit in the caller's.
        seen: Shape `(p,)`, whether the callee's is a ratio of failures that its callers saw.
        traffic: Shape `(p, 2)`, rows with their requests (caller's, callee's); -1 where there are none.
    """

    edge: NDArray[np.intp]
    caller: NDArray[np.intp]
    callee: NDArray[np.intp]
    factor: FloatArray
    traffic: NDArray[np.intp]
    seen: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The system as the ranker sees it.

    Attributes:
        services: `s` names, sorted.
        edges: Shape `(e, 2)`, caller and callee as indices of `services`.
        pairs: For each of `CLASSES`.
        owner: Shape `(m,)`, whom each series of the table accuses.
        factor: Shape `(s,)`, what a service's score is multiplied by, for what it is.
        leaf: Shape `(s,)`, whether others call it and it is known to call nobody: of a kind that doesn't.
        entry: Shape `(s,)`, whether it calls others and nobody calls it: it shows everybody's symptoms.
        alert_class: Index into `CLASSES`, or None.
        alert_rows: Rows of the table that show the alert.
    """

    services: tuple[str, ...]
    edges: NDArray[np.intp]
    pairs: tuple[Pairs, ...]
    owner: NDArray[np.intp]
    factor: FloatArray
    leaf: NDArray[np.bool_]
    entry: NDArray[np.bool_]
    alert_class: int | None
    alert_rows: NDArray[np.intp]


def build(
    table: SeriesTable,
    graph: ServiceGraph,
    *,
    others: Collection[str],
    symptom: Symptom | None,
    symptom_channel: Channel | None,
    tuning: Tuning,
) -> Structure:
    """Arrays of a graph.

    Args:
        table: The series.
        graph: Who calls whom.
        others: Services that have no series, and logs or spans.
        symptom: What was reported.
        symptom_channel: The kind of evidence its metric is, where known.
        tuning: The constants.
    """
    services = tuple(sorted({key.service for key in table.keys} | set(others)))
    index = {name: i for i, name in enumerate(services)}
    ends = ((edge.caller, edge.callee) for edge in graph.edges())
    known = [(index[a], index[b]) for a, b in ends if a in index and b in index and a != b]
    edges = np.array(known, dtype=np.intp).reshape(-1, 2)
    owner = np.array([index[key.service] for key in table.keys], dtype=np.intp)
    alerted = index.get(symptom.service) if symptom else None
    monitored = _monitored(table) | set(others)
    alert_class = next((i for i, c in enumerate(CLASSES) if symptom_channel in c), None)
    return Structure(
        services=services,
        edges=edges,
        pairs=tuple(_pairs(table, owner, edges, channels) for channels in CLASSES),
        owner=owner,
        factor=np.array([_factor(name, graph, name in monitored, tuning) for name in services]),
        leaf=np.array([_is_leaf(name, graph) for name in services], dtype=bool),
        entry=np.array([bool(graph.callees(name)) and not graph.callers(name) for name in services], dtype=bool),
        alert_class=alert_class,
        alert_rows=_alert_rows(table, owner, alerted, alert_class, symptom),
    )


def _alert_rows(
    table: SeriesTable,
    owner: NDArray[np.intp],
    alerted: int | None,
    alert_class: int | None,
    symptom: Symptom | None,
) -> NDArray[np.intp]:
    if alerted is None or symptom is None:
        return np.empty(0, dtype=np.intp)
    mine = np.flatnonzero(owner == alerted)
    if alert_class is not None:
        same = [row for row in mine if CHANNELS[table.channels[row]] in CLASSES[alert_class]]
    else:
        same = [row for row in mine if table.keys[row].metric == symptom.metric]
    return np.array(same, dtype=np.intp)


def _is_leaf(name: str, graph: ServiceGraph) -> bool:
    return name in graph and graph.node(name).kind in STORES and not graph.callees(name)


def _monitored(table: SeriesTable) -> set[str]:
    """Services of which something is known at first hand: a resource, or a series they say they measured."""
    seen = SYMPTOMS | {Channel.TRAFFIC, Channel.HOST}
    return {
        key.service
        for key, channel, side in zip(table.keys, table.channels, table.sides, strict=True)
        if CHANNELS[channel] not in seen or (key.declared and side is Side.OWN)
    }


def _factor(name: str, graph: ServiceGraph, monitored: bool, tuning: Tuning) -> float:  # noqa: FBT001 - a fact, not a mode
    if name not in graph:
        return 1.0
    kind, callers, callees = graph.node(name).kind, graph.callers(name), graph.callees(name)
    if kind is NodeKind.EXTERNAL:
        return tuning.external
    if callees:
        return 1.0
    # A leaf with one caller, of which nothing but symptoms is known: all of it may be that caller's view.
    hearsay = kind is NodeKind.UNKNOWN and len(callers) == 1 and not monitored
    return tuning.hearsay if hearsay else 1.0


def _pairs(
    table: SeriesTable, owner: NDArray[np.intp], edges: NDArray[np.intp], channels: frozenset[Channel]
) -> Pairs:
    wanted = {CHANNELS.index(c) for c in channels}
    symptoms: dict[int, list[int]] = defaultdict(list)
    traffic: dict[int, dict[str, int]] = defaultdict(dict)
    for row, (service, channel) in enumerate(zip(owner.tolist(), table.channels.tolist(), strict=True)):
        if channel in wanted:
            symptoms[service].append(row)
        elif CHANNELS[channel] is Channel.TRAFFIC:
            traffic[service].setdefault(table.stems[row], row)
    found: list[tuple[int, int, int, float, int, int]] = []
    for number, (caller, callee) in enumerate(edges.tolist()):
        requests = _requests(traffic.get(caller, {}), traffic.get(callee, {})) if channels is FAILING else (-1, -1)
        found.extend(
            (number, a, b, factor, *((-1, -1) if table.sides[b] is Side.EDGE else requests))
            for a in symptoms.get(caller, ())
            for b in symptoms.get(callee, ())
            if (factor := _comparable(table, a, b)) is not None
        )
    columns = np.array(found, dtype=np.float64).reshape(-1, 6)
    whole = columns.astype(np.intp)
    edge = np.array([side is Side.EDGE for side in table.sides], dtype=bool)
    seen = edge[whole[:, 2]] & (table.channels[whole[:, 2]] == CHANNELS.index(Channel.ERRORS))
    return Pairs(whole[:, 0], whole[:, 1], whole[:, 2], columns[:, 3], whole[:, 4:], seen)


def _requests(caller: Mapping[str, int], callee: Mapping[str, int]) -> tuple[int, int]:
    shared: Sequence[str] = sorted(caller.keys() & callee.keys())
    return (caller[shared[0]], callee[shared[0]]) if shared else (-1, -1)


def _comparable(table: SeriesTable, a: int, b: int) -> float | None:
    """How many of the caller's units one of the callee's is, where the two measure the same; else None."""
    if _seen_by_others(table, a, b):
        return 1.0
    if CHANNELS[table.channels[a]] not in {Channel.LATENCY, Channel.ERRORS, Channel.AVAILABILITY}:
        return None
    if table.stems[a] == table.stems[b] and table.sides[a] == table.sides[b]:
        return 1.0
    if _seen_by(table, a, b):
        return 1.0
    if CHANNELS[table.channels[b]] is Channel.EDGE and table.quantiles[a] == table.quantiles[b]:
        mine, other = _SECONDS.get(table.keys[a].unit), _SECONDS.get(table.keys[b].unit)
        if mine and other:
            return other / mine
    return None


def _seen_by(table: SeriesTable, a: int, b: int) -> bool:
    """Whether one is a service's own ratio of failures, and the other that of its calls to the callee."""
    return (
        CHANNELS[table.channels[a]] is Channel.ERRORS
        and CHANNELS[table.channels[b]] is Channel.ERRORS
        and table.sides[a] is Side.OWN
        and table.sides[b] is Side.EDGE
        and table.keys[b].peer == table.keys[a].service
        and table.keys[a].unit == table.keys[b].unit
    )


def _seen_by_others(table: SeriesTable, a: int, b: int) -> bool:
    """Whether one is a caller's ratio of failures towards a callee, and the other that of another caller of it."""
    return (
        CHANNELS[table.channels[a]] is Channel.CLIENT_ERRORS
        and CHANNELS[table.channels[b]] is Channel.ERRORS
        and table.sides[b] is Side.EDGE
        and table.keys[a].peer == table.keys[b].service
        and table.keys[b].peer != table.keys[a].service
        and table.keys[a].unit == table.keys[b].unit
    )
