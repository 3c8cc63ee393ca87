"""The report: what every format renders. Its JSON form is a contract (`schema_version`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rca.model.incident import EventKind, Gap, Interval, SourceRecord
from rca.model.signals import Kind

SCHEMA_VERSION = 1
CHANGES = frozenset({*(kind.value for kind in EventKind), "commit"})
"""Kinds of triggers that are recorded changes."""


class Confidence(StrEnum):
    """How sure the verdict is; the words' measured meaning is in docs/ranking.md."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Role(StrEnum):
    """What part a service plays in the incident."""

    CAUSE = "cause"
    SYMPTOM = "symptom"
    BYSTANDER = "bystander"


class EvidenceKind(StrEnum):
    """Where a piece of evidence comes from."""

    METRIC = "metric"
    LOG = "log"
    EDGE = "edge"
    TRACE = "trace"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of evidence.

    Attributes:
        id: `E1`, `E2`, … in the order of the suspects.
        text: The change in plain words: "errors x5.2, 0.4 % to 2.1 %".
        query: What shows it in the source's own console; empty when there is none.
        baseline: The value before, in `unit`; None where there is no number.
        observed: The value during the incident.
        onset: When this series or template departed.
        strength: 0 to 1, comparable within a report.
        signal: What kind of metric, for evidence of kind metric.
        template: The log template it rests on, for evidence of kind log.
        metric: The series' name in its source, for evidence that rests on one.
        points: `(unix seconds, value)` for a plot; empty where there is nothing to draw.
    """

    id: str
    kind: EvidenceKind
    service: str
    text: str
    query: str = ""
    baseline: float | None = None
    observed: float | None = None
    unit: str = ""
    onset: datetime | None = None
    strength: float = 0.0
    signal: Kind | None = None
    template: str = ""
    metric: str = ""
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """One ranked service.

    Attributes:
        score: Comparable within a report; 0 for a service with nothing to show.
        path: The services it spread along, from this one to the one where the symptom was seen.
        evidence: Ids of its evidence, strongest first.
        why: One sentence.
    """

    rank: int
    service: str
    score: float
    role: Role
    path: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change of state, weighed as what may have set the incident off.

    Attributes:
        kind: Of a change: `deploy`, `config`, `scale`, `restart`, `commit`, `other`. Of what is none of the known
            changes: `external`, `traffic`, `node`, `certificate`, `dns`, `network`, `clock`, `storage`, `job`,
            `data`, `capacity`, `dependency`, `unknown`.
        score: A sum of `reasons`; comparable within a report.
        reasons: What adds up to the score, each with its share.
        on_record: Whether it is known what it changed: a deploy without a diff has time and place alone.
    """

    rank: int
    kind: str
    service: str
    at: datetime | None
    score: float
    why: str
    commit: str | None = None
    reasons: tuple[str, ...] = ()
    on_record: bool = True

    @property
    def is_change(self) -> bool:
        """Whether it is a recorded change; else it says what the incident looks like instead."""
        return self.commit is not None or self.kind in CHANGES


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in ten seconds.

    Attributes:
        abstained: The data don't single out a service; `suspects` are listed all the same.
        summary: One or two sentences: where, why, since when.
        reasons: What raised or lowered the confidence, in plain words.
    """

    abstained: bool
    confidence: Confidence
    summary: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnsetEstimate:
    """When it began, as far as the data say.

    Attributes:
        at: The best single time; None when nothing departs.
        earliest: Start of the range that holds most of the weight.
        latest: End of that range.
        given: What the analysis was told, or None.
        began: The first sign of it within that range, which reaches at least to it. A line or a span has its own
            time, and a series the row at which it departs; `at` is the row at which everything is compared.
    """

    at: datetime | None
    earliest: datetime | None = None
    latest: datetime | None = None
    given: datetime | None = None
    began: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """The time to tell people: the first sign, or the best single time where there is none finer."""
        return self.began or self.at


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident that resembles this one."""

    incident: str
    similarity: float
    why: str
    resolution: str
    title: str = ""
    at: datetime | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened, for the report's timeline.

    Attributes:
        evidence: The id of the evidence that it tells.
        kind: Of a change as of a `Trigger`; else `alert`, `symptom`, `onset` or `evidence`.
        service: Whom it happened to; empty where that isn't known.
    """

    at: datetime
    what: str
    evidence: str | None = None
    kind: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class PathStep:
    """A service on the way of a request, and how long it took there, with all that it waited for."""

    service: str
    ms: float


@dataclass(frozen=True, slots=True)
class SlowPath:
    """The way that the time goes in slow requests, by their traces; times are medians, in milliseconds.

    Attributes:
        steps: From where the request came in to the last service on the way.
        callee: Whom that one waited for, where the time was spent between the two; else empty: it took it itself.
        answered: The callee's own time is known, and isn't in it: it is the network or a queue.
        calls: How many calls the last step waited for, where none of them alone took most of its time; else 0.
        own_ms: What the last step took by itself, or waited; all of its time where that went into many calls.
        usual_ms: The same before the incident.
        traces: How many slow requests went this way.
        slow: Slow requests in all.
    """

    steps: tuple[PathStep, ...]
    callee: str
    answered: bool
    calls: int
    own_ms: float
    usual_ms: float
    traces: int
    slow: int


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """Which tool, under which configuration, made the report."""

    version: str
    config_hash: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a format shows, already decided: a renderer computes nothing.

    Attributes:
        simple_ranking: The honest simple ranker's order, best first, for comparison.
        impact: Services hit, the suspect first.
        user_facing: Those of them that no service calls: where users come in.
        healthy_on_path: Services on a path of spread that stayed healthy: callers of the suspect, direct or not.
        slow_path: Where the time goes in slow requests; None without traces, or where they aren't slower.
        similar: None when the store of past incidents wasn't asked; empty when nothing resembles it.
        remembered: How many past incidents it was compared with.
        replayed: True when the bundle was read from disk.
        alert_context: The alert that was started from, told by the finding; empty without one.
    """

    tool: ToolInfo
    bundle_id: str
    bundle_title: str
    bundle_sha256: str
    span: Interval
    baseline: Interval | None
    onset: OnsetEstimate
    verdict: Verdict
    suspects: tuple[Suspect, ...]
    evidence: tuple[Evidence, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    first_failure: tuple[str, datetime | None] | None = None
    impact: tuple[str, ...] = ()
    user_facing: tuple[str, ...] = ()
    healthy_on_path: tuple[str, ...] = ()
    slow_path: SlowPath | None = None
    gaps: tuple[Gap, ...] = ()
    similar: tuple[SimilarIncident, ...] | None = None
    remembered: int = 0
    timeline: tuple[TimelineEntry, ...] = ()
    simple_ranking: tuple[str, ...] = ()
    sources: tuple[SourceRecord, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    replayed: bool = False
    alert_context: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def unsure(self) -> bool:
        """Whether no service is singled out."""
        return self.verdict.abstained or not self.suspects
