"""Every change weighed as what may have set the incident off, beside what else it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rca.changes.elsewhere import FLOOR, Elsewhere, hypotheses
from rca.changes.evidence import Speech, direct, document_counts, in_common, listen
from rca.changes.facts import Facts
from rca.changes.findings import Content
from rca.changes.judge import judge
from rca.changes.link import Candidate, Reach, candidates, fewer_replicas, flag_of
from rca.changes.scope import scope
from rca.changes.symptoms import match, seen
from rca.changes.timing import Timing, timing
from rca.changes.vocabulary import Vocabulary, shipped
from rca.model.incident import Commit, Event
from rca.model.report import Trigger

_REACH = {Reach.DIRECT: 0.0, Reach.CARRIED: -0.4, Reach.SHARED: -0.6, Reach.UNDEPLOYED: -2.2, Reach.EVENT: 0.0}
_HOW = {
    Reach.DIRECT: "deployed by itself",
    Reach.CARRIED: "carried by a later deploy",
    Reach.SHARED: "shared code, carried by a later deploy",
    Reach.UNDEPLOYED: "no deploy of it is known",
    Reach.EVENT: "on record",
}
_OUT, _INERT = -6.0, -3.0
_SLOPE, _NEUTRAL = 3.2, 0.42
_FITS, _MISFIT = 1.0, -0.6
_LITTLE, _UNNAMED, _DOUBT = 0.3, FLOOR - 0.05, 0.3
_UNSEEN = -0.6
_JUDGED = 60
"""Changes whose diffs are read: the likeliest by reach, scope and time."""
_MOST_BY_CONTENT = 6.5
_SHOWN = 10
_EVENT_KINDS = {
    "config": ("flag", 0.47),
    "deploy": ("rollout", 0.45),
    "restart": ("restarted", 0.3),
    "other": ("rollout", 0.35),
}
_SCALED = {True: ("scaled_down", 0.66), False: ("replicas_more", 0.2), None: ("replicas_more", 0.25)}
_AUTOSCALER = ("autoscal", "hpa", "keda", "horizontalpod", "vpa", "karpenter")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change with its score and the reasons that add up to it."""

    candidate: Candidate
    content: Content | None
    score: float
    parts: tuple[tuple[float, str], ...]

    @property
    def summary(self) -> str:
        """The two weightiest reasons for it, in one line."""
        strongest = sorted(self.parts, key=lambda part: -abs(part[0]))[:3]
        return "; ".join(why for _, why in strongest)


def weigh_changes(
    facts: Facts,
    events: Sequence[Event],
    commits: Sequence[Commit],
    *,
    vocabulary: Vocabulary | None = None,
) -> tuple[Trigger, ...]:
    """Rank what may have set an incident off.

    Args:
        facts: The incident.
        events: Deploys, configuration changes, restarts, scalings, in any order.
        commits: What was changed, in any order.
        vocabulary: The words; None for those that ship.

    Returns:
        Triggers, best first. One of kind `unknown`, `external`, `traffic`, `node`, … in front says that no known
        change explains the incident, and what it looks like instead. Empty when no onset is known.
    """
    if facts.onset is None:
        return ()
    words = vocabulary or shipped()
    weighed = weigh(facts, events, commits, words)
    reachable = [w.candidate.at for w in weighed if w.score > FLOOR - 3 and w.candidate.service]
    others = hypotheses(facts, min(reachable, default=None))
    rows = [(-w.score, 0, w.candidate.at, _commit_key(w), w) for w in weighed if w.score > _OUT / 2]
    made: list[tuple[float, Weighed | Elsewhere]] = [
        (w.score, w) for *_, w in sorted(rows, key=lambda row: row[:4])
    ]
    made += [(item.score, item) for item in others]
    made.sort(key=lambda pair: -pair[0])
    best = [pair for pair in made if _best_of_its_kind(pair[1], made)]
    return tuple(_trigger(rank, item) for rank, (_, item) in enumerate(best[:_SHOWN], start=1))


def weigh(
    facts: Facts, events: Sequence[Event], commits: Sequence[Commit], vocabulary: Vocabulary
) -> list[Weighed]:
    """Every change with its score; those out of reach unread."""
    shown = seen(facts, vocabulary)
    speech = listen(facts)
    rough = []
    for candidate in candidates(events, commits, facts.services, vocabulary):
        where, why = scope(candidate.service, facts)
        when = timing(candidate.at, candidate.service, facts, delayed=False)
        rough.append((_REACH[candidate.reach] + where + when.score, candidate, (where, why)))
    rough.sort(key=lambda row: (-row[0], row[1].at, _key(row[1])))
    near = [row for row in rough if row[0] > _OUT / 2][:_JUDGED]
    judged: dict[str, Content] = {}
    for _, candidate, _ in near:
        if candidate.commit is not None and candidate.commit.sha not in judged:
            judged[candidate.commit.sha] = judge(candidate.commit, vocabulary)
    counts = document_counts([judged[sha] for sha in sorted(judged)])
    return [
        _weigh(candidate, judged.get(candidate.commit.sha) if candidate.commit else None, where, facts, shown, speech, counts, vocabulary)
        for _, candidate, where in near
    ]  # fmt: skip


def _weigh(
    candidate: Candidate,
    content: Content | None,
    where: tuple[float, str],
    facts: Facts,
    shown: dict[str, float],
    speech: Speech,
    counts: dict[str, int],
    vocabulary: Vocabulary,
) -> Weighed:
    delayed = content is not None and any(
        f.potency > _NEUTRAL and f.kind in vocabulary.kinds and vocabulary.kinds[f.kind].delayed
        for f in content.findings[:3]
    )
    when: Timing = timing(candidate.at, candidate.service, facts, delayed=delayed)
    parts = [(_REACH[candidate.reach], _HOW[candidate.reach]), where, (when.score, when.why)]
    if content is None:
        parts += _by_event(candidate, when, shown, vocabulary)
    elif content.inert:
        parts.append((_INERT, content.why))
    else:
        parts += _by_content(candidate, when, content, shown, vocabulary)
        parts += _by_words(candidate, content, facts, speech, counts)
        parts += _doubt(parts, content)
    title = _title(candidate)
    if content is None:
        empty = Content((), 0.0, inert=False, known=False, why="", text=frozenset())
        score, common = in_common(
            empty,
            f"{flag_of(candidate.event) if candidate.event else ''} {title}",
            speech,
            counts,
            max(len(counts), 1),
        )
        if common:
            parts.append((min(score, 0.5), f"words in common: {', '.join(common)}"))
    parts = [(round(score, 3), why) for score, why in parts if why and round(score, 2) != 0 or why == when.why]
    return Weighed(candidate, content, round(sum(score for score, _ in parts), 4), tuple(parts))


def _by_content(
    candidate: Candidate, when: Timing, content: Content, shown: dict[str, float], vocabulary: Vocabulary
) -> list[tuple[float, str]]:
    if not content.known:
        parts = [(_SLOPE * (content.potency - _NEUTRAL), content.why)]
        return (
            parts
            if when.at_once and candidate.reach is Reach.DIRECT
            else [*parts, (_UNSEEN, "nothing ties it to what is seen")]
        )
    fit, names = 0.0, ()
    best_why = content.why
    for finding in content.findings[:6]:
        value, symptoms = match(finding.kind, shown, vocabulary)
        value *= min(1.0, finding.potency / max(content.potency, 0.01))
        if value > fit:
            fit, names, best_why = value, symptoms, finding.why
    power = _SLOPE * (content.potency - _NEUTRAL)
    if power <= 0:
        return [(power, f"little harm in it: {content.why}")]
    parts = [(power * fit, f"{best_why}")]
    if fit >= 0.35:  # noqa: PLR2004 - generic symptoms alone don't reach it
        parts.append((_FITS * fit, f"that can show as {', '.join(names)}"))
    else:
        parts.append((_MISFIT * (1 - fit), "that would show otherwise"))
    return parts


def _doubt(parts: Sequence[tuple[float, str]], content: Content) -> list[tuple[float, str]]:
    """A change with little harm in it isn't named for its time and place alone."""
    if not content.known or content.potency >= _NEUTRAL:
        return []
    total = sum(score for score, _ in parts)
    if content.potency < _LITTLE:
        return [(min(0.0, _UNNAMED - total), "time and place alone don't make it the cause")]
    return [(-_DOUBT - 2 * (_NEUTRAL - content.potency), "what it changes seldom does harm")]


def _by_words(
    candidate: Candidate, content: Content, facts: Facts, speech: Speech, counts: dict[str, int]
) -> list[tuple[float, str]]:
    parts = []
    score, reasons = direct(content, speech, facts)
    if score:
        parts.append((score * min(1.0, 0.4 + content.potency), "; ".join(reasons)))
    score, common = in_common(content, "", speech, counts, max(len(counts), 1))
    if common:
        parts.append(
            (score * min(1.0, 0.3 + content.potency), f"words in common with what is new: {', '.join(common)}")
        )
    return parts


def _by_event(
    candidate: Candidate, when: Timing, shown: dict[str, float], vocabulary: Vocabulary
) -> list[tuple[float, str]]:
    """A change of which no content is on record."""
    event = candidate.event
    kind, potency = _EVENT_KINDS.get(candidate.kind, ("rollout", 0.35))
    told = "what it changed isn't on record"
    if candidate.kind == "scale" and event is not None:
        down = fewer_replicas(event)
        kind, potency = _SCALED[down]
        told = "fewer replicas" if down else "a scaling, no new version"
        if any(word in f"{event.title} {event.details.get('actor', '')}".lower() for word in _AUTOSCALER):
            potency *= 0.6
            told += ", by the autoscaler: a reaction rather than a cause"
    elif candidate.kind == "restart":
        told = "a restart is a symptom more often than a cause"
    fit, _ = match(kind, shown, vocabulary)
    power = _SLOPE * (potency - _NEUTRAL)
    parts = [(power * fit if power > 0 else power, told)]
    if not when.at_once:
        parts.append((_UNSEEN, "nothing departs when it happens"))
    return parts


def _best_of_its_kind(item: Weighed | Elsewhere, made: Sequence[tuple[float, Weighed | Elsewhere]]) -> bool:
    """A commit that reached production in several ways is shown once, by its best."""
    if isinstance(item, Elsewhere):
        return True
    commit = item.candidate.commit
    if commit is None:
        return True
    for _, other in made:
        if (
            isinstance(other, Weighed)
            and other.candidate.commit is not None
            and other.candidate.commit.sha == commit.sha
        ):
            return other is item
    return True


def _trigger(rank: int, item: Weighed | Elsewhere) -> Trigger:
    if isinstance(item, Elsewhere):
        at = datetime.fromtimestamp(item.at, UTC) if item.at is not None else None
        return Trigger(rank, item.kind, item.service, at, round(item.score, 4), item.why, None, item.reasons)
    candidate = item.candidate
    commit = candidate.commit
    return Trigger(
        rank=rank,
        kind=candidate.kind,
        service=candidate.service,
        at=datetime.fromtimestamp(candidate.at, UTC),
        score=item.score,
        why=f"{_title(candidate)}: {item.summary}",
        commit=commit.sha if commit else None,
        reasons=tuple(f"{score:+.2f} {why}" for score, why in item.parts),
    )


def _title(candidate: Candidate) -> str:
    if candidate.commit is not None:
        return candidate.commit.message.splitlines()[0] if candidate.commit.message else candidate.commit.sha[:12]
    return candidate.event.title if candidate.event else candidate.kind


def _commit_key(weighed: Weighed) -> str:
    return _key(weighed.candidate)


def _key(candidate: Candidate) -> str:
    sha = candidate.commit.sha if candidate.commit else ""
    title = candidate.event.title if candidate.event else ""
    return f"{candidate.service} {candidate.kind} {sha} {title}"
