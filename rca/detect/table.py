"""From a bundle's frame to the table that is scored: kinds inferred, hosts recognised, edges made evidence."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rca.detect.kinds import SIGN, Traits, classify, words
from rca.model.scores import CHANNELS, Channel, SeriesTable, Side
from rca.model.signals import FloatArray, Kind, SignalFrame
from rca.model.tuning.rows import RowTuning

_BY_KIND = {
    Kind.LATENCY: Channel.LATENCY,
    Kind.ERRORS: Channel.ERRORS,
    Kind.AVAILABILITY: Channel.AVAILABILITY,
    Kind.CPU: Channel.CPU,
    Kind.MEMORY: Channel.MEMORY,
    Kind.SATURATION: Channel.SATURATION,
    Kind.RESTARTS: Channel.RESTARTS,
    Kind.QUEUE: Channel.QUEUE,
    Kind.DISK: Channel.DISK,
    Kind.NETWORK: Channel.IO,
    Kind.TRAFFIC: Channel.TRAFFIC,
    Kind.OTHER: Channel.OTHER,
}
_PROPORTIONAL = frozenset({Channel.LATENCY, Channel.EDGE, Channel.CLIENT, Channel.ERRORS, Channel.CLIENT_ERRORS})
_FAILURES = frozenset({Channel.ERRORS, Channel.CLIENT_ERRORS})
_RATIOS = frozenset({"ratio", "%"})
_OF_ONE = frozenset({"rate", "ratio", "share", "fraction", "probability"})
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def build(
    frame: SignalFrame,
    tuning: RowTuning,
    services: Collection[str] = (),
    unresolved: Collection[tuple[str, str]] = (),
) -> SeriesTable:
    """The table of a frame.

    Args:
        frame: As the bundle has it. Series without any value are left out.
        tuning: What tells the host's metrics, `host_…`.
        services: Further known names, so that the other end of an edge is recognised.
        unresolved: Callers and callees whose name they could not resolve: such calls say nothing about the callee.
    """
    known = ~np.all(np.isnan(frame.values), axis=0)
    used = np.flatnonzero(known)
    values = np.ascontiguousarray(frame.values.T if known.all() else frame.values.T[used])
    traits = list(classify([frame.keys[i] for i in used], {*frame.services, *services}))
    host = _repeated(values, traits, tuning)
    machines = _machines(traits, host)
    traits = [
        replace(t, side=Side.HOST if shared else Side.OWN if t.key.service in machines else t.side)
        for t, shared in zip(traits, host, strict=True)
    ]
    edges, edge_values, levels = _edges(values, traits, unresolved)
    derived = np.r_[np.zeros(len(traits), bool), np.ones(len(edges), bool)]
    values = np.vstack([values, *edge_values]) if edges else values
    traits += edges
    channels = [channel(t.key.kind, t.side) for t in traits]
    stems: dict[tuple[str, Side], int] = {}
    return SeriesTable(
        times=frame.times,
        values=values,
        keys=tuple(t.key for t in traits),
        channels=np.array([CHANNELS.index(c) for c in channels], dtype=np.intp),
        sides=tuple(t.side for t in traits),
        stems=tuple(t.stem for t in traits),
        quantiles=tuple(t.quantile for t in traits),
        direction=np.array([SIGN[t.key.bad] for t in traits]),
        proportional=np.array([c in _PROPORTIONAL for c in channels], dtype=bool),
        full_scale=_full_scale(values, traits, channels),
        reference=np.r_[np.zeros(len(values) - len(edges)), np.array(levels)],
        groups=np.array([stems.setdefault((t.stem, t.side), len(stems)) for t in traits], dtype=np.intp),
        derived=derived,
    )


def channel(kind: Kind, side: Side) -> Channel:
    """What kind of evidence a series of this kind is, measured there."""
    if side is Side.HOST:
        return Channel.HOST
    if kind is Kind.LATENCY:
        return {Side.EDGE: Channel.EDGE, Side.OWN: Channel.LATENCY}.get(side, Channel.CLIENT)
    if kind is Kind.ERRORS and side in {Side.CLIENT, Side.CALLER}:
        return Channel.CLIENT_ERRORS
    return _BY_KIND[kind]


def _full_scale(values: FloatArray, traits: Sequence[Traits], channels: Sequence[Channel]) -> FloatArray:
    """1 or 100 for availability and for ratios of failures, by the largest value of all; 0 elsewhere.

    Failures are a ratio where the unit says so, or where the name calls them a rate and no service ever has more
    than one, nor only whole ones.
    """
    scale = np.zeros(len(values))
    by_stem: dict[tuple[str, Side], list[int]] = defaultdict(list)
    for i, (t, kind) in enumerate(zip(traits, channels, strict=True)):
        if kind is Channel.AVAILABILITY:
            scale[i] = 100.0 if np.nanmax(values[i]) > 1.0 else 1.0
        elif kind in _FAILURES:
            by_stem[t.stem, t.side].append(i)
    for rows in by_stem.values():
        known = values[rows][np.isfinite(values[rows])]
        largest = known.max(initial=0.0)
        told = traits[rows[0]].key.unit in _RATIOS
        called = not _OF_ONE.isdisjoint(words(traits[rows[0]].stem))
        if largest <= 1.0 and (told or (called and np.any(known != np.round(known)))):
            scale[rows] = 1.0
        elif largest <= 100.0 and told:  # noqa: PLR2004 - percent
            scale[rows] = 100.0
    return scale


def _machines(traits: Sequence[Traits], repeated: NDArray[np.bool_]) -> frozenset[str]:
    """Those that are hosts themselves: all that is measured of them is a host's, and of nobody else besides."""
    others = {
        t.key.service for t, shared in zip(traits, repeated, strict=True) if shared or t.side is not Side.HOST
    }
    return frozenset({t.key.service for t in traits} - others)


def _repeated(values: FloatArray, traits: Sequence[Traits], tuning: RowTuning) -> NDArray[np.bool_]:
    """Series whose metric is the host's: most services have exactly the values of another one."""
    by_stem: dict[str, list[int]] = defaultdict(list)
    for i, t in enumerate(traits):
        by_stem[t.stem].append(i)
    shared = np.zeros(len(traits), dtype=bool)
    for rows in by_stem.values():
        if len(np.unique(values[rows, values.shape[1] // 2])) == len(rows):
            continue  # what differs in one row needn't be compared in all
        alike: dict[bytes, list[int]] = defaultdict(list)
        for i in rows:
            alike[values[i].tobytes()].append(i)
        if len(alike) == len(rows):
            continue  # the usual case, which spares counting what is distinct
        ordered = np.sort(values[rows], axis=1)  # missing values last, and equal to nothing
        distinct = np.sum(ordered[:, 1:] > ordered[:, :-1], axis=1) + 1
        varied = {i for i, count in zip(rows, distinct.tolist(), strict=True) if count >= tuning.host_distinct}
        holders = [{traits[i].key.service for i in same if i in varied} for same in alike.values()]
        several = sum(len(names) for names in holders if len(names) > 1)
        if several > tuning.host_share * len({traits[i].key.service for i in varied}):
            shared[rows] = True
    return shared


def _edges(
    values: FloatArray, traits: Sequence[Traits], unresolved: Collection[tuple[str, str]]
) -> tuple[list[Traits], list[FloatArray], list[float]]:
    """What a caller waited for a callee, less what the callee measured itself: evidence on the callee's side.

    Without a measurement of the callee's own, the caller's stands as it is. Failures that a caller saw accuse the
    callee too.
    """
    own: dict[tuple[str, str, str | None], int] = {}
    for i, t in enumerate(traits):
        if t.side is Side.OWN and t.key.kind is Kind.LATENCY:
            own.setdefault((t.key.service, t.quantile, t.peer), i)
    made: list[Traits] = []
    rows: list[FloatArray] = []
    levels: list[float] = []
    for i, t in enumerate(traits):
        if t.side is not Side.CALLER or t.peer is None or t.key.kind not in {Kind.LATENCY, Kind.ERRORS}:
            continue
        if (t.key.service, t.peer) in unresolved:
            continue
        key = replace(t.key, service=t.peer, peer=t.key.service)
        row = values[i]
        if t.key.kind is Kind.LATENCY:
            match = own.get((t.peer, t.quantile, t.key.service), own.get((t.peer, t.quantile, None)))
            if match is not None:
                factor = (_SECONDS.get(traits[match].key.unit) or 1.0) / (_SECONDS.get(t.key.unit) or 1.0)
                inside = np.nan_to_num(values[match] * factor, nan=0.0)
                row = np.maximum(row - inside, 0.0)
        made.append(Traits(key, Side.EDGE, t.stem, t.key.service, t.quantile))
        rows.append(row[None, :])
        levels.append(float(np.nanmedian(values[i])) if t.key.kind is Kind.LATENCY else 0.0)
    return made, rows, levels
