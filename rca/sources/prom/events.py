"""Changes of state that series show: rollouts, changed images, restarts, kills for lack of memory, scaling."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np

from rca.model.incident import Event, Gap
from rca.model.signals import FloatArray
from rca.sources.prom.assemble import points
from rca.sources.prom.client import Answer
from rca.sources.prom.packs import EventRule, Rule
from rca.sources.prom.plan import NAME, Ask, Plan
from rca.sources.prom.work import Grid

MAX_EVENTS = 50  # of one rule and service
_SAME_SECONDS = 5.0  # a start that is told as now less the uptime moves by a second or two
_STATES = frozenset({Rule.APPEARS, Rule.CHANGES})  # one value became another
_Change = tuple[float, str, str]  # when (unix seconds), the old value, the new one


def events(
    ask: Ask, rule: EventRule, answer: Answer, plan: Plan, query: str
) -> tuple[tuple[Event, ...], tuple[Gap, ...]]:
    """The events of one rule, by time; those of one service at one point are one event.

    Args:
        ask: What was asked.
        rule: Its event rule.
        answer: The range query's series.
        plan: The grid, the names and the owners.
        query: What was asked, for the details.
    """
    grid = plan.grid
    changes: dict[str, dict[tuple[float, str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for (service, _), series in sorted(_groups(ask, rule, answer, plan).items()):
        for at, old, new, subject in _changes(rule, series, grid):
            changes[service][at, old, new].append(subject)
    found: list[Event] = []
    gaps: list[Gap] = []
    for service, marks in sorted(changes.items()):
        ordered = sorted(marks)
        if len(ordered) > MAX_EVENTS:
            gaps.append(
                Gap(
                    NAME,
                    f"{len(ordered) - MAX_EVENTS} events of {service} ({rule.name})",
                    "only the first were kept",
                )
            )
        for at, old, new in ordered[:MAX_EVENTS]:
            subjects = sorted(set(marks[at, old, new]) - {""})
            details = {"rule": rule.name, "count": len(marks[at, old, new]), "query": query}
            if subjects:
                details["of"] = subjects[:10]
            if rule.rule in _STATES:
                details |= {"from": _number(old), "to": _number(new)}
            title = rule.title.format(service=service, old=old, new=new)
            found.append(Event(datetime.fromtimestamp(at, UTC), rule.event, service, title, details))
    return tuple(found), tuple(gaps)


def _number(text: str) -> str | float:
    """A number where it is one, so that more can be told from fewer."""
    try:
        return float(text)
    except ValueError:
        return text


def _groups(
    ask: Ask, rule: EventRule, answer: Answer, plan: Plan
) -> dict[tuple[str, str], dict[str, dict[str, FloatArray]]]:
    """Series by service and remaining labels (the container), then by subject, then by replica."""
    groups: dict[tuple[str, str], dict[str, dict[str, FloatArray]]] = defaultdict(lambda: defaultdict(dict))
    used = {*ask.labels.by, rule.subject}
    for row in answer.series:
        labels: Mapping[str, str] = row["metric"]
        who = ask.labels.identify(labels, plan.owners)
        if who is None or ask.labels.identity(labels) in ask.watchers:
            continue
        rest = ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in used)
        group = groups[plan.names.of(*who), rest]
        replica = labels.get(ask.labels.service if not ask.labels.replica_label else ask.labels.replica_label, "")
        known = group[labels.get(rule.subject, "")]
        values = points(row["values"], plan.grid)
        known[replica] = np.fmax(known[replica], values) if replica in known else values
    return groups


def _changes(
    rule: EventRule, series: Mapping[str, Mapping[str, FloatArray]], grid: Grid
) -> Iterator[tuple[float, str, str, str]]:
    """When, the old value, the new value, and which replica."""
    if rule.rule is Rule.APPEARS:
        present = {
            subject: np.any([np.isfinite(values) for values in replicas.values()], axis=0)
            for subject, replicas in series.items()
        }
        for at, old, new in _appearances(present, grid):
            yield at, old, new, ""
        return
    for subject, replicas in sorted(series.items()):
        for replica, values in sorted(replicas.items()):
            for at, old, new in _marks(rule.rule, values, grid):
                yield at, old, subject or new, replica


def _appearances(
    present: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]], grid: Grid
) -> Iterator[_Change]:
    """A value that begins when another one was there just before, and that was not there at all until then."""
    for new in sorted(present):
        begin = int(np.argmax(present[new]))
        before = [other for other in sorted(present) if other != new and begin > 0 and present[other][begin - 1]]
        if before:
            yield float(grid.times[begin]), before[0], new


def _marks(rule: Rule, values: FloatArray, grid: Grid) -> Iterator[_Change]:
    """The changes in one series."""
    if rule is Rule.CREATED:
        times = np.unique(values[np.isfinite(values)])
        inside = times[(times >= grid.first) & (times < grid.last + grid.step)]
        apart = np.diff(inside, prepend=-np.inf) > _SAME_SECONDS
        yield from ((float(np.floor(at)), "", "") for at in inside[apart])
        return
    if rule is Rule.STARTS:
        on = np.nan_to_num(values, nan=0.0) > 0
        starts = np.flatnonzero(on[1:] & ~on[:-1]) + 1
        yield from ((float(grid.times[index]), "", "") for index in starts)
        return
    where = np.flatnonzero(np.isfinite(values))
    steps = np.diff(values[where])
    changed = steps > 0 if rule is Rule.RISES else steps != 0
    for position in np.flatnonzero(changed):
        old, new = values[where[position]], values[where[position + 1]]
        yield float(grid.times[where[position + 1]]), f"{old:g}", f"{new:g}"
