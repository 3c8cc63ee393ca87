"""What every format shows of the incident and in which words: each decides only how it looks.

All texts here are raw: they hold names and messages from the outside, which each format must defuse.
"""

from dataclasses import dataclass
from datetime import date, datetime

from rca.model.incident import Gap
from rca.model.report import Confidence, Evidence, OnsetEstimate, Report, Role, SimilarIncident, Suspect, Trigger
from rca.report.present.text import ELLIPSIS, counted, cut, listed, shorten, visible_line
from rca.report.present.units import clock, duration, moment, quantity

LISTED = 15  # further suspects shown by name
NO_TRIGGER = "No deploy, configuration change, restart or scaling is on record in the window."
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
_NAMES = 8
_SOON = 1.0  # seconds; onsets closer than this are the same time


@dataclass(frozen=True, slots=True)
class Suspects:
    """The suspects as they are shown.

    Attributes:
        detailed: Those with their evidence.
        further: Those with something to show, named only.
        quiet: How many have nothing to show.
    """

    detailed: tuple[Suspect, ...]
    further: tuple[Suspect, ...]
    quiet: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One service on the way the incident spread.

    Attributes:
        part: What part it plays: `cause`, `symptom`, `bystander`, `stayed healthy`, or empty.
        onset: When its first evidence departed.
        text: Its strongest evidence, in words.
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

    A bystander is shown in detail only when its score comes near the first one's: what nearly won should be seen.
    """
    top = report.suspects[0].score if report.suspects else 0.0
    loud = [s for s in report.suspects if s.evidence or s.role is not Role.BYSTANDER]
    near = [s for s in loud if s.role is not Role.BYSTANDER or s.score >= _NEAR * top][:detailed]
    return Suspects(tuple(near), tuple(s for s in loud if s not in near), len(report.suspects) - len(loud))


def name(service: str) -> str:
    """A service's name for running text: harmless, and very long ones cut in the middle."""
    return shorten(visible_line(service), _NAME)


def further_text(suspects: Suspects) -> str:
    """The suspects named only: `#6 ads (symptom), #7 mail (symptom) and 12 more`; empty when there are none."""
    return listed((f"#{s.rank} {name(s.service)} ({s.role.value})" for s in suspects.further), most=LISTED)


def quiet_text(suspects: Suspects) -> str:
    """The bystanders in a few words; empty when there are none."""
    return f"{counted(suspects.quiet, 'service')} with nothing to show" if suspects.quiet else ""


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


def headline(report: Report) -> str:
    """The verdict in one line."""
    if not report.suspects:
        return "Can't tell: no service has any data in this window"
    if report.verdict.abstained:
        return "Can't tell which service caused it"
    first = shorten(visible_line(report.suspects[0].service), 2 * _NAME)
    return f"{first} {_VERB[report.verdict.confidence]}"


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The lines under the verdict: label and text."""
    day = first_day(report)
    lines = [("Since", onset_text(report.onset))]
    if report.suspects and not report.verdict.abstained:
        lines.append(("Confidence", report.verdict.confidence.value))
    if report.first_failure:
        service, at = report.first_failure
        lines.append(
            ("First failure", f"{name(service)} at {clock(at, day)}" if at else f"{name(service)}, time unknown")
        )
    if report.impact:
        names = listed(map(name, report.impact), most=_NAMES)
        lines.append(("Hit", f"{counted(len(report.impact), 'service')}: {names}"))
    if report.triggers:
        lines.append(("What changed", f"{trigger_title(report.triggers[0])}{_when(report.triggers[0], report)}"))
    return tuple(lines)


def first_day(report: Report) -> date:
    """The day on which the window begins: times of that day are shown without it."""
    return report.span.start.date()


def onset_text(onset: OnsetEstimate) -> str:
    """Since when, how certain that is, and what the analysis was told."""
    told = f"; reported at {moment(onset.given)}" if onset.given else ""
    if onset.at is None:
        return f"unknown: nothing departs from normal{told}"
    if onset.given and abs((onset.given - onset.at).total_seconds()) >= _SOON:
        late = (onset.given - onset.at).total_seconds()
        told = f"; reported {duration(late)} {'later' if late > 0 else 'earlier'}"
    return f"{moment(onset.at)}{_range(onset)}{told}"


def _range(onset: OnsetEstimate) -> str:
    if onset.at is None or onset.earliest is None or onset.latest is None:
        return " (uncertainty unknown)"
    if (onset.latest - onset.earliest).total_seconds() < _SOON:
        return ""
    day = onset.at.date()
    return f" (between {clock(onset.earliest, day)} and {clock(onset.latest, day)})"


def trigger_title(trigger: Trigger) -> str:
    """What changed, and where: `deploy of payments (commit 4f2a91c)`."""
    commit = f" (commit {cut(trigger.commit, 13)})" if trigger.commit else ""
    return f"{trigger.kind} of {name(trigger.service)}{commit}" if trigger.service else f"{trigger.kind}{commit}"


def trigger_when(trigger: Trigger, report: Report) -> str:
    """When it changed, and how long before or after the onset."""
    return _when(trigger, report).removeprefix(" at ") or "time unknown"


def _when(trigger: Trigger, report: Report) -> str:
    if trigger.at is None:
        return ""
    at = f" at {clock(trigger.at, first_day(report))}"
    if report.onset.at is None:
        return at
    ahead = (report.onset.at - trigger.at).total_seconds()
    if abs(ahead) < _SOON:
        return f"{at}, just at the onset"
    return f"{at}, {duration(ahead)} {'before' if ahead > 0 else 'after'} the onset"


def spread(report: Report) -> tuple[Hop, ...]:
    """The way from the first suspect to the symptom, cause first; empty when it is not known."""
    if not report.suspects or len(report.suspects[0].path) < 2:  # noqa: PLR2004 - one service is no path
        return ()
    roles = {suspect.service: suspect for suspect in report.suspects}
    return tuple(_hop(report, service, roles.get(service)) for service in report.suspects[0].path)


def _hop(report: Report, service: str, suspect: Suspect | None) -> Hop:
    if service in report.healthy_on_path:
        return Hop(service, HEALTHY, None, "")
    evidence = evidence_of(report, suspect) if suspect else ()
    onsets = [item.onset for item in evidence if item.onset]
    return Hop(
        service=service,
        part=suspect.role.value if suspect else "",
        onset=min(onsets) if onsets else None,
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
    found = [f"{group.source}: {listed(group.what, most=3)} ({group.why})" for group in gap_groups(report.gaps)]
    if not report.suspects:
        return (*found[:_HELPS], "a window for which the sources hold data (--since, --until); see rca doctor")
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
    return "Not seen before: no past incident resembles this one."


def similar_title(past: SimilarIncident) -> str:
    """A past incident in one line: `INC-7 · 87 % alike · connection pool · 2026-10-01 · cause confirmed`."""
    parts = [past.incident, f"{past.similarity * 100:.0f} % alike", past.title]
    parts.append(f"{past.at:%Y-%m-%d}" if past.at else "")
    parts.append("cause confirmed" if past.confirmed else "cause not confirmed")
    return " · ".join(part for part in parts if part)
