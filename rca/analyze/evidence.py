"""What speaks against each service, in plain words, with its numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from rca.analyze.ranking import Ranked, departure
from rca.detect.silence import stopped
from rca.model.report import Evidence, EvidenceKind
from rca.model.scores import CHANNELS, Channel, Side
from rca.model.signals import Kind, SignalKey
from rca.model.tuning import Tuning
from rca.report.present.units import number, quantity

NOTABLE = 3.0  # z from which a departure is worth a line
_MOST_POINTS = 240
_FLAT = 1.05  # ratios closer to 1 are told as differences
_HUGE = 100.0
_SHOWN_FIRST, _SHOWN_OTHERS, _DETAILED = 6, 2, 5
_NAMES = {
    Kind.ERRORS: "errors",
    Kind.TRAFFIC: "traffic",
    Kind.CPU: "CPU",
    Kind.MEMORY: "memory",
    Kind.RESTARTS: "restarts",
    Kind.AVAILABILITY: "availability",
}


_PER_MINUTE = "lines/min"  # the unit of how often a log line comes
_UNIT_OF_FULL = {1.0: "ratio", 100.0: "%"}  # of an availability without a unit, by its largest possible value
_TIMES = {"s", "seconds", "ms"}
_SEPARATORS = re.compile(r"[_:]+")


@dataclass(frozen=True, slots=True)
class Item:
    """Evidence that isn't numbered yet.

    Attributes:
        level: How far it departed, ln(1 + z).
        weight: How much it counts in its service's score.
        channel: What kind of evidence it is.
        fact: What was measured between whom, where both ends of a call are told of it; else empty.
    """

    evidence: Evidence
    level: float
    weight: float
    channel: Channel
    fact: tuple[str, ...] = ()


def of_series(ranked: Ranked, tuning: Tuning) -> dict[str, list[Item]]:
    """Each service's departed series at the likeliest onset, strongest first, one of each kind."""
    best, table = ranked.best, ranked.table
    z = ranked.series.z[best]
    found: dict[str, list[Item]] = {}
    taken: set[tuple[str, str, Channel, str | None]] = set()
    weight = np.log1p(z) * np.array([tuning.weights[CHANNELS[c]] for c in table.channels])
    for row in sorted(np.flatnonzero(z >= NOTABLE).tolist(), key=lambda i: (-weight[i], table.keys[i].column)):
        key, channel = table.keys[row], CHANNELS[table.channels[row]]
        family = (key.service, "" if channel is not Channel.OTHER else key.metric, channel, key.peer)
        if family in taken:
            continue
        taken.add(family)
        told, fact = _evidence(ranked, row, tuning), _fact(key, table.sides[row])
        item = Item(told, float(np.log1p(z[row])), float(weight[row]), channel, fact)
        found.setdefault(key.service, []).append(item)
    for service, item in _silent(ranked, tuning):
        found.setdefault(service, []).append(item)
    return found


def is_outburst(evidence: Evidence) -> bool:
    """Whether it is errors that came up, in lines or spans; not lines that are missing, late or fewer."""
    if evidence.kind is EvidenceKind.TRACE:
        return evidence.signal is Kind.ERRORS
    more = (evidence.observed or 0.0) > (evidence.baseline or 0.0)
    return evidence.kind is EvidenceKind.LOG and evidence.unit == _PER_MINUTE and more


def _fact(key: SignalKey, side: Side) -> tuple[str, ...]:
    """A call that a caller measured counts for both ends of it, and needs to be shown at one of them only."""
    if key.peer is None or side not in {Side.EDGE, Side.CALLER}:
        return ()
    ends = (key.peer, key.service) if side is Side.EDGE else (key.service, key.peer)
    return (*ends, key.kind.value)


def _silent(ranked: Ranked, tuning: Tuning) -> list[tuple[str, Item]]:
    """Services that stopped reporting, with when and how many series."""
    best, table, channel = ranked.best, ranked.table, Channel.SILENCE
    level = ranked.services.strength[best, :, CHANNELS.index(channel)]
    loud = np.flatnonzero(level >= np.log1p(NOTABLE))
    if not len(loud):
        return []
    gone = stopped(table, ranked.splits[best], tuning)
    found = []
    for place in loud.tolist():
        rows = np.flatnonzero(gone & (ranked.structure.owner == place) & ~table.derived)
        own = [row for row in rows.tolist() if table.sides[row] is Side.OWN]
        # The first of them to end: others may be repeated for a while by whoever scraped them.
        last = min((int(np.flatnonzero(~np.isnan(table.values[row]))[-1]) for row in own), default=None)
        if last is None:
            continue
        at = datetime.fromtimestamp(float(table.times[min(last + 1, len(table.times) - 1)]), UTC)
        text = f"stopped reporting at {at:%H:%M} ({len(own)} series)"
        strength = float(level[place] / np.log1p(tuning.z_cap))
        service = ranked.structure.services[place]
        item = Evidence("", EvidenceKind.METRIC, service, text, onset=at, strength=strength)
        depth = float(level[place])
        found.append((service, Item(item, depth, depth * tuning.weights[channel], channel)))
    return found


def _evidence(ranked: Ranked, row: int, tuning: Tuning) -> Evidence:
    best, table = ranked.best, ranked.table
    key = table.keys[row]
    before, after = float(ranked.series.before[best, row]), float(ranked.series.after[best, row])
    edge = table.sides[row] in {Side.EDGE, Side.CALLER} and key.peer is not None
    at = departure(ranked, best, row)
    unit = key.unit or _UNIT_OF_FULL.get(float(table.full_scale[row]), "")
    return Evidence(
        id="",
        kind=EvidenceKind.EDGE if edge else EvidenceKind.METRIC,
        service=key.service,
        text=_text(ranked, row, before, after, unit),
        query=key.query,
        baseline=before,
        observed=after,
        unit=unit,
        onset=datetime.fromtimestamp(float(table.times[at]), UTC) if at is not None else None,
        strength=float(np.log1p(ranked.series.z[best, row]) / np.log1p(tuning.z_cap)),
        signal=key.kind,
        metric=plain_metric(key),
        points=_points(ranked, row),
    )


def _text(ranked: Ranked, row: int, before: float, after: float, unit: str) -> str:
    table = ranked.table
    key, side = table.keys[row], table.sides[row]
    what = subject(key, table.quantiles[row])
    if key.instance:
        what += f" on {key.instance}"
    if side is Side.EDGE and key.peer:
        waiting = table.derived[row] and key.kind is Kind.LATENCY
        what += f" between it and {key.peer}" if waiting else f" seen by {key.peer}"
    elif side is Side.CALLER and key.peer:
        what += f" of calls to {key.peer}"
    elif side is Side.HOST:
        what = f"its host's {what}"
    unclear = " (unit unknown)" if key.kind is Kind.LATENCY and not unit else ""  # seconds or ms?
    return f"{what} {change_text(before, after, unit)}{unclear}"


def subject(key: SignalKey, quantile: str) -> str:
    """What was measured, in words; where the kind alone says too little, in those of the metric's name."""
    if key.kind is Kind.LATENCY:
        return f"p{quantile} latency" if quantile.isdecimal() else "latency"
    if key.kind in _NAMES and (key.kind is not Kind.RESTARTS or _is_restarts(key)):
        return _NAMES[key.kind]
    return " ".join(_SEPARATORS.split(plain_metric(key))).strip() or key.metric


def _is_restarts(key: SignalKey) -> bool:
    """Whether it counts restarts: of their kind are kills, crashes and the time since the last one, too."""
    return "restart" in plain_metric(key).lower() and key.unit not in _TIMES


def plain_metric(key: SignalKey) -> str:
    """A metric's name without the callee that some carry at their end."""
    return key.metric.removesuffix(f":{key.peer}").removesuffix(f":{key.service}")


def change_text(before: float, after: float, unit: str) -> str:
    """A change as a person would say it.

    >>> change_text(0.004, 0.021, "ratio")
    'x5.25, 0.4 % to 2.1 %'
    >>> change_text(0.0, 0.3, "ratio")
    'from 0 % to 30 %'
    """
    span = f"{quantity(before, unit)} to {quantity(after, unit)}"
    if before > 0 and after > 0:
        ratio = after / before
        if ratio >= _FLAT:
            return f"x{number(ratio) if ratio < _HUGE else number(round(ratio))}, {span}"
        if ratio <= 1 / _FLAT:
            return f"down {number(round(100 * (1 - ratio), 1))} %, {span}"
    return f"from {span}"


def _points(ranked: Ranked, row: int) -> tuple[tuple[float, float], ...]:
    values = ranked.table.values[row]
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > _MOST_POINTS:  # the incident in full, the baseline thinned
        start = ranked.rows[ranked.best]
        early, late = known[known < start], known[known >= start]
        late = late[:: max(1, -(-len(late) * 2 // _MOST_POINTS))]
        early = early[:: max(1, -(-len(early) // (_MOST_POINTS - len(late))))]
        known = np.concatenate([early, late])
    return tuple((float(ranked.table.times[i]), float(values[i])) for i in known)


def number_items(
    order: Sequence[str], found: dict[str, list[Item]]
) -> tuple[tuple[Evidence, ...], dict[str, list[Evidence]]]:
    """Evidence with ids `E1`, `E2`, … in the order of the suspects; the first ones in more detail.

    What a caller measured about a callee is told of the one that ranks higher.
    """
    every: list[Evidence] = []
    by_service: dict[str, list[Evidence]] = {}
    told: set[tuple[str, ...]] = set()
    for place, service in enumerate(order):
        items = sorted(found.get(service, ()), key=lambda item: -item.weight)
        fresh = [item for item in items if not item.fact or item.fact not in told]
        shown = fresh or items[:1]  # a service keeps what it was ranked by
        for item in shown[: _SHOWN_FIRST if place < _DETAILED else _SHOWN_OTHERS]:
            evidence = replace(item.evidence, id=f"E{len(every) + 1}")
            told.add(item.fact)
            every.append(evidence)
            by_service.setdefault(service, []).append(evidence)
    return tuple(every), by_service
