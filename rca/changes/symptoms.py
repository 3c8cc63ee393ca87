"""Which symptoms an incident shows, and how well a change's effects fit them."""

from collections.abc import Mapping

from rca.changes.facts import Anomaly, Facts
from rca.changes.vocabulary import Sign, Vocabulary
from topology.propagate import caller_distances

_OTHERS = 0.6
_OUTSIDE = 0.5
_CALM_LINE = 0.4
_SPANS = 0.9
_METRICS = 0.85
_STRONG = 8.0
_UNDERSTOOD = {"error": 0.4, "slow": 0.3}
_BEST, _REST = 0.8, 0.2
_ABSOLUTE = 0.35


def reached(service: str, facts: Facts) -> frozenset[str]:
    """The services at which a change to one can show: itself, its callers and its callees; empty for anywhere."""
    if service not in facts.graph:
        return frozenset()
    return frozenset({service, *caller_distances(facts.graph, service), *facts.graph.callees(service)})


def seen(facts: Facts, vocabulary: Vocabulary, reach: frozenset[str] = frozenset()) -> dict[str, float]:
    """Symptoms with their strength, 0 to 1: full in the service that failed first, less elsewhere.

    Args:
        facts: The incident.
        vocabulary: How symptoms show.
        reach: Where a change can show; what others show counts for less. Empty for anywhere.
    """

    def near(*services: str) -> float:
        outside = bool(reach) and reach.isdisjoint(services)
        return _near(set(services), facts) * (_OUTSIDE if outside else 1.0)

    said = [
        (line.text, near(line.service, line.accused) * (_CALM_LINE + (1 - _CALM_LINE) * line.level))
        for line in facts.lines
    ]
    said += [(span.text, near(span.service) * (_SPANS if span.deepest else _OTHERS)) for span in facts.spans]
    found: dict[str, float] = {}
    for symptom in vocabulary.symptoms:
        strengths = [strength for text, strength in said if symptom.logs and symptom.logs.search(text)]
        strengths += [
            near(anomaly.service) * _METRICS * min(1.0, anomaly.strength / _STRONG)
            for anomaly in facts.anomalies
            if any(_shows(sign, anomaly) for sign in symptom.metrics)
        ]
        if strengths:
            found[symptom.name] = min(1.0, max(strengths))
    return found


def _near(services: set[str], facts: Facts) -> float:
    return 1.0 if not facts.first_failing or facts.first_failing in services else _OTHERS


def _shows(sign: Sign, anomaly: Anomaly) -> bool:
    return (
        sign.kind == anomaly.kind.value
        and sign.up == anomaly.up
        and (sign.words is None or sign.words.search(anomaly.metric) is not None)
    )


def match(kind: str, shown: Mapping[str, float], vocabulary: Vocabulary) -> tuple[float, tuple[str, ...]]:
    """How well a kind of change fits what is seen.

    The measure is the most telling symptom that is seen: where nothing but slowness shows, what makes slow fits.

    Returns:
        0 to 1, and the symptoms that it rests on, the most telling first.
    """
    known = vocabulary.kinds.get(kind)
    effects = dict(_UNDERSTOOD) | dict(known.effects if known else {})
    weights = {symptom.name: symptom.weight for symptom in vocabulary.symptoms}
    fits = [(effects.get(name, 0.0) * weights.get(name, 0.0) * shown[name], name) for name in sorted(shown)]
    fits = sorted((pair for pair in fits if pair[0] > 0), key=lambda pair: (-pair[0], pair[1]))
    if not fits:
        return 0.0, ()
    telling = max(weights.get(name, 0.0) * strength for name, strength in shown.items())
    rest = sum(value for value, _ in fits[1:4])
    fit = (_BEST * fits[0][0] + _REST * min(1.0, rest)) / (_ABSOLUTE + (1 - _ABSOLUTE) * telling)
    return min(1.0, fit), tuple(name for _, name in fits[:3])
