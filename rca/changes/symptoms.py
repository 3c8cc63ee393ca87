"""Which symptoms an incident shows, and how well a change's effects fit them."""

from collections.abc import Iterable, Mapping

from rca.changes.facts import Facts
from rca.changes.vocabulary import Vocabulary

_OTHERS = 0.6
_SPANS = 0.9
_METRICS = 0.85
_STRONG = 8.0
_UNDERSTOOD = {"error": 0.4, "slow": 0.3}
_BEST, _REST = 0.8, 0.2
_ABSOLUTE = 0.35


def seen(facts: Facts, vocabulary: Vocabulary) -> dict[str, float]:
    """Symptoms with their strength, 0 to 1: full in the service that failed first, less elsewhere."""
    found: dict[str, float] = {}

    def see(name: str, strength: float) -> None:
        found[name] = max(found.get(name, 0.0), min(strength, 1.0))

    first = facts.first_failing
    for line in facts.lines:
        near = 1.0 if line.service == first or line.accused == first or not first else _OTHERS
        for symptom in vocabulary.symptoms:
            if symptom.logs is not None and symptom.logs.search(line.text):
                see(symptom.name, near * (0.4 + 0.6 * line.level))
    for span in facts.spans:
        near = 1.0 if span.service == first or not first else _OTHERS
        for symptom in vocabulary.symptoms:
            if symptom.logs is not None and symptom.logs.search(span.text):
                see(symptom.name, near * (_SPANS if span.deepest else _OTHERS))
    for anomaly in facts.anomalies:
        near = 1.0 if anomaly.service == first or not first else _OTHERS
        for symptom in vocabulary.symptoms:
            for sign in symptom.metrics:
                if (
                    sign.kind == anomaly.kind.value
                    and sign.up == anomaly.up
                    and (sign.words is None or sign.words.search(anomaly.metric))
                ):
                    see(symptom.name, near * _METRICS * min(1.0, anomaly.strength / _STRONG))
    return found


def match(kind: str, shown: Mapping[str, float], vocabulary: Vocabulary) -> tuple[float, tuple[str, ...]]:
    """How well a kind of change fits what is seen.

    The measure is the most telling symptom that is seen: where nothing but slowness shows, what makes slow fits.

    Returns:
        0 to 1, and the symptoms that it rests on, the most telling first.
    """
    known = vocabulary.kinds.get(kind)
    effects = dict(_UNDERSTOOD) | dict(known.effects if known else {})
    weights = {symptom.name: symptom.weight for symptom in vocabulary.symptoms}
    fits = sorted(
        ((effects[name] * weights.get(name, 0.0) * strength, name) for name, strength in shown.items() if name in effects),
        key=lambda pair: (-pair[0], pair[1]),
    )  # fmt: skip
    fits = [pair for pair in fits if pair[0] > 0]
    if not fits:
        return 0.0, ()
    telling = max(weights.get(name, 0.0) * strength for name, strength in shown.items())
    rest = sum(value for value, _ in fits[1:4])
    fit = (_BEST * fits[0][0] + _REST * min(1.0, rest)) / (_ABSOLUTE + (1 - _ABSOLUTE) * telling)
    return min(1.0, fit), tuple(name for _, name in fits[:3])


def best_match(
    kinds: Iterable[str], shown: Mapping[str, float], vocabulary: Vocabulary
) -> tuple[float, tuple[str, ...]]:
    """The best fit of several kinds."""
    return max((match(kind, shown, vocabulary) for kind in kinds), default=(0.0, ()), key=lambda pair: pair[0])
