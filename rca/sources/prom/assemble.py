"""From a query's answer to series on the grid: one a service, and one a replica where those are few."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rca.model.incident import Gap
from rca.model.signals import FloatArray, Kind, SignalFrame, SignalKey
from rca.sources.prom.client import Answer
from rca.sources.prom.names import Labels
from rca.sources.prom.packfile import unit_of
from rca.sources.prom.packs import Across, Signal
from rca.sources.prom.plan import MAX_SERIES, NAME, Ask, Plan
from rca.sources.prom.query import WORKLOAD, folded, for_one
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
    ask: Ask
    row: Row
    values: FloatArray

    @property
    def raw(self) -> tuple[tuple[str, str], ...]:
        """Its labels without the one that tells two servers apart which scraped alike."""
        return tuple(sorted(item for item in self.row.items() if item[0] != self.ask.labels.replica))


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


def assemble(answers: Sequence[tuple[Ask, Answer]], signal: Signal, plan: Plan) -> Assembled:
    """Make the series of one signal out of its answers.

    Args:
        answers: More than one where some of the metric's series are named by another label.
        signal: What they mean.
        plan: The grid, the names, the owners.
    """
    gaps: list[Gap] = []
    groups: dict[tuple[str, str | None], dict[str, list[_Series]]] = defaultdict(lambda: defaultdict(list))
    watching: dict[str, list[FloatArray]] = defaultdict(list)
    ask = answers[0][0]
    for each, answer in answers:
        gaps += [Gap(NAME, f"parts of {ask.name}", f"the server warns: {text}") for text in answer.warnings]
        rows = answer.series
        if (more := len(rows) - MAX_SERIES) > 0:
            gaps.append(Gap(NAME, f"{more} series of {ask.name}", f"one query may give {MAX_SERIES} series"))
            rows = sorted(rows, key=lambda row: sorted(row["metric"].items()))[:MAX_SERIES]
        for row in rows:
            found = _whose(each, row["metric"], plan)
            values = points(row["values"], plan.grid, signal.scale)
            if found is not None and each.labels.identity(row["metric"]) in each.watchers:
                watching[found[0]].append(values)
            elif found is not None and np.isfinite(values).any():
                service, peer, replica = found
                groups[service, peer][replica].append(_Series(each, row["metric"], values))
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
    gaps += _unwatched(signal, watching)
    gaps += _saturated(ask, signal, columns)
    if not columns:
        return Assembled(None, tuple(gaps))
    frame = SignalFrame(
        plan.grid.times, np.stack([values for _, values in columns], axis=1), tuple(key for key, _ in columns)
    )
    return Assembled(frame, tuple(gaps))


def first_of(frames: Sequence[SignalFrame]) -> SignalFrame | None:
    """One frame of alternatives: a service's series are those of the first that has any of it.

    Args:
        frames: On one time axis, the preferred first.

    Returns:
        None where there is none.
    """
    if len(frames) <= 1:
        return next(iter(frames), None)
    taken: set[str] = set()
    values: list[FloatArray] = []
    keys: list[SignalKey] = []
    for frame in frames:
        columns = [index for index, key in enumerate(frame.keys) if key.service not in taken]
        taken |= {frame.keys[index].service for index in columns}
        values.append(frame.values[:, columns])
        keys += [frame.keys[index] for index in columns]
    return SignalFrame(frames[0].times, np.hstack(values), tuple(keys))


def _unwatched(signal: Signal, watching: Mapping[str, Sequence[FloatArray]]) -> Iterator[Gap]:
    """Say where what watches a service didn't answer: what it measures is missing then, and tells nothing.

    Args:
        signal: Only whether a target answers says something.
        watching: By service, the series of the exporters that are scraped under its name.
    """
    for service, answering in sorted(watching.items()):
        away = max(int(np.count_nonzero(values < 1)) for values in answering)
        if signal.kind is Kind.AVAILABILITY and away:
            points = f"{away} of {len(answering[0])} points"
            why = f"its exporter, or what else is scraped by that name, did not answer in {points}"
            yield Gap(NAME, f"what is measured of {service}", why)


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
    single = {name: _merge_twins(signal.across, replicas[name]) for name in sorted(replicas)}
    unit = signal.unit or (unit_of(ask.metric) if signal.kind is Kind.LATENCY else "")

    def key(instance: str | None, parts: Sequence[_Series]) -> SignalKey:
        return SignalKey(
            service=service,
            metric=f"{ask.name}:{peer}" if peer else ask.name,
            instance=instance,
            kind=signal.kind,
            bad=signal.bad,
            unit=unit,
            query=_query_of(signal, parts),
            peer=peer,
        )

    whole = _combine(signal.across, list(single.values()))
    columns = [(key(None, [series for name in single for series in replicas[name]]), whole)]
    if 1 < len(single) <= MAX_REPLICAS:
        columns += [(key(name, replicas[name]), values) for name, values in single.items() if name]
    return columns


def _query_of(signal: Signal, parts: Sequence[_Series]) -> str:
    """The query that gives these series, as one."""
    by_labels: dict[Labels, list[_Series]] = defaultdict(list)
    for series in parts:
        by_labels[series.ask.labels].append(series)
    queries = [
        for_one(alike[0].ask, signal.query, [series.row for series in alike]) for alike in by_labels.values()
    ]
    folded_by_server = any(WORKLOAD in series.row for series in parts)
    return folded(signal.across, queries, 2 if folded_by_server else len({series.raw for series in parts}))


def _merge_twins(across: Across, found: Sequence[_Series]) -> FloatArray:
    """One replica's series in one: what two Prometheus servers scraped alike counts once, the rest is combined."""
    alike: dict[tuple[tuple[str, str], ...], list[FloatArray]] = defaultdict(list)
    for series in found:
        alike[series.raw].append(series.values)
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

    `histogram_quantile` gives the highest finite bound when the quantile lies above it.
    """
    top = ask.top * signal.scale
    hit = {
        key.service for key, values in columns if int(np.count_nonzero(values == top)) >= _SATURATED_POINTS
    }  # fmt: skip
    if not hit:
        return []
    what = f"{ask.name} above {top:g} {signal.unit or unit_of(ask.metric)}".rstrip()
    why = f"the histogram's top bucket ends there, so it is at least that for {', '.join(sorted(hit))}"
    return [Gap(NAME, what, why)]
