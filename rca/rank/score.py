"""From scored series to services' scores: the best evidence of each kind, less what a callee explains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.medians import medians
from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable, Side
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.rank.structure import CLASSES, IS_SYMPTOM, SYMPTOMS, Pairs, Structure

_INHERITED = frozenset(
    {Channel.LATENCY, Channel.CLIENT, Channel.ERRORS, Channel.AVAILABILITY, Channel.CLIENT_ERRORS}
)
_EDGE = CHANNELS.index(Channel.EDGE)
_LATENCY = CHANNELS.index(Channel.LATENCY)
# Failures that a service tells of: its own, or those of a callee that doesn't speak.
_TOLD = [CHANNELS.index(c) for c in (Channel.LOG_FAILURE, Channel.TRACE_FAILURE)]
_OF_CALLS = [CHANNELS.index(c) for c in (Channel.LATENCY, Channel.ERRORS, Channel.AVAILABILITY)]
_OWN_CAUSE = np.array([c not in SYMPTOMS | {Channel.TRAFFIC, Channel.HOST, Channel.OTHER} for c in CHANNELS])


@dataclass(frozen=True, slots=True, eq=False)
class ServiceScores:
    """Services against each candidate onset.

    Attributes:
        score: Shape `(c, s)`.
        strength: Shape `(c, s, k)`, `ln(1 + z)` of the best series of each of `k` channels.
        kept: Shape `(c, s, k)`, the part of it that no callee explains, weighted.
        explained: Shape `(c, s, 2)`, the share of each of `CLASSES` that a callee explains.
        by: Shape `(c, s, 2)`, that callee, -1 for none.
        alert: Shape `(c,)`, how far the alerted service's series departed, `ln(1 + z)`.
        shown: Shape `(c,)`, the top score before anything is explained away.
        extra: Shape `(c, s, k)`, the evidence that isn't a series', as it was given: who scores again, with other
            constants, gives this and not the strength, which holds already what the edges say of their centres.
    """

    score: FloatArray
    strength: FloatArray
    kept: FloatArray
    explained: FloatArray
    by: NDArray[np.intp]
    alert: FloatArray
    shown: FloatArray
    extra: FloatArray | None


def score(
    table: SeriesTable, scores: SeriesScores, structure: Structure, extra: FloatArray | None, tuning: Tuning
) -> ServiceScores:
    """Score every service at every candidate.

    Args:
        table: The series.
        scores: Each series at each candidate.
        structure: The graph and the alert.
        extra: Shape `(c, s, k)`, evidence that isn't a series' (logs, spans), in `ln(1 + z)`; None for none.
        tuning: The constants.
    """
    traffic = _traffic(table, scores, structure)
    asked = np.clip(traffic, tuning.least_traffic, 1.0)
    z = (
        scores.z
        * _share_of_calls(table, structure, asked)
        * (1.0 - tuning.explain * _load(table, scores, structure, traffic))
    )
    level = np.log1p(z)
    strength = _by_service(level, table, structure)
    if extra is not None:
        strength = np.maximum(strength, extra)
    strength, shared = hubs(strength, structure, table, tuning)
    explained, by = explain(scores, structure, strength, tuning)
    weighted = strength * np.array([tuning.weights[c] for c in CHANNELS])
    weighted[:, structure.leaf, _LATENCY] = strength[:, structure.leaf, _LATENCY] * tuning.leaf_latency
    weighted *= _by_place(structure, tuning)
    kept = weighted * _unexplained(strength, explained, by, shared, tuning)
    alert = level[:, structure.alert_rows].max(axis=1, initial=0.0)
    total, shown = (_total(parts, structure, tuning) for parts in (kept, weighted))
    return ServiceScores(total, strength, kept, explained, by, alert, shown.max(axis=1, initial=0.0), extra)


def _total(parts: FloatArray, structure: Structure, tuning: Tuning) -> FloatArray:
    """The best kind of evidence and a share of the others, of shape `(c, s)`."""
    best = parts.max(axis=2)
    total: FloatArray = (best + tuning.rest * (parts.sum(axis=2) - best)) * structure.factor
    return total


def _by_place(structure: Structure, tuning: Tuning) -> FloatArray:
    """What symptoms count for by where they show and what the alert is about, of shape `(s, k)`."""
    factor = np.ones((len(structure.services), len(CHANNELS)))
    for number, members in enumerate(CLASSES):
        if structure.alert_class is not None and structure.alert_class != number:
            factor[:, [c in members for c in CHANNELS]] *= tuning.off_alert
    factor[structure.entry] *= np.where(IS_SYMPTOM, tuning.entry, 1.0)
    return factor


def _unexplained(
    strength: FloatArray, explained: FloatArray, by: NDArray[np.intp], shared: FloatArray, tuning: Tuning
) -> FloatArray:
    """The share of each kind of evidence that no callee, and no common caller, explains. Shape `(c, s, k)`."""
    remains = np.ones_like(strength)
    remains[:, :, _EDGE] = 1.0 - tuning.explain * shared
    blamed = explained[:, :, 1] * ((explained[:, :, 1] >= tuning.explain_across) & _much(strength, by, tuning))
    remains[:, :, _TOLD] = 1.0 - tuning.explain * blamed[:, :, None]
    for number, members in enumerate(CLASSES):
        inherited = [c in members and c in _INHERITED for c in CHANNELS]
        remains[:, :, inherited] = 1.0 - tuning.explain * explained[:, :, number, None]
    return remains


def _traffic(table: SeriesTable, scores: SeriesScores, structure: Structure) -> FloatArray:
    """Each service's traffic as a share of its usual one; the least of several counts, 1 where none is known.

    Shape `(c, s)`.
    """
    traffic = np.flatnonzero(table.channels == CHANNELS.index(Channel.TRAFFIC))
    with np.errstate(divide="ignore", invalid="ignore"):
        left = scores.after[:, traffic] / scores.before[:, traffic]
    left = np.where(np.isfinite(left), left, np.inf)
    found = np.full((len(structure.services), len(scores.z)), np.inf)
    np.minimum.at(found, structure.owner[traffic], left.T)
    return np.ascontiguousarray(np.where(np.isfinite(found), found, 1.0).T)


def _load(table: SeriesTable, scores: SeriesScores, structure: Structure, traffic: FloatArray) -> FloatArray:
    """The share of a processor's extra work that the extra traffic of its service explains. Shape `(c, m)`.

    Who sends the calls is to blame for them: a callee that is asked ten times as often works ten times as much.
    """
    share = np.zeros_like(scores.z)
    rows = np.flatnonzero(table.channels == CHANNELS.index(Channel.CPU))
    more = np.maximum(traffic[:, structure.owner[rows]] - 1.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share[:, rows] = np.clip(more / (scores.after[:, rows] / scores.before[:, rows] - 1.0), 0.0, 1.0)
    return np.nan_to_num(share)


def _share_of_calls(table: SeriesTable, structure: Structure, asked: FloatArray) -> FloatArray:
    """What a service's own symptoms are multiplied by; elsewhere 1. Shape `(c, m)`.

    A ratio of failures, or a quantile, is about the calls that are left: ten times the ratio of a tenth of the
    calls is as many as before. Callers count what they tried.
    """
    rows = np.flatnonzero(np.isin(table.channels, _OF_CALLS))
    own = [row for row in rows.tolist() if table.sides[row] is not Side.EDGE]
    share = np.ones((len(asked), len(table)))
    share[:, own] = asked[:, structure.owner[own]]
    return share


def _by_service(level: FloatArray, table: SeriesTable, structure: Structure) -> FloatArray:
    count, kinds = len(structure.services), len(CHANNELS)
    slot = structure.owner * kinds + table.channels
    result = np.zeros((len(level), count * kinds))
    if len(slot):
        order = np.argsort(slot, kind="stable")
        starts = np.flatnonzero(np.r_[True, slot[order][1:] != slot[order][:-1]])
        result[:, slot[order][starts]] = np.maximum.reduceat(level[:, order], starts, axis=1)
    return result.reshape(len(level), count, kinds)


def _much(strength: FloatArray, by: NDArray[np.intp], tuning: Tuning) -> NDArray[np.bool_]:
    """Whether the callee that explains a service's failures is beyond doubt: nothing subtle breaks others."""
    rows = np.arange(len(strength))[:, None]
    loudest = strength.max(axis=2)
    certain: NDArray[np.bool_] = (by[:, :, 1] >= 0) & (
        loudest[rows, by[:, :, 1]] >= float(np.log1p(tuning.explain_told_z))
    )
    return certain


def hubs(
    strength: FloatArray, structure: Structure, table: SeriesTable, tuning: Tuning
) -> tuple[FloatArray, FloatArray]:
    """Edges that are slow because their common caller is: a star of slow edges accuses its centre.

    Args:
        strength: Shape `(c, s, k)`.
        structure: The graph.
        table: The series: only callees whose edges are measured count.
        tuning: The constants.

    Returns:
        The strength with the centres' own edge evidence, and the share, shape `(c, s)`, of each callee's edge
        evidence that the other callees of one of its callers show too.
    """
    measured = np.zeros(len(structure.services), dtype=bool)
    measured[structure.owner[table.channels == _EDGE]] = True
    edge = strength[:, :, _EDGE]
    raised, shared = strength.copy(), np.zeros_like(edge)
    edges = structure.edges[measured[structure.edges[:, 1]]]
    callers, counts = np.unique(edges[:, 0], return_counts=True)
    for caller in callers[counts >= tuning.edge_star].tolist():
        callees = edges[edges[:, 0] == caller, 1]
        mine = edge[:, callees]
        ordered = np.sort(mine, axis=1)
        middle = (len(callees) - 1) // 2
        raised[:, caller, _EDGE] = np.maximum(raised[:, caller, _EDGE], ordered[:, middle])
        # The lower median of the others: the same place, one further up for those that lie below it.
        others = np.where(
            mine <= ordered[:, [middle]], ordered[:, [(len(callees)) // 2]], ordered[:, [(len(callees) - 2) // 2]]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(mine > 0, np.minimum(1.0, others / mine), 0.0)
        shared[:, callees] = np.maximum(shared[:, callees], share)
    return raised, shared


def explain(
    scores: SeriesScores, structure: Structure, strength: FloatArray, tuning: Tuning
) -> tuple[FloatArray, NDArray[np.intp]]:
    """What share of a service's slowness and failures one of its callees explains, and which.

    Of callees that explain as much the last one is taken.

    Returns:
        Shapes `(c, s, 2)` and `(c, s, 2)`.
    """
    shape = (len(scores.z), len(structure.services), len(CLASSES))
    share, by = np.zeros(shape), np.full(shape, -1, dtype=np.intp)
    if not len(structure.edges):
        return share, by
    caller, callee = structure.edges.T
    order = np.argsort(caller, kind="stable")
    callers, first, sizes = np.unique(caller[order], return_index=True, return_counts=True)
    cause = strength[:, :, _OWN_CAUSE].max(axis=2)
    own_class = [strength[:, :, np.array([c in m for c in CHANNELS])].max(axis=2) for m in CLASSES]
    for number, pairs in enumerate(structure.pairs):
        anomalous = own_class[number][:, callee] >= np.log1p(tuning.explain_z)
        same = np.where(anomalous, _ratios(scores, pairs, len(structure.edges), tuning) * tuning.explain_gain, 0.0)
        mine = own_class[number][:, caller]
        elsewhere = np.maximum(cause, own_class[1 - number])[:, callee]
        elsewhere = np.where(elsewhere >= np.log1p(tuning.explain_z), elsewhere, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            across = np.where(mine > 0, np.minimum(1.0, elsewhere / mine), 0.0) * tuning.explain_across
        edge_share = np.maximum(np.minimum(1.0, same), across)
        best = np.maximum.reduceat(edge_share[:, order], first, axis=1)
        tied = edge_share[:, order] == np.repeat(best, sizes, axis=1)
        share[:, callers, number] = best
        blamed = np.maximum.reduceat(np.where(tied, callee[order], -1), first, axis=1)
        by[:, callers, number] = np.where(best > 0, blamed, -1)
    return share, by


def _ratios(scores: SeriesScores, pairs: Pairs, edges: int, tuning: Tuning) -> FloatArray:
    """The callee's change over the caller's. Shape `(c, e)`.

    The median over the metrics that both have; or what the caller saw of its calls to the callee, where these
    didn't arrive: what a callee counts is only about the calls that did.
    """
    result = np.zeros((len(scores.z), edges))
    if not len(pairs.edge):
        return result
    change = scores.change
    mine, other = change[:, pairs.caller], change[:, pairs.callee] * pairs.factor
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = other / mine
        known = pairs.traffic[:, 0] >= 0
        rows = np.maximum(pairs.traffic, 0)
        after, before = scores.after[:, rows], scores.before[:, rows]
        volume = after[:, :, 1] / after[:, :, 0]
        arrived = np.where(known, after[:, :, 1] / before[:, :, 1], np.nan)
        ratio = np.where(known & np.isfinite(volume), ratio * volume, ratio)
    valid = (scores.z[:, pairs.caller] > 0) & np.isfinite(ratio)
    ratio = np.where(valid, np.maximum(ratio, 0.0), np.nan)
    first = np.flatnonzero(np.r_[True, pairs.edge[1:] != pairs.edge[:-1]])
    seen = np.fmax.reduceat(np.where(pairs.seen, ratio, np.nan), first, axis=1)
    calls = np.fmax.reduceat(arrived, first, axis=1)
    lost = (seen > 0) & ((calls < tuning.arrived) | ~np.isfinite(calls))
    middle = _medians_of_runs(ratio, first)
    result[:, pairs.edge[first]] = np.where(lost, np.fmax(middle, seen), middle)
    return result


def _medians_of_runs(ratio: FloatArray, first: NDArray[np.intp]) -> FloatArray:
    """The median of each run of columns, missing values left out, 0 for none; a run begins at each of `first`."""
    total = ratio.shape[1]
    sizes = np.diff(np.r_[first, total])
    # One row a run, padded with missing values, so that every median is taken at once.
    slots = first[:, None] + np.arange(sizes.max())
    block = np.where(np.arange(sizes.max()) < sizes[:, None], ratio[:, np.minimum(slots, total - 1)], np.nan)
    return np.asarray(np.nan_to_num(medians(block)))
