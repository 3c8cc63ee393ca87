"""From a bundle to a report."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from rca.analyze import beside
from rca.analyze import evidence as shown
from rca.analyze.beside import Beside
from rca.analyze.causes import causes, tell
from rca.analyze.changes_facts import weigh_bundle
from rca.analyze.collected import told_apart
from rca.analyze.confidence import Standing, standing
from rca.analyze.gaps import gaps
from rca.analyze.kept import Kept
from rca.analyze.prepare import Prepared, prepare
from rca.analyze.ranking import Ranked, build, rank
from rca.analyze.recovered import until_recovery
from rca.analyze.spread import Spread, spread
from rca.analyze.story import began, first_failure, timeline
from rca.analyze.verdict import abstains, verdict
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Bundle, Interval
from rca.model.report import (
    Evidence,
    OnsetEstimate,
    Report,
    Role,
    Suspect,
    ToolInfo,
)
from rca.model.tuning import Tuning
from rca.rank import simple

_MOST_OF_THE_WEIGHT = 0.8
_NOTHING = "nothing of it departs from its baseline"


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What can be chosen about an analysis.

    Attributes:
        tuning: The constants of detection and ranking.
        guard_seconds: The gap that is left between the baseline and the onset, where the baseline is long enough.
        vocabulary: The words that changes are judged by; None for those that ship.
    """

    tuning: Tuning = field(default_factory=Tuning)
    guard_seconds: float = 120.0
    vocabulary: Vocabulary | None = None


def analyze(
    bundle: Bundle,
    *,
    tool: ToolInfo,
    options: AnalysisOptions | None = None,
    replayed: bool = False,
) -> Report:
    """Rank the services of an incident and say why.

    Args:
        bundle: What the sources answered. Nothing else is looked at.
        tool: What made the report.
        options: Choices; the defaults are what the documentation measures.
        replayed: Whether the bundle was read from disk.

    Returns:
        A report, even of a bundle with next to nothing in it: then it abstains and the gaps say why.
    """
    chosen = options or AnalysisOptions()
    return report_of(assess(bundle, chosen), chosen, tool=tool, replayed=replayed)


@dataclass(frozen=True, slots=True, eq=False)
class Assessed:
    """A bundle ranked, before anything is put in words.

    Attributes:
        ranked: None when the window is too short for any candidate onset.
        also: Its lines and spans, arranged; None without any.
        order: Services, best first; by name without a ranking.
        stood: How far the first stands out; None without a ranking.
    """

    bundle: Bundle
    prepared: Prepared
    ranked: Ranked | None
    also: Beside | None
    order: tuple[str, ...]
    stood: Standing | None


def assess(bundle: Bundle, options: AnalysisOptions, kept: Kept | None = None) -> Assessed:
    """Rank a bundle's services, and see how far the first stands out.

    Args:
        bundle: What the sources answered.
        options: The choices of the analysis.
        kept: What was worked out of its variants: what is the same in them is worked out once.
    """
    kept = kept or Kept(lasting=False)
    bundle, prepared = usable(bundle, options.tuning, kept)
    ranked, also = rank_bundle(bundle, prepared, options, kept)
    if ranked is None:
        named = {key.service for key in prepared.frame.keys} | {line.service for line in bundle.logs}
        return Assessed(
            bundle, prepared, None, also, tuple(sorted(named | {s.service for s in bundle.spans})), None
        )
    stood = standing(
        ranked,
        also,
        told=bundle.window.onset is not None,
        baseline=_baseline(bundle),
        tuning=options.tuning,
        guard_seconds=options.guard_seconds,
        kept=kept,
    )
    order = tuple(ranked.structure.services[i] for i in ranked.order())
    return Assessed(bundle, prepared, ranked, also, order, stood)


def usable(bundle: Bundle, tuning: Tuning, kept: Kept | None = None) -> tuple[Bundle, Prepared]:
    """What of a bundle is ranked: lines told apart, the window cut where the incident was over.

    Args:
        bundle: What the sources answered.
        tuning: The constants.
        kept: What was worked out of its variants.

    Returns:
        The bundle as it is ranked, and the usable part of it.
    """
    kept = kept or Kept(lasting=False)
    prepared = prepare(bundle, tuning.rows, kept)
    bundle = told_apart(bundle, prepared, tuning.collected, kept)
    shorter = until_recovery(bundle, prepared, tuning)
    return (bundle, prepared) if shorter is bundle else (shorter, prepare(shorter, tuning.rows, kept))


def report_of(
    assessed: Assessed,
    options: AnalysisOptions,
    *,
    tool: ToolInfo,
    replayed: bool = False,
) -> Report:
    """The report of a ranking; arguments as of `analyze`."""
    bundle, prepared, ranked, also = assessed.bundle, assessed.prepared, assessed.ranked, assessed.also
    tuning, order, stood = options.tuning, assessed.order, assessed.stood
    if ranked is None or stood is None:
        return _nothing(assessed, tool, tuning, replayed=replayed)
    abstained = abstains(stood, tuning)
    alerted = bundle.symptom.service if bundle.symptom else None
    said = also.items(ranked.at, ranked.baseline_end) if also else {}
    signs = beside.joined(shown.of_series(ranked, tuning), said)
    lies = spread(ranked, order, prepared.graph, signs, alerted=alerted, abstained=abstained)
    every, by_service = shown.number_items(order, signs)
    onset = _onset(bundle, ranked)
    first = by_service.get(order[0], []) if order else []
    scores = dict(zip(ranked.structure.services, ranked.mixed.score.tolist(), strict=True))
    top = max(scores.values(), default=0.0)
    shares = {name: score / top for name, score in scores.items()} if top > 0 else {}
    triggers = weigh_bundle(
        bundle, prepared, shares, onset, index=also.logs if also else None, vocabulary=options.vocabulary
    )
    failure = first_failure(order, by_service)
    since = began(onset, failure, lies, by_service, prepared.frame.step)
    onset = replace(
        onset, began=since, latest=max(onset.latest, since) if onset.latest and since else onset.latest
    )
    report = Report(
        tool=tool,
        bundle_id=bundle.id,
        bundle_title=bundle.title,
        bundle_sha256=bundle.sha256,
        span=bundle.window.span,
        baseline=_baseline_used(bundle, ranked),
        onset=onset,
        verdict=verdict(order, stood, first, onset.since, lies.impact, tuning, triggers=triggers),
        suspects=_suspects(order, scores, lies, by_service, ranked),
        evidence=every,
        triggers=triggers,
        first_failure=failure,
        impact=lies.impact,
        user_facing=lies.user_facing,
        healthy_on_path=tuple(service for service in lies.healthy if service not in by_service),
        slow_path=also.slow_path(ranked.at, ranked.baseline_end) if also else None,
        gaps=gaps(bundle, prepared, ranked, stood),
        timeline=timeline(bundle, onset.since, every),
        simple_ranking=simple.rank(ranked.table, int(ranked.rows[ranked.best])),
        sources=bundle.sources,
        redactions=bundle.redactions,
        replayed=replayed,
    )
    return tell(report, causes(ranked, order, prepared.graph, stood, tuning))


def rank_bundle(
    bundle: Bundle, prepared: Prepared, options: AnalysisOptions, kept: Kept | None = None
) -> tuple[Ranked | None, Beside | None]:
    """The ranking that a report rests on, and the evidence of logs and spans beside it.

    What explains a ranking, or measures how its constants matter, calls this too, so that they can't disagree.

    Args:
        bundle: What the sources answered.
        prepared: The usable part of it.
        options: The choices of the analysis.
        kept: What was worked out of its variants.

    Returns:
        The ranking, None when the window is too short for any candidate onset; and the evidence, None when the
        bundle holds neither lines nor spans.
    """
    tuning, kept = options.tuning, kept or Kept(lasting=False)
    made, arrays, unresolved = build(bundle, prepared.frame, prepared.graph, tuning, kept)
    told = bundle.window.onset.timestamp() if bundle.window.onset else None
    also = beside.build(
        bundle,
        prepared.graph,
        prepared.spans,
        services=arrays.services,
        unresolved=unresolved,
        baseline=_baseline(bundle),
        step=prepared.frame.step,
        tuning=tuning,
        kept=kept,
    )
    extra = also.at if also else None
    ranked = rank(
        made,
        arrays,
        told=told,
        baseline=_baseline(bundle),
        extra=extra,
        tuning=tuning,
        lead=int(np.searchsorted(made.times, bundle.window.span.start.timestamp())),
        guard_seconds=options.guard_seconds,
        kept=kept,
    )
    return ranked, also


def _baseline(bundle: Bundle) -> tuple[float, float] | None:
    chosen = bundle.window.baseline
    return (chosen.start.timestamp(), chosen.end.timestamp()) if chosen else None


def _baseline_used(bundle: Bundle, ranked: Ranked) -> Interval | None:
    """What was compared with, at the likeliest onset."""
    if bundle.window.baseline is not None:
        return bundle.window.baseline
    start = ranked.table.times[ranked.splits[ranked.best].before[0]]
    return Interval(_time(start), _time(ranked.baseline_end))


def _onset(bundle: Bundle, ranked: Ranked) -> OnsetEstimate:
    given = bundle.window.onset
    if ranked.top_score <= 0:
        return OnsetEstimate(None, given=given)
    weights = ranked.mixed.weights
    heavy = np.argsort(-weights, kind="stable")
    count = int(np.searchsorted(np.cumsum(weights[heavy]), _MOST_OF_THE_WEIGHT)) + 1
    held = ranked.rows[np.append(heavy[:count], ranked.best)]
    times = ranked.table.times
    # A row holds what happened since the row before it.
    earliest = times[max(0, int(held.min()) - 1)]
    return OnsetEstimate(_time(times[ranked.rows[ranked.best]]), _time(earliest), _time(times[held.max()]), given)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _suspects(
    order: Sequence[str],
    scores: dict[str, float],
    lies: Spread,
    by_service: dict[str, list[Evidence]],
    ranked: Ranked,
) -> tuple[Suspect, ...]:
    return tuple(
        Suspect(
            rank=place,
            service=service,
            score=round(scores[service], 6),
            role=lies.roles[service],
            path=lies.paths.get(service, ()),
            evidence=tuple(item.id for item in by_service.get(service, ())),
            why=_why(service, scores[service], lies.roles[service], by_service.get(service, ()), ranked),
        )
        for place, service in enumerate(order, start=1)
    )


def _why(service: str, score: float, role: Role, evidence: Sequence[Evidence], ranked: Ranked) -> str:
    if not evidence:
        return "it departs at other times than the likeliest onset" if score > 0 else _NOTHING
    i = ranked.structure.services.index(service)
    explained = ranked.services.explained[ranked.best, i]
    callee = int(ranked.services.by[ranked.best, i, int(np.argmax(explained))])
    if role is not Role.CAUSE and callee >= 0 and explained.max() >= 0.5:  # noqa: PLR2004 - most of it
        share = f"{100 * explained.max():.0f} %"
        return f"its callee {ranked.structure.services[callee]} explains {share} of it: {evidence[0].text}"
    return evidence[0].text


def _nothing(
    assessed: Assessed,
    tool: ToolInfo,
    tuning: Tuning,
    *,
    replayed: bool,
) -> Report:
    """The report of a bundle in which nothing can be compared."""
    bundle, prepared, order = assessed.bundle, assessed.prepared, assessed.order
    onset = OnsetEstimate(None, given=bundle.window.onset)
    return Report(
        tool=tool,
        bundle_id=bundle.id,
        bundle_title=bundle.title,
        bundle_sha256=bundle.sha256,
        span=bundle.window.span,
        baseline=bundle.window.baseline,
        onset=onset,
        verdict=verdict(order, None, (), None, (), tuning),
        suspects=tuple(Suspect(i, name, 0.0, Role.BYSTANDER) for i, name in enumerate(order, start=1)),
        gaps=gaps(bundle, prepared, None, None),
        timeline=timeline(bundle, None, ()),
        simple_ranking=order,
        sources=bundle.sources,
        redactions=bundle.redactions,
        replayed=replayed,
    )


__all__ = ["AnalysisOptions", "Standing", "analyze"]
