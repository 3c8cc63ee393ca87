"""From a bundle to a report: what `assess` reckoned, in words, with the evidence, the spread and the story."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from rca.analyze import evidence as shown
from rca.analyze.assess import AnalysisOptions, Assessed, assess
from rca.analyze.causes import causes, tell
from rca.analyze.changes_facts import weigh_bundle
from rca.analyze.evidence import Item
from rca.analyze.gaps import gaps
from rca.analyze.log_span_evidence import of_logs_and_spans
from rca.analyze.ranking import MOSTLY, Ranked
from rca.analyze.spread import Spread, spread
from rca.analyze.story import began, first_failure, timeline
from rca.analyze.verdict import abstains, verdict
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Bundle, Interval
from rca.model.report import Evidence, OnsetEstimate, Report, Role, Suspect, ToolInfo, Trigger
from rca.model.tuning import Tuning
from rca.model.words import percent
from rca.rank import simple

_MOST_OF_THE_WEIGHT = 0.8
_NOTHING = "nothing of it departs from its baseline"


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


def report_of(
    assessed: Assessed,
    options: AnalysisOptions,
    *,
    tool: ToolInfo,
    replayed: bool = False,
) -> Report:
    """The report of a ranking; arguments as of `analyze`."""
    bundle, prepared, ranked, stood = assessed.bundle, assessed.prepared, assessed.ranked, assessed.stood
    tuning, order = options.tuning, assessed.order
    if ranked is None or stood is None:
        return _nothing(assessed, tool, tuning, replayed=replayed)
    items = _items(assessed, ranked, tuning)
    extent = spread(
        ranked,
        order,
        prepared.graph,
        items,
        alerted=bundle.symptom.service if bundle.symptom else None,
        abstained=abstains(stood, tuning),
    )
    every, by_service = shown.number_items(order, items)
    failure = first_failure(order, by_service)
    estimate = _onset(bundle, ranked)
    onset = _with_beginning(estimate, began(estimate, failure, extent, by_service, prepared.frame.step))
    triggers = _triggers(assessed, ranked, estimate, options.vocabulary)
    first = by_service.get(order[0], []) if order else []
    beside = assessed.logs_and_spans
    report = Report(
        tool=tool,
        bundle_id=bundle.id,
        bundle_title=bundle.title,
        bundle_sha256=bundle.sha256,
        span=bundle.window.span,
        baseline=_baseline_used(bundle, ranked),
        onset=onset,
        verdict=verdict(order, stood, first, onset.since, extent.impact, tuning, triggers=triggers),
        suspects=_suspects(order, extent, by_service, ranked),
        evidence=every,
        triggers=triggers,
        first_failure=failure,
        impact=extent.impact,
        user_facing=extent.user_facing,
        healthy_on_path=tuple(service for service in extent.healthy if service not in by_service),
        slow_path=beside.slow_path(ranked.at, ranked.baseline_end) if beside else None,
        gaps=gaps(bundle, prepared, ranked, stood, tuning),
        timeline=timeline(bundle, onset.since, every),
        simple_ranking=simple.rank(ranked.table, int(ranked.rows[ranked.best])),
        sources=bundle.sources,
        redactions=bundle.redactions,
        replayed=replayed,
    )
    return tell(report, causes(ranked, order, prepared.graph, stood, tuning))


def _items(assessed: Assessed, ranked: Ranked, tuning: Tuning) -> dict[str, list[Item]]:
    """Each service's evidence at the likeliest onset: of its series, then of its lines and spans."""
    measured = shown.of_series(ranked, tuning)
    found = assessed.logs_and_spans
    told = of_logs_and_spans(found, ranked.at, ranked.baseline_end) if found else {}
    return {name: [*measured.get(name, ()), *told.get(name, ())] for name in {**measured, **told}}


def _triggers(
    assessed: Assessed, ranked: Ranked, onset: OnsetEstimate, vocabulary: Vocabulary | None
) -> tuple[Trigger, ...]:
    """What may have set it off, judged by how strongly each service is suspected."""
    top = ranked.top_score
    scores = zip(ranked.structure.services, ranked.mixed.score.tolist(), strict=True)
    shares = {name: score / top for name, score in scores} if top > 0 else {}
    logs = assessed.logs_and_spans.logs if assessed.logs_and_spans else None
    return weigh_bundle(assessed.bundle, assessed.prepared, shares, onset, index=logs, vocabulary=vocabulary)


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


def _with_beginning(onset: OnsetEstimate, first: datetime | None) -> OnsetEstimate:
    """The estimate with the first sign of it, and a range that reaches as far."""
    return replace(onset, began=first, latest=max(onset.latest, first) if onset.latest and first else onset.latest)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _suspects(
    order: Sequence[str], extent: Spread, by_service: dict[str, list[Evidence]], ranked: Ranked
) -> tuple[Suspect, ...]:
    scores = dict(zip(ranked.structure.services, ranked.mixed.score.tolist(), strict=True))
    return tuple(
        Suspect(
            rank=place,
            service=service,
            score=round(scores[service], 6),
            role=extent.roles[service],
            path=extent.paths.get(service, ()),
            evidence=tuple(item.id for item in by_service.get(service, ())),
            why=_why(service, scores[service], extent.roles[service], by_service.get(service, ()), ranked),
        )
        for place, service in enumerate(order, start=1)
    )


def _why(service: str, score: float, role: Role, evidence: Sequence[Evidence], ranked: Ranked) -> str:
    if not evidence:
        return "it departs at other times than the likeliest onset" if score > 0 else _NOTHING
    share, callee = ranked.explained_by(service)
    if role is not Role.CAUSE and callee is not None and share >= MOSTLY:
        return f"its callee {callee} explains {percent(share)} of it: {evidence[0].text}"
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
        gaps=gaps(bundle, prepared, None, None, tuning),
        timeline=timeline(bundle, None, ()),
        simple_ranking=order,
        sources=bundle.sources,
        redactions=bundle.redactions,
        replayed=replayed,
    )
