"""How alike two incidents are, and in what."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rca.history.fingerprint import Fingerprint

# How much each facet says. The failure's own profile and the log words say most: they are what a fix depends on.
# The cause's name says less than one would think: a busy service fails in several ways.
_SIGNS = {"edge": "what its callers measured", "log": "log lines", "trace": "spans"}
_WEIGHTS = {"cause": 0.25, "failure": 0.25, "spread": 0.15, "symptoms": 0.1, "words": 0.25}


@dataclass(frozen=True, slots=True)
class Likeness:
    """The similarity of two fingerprints.

    Attributes:
        score: 0 to 1.
        why: What matched, in plain words, the most telling first.
    """

    score: float
    why: tuple[str, ...]


def rarity(past: Sequence[Fingerprint]) -> dict[str, float]:
    """How much a word says: `ln((1 + n) / (1 + n_word)) + 1`, the smoothed inverse document frequency."""
    counts = Counter(word for print_ in past for word in print_.words)
    return {word: math.log((1 + len(past)) / (1 + count)) + 1 for word, count in counts.items()}


def compare(one: Fingerprint, other: Fingerprint, rarities: Mapping[str, float]) -> Likeness:
    """Compare two incidents: the weighted mean over the facets that either of them has.

    A facet is a weighted Jaccard index, `sum(min) / sum(max)` (Ruzicka). It is symmetric, and 1 for an incident
    with itself.
    """
    default = max(rarities.values(), default=1.0)
    words_one = {word: rarities.get(word, default) for word in one.words}
    words_other = {word: rarities.get(word, default) for word in other.words}
    facets = {
        "cause": (1.0 if one.cause == other.cause else 0.0) if one.cause and other.cause else None,
        "failure": _ruzicka(one.failure, other.failure),
        "spread": _ruzicka(one.hit, other.hit),
        "symptoms": _ruzicka(one.symptoms, other.symptoms),
        "words": _ruzicka(words_one, words_other),
    }
    known = {name: value for name, value in facets.items() if value is not None}
    total = sum(_WEIGHTS[name] for name in known)
    score = sum(_WEIGHTS[name] * value for name, value in known.items()) / total if total else 0.0
    ranked = sorted(known, key=lambda name: (-_WEIGHTS[name] * known[name], name))
    reasons = [_reason(name, one, other, rarities) for name in ranked if known[name] > 0]
    return Likeness(round(score, 4), tuple(reason for reason in reasons if reason))


def _ruzicka(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    names = sorted(set(one) | set(other))
    most = sum(max(one.get(name, 0.0), other.get(name, 0.0)) for name in names)
    if not most:
        return None
    return sum(min(one.get(name, 0.0), other.get(name, 0.0)) for name in names) / most


def _reason(facet: str, one: Fingerprint, other: Fingerprint, rarities: Mapping[str, float]) -> str:
    match facet:
        case "cause":
            return f"the same service, {one.cause}"
        case "failure":
            shared = sorted(set(one.failure) & set(other.failure), key=lambda n: (-one.failure[n], n))
            return "it failed in the same way: " + ", ".join(plain_sign(name) for name in shared[:4])
        case "spread":
            shared = sorted(set(one.hit) & set(other.hit), key=lambda n: (-one.hit[n], n))
            return f"{len(shared)} of the same services hit: " + ", ".join(shared[:4])
        case "words":
            shared = sorted(one.words & other.words, key=lambda word: (-rarities.get(word, 0.0), word))
            return "words that both logs hold: " + ", ".join(shared[:6])
        case _:
            return ""


def plain_sign(sort: str) -> str:
    """A sort of sign, as a fingerprint names it, in words: `latency up`, `what its callers measured`."""
    kind, _, direction = sort.partition(":")
    return f"{_SIGNS.get(kind, kind)} {direction}".strip()
