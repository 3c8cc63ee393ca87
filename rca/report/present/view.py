"""What every format shows of the incident and in which words: each decides only how it looks.

All texts here are raw: they hold names and messages from the outside, which each format must defuse.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from rca.model.incident import Gap
from rca.model.report import Confidence, Evidence, OnsetEstimate, Report, Role, SimilarIncident, Suspect
from rca.model.times import moment
from rca.model.words import counted, percent
from rca.report.present.text import ELLIPSIS, capital, listed, shorten, visible_line
from rca.report.present.units import clock, duration, quantity

LISTED = 15  # further suspects shown by name
NO_GAP = "No gap is on record."
_VERB = {
    Confidence.HIGH: "most likely caused it",
    Confidence.MEDIUM: "probably caused it",
    Confidence.LOW: "may have caused it",
}
HEALTHY = "stayed healthy"
_NAME = 44  # characters of a service's name in running text
_PATH_ENDS = 3  # services shown at each end of a long path
_HELPS = 5
_ANALYSIS = "analysis"  # the source of the gaps that the analysis itself found
_ADVICE = {  # what to do about them, where something can be done
    "logs": "log lines of this window: it holds none",
    "baseline": "a longer or calmer baseline (--baseline-since, --baseline-until)",
    "clock": "clocks that agree: most log lines lie outside the window",
    "metrics in the window": "clocks that agree: every row of the metrics lies outside the window",
}
_NAMES = 8
_SOON = 1.0  # seconds; onsets closer than this are the same time


@dataclass(frozen=True, slots=True)
class Suspects:
    """The suspects as they are shown.

    Attributes:
        shown: The first ones: with something to show, or nearly as suspect as the first.
        detailed: Those of them that are shown with their evidence; the others get a line.
        further: Those with something to show, named only.
        quiet: Those that have nothing to show.
    """

    shown: tuple[Suspect, ...]
    detailed: tuple[Suspect, ...]
    further: tuple[Suspect, ...]
    quiet: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Hop:
    """One service on the way the incident spread.

    Attributes:
        part: What part it plays: `cause`, `symptom`, `bystander`, `stayed healthy`, or empty.
        onset: When its strongest evidence departed: the one that the text beside it tells.
        text: That evidence, in words.
    """

    service: str
    part: str
    onset: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Gaps of one source for one reason."""

    source: str
    what: tuple[str, ...]
    why: str


_NEAR = 1 / 3  # of the first suspect's score


def split(report: Report, *, detailed: int) -> Suspects:
    """Who is shown how, at most so many in detail; services without evidence that only stood by are a number.

    In detail: the first, those it hit, and those whose score comes near the first one's, since what nearly won
    should be seen.
    """
    top = report.suspects[0].score if report.suspects else 0.0
    loud = [s for s in report.suspects if s.evidence or s.role is not Role.BYSTANDER or (s.rank == 1 and top > 0)]
    close = [s for s in report.suspects if top > 0 and s.score >= _NEAR * top]
    near = [s for s in loud if is_involved(report, s) or s in close][:detailed]
    last = max((s.rank for s in (*near[-1:], *close[:detailed])), default=0)
    shown = [s for s in report.suspects if s.rank <= last and (s in loud or s in close)]
    further = [s for s in loud if s.rank > last]
    quiet = [s for s in report.suspects if s not in loud and s not in shown]
    return Suspects(tuple(shown), tuple(near), tuple(further), tuple(quiet))


def is_involved(report: Report, suspect: Suspect) -> bool:
    """Whether a service is part of what happened, as far as the report says; not merely off at the same time."""
    if suspect.role is Role.CAUSE or suspect.service in report.impact:
        return True
    first = report.suspects[0]
    return suspect == first or (suspect.service in first.path and suspect.role is not Role.BYSTANDER)


def name(service: str) -> str:
    """A service's name for running text: harmless, and very long ones cut in the middle."""
    return shorten(visible_line(service), _NAME)


def further_text(suspects: Suspects) -> str:
    """The suspects named only: `#6 ads (symptom), #7 mail (symptom) and 12 more`; empty when there are none."""
    return listed((f"#{s.rank} {name(s.service)} ({s.role.value})" for s in suspects.further), most=LISTED)


def quiet_text(suspects: Suspects) -> str:
    """Those with nothing to show in a few words; empty when there are none."""
    if not suspects.quiet:
        return ""
    names = listed((f"#{suspect.rank} {name(suspect.service)}" for suspect in suspects.quiet), most=_NAMES)
    return f"{counted(len(suspects.quiet), 'service')} with nothing to show: {names}"


def evidence_of(report: Report, suspect: Suspect) -> tuple[Evidence, ...]:
    """A suspect's evidence, in its order; ids without an entry are left out."""
    known = {evidence.id: evidence for evidence in report.evidence}
    return tuple(known[name] for name in suspect.evidence if name in known)


def evidence_text(evidence: Evidence) -> str:
    """The change in words; with its numbers, unless the words have some already."""
    if any(char.isdecimal() for char in evidence.text):
        return evidence.text
    before, during = quantity(evidence.baseline, evidence.unit), quantity(evidence.observed, evidence.unit)
    if not during:
        return evidence.text
    return f"{evidence.text}, {before} to {during}" if before else f"{evidence.text}, {during}"


def metric_text(evidence: Evidence) -> str:
    """The name of the series, unless the words are made of it."""
    spoken = " ".join(re.split(r"[_:]+", evidence.metric)).strip()
    return "" if spoken and spoken in evidence.text else evidence.metric


def aside(report: Report, suspect: Suspect) -> str:
    """A suspect that gets a line: its strongest evidence, or why it stands there without any."""
    evidence = evidence_of(report, suspect)
    return evidence_text(evidence[0]) if evidence else suspect.why


def why(report: Report, suspect: Suspect) -> str:
    """Why a suspect stands where it does, less what its first line of evidence says anyway."""
    evidence = evidence_of(report, suspect)
    return suspect.why.removesuffix(evidence[0].text).rstrip(": ") if evidence else suspect.why


def headline(report: Report) -> str:
    """The verdict in one line."""
    if not report.suspects:
        return "Can't tell: no service has any data in this window"
    if report.verdict.abstained:
        return "Can't tell which service caused it"
    first = shorten(visible_line(report.suspects[0].service), 2 * _NAME)
    return claim(first, report.verdict.confidence)


def claim(service: str, confidence: Confidence) -> str:
    """Who did it, no surer than the confidence allows."""
    return f"{service} {_VERB[confidence]}"


def since_clause(since: datetime | None) -> str:
    """How a summary goes on after its claim."""
    return f" since {moment(since)}" if since else ""


def summary(report: Report) -> str:
    """The summary as it reads below the headline: without the claim, where it begins with it."""
    text, said = report.verdict.summary, headline(report)
    if not text.startswith(said):
        return text
    rest = text.removeprefix(said).lstrip(" :;,.")
    return capital(rest) if rest.startswith("since ") else rest


def began(report: Report) -> datetime | None:
    """When it began, as finely as the data tell."""
    return report.onset.since


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The lines under the verdict: label and text."""
    lines = [("The alert", report.alert_context)] if report.alert_context else []
    lines.append(("Onset", onset_text(report)))
    slow = [("Slowest path", told)] if (told := slow_path_text(report)) else []
    if report.unsure:
        return (*lines, *slow)
    lines.append(("Confidence", report.verdict.confidence.value))
    if report.impact:
        lines.append(("Hit", hit_text(report)))
    if report.healthy_on_path:
        healthy = listed(map(name, report.healthy_on_path), most=_NAMES)
        lines.append(("Not hit", f"{healthy} (calling it, directly or through others)"))
    return (*lines, *slow)


def hit_text(report: Report) -> str:
    """The services hit, the suspect first, and where users feel it."""
    names = listed(map(name, report.impact), most=_NAMES)
    if any((gap.source, gap.what) == (_ANALYSIS, "topology") for gap in report.gaps):
        return f"{names}; whom else can't be told without a service graph"
    if not report.user_facing:
        return names
    if report.user_facing == report.impact:
        return f"{names}, at the edge of the system"
    return f"{names}; at the edge of the system: {listed(map(name, report.user_facing), most=_PATH_ENDS)}"


def slow_path_text(report: Report) -> str:
    """Where the time goes in slow requests: `web 2.1 s → pay 1.9 s by itself, usually 40 ms`; empty without."""
    path = report.slow_path
    if path is None:
        return ""
    took, usual = quantity(path.own_ms, "ms"), quantity(path.usual_ms, "ms")
    steps = [f"{name(step.service)} {quantity(step.ms, 'ms')}" for step in path.steps[:-1]]
    last = path.steps[-1]
    if path.callee:
        where = f", its own time left out, usually {usual}" if path.answered else f", usually {usual}"
        steps += [
            f"{name(last.service)} {quantity(last.ms, 'ms')}",
            f"{took} in its call to {name(path.callee)}{where}",
        ]
    else:
        how = f"in {counted(path.calls, 'call')}" if path.calls else "by itself"
        steps.append(f"{name(last.service)} {took} {how}, usually {usual}")
    if len(steps) > 2 * _PATH_ENDS:
        steps = [*steps[:_PATH_ENDS], ELLIPSIS, *steps[-_PATH_ENDS:]]
    return f"{' → '.join(steps)} ({path.traces:,} of {counted(path.slow, 'slow trace')})"


def first_day(report: Report) -> date:
    """The day on which the window begins: times of that day are shown without it."""
    return report.span.start.date()


def onset_text(report: Report) -> str:
    """Since when, how certain that is, and what the analysis was told."""
    onset, at = report.onset, began(report)
    if at is None:
        told = f"; reported at {moment(onset.given)}" if onset.given else ""
        return f"unknown: nothing departs from normal{told}"
    told = ""
    if onset.given:
        late = (onset.given - at).total_seconds()
        apart = duration(late) if abs(late) >= _SOON else ""
        told = f"; reported {apart} {'later' if late > 0 else 'earlier'}" if apart else "; reported at that time"
    return f"{moment(at)}{_range(onset)}{told}"


def _range(onset: OnsetEstimate) -> str:
    if onset.at is None or onset.earliest is None or onset.latest is None:
        return " (uncertainty unknown)"
    if (onset.latest - onset.earliest).total_seconds() < _SOON:
        return ""
    day = onset.at.date()
    return f" (between {clock(onset.earliest, day)} and {clock(onset.latest, day)})"


def spread(report: Report) -> tuple[Hop, ...]:
    """The way from the first suspect to the symptom, cause first; empty when it is not known."""
    if not report.suspects or len(report.suspects[0].path) < 2:  # noqa: PLR2004 - one service is no path
        return ()
    if report.verdict.abstained and not evidence_of(report, report.suspects[0]):
        return ()
    roles = {suspect.service: suspect for suspect in report.suspects}
    return tuple(_hop(report, service, roles.get(service)) for service in report.suspects[0].path)


def _hop(report: Report, service: str, suspect: Suspect | None) -> Hop:
    if service in report.healthy_on_path:
        return Hop(service, HEALTHY, None, "")
    evidence = evidence_of(report, suspect) if suspect else ()
    return Hop(
        service=service,
        part=suspect.role.value if suspect else "",
        onset=evidence[0].onset if evidence else None,
        text=evidence_text(evidence[0]) if evidence else "",
    )


def own_path(report: Report, suspect: Suspect) -> tuple[str, ...]:
    """A suspect's path, shortened; empty where the first suspect's path shows it already."""
    main, path = report.suspects[0].path, suspect.path
    if len(path) < 2 or path == main[-len(path) :]:  # noqa: PLR2004 - one service is no path
        return ()
    return path if len(path) <= 2 * _PATH_ENDS else (*path[:_PATH_ENDS], ELLIPSIS, *path[-_PATH_ENDS:])


def spread_title(report: Report) -> str:
    """What to call that way; a possibility only, when there is no verdict."""
    return "How it would have spread, were it the first suspect" if report.verdict.abstained else "How it spread"


def helps(report: Report) -> tuple[str, ...]:
    """What would let a verdict be reached, most general last."""
    found = [
        f"{group.source}: {listed(group.what, most=3)} ({group.why})"
        for group in gap_groups(report.gaps)
        if group.source != _ANALYSIS
    ]
    if not report.suspects:
        return (*found[:_HELPS], "a window for which the sources hold data (--since, --until); see rca doctor")
    missing = {gap.what for gap in report.gaps if gap.source == _ANALYSIS}
    found += [text for what, text in _ADVICE.items() if what in missing]
    if report.onset.given is None:
        found.append("the time of the alert or the first complaint (--at)")
    if not any(suspect.path for suspect in report.suspects):
        found.append("a service graph: a topology file, or traces")
    return tuple(found[:_HELPS])


def gap_groups(gaps: tuple[Gap, ...]) -> tuple[GapGroup, ...]:
    """Gaps with one source and reason put together, in the order of their first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        groups.setdefault((gap.source, gap.why), []).append(gap.what)
    return tuple(GapGroup(source, tuple(dict.fromkeys(what)), why) for (source, why), what in groups.items())


def gap_text(group: GapGroup) -> str:
    """What is missing, in one line."""
    return listed(group.what, most=_NAMES)


def similar_empty(report: Report) -> str:
    """What to say where no past incident is listed."""
    if report.similar is None:
        return "The store of past incidents was not asked."
    if not report.remembered:
        return (
            "No other incident is kept. To have this one recognised when it comes again: rca incidents add BUNDLE."
        )
    return f"Not seen before: nothing like it among {counted(report.remembered, 'past incident')}."


def similar_title(past: SimilarIncident) -> str:
    """A past incident in one line: `INC-7 · 87 % alike · connection pool · 2026-10-01 · cause confirmed`."""
    parts = [past.incident, f"{percent(past.similarity)} alike", past.title]
    parts.append(f"{past.at:%Y-%m-%d}" if past.at else "")
    parts.append("cause confirmed" if past.confirmed else "cause not confirmed")
    return " · ".join(part for part in parts if part)
