"""One change's score: a sum of reasons, each of which can be printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rca.changes.diff import split_words
from rca.changes.elsewhere import FLOOR
from rca.changes.evidence import Direct, Speech, direct, words_in_common
from rca.changes.facts import Facts
from rca.changes.findings import Content
from rca.changes.link import Candidate, Reach, fewer_replicas, flag_of
from rca.changes.symptoms import match
from rca.changes.timing import Timing, timing
from rca.changes.vocabulary import Vocabulary

Part = tuple[float, str]

NEUTRAL = 0.42
"""A potency from which on a change is thought able to do harm."""
REACH = {Reach.DIRECT: 0.0, Reach.CARRIED: -0.4, Reach.SHARED: -0.6, Reach.UNDEPLOYED: -2.2, Reach.EVENT: 0.0}

_HOW = {
    Reach.DIRECT: "deployed by itself",
    Reach.CARRIED: "carried by a later deploy",
    Reach.SHARED: "shared code, carried by a later deploy",
    Reach.UNDEPLOYED: "no deploy of it is known",
    Reach.EVENT: "on record",
}
_INERT = -3.0
_SLOPE = 3.2
_FITS, _MISFIT, _FITTING = 1.0, -0.6, 0.35
_LITTLE, _UNNAMED, _DOUBT = 0.3, FLOOR - 0.05, 0.3
_SOMETHING, _POSSIBLE = 0.27, 0.02
"""A potency from which on code or settings do something else than before, though no rule knows harm of it; and by
how much such a change may exceed what any has to. Chosen on diffs as they were judged before their rules were
written: between this and `NEUTRAL` lay a quarter of the harmful ones and a tenth of their twins (docs/changes.md).
"""
_PLAIN_PLACE, _PLAIN_SECONDS, _PLAIN_TIME = 0.3, 20 * 60.0, -0.2
_UNSEEN = -0.6
_RESTARTED = -1.0
_UNSEEN_ROLLOUT = -0.25  # another version does harm more often than a switch, and not always at once
_WORDS_OF_EVENT = 0.5
_NAMELESS, _LOOKS = -0.5, -0.9
_AT_LEAST = 15.0
_FAILS, _NEAR_ENOUGH = 0.5, -0.3  # of a change that brought or took away what the errors hold
_COINCIDENCE, _EVIDENT = -0.9, 0.8
_FINDINGS = 6
_DELAYED_FINDINGS = 3
_EVENT_KINDS = {
    "config": ("flag", 0.47),
    "deploy": ("rollout", 0.45),
    "restart": ("restarted", 0.3),
    "other": ("rollout", 0.35),
}
_SCALED = {True: ("scaled_down", 0.66), False: ("replicas_more", 0.12), None: ("replicas_more", 0.18)}
_AUTOSCALERS = ("autoscal", "hpa", "keda", "horizontalpod", "vpa", "karpenter")
_BY_AUTOSCALER = 0.6


@dataclass(frozen=True, slots=True)
class Incident:
    """What every change is held against.

    Attributes:
        shown: Symptoms with their strength, as a change to each of the services can show.
        speech: What the incident says.
        counts: In how many of the judged changes each word occurs.
        judged: How many were judged.
    """

    facts: Facts
    vocabulary: Vocabulary
    shown: Mapping[str, Mapping[str, float]]
    speech: Speech
    counts: Mapping[str, int]
    judged: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What adds up to a change's score.

    Attributes:
        tied: More than its time and place speaks for it: the errors name what it changed, or show what only a
            change of its kind does.
    """

    parts: tuple[Part, ...]
    tied: bool

    @property
    def score(self) -> float:
        """All of it."""
        return round(sum(score for score, _ in self.parts), 4)

    def explained_away(self, by: float, what: str) -> "Sum":
        """The same where something else is evident: a coincidence in time and place is then likely.

        Args:
            by: The other cause's score.
            what: What it is called.
        """
        share = min(1.0, (by - FLOOR) / _EVIDENT)
        if self.tied or share <= 0:
            return self
        part = (round(_COINCIDENCE * share, 3), f"nothing ties it to what is evident ({what})")
        return replace(self, parts=(*self.parts, part))


def parts_of(candidate: Candidate, content: Content | None, where: Part, incident: Incident) -> Sum:
    """What adds up to a change's score.

    Args:
        candidate: The change, and how it reached production.
        content: What its diff can do; None for an event without a commit.
        where: The score of whom it can touch.
        incident: What it is held against.
    """
    tied = False
    delayed, loaded = _lateness(content, incident.vocabulary)
    when = timing(candidate.at, candidate.service, incident.facts, delayed=delayed, loaded=loaded)
    parts = [(REACH[candidate.reach], _HOW[candidate.reach]), where, (when.score, when.why)]
    if content is None:
        more, tied = _by_event(candidate, when, incident, parts)
        parts += more
    elif content.inert:
        parts.append((_INERT, content.why))
    elif not content.known:
        parts.append((_SLOPE * (content.potency - NEUTRAL), content.why))
        if not (when.at_once and candidate.reach is Reach.DIRECT):
            parts.append((_UNSEEN, "nothing ties it to what is seen"))
    else:
        said = direct(content, incident.speech, incident.facts)
        if said.value:
            content = replace(content, potency=max(content.potency, _FAILS))
            parts.append((max(0.0, _NEAR_ENOUGH - where[0]), "what it brought or took away arrives there"))
        more, specific = _by_content(content, incident, incident.shown[candidate.service])
        tied = specific or (bool(said.reasons) and content.potency > NEUTRAL)
        parts += more + _by_words(content, said, incident)
        parts += _doubt(parts, content, plain=_is_plain(candidate, where[0], when, incident.facts))
    return Sum(tuple((round(score, 3), why) for score, why in parts if round(score, 2) != 0), tied)


def _lateness(content: Content | None, vocabulary: Vocabulary) -> tuple[bool, bool]:
    """Whether a change's effect may begin long after it, and whether it waits for more to come in."""
    if content is None:
        return False, False
    potent = [finding.kind for finding in content.findings[:_DELAYED_FINDINGS] if finding.potency > NEUTRAL]
    kinds = [vocabulary.kinds[kind] for kind in potent if kind in vocabulary.kinds]
    return any(kind.delayed for kind in kinds), any(kind.loaded for kind in kinds)


def _by_content(content: Content, incident: Incident, shown: Mapping[str, float]) -> tuple[list[Part], bool]:
    """What the diff can do, only as far as that is what is seen; and whether that is telling."""
    power = _SLOPE * (content.potency - NEUTRAL)
    if power <= 0:
        told = "no harm is known of it" if content.potency >= _SOMETHING else "little harm in it"
        return [(power, f"{told}: {content.why}")], False
    specific = False
    fit, why = 0.0, content.why
    names: tuple[str, ...] = ()
    for finding in content.findings[:_FINDINGS]:
        value, symptoms = match(finding.kind, shown, incident.vocabulary)
        value *= min(1.0, finding.potency / content.potency)
        if value > fit:
            fit, names, why = value, symptoms, finding.why
            known = incident.vocabulary.kinds.get(finding.kind)
            specific = known is not None and not known.generic and fit >= _FITTING
    shows = (_FITS * fit, f"such a change can show as {', '.join(names)}")
    otherwise = (_MISFIT * (1 - fit), "such a change would show in other ways")
    return [(power * fit, why), shows if fit >= _FITTING else otherwise], specific


def _by_words(content: Content, said: Direct, incident: Incident) -> list[Part]:
    parts: list[Part] = []
    if said.reasons:
        parts.append((said.score * min(1.0, 0.4 + content.potency), "; ".join(said.reasons)))
    score, common = words_in_common(content.text, incident.speech, incident.counts, incident.judged)
    if common:
        told = f"words in common with what is new: {', '.join(common)}"
        parts.append((score * min(1.0, 0.3 + content.potency), told))
    return parts


def _is_plain(candidate: Candidate, where: float, when: Timing, facts: Facts) -> bool:
    """Whether time and place are as plain as they can be: then a change may be named that nobody knows harm of."""
    lead = (facts.onset or 0.0) - candidate.at
    deployed = candidate.reach in {Reach.DIRECT, Reach.CARRIED}
    return deployed and where >= _PLAIN_PLACE and lead <= _PLAIN_SECONDS and when.score > _PLAIN_TIME


def _doubt(parts: list[Part], content: Content, *, plain: bool) -> list[Part]:
    """A change that isn't thought able to do harm isn't named for its time and place alone.

    One that does something else than before, though no rule says what harm is in that, is named as possible where
    time and place are plain and nothing likelier is known; so is one that does harm of which nothing is seen.
    """
    so_far = sum(score for score, _ in parts)
    possible = FLOOR + _POSSIBLE + min(content.potency, NEUTRAL) - _SOMETHING
    if content.potency >= NEUTRAL:
        told = "it can do harm, there and then, if not of a kind that is known of it"
        return [(possible - so_far, told)] if plain and so_far < possible else []
    if plain and content.potency >= _SOMETHING:
        told = "all that is known is that it does something else than before, there and then"
        return [(min(0.0, possible - so_far), told)]
    held = _UNNAMED - so_far
    if content.potency < _LITTLE:
        return [(min(0.0, held), "time and place alone don't make it the cause")]
    doubt = -_DOUBT - 2 * (NEUTRAL - content.potency)
    return [
        (min(doubt, held), "what it changes seldom does harm, and time and place alone don't make it the cause")
    ]


def _by_event(
    candidate: Candidate, when: Timing, incident: Incident, so_far: Sequence[Part]
) -> tuple[list[Part], bool]:
    """A change of which no content is on record; and whether words tie it to what is seen."""
    kind, potency, told = _event_kind(candidate)
    fit, _ = match(kind, incident.shown[candidate.service], incident.vocabulary)
    power = _SLOPE * (potency - NEUTRAL)
    parts = [(power * fit if power > 0 else power, told)]
    if not when.at_once:
        parts.append((_UNSEEN_ROLLOUT if kind == "rollout" else _UNSEEN, "nothing departs when it happens"))
    common: tuple[str, ...] = ()
    if candidate.event is not None:
        named = f"{flag_of(candidate.event)} {candidate.event.title}"
        score, common = words_in_common(named, incident.speech, incident.counts, incident.judged)
        if common:
            parts.append((min(score, _WORDS_OF_EVENT), f"words in common: {', '.join(common)}"))
    held = _UNNAMED - sum(score for score, _ in (*so_far, *parts))
    if candidate.kind == "restart":
        parts.append((min(_RESTARTED, held), "by itself it changes nothing"))
    if kind == "flag" and not common:
        looks = _about_looks(candidate, incident.vocabulary)
        told = "by its name it is about how something looks" if looks else "nothing tells what the switch does"
        doubt = _LOOKS if looks else _NAMELESS
        parts.append((doubt if _in_the_very_step(candidate, incident.facts) else min(doubt, held), told))
    return parts, len(common) > 1 or kind == "scaled_down"


def _in_the_very_step(candidate: Candidate, facts: Facts) -> bool:
    """Whether the service that was changed failed first, and within a point of its series."""
    lead = (facts.onset or 0.0) - candidate.at
    return candidate.service == facts.first_failing and lead <= max(facts.step, _AT_LEAST)


def _about_looks(candidate: Candidate, vocabulary: Vocabulary) -> bool:
    named = split_words(flag_of(candidate.event)) if candidate.event is not None else ""
    return any(setting.looks and setting.words.search(named) for setting in vocabulary.settings)


def _event_kind(candidate: Candidate) -> tuple[str, float, str]:
    event = candidate.event
    if candidate.kind == "scale" and event is not None:
        down = fewer_replicas(event)
        kind, potency = _SCALED[down]
        told = "fewer replicas" if down else "a scaling, no new version"
        said = f"{event.title} {event.details.get('actor', '')}".lower()
        if any(word in said for word in _AUTOSCALERS):
            return kind, potency * _BY_AUTOSCALER, f"{told}, by the autoscaler: a reaction rather than a cause"
        return kind, potency, told
    kind, potency = _EVENT_KINDS.get(candidate.kind, _EVENT_KINDS["other"])
    if candidate.kind == "restart":
        return kind, potency, "a restart is a symptom more often than a cause"
    return kind, potency, "what it changed isn't on record"
