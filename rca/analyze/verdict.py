"""The answer in ten seconds, and how sure it is."""

from collections.abc import Sequence
from datetime import datetime

from rca.analyze.confidence import Standing
from rca.model.report import Confidence, Evidence, Trigger, Verdict
from rca.model.tuning import Tuning
from rca.model.words import counted
from rca.report.present.changes import apart, is_likely, title
from rca.report.present.text import capital, listed
from rca.report.present.view import claim, since_clause

_NAMED = 3
_LITTLE = 1.3  # a ratio below that isn't much
_PLAIN = 1.5  # score of what isn't a recorded change, from which there is more than one reason for it
_FAR = 100.0  # a ratio beyond that is told in words


def verdict(
    order: Sequence[str],
    standing: Standing | None,
    evidence: Sequence[Evidence],
    since: datetime | None,
    impact: Sequence[str],
    tuning: Tuning,
    *,
    triggers: Sequence[Trigger] = (),
) -> Verdict:
    """Say who, why and since when, or that nobody can be singled out.

    Args:
        order: Services, best first.
        standing: How far the incident stands out; None when the window was too short.
        evidence: Of the first service, strongest first.
        since: When it began, as far as that is known.
        impact: Services hit, the suspect first.
        tuning: The constants.
        triggers: What may have set it off, likeliest first; empty when nothing is known of changes.
    """
    if standing is None or not order:
        return Verdict(
            abstained=True,
            confidence=Confidence.LOW,
            summary="Nothing could be ranked: the window holds too few rows.",
            reasons=("the window is too short to compare before and after",),
        )
    reasons = _reasons(standing, order, tuning)
    if abstains(standing, tuning):
        first = order[0]
        hint = f" The loudest is {first} ({evidence[0].text})." if evidence else ""
        return Verdict(
            abstained=True,
            confidence=Confidence.LOW,
            summary=f"{_unsure(standing)}{hint}",
            reasons=reasons,
        )
    confidence = confidence_word(standing, tuning)
    lead = claim(order[0], confidence) + since_clause(since)
    why = f": {evidence[0].text}" if evidence else ""
    hit = [name for name in impact if name != order[0]]
    also = f" Also hit: {listed(hit, most=_NAMED)}." if hit else ""
    return Verdict(
        abstained=False,
        confidence=confidence,
        summary=f"{lead}{why}.{also}{_set_off(triggers, since)}",
        reasons=reasons,
    )


def _unsure(standing: Standing) -> str:
    """Why nobody is named: nothing is out of the ordinary here, or nobody stands out of those that are."""
    if standing.usual is not None and standing.level < _LITTLE * standing.usual:
        return "Nothing departs further from normal than is usual in calm times."
    return "The data don't single out a service."


def _set_off(triggers: Sequence[Trigger], since: datetime | None) -> str:
    """The change that set it off, or that no known one did: a service that is slow is where, not why."""
    if not triggers:
        return ""
    first = triggers[0]
    if first.is_change:
        surely = "Most likely" if is_likely(tuple(triggers), since) else "Possibly"
        return f" {surely} set off by a change: {title(first)}{apart(first.at, since)}."
    known = any(item.is_change for item in triggers)
    if first.kind == "unknown":
        return " No known change explains it." if known else ""
    hedge = "likely" if first.score >= _PLAIN else "perhaps"
    return f" No known change explains it; {hedge}: {first.why}." if known else f" {capital(hedge)}: {first.why}."


def confidence_word(standing: Standing, tuning: Tuning) -> Confidence:
    """How sure to call a service that is named."""
    if standing.value >= tuning.high_from and standing.windows >= tuning.high_windows:
        return Confidence.HIGH
    clear = standing.first >= tuning.clear_lead * standing.second
    return Confidence.MEDIUM if clear and standing.value >= tuning.medium_from else Confidence.LOW


def abstains(standing: Standing, tuning: Tuning) -> bool:
    """Whether too little stands out of what this system usually shows to name anybody."""
    return standing.first <= 0 or standing.value < tuning.abstain_below


def _reasons(standing: Standing, order: Sequence[str], tuning: Tuning) -> tuple[str, ...]:
    reasons = []
    if standing.usual is None:
        reasons.append("no comparison with the baseline's own windows was possible")
    elif standing.windows:
        times = standing.level / max(standing.usual, 1e-9)
        only = "only " if times < _LITTLE else ""
        told = f"{only}{times:.1f} times as far as" if times < _FAR else "far further than"
        calm = f"in calm times ({counted(standing.windows, 'window')} compared)"
        reasons.append(f"{order[0]} departs from normal {told} {calm}")
    if standing.second * _FAR > standing.first:
        lead = standing.first / standing.second
        close = "only " if lead < tuning.clear_lead else ""
        second = f" ({order[1]})" if len(order) > 1 else ""
        reasons.append(f"its score is {close}{lead:.1f} times that of the second suspect{second}")
    elif standing.first > 0:
        reasons.append("nobody else stands out")
    return tuple(reasons)
