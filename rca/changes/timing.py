"""Whether the anomalies' shape in time fits a change."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rca.changes.facts import Anomaly, Facts
from rca.model.signals import Kind
from topology.propagate import caller_distances

_BEFORE, _AFTER = 1.0, 3.0  # steps within which something that departs is taken to go with the change
_EXONERATED = 3.0
_OLD_SECONDS = 45 * 60
_LATE_SECONDS = 20 * 60
_AT_ONCE_SECONDS = 180.0
_TELLING, _PLAIN = 4.0, 8.0
_ROOM_FILLED = 0.2
_QUIET = frozenset({Kind.TRAFFIC})
_MORE = 1.2
"""Times its calm level that comes in, from which on a change that left less room may wait for it."""
_REACTION = re.compile(r"replica|(?:^|_)pods?(?:_|$)|desired|autoscal|hpa", re.IGNORECASE)
"""Series of how many run: an autoscaler's, which follows what comes in."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a change's time fits.

    Attributes:
        score: To be added.
        why: In plain words.
        at_once: Something departs right at it.
    """

    score: float
    why: str
    at_once: bool = False


def timing(at: float, service: str, facts: Facts, *, delayed: bool, loaded: bool = False) -> Timing:
    """Weigh when a change took effect against when things departed.

    Args:
        at: When it took effect, unix seconds.
        service: Where.
        facts: The incident.
        delayed: Its effect may begin long after it.
        loaded: It left less room: its effect begins when more comes in.
    """
    onset = facts.onset
    if onset is None:
        return Timing(0.0, why="when it began isn't known")
    step = max(facts.step, 30.0)
    lead = onset - at
    if lead < -_BEFORE * step:
        return Timing(-6.0, why=f"it came {_span(-lead)} after the harm began")
    if loaded and (more := _more_since(at, service, facts)) is not None:
        told = f"{more.metric} of {more.service} has risen x{more.ratio:.1f} since, which it leaves less room for"
        return Timing(_ROOM_FILLED, why=told)
    mine = [a for a in facts.anomalies if a.strength >= _TELLING and a.service in {service, facts.first_failing}]
    score, reasons = 0.0, []
    earlier = _moved_before(at, mine, step)
    at_once = earlier is None and _departs_at_once(at, _begins(mine, facts, service), step)
    if earlier is not None:
        score -= 1.8
        reasons.append(f"{earlier.metric} of {earlier.service} moved {_span(at - earlier.began)} before it")
    elif at_once:
        score += 0.7
        reasons.append("something departs from normal right then")
    ramp = next((a for a in mine if a.ramp and -2 * step <= a.began - at <= max(10 * step, 0.15 * lead)), None)
    exact = next((a for a in facts.anomalies if lead > _LATE_SECONDS and _grows_from(a, at, step)), None)
    ramp, delayed = ramp or exact, delayed or exact is not None
    grows = delayed and ramp is not None
    if grows and ramp is not None and earlier is None:
        score += 0.9
        reasons.append(f"{ramp.metric} grows from it on")
    score -= _age(lead, delayed=delayed, grows=grows)
    if not delayed and not at_once and lead > _LATE_SECONDS:
        score -= min(1.0, 0.4 * (lead - _LATE_SECONDS) / _LATE_SECONDS)
        reasons.append("it would have shown sooner")
    why = " and ".join(reasons) or f"it came {_span(lead)} before the harm began"
    return Timing(score, why=why, at_once=at_once)


def _departs_at_once(at: float, begins: Iterable[float], step: float) -> bool:
    return any(-_BEFORE * step <= begin - at <= max(_AFTER * step, _AT_ONCE_SECONDS) for begin in begins)


def _age(lead: float, *, delayed: bool, grows: bool) -> float:
    """What is taken from a change that is older than its effect: by the hour, less where it may work late.

    Nothing where something has grown ever since; little within the first three quarters of an hour.
    """
    if lead > _OLD_SECONDS and not grows:
        return min(1.2, (0.15 if delayed else 0.4) * (lead - _OLD_SECONDS) / 3600)
    return 0.0 if delayed else 0.1 * min(lead, _OLD_SECONDS) / _OLD_SECONDS


def _more_since(at: float, service: str, facts: Facts) -> Anomaly | None:
    """What comes in to a service, to what failed first or to their callers, where it still rose after a change."""
    graph, names = facts.graph, {service, facts.first_failing}
    names |= {caller for name in sorted(names) if name in graph for caller in caller_distances(graph, name)}
    more = [
        a
        for a in facts.anomalies
        if a.kind in _QUIET and a.up and a.service in names and a.ratio >= _MORE and (a.ramp or a.began > at)
    ]
    later = (facts.onset or at) - at > _AT_ONCE_SECONDS
    return max(more, key=lambda a: (a.strength, a.service, a.metric), default=None) if later else None


def _grows_from(anomaly: Anomaly, at: float, step: float) -> bool:
    """Whether something, wherever it is measured, grows plainly from a change on: to the very point."""
    plain = anomaly.ramp and anomaly.kind not in _QUIET and anomaly.strength >= _PLAIN
    return plain and -step <= anomaly.began - at <= _AFTER * step


def _begins(anomalies: Iterable[Anomaly], facts: Facts, service: str) -> list[float]:
    mine = [
        a for a in anomalies if not (a.kind in _QUIET and a.service == service)
    ]  # what comes in isn't its doing
    begins = [a.began for a in mine] + [a.at for a in mine]
    begins += [line.first for line in facts.lines if line.service == service]
    return [*begins, *([facts.onset] if facts.onset is not None and service == facts.first_failing else [])]


def _moved_before(at: float, anomalies: Iterable[Anomaly], step: float) -> Anomaly | None:
    """The strongest anomaly, other than of traffic, that had begun before a change."""
    before = [
        a
        for a in anomalies
        if a.kind not in _QUIET and not _REACTION.search(a.metric) and a.began < at - _EXONERATED * step
    ]
    return max(before, key=lambda a: (a.strength, a.service, a.metric), default=None)


def _span(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004 - then minutes are easier to read
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
