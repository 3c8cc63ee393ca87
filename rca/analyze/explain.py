"""Why a service ranks where it does, and what would change that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches

import numpy as np

from rca.analyze import parts
from rca.analyze.assess import AnalysisOptions, assess
from rca.analyze.compose import report_of
from rca.analyze.memo import Memo
from rca.analyze.parts import Flip, Part, Share, Taken
from rca.analyze.ranking import MOSTLY, Ranked
from rca.analyze.spellings import with_one_name_each
from rca.analyze.verdict import abstains
from rca.errors import UsageError
from rca.model.incident import Bundle
from rca.model.report import Evidence, Report, Suspect, ToolInfo
from rca.model.scores import Channel
from rca.model.tuning import Tuning
from rca.model.words import percent
from rca.report.present.units import number
from topology import ServiceGraph

_LIKELY = 0.01  # weight of an onset that is listed
_CLOSE = 0.5
_SUGGESTED = 3
_WORDS = {
    Channel.LATENCY: "its latency",
    Channel.EDGE: "calls to it, slow on the way",
    Channel.ERRORS: "its errors",
    Channel.AVAILABILITY: "its availability",
    Channel.CPU: "its CPU",
    Channel.MEMORY: "its memory",
    Channel.SATURATION: "its saturation",
    Channel.RESTARTS: "its restarts",
    Channel.QUEUE: "its queue",
    Channel.DISK: "its disk",
    Channel.IO: "its network",
    Channel.CLIENT: "latency of its own calls",
    Channel.CLIENT_ERRORS: "errors of its own calls",
    Channel.TRAFFIC: "its traffic",
    Channel.OTHER: "other metrics",
    Channel.HOST: "its host",
    Channel.LOG_FAILURE: "failures in its logs",
    Channel.LOG_SLOWNESS: "slowness in its logs",
    Channel.TRACE_FAILURE: "failures in its spans",
    Channel.TRACE_SLOWNESS: "slowness in its spans",
    Channel.SILENCE: "its silence",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What one kind of evidence counts in two services' scores."""

    kind: Channel
    mine: float
    theirs: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A service beside another one.

    Attributes:
        lead: This one's score less the other's.
        differences: By kind of evidence, the largest first; they add up to the lead.
        flips: What would put the two level, the smallest change first.
    """

    service: str
    rank: int
    score: float
    lead: float
    differences: tuple[Difference, ...]
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Ablation:
    """The same analysis without one source.

    Attributes:
        without: Which.
        abstained: Whether nobody would be singled out.
        first: Who would rank first; empty when there is nobody to rank.
        rank: Where the service would rank; None where nothing else knows it.
        score: Its score then.
    """

    without: str
    abstained: bool
    first: str
    rank: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A candidate onset.

    Attributes:
        weight: How likely it is, 0 to 1.
        rank: Where the service ranks if the incident began there.
        first: Who ranks first then.
    """

    at: datetime
    weight: float
    rank: int
    first: str
    likeliest: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a service ranks where it does.

    Attributes:
        suspect: Its place in the report.
        of: How many services are ranked.
        summary: One or two sentences.
        parts: What each kind of evidence counts; they add up to the score.
        factor: What the sum is multiplied by for what the service is; it is in the parts already.
        taken: Why the score is lower than the evidence alone would make it.
        explained_by: Callees that explain its symptoms.
        explains: Callers whose symptoms it explains.
        comparisons: Beside the one before it, and the first one; for the first one, the second.
        ablations: Without each source that the bundle has.
        moments: Its rank over the likely onsets, in their order.
        evidence: The report's lines about it.
        report: The report itself.
    """

    suspect: Suspect
    of: int
    summary: str
    parts: tuple[Part, ...]
    factor: float
    taken: tuple[Taken, ...]
    explained_by: tuple[Share, ...]
    explains: tuple[Share, ...]
    comparisons: tuple[Comparison, ...]
    ablations: tuple[Ablation, ...]
    moments: tuple[Moment, ...]
    evidence: tuple[Evidence, ...]
    report: Report


def explain(
    bundle: Bundle,
    service: str,
    *,
    tool: ToolInfo,
    options: AnalysisOptions | None = None,
    replayed: bool = False,
) -> Explanation:
    """Take apart why a service ranks where it does.

    Args:
        bundle: What was analysed.
        service: One of its services, or a name that only one of them has in another case.
        tool: What made the report.
        options: Choices of the analysis.
        replayed: Whether the bundle was read from disk.

    Raises:
        UsageError: The bundle doesn't know the service.
    """
    chosen = options or AnalysisOptions()
    memo = Memo()
    bundle = with_one_name_each(bundle, memo)  # before any source is left out whose spelling is kept
    assessed = assess(bundle, chosen, memo)
    report, ranked = report_of(assessed, chosen, tool=tool, replayed=replayed), assessed.ranked
    suspect = find(report, service)
    ablations = tuple(_ablations(bundle, suspect.service, chosen, memo))
    evidence = tuple(item for item in report.evidence if item.id in suspect.evidence)
    if ranked is None:
        why = "Nothing could be ranked: the window holds too few rows."
        return Explanation(
            suspect, len(report.suspects), why, (), 1.0, (), (), (), (), ablations, (), evidence, report
        )
    mine = ranked.structure.services.index(suspect.service)
    found = parts.parts(ranked, mine, chosen.tuning)
    by = parts.explained_by(ranked, mine)
    comparisons = tuple(_comparisons(ranked, report, suspect, chosen.tuning))
    return Explanation(
        suspect=suspect,
        of=len(report.suspects),
        summary=_summary(suspect, len(report.suspects), found, by, comparisons),
        parts=found,
        factor=float(ranked.structure.factor[mine]),
        taken=parts.taken(ranked, mine, chosen.tuning),
        explained_by=by,
        explains=parts.explains(ranked, mine),
        comparisons=comparisons,
        ablations=ablations,
        moments=_moments(ranked, mine),
        evidence=evidence,
        report=report,
    )


def words(kind: Channel) -> str:
    """A kind of evidence as a person would call it."""
    return _WORDS[kind]


def find(report: Report, service: str) -> Suspect:
    """The suspect of that name.

    Raises:
        UsageError: There is none; the hint names close ones.
    """
    names = [suspect.service for suspect in report.suspects]
    exact = [suspect for suspect in report.suspects if suspect.service == service]
    folded = [suspect for suspect in report.suspects if suspect.service.casefold() == service.casefold()]
    if exact or len(folded) == 1:
        return (exact or folded)[0]
    lowered = {name.casefold(): name for name in reversed(names)}
    close = [lowered[name] for name in get_close_matches(service.casefold(), lowered, _SUGGESTED, _CLOSE)]
    close = close or [name for name in names if service.casefold() in name.casefold()][:_SUGGESTED]
    if not names:
        hint = "It knows no service at all: no series, no logs, no spans."
    elif close:
        hint = f"Did you mean {', '.join(close)}?"
    else:
        hint = f"It knows {', '.join(sorted(names)[:10])}{', …' if len(names) > 10 else ''}."  # noqa: PLR2004 - a line
    raise UsageError(f"the bundle has nothing of a service '{service}'", hint=hint)


def _comparisons(ranked: Ranked, report: Report, suspect: Suspect, tuning: Tuning) -> Iterator[Comparison]:
    """Beside the one before it and the first one; the first one beside the second."""
    wanted = [2] if suspect.rank == 1 else sorted({suspect.rank - 1, 1}, reverse=True)
    for place in wanted:
        if place > len(report.suspects):
            continue
        other = report.suspects[place - 1]
        mine, theirs = (ranked.structure.services.index(name) for name in (suspect.service, other.service))
        ahead, behind = (mine, theirs) if suspect.rank < place else (theirs, mine)
        yield Comparison(
            other.service,
            place,
            other.score,
            float(ranked.mixed.score[mine] - ranked.mixed.score[theirs]),
            _differences(parts.parts(ranked, mine, tuning), parts.parts(ranked, theirs, tuning)),
            parts.flips(ranked, ahead, behind, tuning),
        )


def _differences(mine: Sequence[Part], theirs: Sequence[Part]) -> tuple[Difference, ...]:
    left, right = ({part.kind: part.counts for part in some} for some in (mine, theirs))
    kinds = sorted({*left, *right}, key=lambda kind: kind.value)
    found = [Difference(kind, left.get(kind, 0.0), right.get(kind, 0.0)) for kind in kinds]
    return tuple(sorted(found, key=lambda one: (-abs(one.mine - one.theirs), one.kind.value)))


def _moments(ranked: Ranked, service: int) -> tuple[Moment, ...]:
    times, weights, scores = ranked.table.times, ranked.mixed.weights, ranked.services.score
    return tuple(
        Moment(
            datetime.fromtimestamp(float(times[ranked.rows[c]]), UTC),
            float(weights[c]),
            1 + int((scores[c] > scores[c, service]).sum()),
            ranked.structure.services[int(np.argmax(scores[c]))],
            c == ranked.best,
        )
        for c in range(len(weights))
        if weights[c] >= _LIKELY or c == ranked.best
    )


def _ablations(bundle: Bundle, service: str, options: AnalysisOptions, memo: Memo) -> Iterator[Ablation]:
    """The ranking of the bundle with one part of it removed at a time."""
    for name, without in lesser(bundle).items():
        found = assess(without, options, memo)
        order, ranked, stood = found.order, found.ranked, found.stood
        yield Ablation(
            name,
            stood is None or abstains(stood, options.tuning),
            order[0] if order else "",
            1 + order.index(service) if service in order else None,
            ranked.score_of(service) if ranked is not None else 0.0,
        )


def lesser(bundle: Bundle) -> Mapping[str, Bundle]:
    """The bundle without each source that it has."""
    found: dict[str, Bundle] = {}
    if bundle.logs or bundle.log_counts is not None:
        found["logs"] = replace(bundle, logs=(), log_counts=None)
    if bundle.metrics is not None and bundle.metrics.keys:
        found["metrics"] = replace(bundle, metrics=None)
    if bundle.spans:
        found["traces"] = replace(bundle, spans=())
    linked = any(span.parent_id for span in bundle.spans)
    if len(bundle.graph) or linked:
        alone = tuple(replace(span, parent_id=None) for span in bundle.spans)
        found["the graph"] = replace(bundle, graph=ServiceGraph(), spans=alone)
    if bundle.symptom is not None:
        found["the alert"] = replace(bundle, symptom=None)
    if bundle.window.onset is not None:
        found["the given onset"] = replace(bundle, window=replace(bundle.window, onset=None))
    return found


def _summary(
    suspect: Suspect, of: int, found: Sequence[Part], by: Sequence[Share], comparisons: Sequence[Comparison]
) -> str:
    name, place = suspect.service, f"{suspect.service} ranks {_ordinal(suspect.rank)} of {of}"
    if not found or suspect.score <= 0:
        return f"{place}: nothing of it departs from its baseline."
    most = found[0]
    counts = f"{words(most.kind)} count{'s' if most.kind in _SINGULAR else ''} most ({_of(most, suspect.score)})"
    if suspect.rank == 1:
        second = f", {number(comparisons[0].lead)} ahead of {comparisons[0].service}" if comparisons else ""
        return f"{place} with a score of {number(suspect.score)}{second}: {counts}."
    first = comparisons[-1]
    if by and by[0].share >= MOSTLY:
        taken = f"its callee {by[0].service} explains {percent(by[0].share)} of its {by[0].symptom}"
        return f"{place}, {number(-first.lead)} behind {first.service}: {taken}. Of what is left, {counts}."
    lead = max(first.differences, key=lambda one: one.theirs - one.mine)  # the first of them may be in its favour
    return (
        f"{place}, {number(-first.lead)} behind {first.service}: {words(lead.kind)} "
        f"count{'s' if lead.kind in _SINGULAR else ''} {number(lead.theirs)} for {first.service} "
        f"and {number(lead.mine)} for {name}."
    )


def _of(part: Part, score: float) -> str:
    return f"{number(part.counts)} of {number(score)}"


def _ordinal(place: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(place, f"number {place}")


_SINGULAR = frozenset(
    set(Channel)
    - {Channel.ERRORS, Channel.RESTARTS, Channel.EDGE, Channel.CLIENT_ERRORS, Channel.OTHER, Channel.LOG_FAILURE}
    - {Channel.TRACE_FAILURE}
)
