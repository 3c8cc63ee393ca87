"""A service's score taken apart: what each kind of evidence counts, what took from it, what would change that.

A score is `sum over candidate onsets of weight x factor x (best kind + rest x sum of the other kinds)`
(`rca/rank/score.py`, `rca/rank/mixture.py`); so it is a sum over kinds, exactly.
"""

from dataclasses import dataclass, replace

import numpy as np

from rca.analyze.ranking import Ranked
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.rank.score import score as score_services
from rca.rank.structure import CLASSES, SLOW

_NIL = 1e-6
_HALVINGS = 40
_SHOWN = float(np.log1p(1.0))  # less than that a service doesn't show
_IMAGINABLE = (Channel.ERRORS, Channel.LOG_FAILURE, Channel.CPU)  # evidence that a service might have shown


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of evidence counts in a service's score, over all candidate onsets.

    Attributes:
        kind: Which.
        sigmas: How far it departed: robust sigmas of a series, the equivalent for logs and spans.
        weight: What `ln(1 + sigmas)` is multiplied by.
        taken: How much of that product was taken away: explained by a callee, or beside the alert.
        counts: What is left of it in the score. These add up to the score.
    """

    kind: Channel
    sigmas: float
    weight: float
    taken: float
    counts: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A reason for which a service's score is lower than its evidence alone would make it.

    Attributes:
        why: In words.
        score: What the score would be without it, all else equal.
        rank: Where that would put the service.
    """

    why: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share of one service's symptoms that another one explains.

    Attributes:
        symptom: `slowness` or `failures`.
        service: The other one.
        share: 0 to 1, over all candidate onsets.
    """

    symptom: str
    service: str
    share: float


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one piece of evidence that would put two services level, all else equal.

    Attributes:
        service: Whose evidence.
        kind: Which.
        sigmas: What it is.
        needed: What it would have to be.
        size: How large a change that is, in `ln(1 + sigmas)`; the smallest comes first.
    """

    service: str
    kind: Channel
    sigmas: float
    needed: float
    size: float


def parts(ranked: Ranked, service: int, tuning: Tuning) -> tuple[Part, ...]:
    """The kinds of evidence that a service shows, those that count most first."""
    weights = ranked.mixed.weights
    strength = weights @ ranked.services.strength[:, service]
    kept = weights @ ranked.services.kept[:, service]
    counts = contributions(ranked, service, ranked.services.kept[:, service], tuning)
    weight = _weights(ranked, service, tuning)
    found = [
        Part(
            kind,
            float(np.expm1(strength[k])),
            float(weight[k]),
            max(0.0, float(weight[k] * strength[k] - kept[k])),
            float(counts[k]),
        )
        for k, kind in enumerate(CHANNELS)
        if strength[k] > _NIL
    ]
    return tuple(sorted(found, key=lambda part: (-part.counts, -part.sigmas, part.kind.value)))


def contributions(ranked: Ranked, service: int, kept: FloatArray, tuning: Tuning) -> FloatArray:
    """What each kind adds to the score, from what was kept of it, shape `(c, k)`; shape `(k,)`."""
    share = np.full(kept.shape, tuning.rest)
    share[np.arange(len(kept)), np.argmax(kept, axis=1)] = 1.0
    found: FloatArray = ranked.structure.factor[service] * (ranked.mixed.weights @ (kept * share))
    return found


def _weights(ranked: Ranked, service: int, tuning: Tuning) -> FloatArray:
    weight = np.array([tuning.weights[kind] for kind in CHANNELS])
    if ranked.structure.leaf[service]:
        weight[CHANNELS.index(Channel.LATENCY)] = tuning.leaf_latency
    return weight


def taken(ranked: Ranked, service: int, tuning: Tuning) -> tuple[Taken, ...]:
    """Why the score is lower than the evidence alone would make it, what costs most first."""
    plain = replace(ranked.structure, factor=np.ones_like(ranked.structure.factor))
    found = [
        ("a callee, or the load it gets, explains part of it", ranked.structure, replace(tuning, explain=0.0)),
        ("the alert is about the other kind of symptom", ranked.structure, replace(tuning, off_alert=1.0)),
        ("nobody calls it, so it shows everybody's symptoms", ranked.structure, replace(tuning, entry=1.0)),
        ("it is outside the system, or known by hearsay only", plain, tuning),
        ("it gets less traffic than usual", ranked.structure, replace(tuning, least_traffic=1.0)),
    ]  # fmt: skip
    own = float(ranked.mixed.score[service])
    reasons = []
    for why, structure, changed in found:
        scores = score_services(ranked.table, ranked.series, structure, ranked.services.extra, changed)
        score = float(ranked.mixed.weights @ scores.score[:, service])
        if score > own + _NIL:
            reasons.append(Taken(why, score, rank_at(ranked, service, score)))
    return tuple(sorted(reasons, key=lambda reason: (-reason.score, reason.why)))


def rank_at(ranked: Ranked, service: int, score: float) -> int:
    """The rank that a service would have with another score, the others keeping theirs."""
    others = np.delete(ranked.mixed.score, service)
    return 1 + int((others > score).sum())


def explained_by(ranked: Ranked, service: int) -> tuple[Share, ...]:
    """The callees that explain a service's symptoms away, over all candidate onsets."""
    return _shares(ranked, callers=[service])


def explains(ranked: Ranked, service: int) -> tuple[Share, ...]:
    """The callers whose symptoms a service explains."""
    return _shares(ranked, callee=service)


def _shares(ranked: Ranked, *, callers: list[int] | None = None, callee: int | None = None) -> tuple[Share, ...]:
    """Shares by symptom: of given callers, named by their callees; or by one callee, named by its callers."""
    names, weights = ranked.structure.services, ranked.mixed.weights
    found: dict[tuple[str, str], float] = {}
    for number, members in enumerate(CLASSES):
        symptom = "slowness" if members is SLOW else "failures"
        share, by = ranked.services.explained[:, :, number], ranked.services.by[:, :, number]
        rows = callers if callers is not None else np.flatnonzero((by == callee).any(axis=0)).tolist()
        for caller in rows:
            for other in np.unique(by[by[:, caller] >= 0, caller]).tolist():
                if callee is not None and other != callee:
                    continue
                key = (symptom, names[caller if callee is not None else other])
                found[key] = float(weights @ (share[:, caller] * (by[:, caller] == other)))
    shares = [Share(symptom, name, value) for (symptom, name), value in found.items() if value > _NIL]
    return tuple(sorted(shares, key=lambda one: (-one.share, one.service, one.symptom)))


def flips(ranked: Ranked, ahead: int, behind: int, tuning: Tuning) -> tuple[Flip, ...]:
    """What would put two services level, one piece of evidence changed at a time, the smallest change first.

    Args:
        ranked: The ranking.
        ahead: The one with the higher score.
        behind: The other one.
        tuning: The constants.

    Returns:
        Evidence of the first that would have to be weaker, and of the second that would have to be stronger, up to
        what counts as the strongest. The graph, what explains what, and the candidates' weights stay as they are.
    """
    high, low = float(ranked.mixed.score[ahead]), float(ranked.mixed.score[behind])
    found = [
        flip
        for service, target in ((ahead, low), (behind, high))
        for k in range(len(CHANNELS))
        if (flip := _flip(ranked, service, k, target, tuning)) is not None
    ]
    return tuple(sorted(found, key=lambda flip: (flip.size, flip.service, flip.kind.value)))


def _flip(ranked: Ranked, service: int, k: int, target: float, tuning: Tuning) -> Flip | None:
    """The strength of one kind of evidence at which a service's score is the target; None where there is none."""
    kept = ranked.services.kept[:, service]
    now = float(ranked.mixed.weights @ ranked.services.strength[:, service, k])
    cap = float(np.log1p(tuning.z_cap))
    rising = target > ranked.mixed.score[service]
    if now < _SHOWN and not (rising and CHANNELS[k] in _IMAGINABLE):
        return None
    weight = _weights(ranked, service, tuning)[k]
    effective = float(ranked.mixed.weights @ kept[:, k]) / now if now > _NIL else float(weight)

    def reached(strength: float) -> float:
        changed = kept.copy()
        # Less is less at every onset; more is more at every onset, as if it had been seen all along.
        changed[:, k] = (
            kept[:, k] * (strength / now) if strength < now else kept[:, k] + effective * (strength - now)
        )
        return float(contributions(ranked, service, changed, tuning).sum())

    low, high = (now, max(cap, now)) if rising else (0.0, now)
    if not (reached(low) <= target <= reached(high)):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < target else (low, middle)
    needed = high if rising else low
    name = ranked.structure.services[service]
    return Flip(name, CHANNELS[k], float(np.expm1(now)), float(np.expm1(needed)), abs(needed - now))
