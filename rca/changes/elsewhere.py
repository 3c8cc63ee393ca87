"""When no change did it: what it looks like instead, scored like the changes."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rca.changes.diff import bare
from rca.changes.facts import Anomaly, Facts, NewLines
from rca.changes.origin import accusers
from rca.changes.vocabulary import Hypothesis, Vocabulary
from rca.model.signals import Kind
from rca.model.words import percent
from topology.propagate import caller_distances

FLOOR = 0.4
"""What "none of the known changes explains it" scores: a change that scores less isn't named."""

_START = -1.0
_WARNING, _AN_ERROR = 0.4, 0.5
_A_THIRD_MORE = 1.3
_MANY, _MOST, _LONG_ID = 4, 0.6, 3
_LONG_STEPS = 10
_TOGETHER_STEPS, _STRONG = 6, 8.0
_TWICE = 2.0
_MADE_INSIDE = -1.0
_WAITED, _PER_DOUBLING, _MOST_WAITED = 1.8, 0.4, 2.8
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|cloud|co|app|ai|eu|us|de|uk)\b", re.IGNORECASE)
_URL = re.compile(r"\bhttps?://((?:[a-z0-9-]+\.)+[a-z]{2,})", re.IGNORECASE)
_INSIDE = re.compile(r"\.(?:internal|local|localdomain|svc|cluster|lan|corp|intra|consul)$", re.IGNORECASE)
_SERVER_ERROR = re.compile(r"\b50[0-4]\b")
_HOSTLIKE = re.compile(r"(^|[_.-])(node|host|machine|vm|instance)([_.-]|$)", re.IGNORECASE)
_ID = re.compile(
    r"\b[a-z_]*(?:id|key|sku|uuid|no|number|offset|partition|account|tenant|customer|user|order|record|message)[a-z_]*"
    r"[=:# ]+[\"']?([\w-]*\d[\w-]*)",
    re.IGNORECASE,
)
_OF_MACHINES = frozenset({Kind.CPU, Kind.MEMORY, Kind.DISK, Kind.SATURATION, Kind.NETWORK})
_FOLLOWS = frozenset({Kind.LATENCY, Kind.ERRORS, Kind.AVAILABILITY, Kind.SATURATION, Kind.QUEUE})
_FILLS = frozenset({Kind.DISK, Kind.SATURATION, Kind.MEMORY})
_OF_ANOTHER = 0.8
_BUSY = frozenset({Kind.CPU, Kind.TRAFFIC})
_GROWS = _FILLS | {Kind.QUEUE, Kind.OTHER}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A cause that is none of the changes.

    Attributes:
        kind: As in `rca.model.report.Trigger`.
        reasons: What its score is made of.
        at: Since when, unix seconds, where that shows.
    """

    kind: str
    service: str
    score: float
    why: str
    reasons: tuple[str, ...]
    at: float | None = None


class _Sum:
    """A score with the reasons that make it."""

    def __init__(self) -> None:
        self.score = _START
        self.reasons: list[str] = []

    def add(self, value: float, why: str) -> None:
        self.score += value
        self.reasons.append(f"{value:+.2f} {why}")


def hypotheses(facts: Facts, vocabulary: Vocabulary, first_change: float | None) -> tuple[Elsewhere, ...]:
    """Everything else that it may be, the floor included, best first.

    Args:
        facts: The incident.
        vocabulary: How each of them sounds.
        first_change: When the earliest change within reach took effect, unix seconds; None without any.
    """
    words = vocabulary.elsewhere
    found = [
        _external(facts, words),
        _traffic(facts, words),
        _node(facts, words),
        _poison(facts, words),
        _dependency(facts),
        _between(facts),
        _growth(facts, first_change),
        *(_by_words(facts, hypothesis) for hypothesis in vocabulary.hypotheses),
    ]
    made = [item for item in found if item is not None and item.score > _START]
    floor = ("what any change has to exceed",)
    made.append(Elsewhere("unknown", facts.first_failing, FLOOR, "None of the known changes explains it", floor))
    return tuple(sorted(made, key=lambda item: (-item.score, item.kind)))


def _trouble(facts: Facts) -> list[NewLines]:
    return [line for line in facts.lines if line.level >= _WARNING]


def _own(facts: Facts) -> list[NewLines]:
    return [line for line in _trouble(facts) if line.service == facts.first_failing]


def _share(lines: Sequence[NewLines], fits: Callable[[NewLines], bool]) -> float:
    total = sum(line.count for line in lines)
    return sum(line.count for line in lines if fits(line)) / total if total else 0.0


def _external(facts: Facts, words: dict[str, re.Pattern[str]]) -> Elsewhere | None:
    """Its own errors are another's failures: server errors of one outside host."""
    total = _Sum()
    known = _Known(facts)

    def outside(line: NewLines) -> bool:
        hosts = [host for host in _hosts(line.text) if not known.has(host)]
        theirs = words["their_fault"].search(line.text) and (words["providers"].search(line.text) or hosts)
        ours = words["our_fault"].search(line.text) and not _SERVER_ERROR.search(line.text)
        return bool(theirs) and not ours and line.accused not in facts.services

    errors = [line for line in _own(facts) if line.level >= _AN_ERROR]
    share = _share(errors or _own(facts), outside)
    if share > 0:
        total.add(1.8 * share, f"{percent(share)} of its new lines are failures of something outside")
    peers = {span.peer for span in facts.spans if span.deepest and span.peer and not known.has(span.peer)}
    if peers:
        total.add(1.2, f"the deepest failing span calls {min(peers)}")
    callers = {line.service for line in _trouble(facts) if outside(line)}
    if share > 0 and len(callers) > 1:
        total.add(0.8, f"{len(callers)} services fail at it alike")
    if not total.reasons:
        return None
    hosts = Counter(host.lower() for line in _trouble(facts) for host in _hosts(line.text) if not known.has(host))
    name = hosts.most_common(1)[0][0] if hosts else min(peers, default="something outside")
    why = f"a third party: calls to {name} fail"
    return Elsewhere("external", facts.first_failing, total.score, why, tuple(total.reasons))


def _hosts(text: str) -> list[str]:
    """Names of hosts in a text that may be outside ones: by their end, or because a URL calls them."""
    called = (host for host in _URL.findall(text) if not _INSIDE.search(host))
    return sorted({*_HOST.findall(text), *called})


class _Known:
    """The services of the system, by which a host is told from an outside one."""

    def __init__(self, facts: Facts) -> None:
        names = (*facts.services, *(node.name for node in facts.graph.nodes()))
        self._names = {bare(name) for name in names}

    def has(self, host: str) -> bool:
        return bare(host.split(".", maxsplit=1)[0]) in self._names


def _traffic(facts: Facts, words: dict[str, re.Pattern[str]]) -> Elsewhere | None:
    """More came in first, and the rest followed."""
    ups = [a for a in facts.anomalies if a.kind is Kind.TRAFFIC and a.up and a.ratio >= _A_THIRD_MORE]
    if not ups or not _reaches({a.service for a in ups}, facts):
        return None
    total = _Sum()
    first = min(ups, key=lambda a: (a.at, a.service, a.metric))
    if calm := _steady_callers(first.service, {a.service for a in ups}, facts):
        total.add(_MADE_INSIDE, f"what comes in to {calm}, from where it comes, is as before: it is made inside")
    followed = [a.at for a in facts.anomalies if a.kind in _FOLLOWS]
    if first.at <= min(followed, default=facts.onset or first.at) + facts.step / 2:
        gain = min(1.3, 0.5 + 0.5 * (max(a.ratio for a in ups) - 1))
        total.add(gain, f"{first.metric} of {first.service} rose x{first.ratio:.1f} before the rest")
    risen = {a.service for a in ups}
    if len(risen) > 1:
        total.add(0.5, f"it rose at {len(risen)} services")
    if first.service in facts.graph and not facts.graph.callers(first.service):
        total.add(0.4, f"{first.service} is where requests come in")
    if any(words["surge"].search(line.text) for line in _trouble(facts)):
        total.add(0.5, "lines tell of too much load")
    why = f"a surge: {first.metric} of {first.service} rose first"
    return Elsewhere("traffic", first.service, total.score, why, tuple(total.reasons), first.at)


def _steady_callers(service: str, risen: set[str], facts: Facts) -> str:
    """A service at the beginning of all ways to one, to which no more comes in than before; or empty."""
    if service not in facts.graph:
        return ""
    above = caller_distances(facts.graph, service)
    begins = [name for name in sorted(above) if name != service and not facts.graph.callers(name)]
    return begins[0] if begins and all(name in facts.steady and name not in risen for name in begins) else ""


def _reaches(services: set[str], facts: Facts) -> bool:
    """Whether what happens to services comes down to the one that failed first, as far as anyone knows."""
    first = facts.first_failing
    if first in services or first not in facts.graph:
        return True
    return any(name in services or name not in facts.graph for name in caller_distances(facts.graph, first))


def _node(facts: Facts, words: dict[str, re.Pattern[str]]) -> Elsewhere | None:
    """The machine below: co-located services, the platform's own lines, the node's own series."""
    total = _Sum()
    node = words["node"]
    said = [line for line in facts.lines if node.search(line.text)]
    platform = [line for line in said if words["platform"].search(line.service)]
    if platform:
        total.add(1.3, f"{platform[0].service} says so: {cut(platform[0].text)}")
    elif said:
        share = max(_share(_trouble(facts), lambda line: bool(node.search(line.text))), 0.3)
        total.add(1.2 * share, f"lines speak of the machine: {cut(said[0].text)}")
    early = [
        a
        for a in facts.anomalies
        if a.kind in _OF_MACHINES
        and _HOSTLIKE.search(a.metric)
        and (facts.onset is None or a.at <= facts.onset + 2 * facts.step)
    ]
    if early:
        total.add(1.1, f"{early[0].metric} of {early[0].service} departed by then")
    if any(node.search(span.text) for span in facts.spans):
        total.add(0.4, "failing spans name it")
    host, together = _co_located(facts)
    if together:
        total.add(0.7, f"{', '.join(together[:3])} share {host} and fail, though none calls another")
    if not total.reasons:
        return None
    where = host or (early[0].service if early else facts.first_failing)
    why = "a machine: what runs on it fails, not one service"
    return Elsewhere("node", where, total.score, why, tuple(total.reasons))


def _co_located(facts: Facts) -> tuple[str, list[str]]:
    """A host whose services fail together without calling each other, and those services."""
    by_host: dict[str, set[str]] = {}
    for anomaly in facts.anomalies:
        if host := facts.hosts.get(anomaly.service):
            by_host.setdefault(host, set()).add(anomaly.service)
    hosts = set(facts.hosts.values())
    for host, services in sorted(by_host.items()):
        related = any(b in facts.graph.callees(a) for a in services for b in services)
        if len(services) > 1 and len(hosts) > 1 and not related:
            return host, sorted(services)
    return "", []


def _poison(facts: Facts, words: dict[str, re.Pattern[str]]) -> Elsewhere | None:
    """The same record in most errors."""
    lines = [line for line in _own(facts) if words["record_fault"].search(line.text)]
    count = sum(line.count for line in lines)
    ids: Counter[str] = Counter()
    for line in lines:
        for found in set(_ID.findall(line.text)):
            ids[found] += int(line.count)
    if count < _MANY or not ids:
        return None
    record, times = min(ids.items(), key=lambda item: (-item[1], item[0]))
    if times / count < _MOST or len(record) < _LONG_ID:
        return None
    total = _Sum()
    total.add(1.9, f"{percent(times / count)} of the errors name {record}")
    why = f"bad data: {record} is in most of the errors"
    return Elsewhere("data", facts.first_failing, total.score, why, tuple(total.reasons))


def _with_the_onset(facts: Facts) -> list[Anomaly]:
    """What departed far when the harm began: with the window, where nothing says when."""
    onset = facts.start if facts.onset is None else facts.onset
    return [
        a for a in facts.anomalies if abs(a.at - onset) <= _TOGETHER_STEPS * facts.step and a.strength >= _STRONG
    ]


def _dependency(facts: Facts) -> Elsewhere | None:
    """One thing that several depend on: they fail at it together, or it went away."""
    found = []
    near = _with_the_onset(facts)
    callers = accusers(near)
    for line in _trouble(facts):
        if line.accused and line.accused != line.service:
            callers.setdefault(line.accused, set()).add(line.service)
    gone = {a.service for a in near if a.kind is Kind.AVAILABILITY and not a.up}
    for name in sorted({*callers, *gone}):
        if facts.first_failing not in {name, *callers.get(name, ())}:
            continue  # what failed first doesn't fail at it
        leaf = name in facts.graph and not facts.graph.callees(name)
        at_it = sorted(callers.get(name, set()))
        total = _Sum()
        if leaf and len(at_it) > 1:
            total.add(0.6 * min(len(at_it), 4), f"{', '.join(at_it[:4])} fail at it alike, and it calls nobody")
        if leaf and name in gone:
            total.add(1.2, "it stopped being available")
        if total.reasons:
            why = f"{name}, on which {len(at_it) or 'other'} services depend, fails by itself"
            found.append(Elsewhere("dependency", name, total.score, why, tuple(total.reasons)))
    return max(found, key=lambda item: (item.score, item.service), default=None)


def _between(facts: Facts) -> Elsewhere | None:
    """A caller waits longer for a callee that is no slower by itself: what lies between them."""
    near = _with_the_onset(facts)
    slow = {a.service for a in near if a.kind in {Kind.LATENCY, Kind.ERRORS} and not a.peer}
    # One that computes, or is asked, twice as much waits for itself.
    busy = {a.service for a in near if a.kind in _BUSY and a.up and a.ratio >= _TWICE and not a.peer}
    waits = [
        a
        for a in near
        if a.kind is Kind.LATENCY
        and a.up
        and a.ratio >= _TWICE
        and a.peer
        and a.peer not in slow
        and a.service not in busy
        and facts.first_failing in {a.service, a.peer}
    ]
    if not waits:
        return None
    one = max(waits, key=lambda a: (a.strength, a.service, a.metric))
    total = _Sum()
    gain = min(_MOST_WAITED, _WAITED + _PER_DOUBLING * math.log2(one.ratio / _TWICE))
    total.add(gain, f"{one.service} waits x{one.ratio:.1f} as long for {one.peer}, which is no slower by itself")
    why = f"the connection of {one.service} to {one.peer}: it waits longer, and {one.peer} itself is no slower"
    return Elsewhere("network", one.service, total.score, why, tuple(total.reasons), one.at)


def _growth(facts: Facts, first_change: float | None) -> Elsewhere | None:
    """A long ramp that began before every change."""
    ramps = [
        a
        for a in facts.anomalies
        if a.ramp
        and a.up
        and a.kind in _GROWS
        and a.service == facts.first_failing
        and (facts.onset or a.at) - a.began >= _LONG_STEPS * facts.step
        and (first_change is None or a.began < first_change - 2 * facts.step)
    ]
    if not ramps:
        return None
    one = max(ramps, key=lambda a: (a.strength, a.metric))
    total = _Sum()
    total.add(1.6 if one.kind in _FILLS else 1.0, f"{one.metric} had been growing before any change")
    why = f"growth to a limit: {one.metric} of {one.service} rose for long"
    return Elsewhere("capacity", one.service, total.score, why, tuple(total.reasons), one.began)


def _by_words(facts: Facts, hypothesis: Hypothesis) -> Elsewhere | None:
    def says(line: NewLines) -> bool:
        return hypothesis.patterns.search(line.text) is not None

    lines = list(facts.lines) if hypothesis.calm else _trouble(facts)
    said = [line for line in lines if says(line)]
    if not said:
        return None
    total = _Sum()
    share = max(
        _share(_own(facts) or lines, says),
        0.5 * _share(lines, says),
        _OF_ANOTHER * _share_of_one(facts, says),
        hypothesis.least,
    )
    total.add(hypothesis.gain * share, f"{percent(share)} of the new lines speak of {hypothesis.what}")
    if any(facts.onset is None or line.first <= facts.onset + 2 * facts.step for line in said):
        total.add(0.3, "they are among the first")
    if len({line.service for line in said}) > 1:
        total.add(0.4, "more than one service says so")
    why = f"it looks like {hypothesis.what}: {cut(said[0].text)}"
    return Elsewhere(hypothesis.kind, facts.first_failing, total.score, why, tuple(total.reasons))


def _share_of_one(facts: Facts, says: Callable[[NewLines], bool]) -> float:
    """The largest share that any one service's trouble has, of those that were among the first to tell of any."""
    latest = (facts.onset if facts.onset is not None else facts.end) + facts.step
    early = {line.service for line in _trouble(facts) if line.first <= latest}
    return max(
        (_share([line for line in _trouble(facts) if line.service == name], says) for name in early), default=0.0
    )


def cut(text: str, most: int = 90) -> str:
    """A text on one line, shortened."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
