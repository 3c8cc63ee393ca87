"""From a query's answer to series on the grid: one a service, and one a replica where those are few."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rca.model.incident import Gap
from rca.model.signals import FloatArray, Kind, SignalFrame, SignalKey
from rca.sources.prom.client import Answer
from rca.sources.prom.packfile import unit_of
from rca.sources.prom.packs import Across, Signal
from rca.sources.prom.plan import MAX_SERIES, NAME, Ask, Plan
from rca.sources.prom.query import WORKLOAD, for_one
from rca.sources.prom.work import Grid

MAX_REPLICAS = 12  # of one service
MAX_REPLICA_SERIES = 400  # of one query
_SATURATED_POINTS = 2
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assembled:
    """Series of one query: None when it gave none; and what is missing."""

    frame: SignalFrame | None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class _Series:
    row: Row
    values: FloatArray


def points(values: Sequence[Sequence[Any]], grid: Grid, scale: float = 1.0) -> FloatArray:
    """A series' points on the grid.

    Args:
        values: `[unix seconds, "text of a number"]` pairs.
        grid: Where they go; a point beside the grid is left out.
        scale: What they are multiplied with.

    Returns:
        Shape `(grid.count,)`; NaN where a point is missing, not a number or infinite.
    """
    out = np.full(grid.count, np.nan)
    for at, text in values:
        index, off = divmod(float(at) - grid.first, grid.step)
        if off == 0 and 0 <= index < grid.count:
            value = float(text) * scale
            out[int(index)] = value if np.isfinite(value) else np.nan
    return out


def assemble(ask: Ask, signal: Signal, answer: Answer, plan: Plan) -> Assembled:
    """Make the series of one signal out of its answer."""
    gaps = [Gap(NAME, f"parts of {ask.name}", f"the server warns: {text}") for text in answer.warnings]
    rows = answer.series
    if len(rows) > MAX_SERIES:
        gaps.append(
            Gap(NAME, f"{len(rows) - MAX_SERIES} series of {ask.name}", f"one query may give {MAX_SERIES} series")
        )
        rows = sorted(rows, key=lambda row: sorted(row["metric"].items()))[:MAX_SERIES]
    groups: dict[tuple[str, str | None], dict[str, list[_Series]]] = defaultdict(lambda: defaultdict(list))
    nameless = 0
    for row in rows:
        found = _whose(ask, row["metric"], plan)
        if found is None:
            nameless += 1
            continue
        values = points(row["values"], plan.grid, signal.scale)
        if np.isfinite(values).any():
            service, peer, replica = found
            groups[service, peer][replica].append(_Series(row["metric"], values))
    if nameless:
        gaps.append(
            Gap(NAME, f"{nameless} series of {ask.name}", f"they don't say whose they are ({ask.labels.service})")
        )
    columns = [
        column
        for (service, peer), replicas in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        for column in _columns(ask, signal, (service, peer), replicas)
    ]
    columns, cut = _bounded(columns)
    if cut:
        gaps.append(
            Gap(NAME, f"{cut} replicas' own series of {ask.name}", "only their services' series were kept")
        )
    gaps += _saturated(ask, signal, columns)
    if not columns:
        return Assembled(None, tuple(gaps))
    frame = SignalFrame(
        plan.grid.times, np.stack([values for _, values in columns], axis=1), tuple(key for key, _ in columns)
    )
    return Assembled(frame, tuple(gaps))


def _whose(ask: Ask, row: Row, plan: Plan) -> tuple[str, str | None, str] | None:
    """The service, the peer and the replica that a row speaks of; None when it doesn't say."""
    labels = ask.labels
    if WORKLOAD in row:
        return plan.names.of(row.get(labels.namespace, ""), row[WORKLOAD]), None, ""
    who = labels.identify(row, plan.owners)
    if who is None:
        return None
    peer = None
    if labels.peer:
        whom = labels.identify_peer(row)
        if whom is None:
            return None
        peer = plan.names.of(*whom)
    return plan.names.of(*who), peer, row.get(labels.replica_label, "") if labels.replica_label else ""


def _columns(
    ask: Ask, signal: Signal, whose: tuple[str, str | None], replicas: Mapping[str, Sequence[_Series]]
) -> list[tuple[SignalKey, FloatArray]]:
    """The service's own column, then one for each of its replicas when it has several."""
    service, peer = whose
    single = {name: _merge_twins(ask, signal.across, found) for name, found in replicas.items()}
    rows = [series.row for name in sorted(replicas) for series in replicas[name]]
    unit = signal.unit or (unit_of(ask.metric) if signal.kind is Kind.LATENCY else "")

    def key(instance: str | None, sources: Sequence[Row]) -> SignalKey:
        return SignalKey(
            service=service,
            metric=f"{ask.name}:{peer}" if peer else ask.name,
            instance=instance,
            kind=signal.kind,
            bad=signal.bad,
            unit=unit,
            query=for_one(ask, signal.query, sources, whole=instance is None),
            peer=peer,
        )

    whole = _combine(signal.across, [single[name] for name in sorted(single)])
    columns = [(key(None, rows), whole)]
    if 1 < len(single) <= MAX_REPLICAS:
        columns += [
            (key(name, [series.row for series in replicas[name]]), single[name]) for name in sorted(single) if name
        ]
    return columns


def _merge_twins(ask: Ask, across: Across, found: Sequence[_Series]) -> FloatArray:
    """One replica's series in one: what two Prometheus servers scraped alike counts once, the rest is combined."""
    alike: dict[tuple[tuple[str, str], ...], list[FloatArray]] = defaultdict(list)
    for series in found:
        alike[tuple(sorted(item for item in series.row.items() if item[0] != ask.labels.replica))].append(
            series.values
        )
    return _combine(across, [_combine(Across.MAX, alike[name]) for name in sorted(alike)])


def _combine(across: Across, parts: Sequence[FloatArray]) -> FloatArray:
    """Several series as one; a point is missing only where it is missing from all."""
    if len(parts) == 1:
        return parts[0]
    stacked = np.stack(parts)
    if across is Across.MAX:
        return np.asarray(np.fmax.reduce(stacked, axis=0), dtype=np.float64)
    if across is Across.MIN:
        return np.asarray(np.fmin.reduce(stacked, axis=0), dtype=np.float64)
    seen = np.count_nonzero(~np.isnan(stacked), axis=0)
    total = np.where(seen > 0, np.nansum(stacked, axis=0), np.nan)
    return total / np.maximum(seen, 1) if across is Across.MEAN else total


def _bounded(columns: list[tuple[SignalKey, FloatArray]]) -> tuple[list[tuple[SignalKey, FloatArray]], int]:
    """Drop the replicas' series when there are too many of them in all."""
    own = [column for column in columns if column[0].instance is None]
    cut = len(columns) - len(own)
    return (columns, 0) if cut <= MAX_REPLICA_SERIES else (own, cut)


def _saturated(ask: Ask, signal: Signal, columns: Sequence[tuple[SignalKey, FloatArray]]) -> list[Gap]:
    """Say where a quantile only shows the histogram's top bucket: it is at least that, nobody knows how much more.

    `histogram_quantile` gives the highest finite bound when the quantile lies above it; inside a bucket it
    interpolates, so a series whose greatest value is a bound, and reached repeatedly, has run into the top.
    """
    if not ask.bounds:
        return []
    bounds = {bound * signal.scale for bound in ask.bounds}
    hit: dict[float, list[str]] = defaultdict(list)
    for key, values in columns:
        top = float(np.nanmax(values))
        if top in bounds and int(np.count_nonzero(values == top)) >= _SATURATED_POINTS:
            hit[top].append(key.service)
    unit = signal.unit or unit_of(ask.metric)
    return [
        Gap(
            NAME,
            f"{ask.name} above {top:g} {unit}".rstrip(),
            f"the top bucket ends there, so it is at least that for {', '.join(sorted(set(services)))}",
        )
        for top, services in sorted(hit.items())
    ]
