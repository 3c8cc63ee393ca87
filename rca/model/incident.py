"""What a bundle holds: the window, events, alerts, spans, commits, gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from rca.model.logs import LogCounts, LogLine
from rca.model.signals import SignalFrame
from topology import ServiceGraph


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time, half open: `start <= t < end`; both aware.

    Raises:
        ValueError: A time is naive, or the end isn't after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs times with an offset")
        if self.end <= self.start:
            raise ValueError(f"the interval ends ({self.end}) before it begins ({self.start})")

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()

    @property
    def timestamps(self) -> tuple[float, float]:
        """Its start and end, unix seconds."""
        return self.start.timestamp(), self.end.timestamp()


@dataclass(frozen=True, slots=True)
class Window:
    """The incident's window.

    Attributes:
        span: Where the incident is sought; an onset that nobody knows is looked for in here. The data may begin
            before it (the baseline that was collected with it) or end after it.
        onset: When the alert fired or the fault began, as far as anyone knew; None when nobody did.
        baseline: What counts as normal. None: every row before the onset, less the guard gap, also those before
            `span`. It may lie after the incident.
    """

    span: Interval
    onset: datetime | None = None
    baseline: Interval | None = None


@dataclass(frozen=True, slots=True)
class Symptom:
    """The symptom that was reported: a service, and a metric of it where known."""

    service: str
    metric: str | None = None
    fired_at: datetime | None = None


class EventKind(StrEnum):
    """What kind of change an event records."""

    DEPLOY = "deploy"
    CONFIG = "config"
    RESTART = "restart"
    SCALE = "scale"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state that somebody or something recorded."""

    at: datetime
    kind: EventKind
    service: str
    title: str
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, in the terms of Alertmanager's API v2."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    fingerprint: str = ""
    state: str = "active"
    generator_url: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One span of a trace."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    operation: str
    start: datetime
    duration_ms: float
    error: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Commit:
    """What was changed in the code.

    Attributes:
        at: When it came to the branch.
        repository: The repository's name; a service of that name is the one whose code it holds. Empty where it
            isn't known.
        owners: Beginnings of paths with the service whose code lies there, as people wrote them down; an empty
            beginning is all of the repository.
        tags: Names that were given to this very revision.
    """

    sha: str
    author: str
    at: datetime
    message: str
    files_changed: tuple[str, ...] = ()
    diff: str | None = None
    repository: str = ""
    owners: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Something that was not seen: missing data is a value, not a log line.

    Attributes:
        source: Who should have said it (`elasticsearch`, `prometheus`, `bundle`, `analysis`).
        what: What is missing.
        why: The reason, and what to do about it where that is known.
    """

    source: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What was asked of whom, for the report and the replay. It never holds a credential.

    Attributes:
        name: `elasticsearch`, `prometheus`.
        backend: What answered (`elasticsearch`, `prometheus`, `mimir`, `thanos`, `victoriametrics`, …).
        version: Its version, or empty.
        queries: What was asked, by purpose.
        details: Further choices worth showing (index patterns, resolved fields, packs that applied).
    """

    name: str
    backend: str
    version: str = ""
    queries: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A recording of what the sources answered for one incident: all that analysis ever sees.

    Attributes:
        sha256: A hash of the content (not of the archive), the same for a folder and its archives.
        redactions: How many secrets of each kind were cut out of it.
    """

    id: str
    window: Window
    title: str = ""
    system: str = ""
    symptom: Symptom | None = None
    resolution_seconds: float = 0.0
    sources: tuple[SourceRecord, ...] = ()
    notes: str = ""
    metrics: SignalFrame | None = None
    logs: tuple[LogLine, ...] = ()
    log_counts: LogCounts | None = None
    graph: ServiceGraph = field(default_factory=ServiceGraph)
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()
    spans: tuple[Span, ...] = ()
    commits: tuple[Commit, ...] = ()
    gaps: tuple[Gap, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    sha256: str = ""
