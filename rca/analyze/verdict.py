"""The answer in ten seconds, and how sure it is."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rca.analyze.confidence import Standing
from rca.changes.link import is_change
from rca.model.report import Confidence, Evidence, OnsetEstimate, Trigger, Verdict
from rca.model.tuning import Tuning

_NAMED = 3
_SHORT_LEAD = 1.3
_SHORT_SHA = 12
_FAR = 100.0  # a ratio beyond that is told in words


def verdict(
    order: Sequence[str],
    standing: Standing | None,
    evidence: Sequence[Evidence],
    onset: OnsetEstimate,
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
        onset: When it began.
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
    reasons = _reasons(standing)
    if abstains(standing, tuning):
        first = order[0]
        hint = f" The loudest is {first} ({evidence[0].text})." if evidence else ""
        return Verdict(
            abstained=True,
            confidence=Confidence.LOW,
            summary=f"The data don't single out a service.{hint}",
            reasons=reasons,
        )
    since = f" since {_clock(onset.at)}" if onset.at else ""
    why = f": {evidence[0].text}" if evidence else ""
    hit = [name for name in impact if name != order[0]]
    others = ", ".join(hit[:_NAMED]) + (f" and {len(hit) - _NAMED} more" if len(hit) > _NAMED else "")
    spread = f" Also hit: {others}." if hit else ""
    return Verdict(
        abstained=False,
        confidence=_confidence(standing, tuning),
        summary=f"{order[0]} most likely caused it{since}{why}.{spread}{_set_off(triggers)}",
        reasons=reasons,
    )


def _set_off(triggers: Sequence[Trigger]) -> str:
    """The change that set it off, or that no known one did: a service that is slow is where, not why."""
    if not triggers:
        return ""
    first = triggers[0]
    if is_change(first):
        what = f" (commit {first.commit[:_SHORT_SHA]})" if first.commit else ""
        when = f" at {_clock(first.at)}" if first.at else ""
        return f" What set it off is most likely a change: {first.kind} of {first.service}{what}{when}."
    none = "" if not any(is_change(item) for item in triggers) else " No known change explains it."
    return f"{none} It looks like something else: {first.why}." if first.kind != "unknown" else none


def _confidence(standing: Standing, tuning: Tuning) -> Confidence:
    if standing.value >= tuning.high_from and standing.usual is not None:
        return Confidence.HIGH
    return Confidence.MEDIUM if standing.value >= tuning.medium_from else Confidence.LOW


def abstains(standing: Standing, tuning: Tuning) -> bool:
    """Whether the lead and the level are too weak to name anybody."""
    return standing.first <= 0 or standing.value < tuning.abstain_below


def _reasons(standing: Standing) -> tuple[str, ...]:
    reasons = []
    if standing.usual is None:
        reasons.append("no comparison with the baseline's own windows was possible")
    elif standing.windows:
        times = standing.first / max(standing.usual, 1e-9)
        told = f"x{times:.1f}" if times < _FAR else "far above"
        reasons.append(
            f"the first suspect's score is {told} what {standing.windows} windows of the baseline reach"
        )
    if standing.second * _FAR > standing.first:
        lead = standing.first / standing.second
        close = "only " if lead < _SHORT_LEAD else ""
        reasons.append(f"it leads the second suspect by {close}x{lead:.1f}")
    elif standing.first > 0:
        reasons.append("nobody else stands out")
    return tuple(reasons)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
