"""What analysis tells of an incident, as the weighing of changes needs it. No clock, no source: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rca.model.signals import Kind
from topology import ServiceGraph


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A series that departed.

    Attributes:
        up: It rose.
        at: When it left its baseline, unix seconds.
        began: When the way there began: earlier than `at` for a ramp.
        ramp: It went there slowly; else it is a step.
        strength: How far, in robust sigmas.
        ratio: The value now over the one before; 0 where that is unknown.
        peer: The callee, for a series that a caller measured about one of its callees.
    """

    service: str
    metric: str
    kind: Kind
    up: bool
    at: float
    began: float
    ramp: bool
    strength: float
    ratio: float = 0.0
    peer: str = ""


@dataclass(frozen=True, slots=True)
class NewLines:
    """Log lines that are new, or burst.

    Attributes:
        text: An example.
        level: 0 (calm) to 1 (an error).
        first: When the first was written, unix seconds.
        count: How many.
        accused: The other service that the text names, or empty.
    """

    service: str
    text: str
    level: float
    first: float
    count: float = 1.0
    accused: str = ""


@dataclass(frozen=True, slots=True)
class FailedSpan:
    """A span that failed.

    Attributes:
        text: Its operation, its error, and its peer.
        peer: Whom it called, where the span says so.
        deepest: None of its children failed by itself.
        cancelled: The caller gave up on it.
    """

    service: str
    text: str
    peer: str = ""
    deepest: bool = False
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """An incident.

    Attributes:
        start: Where the window begins, unix seconds.
        end: Where it ends.
        onset: When the harm began; None when nothing says so.
        step: Seconds between two points of the series.
        shares: Each suspect's score over the first one's, 0 to 1.
        first_failing: The service that failed first, or empty.
        graph: Who calls whom.
        hosts: Where services run, as far as that is known.
        baseline_words: Words of the log lines before the onset.
        services: Every service that has any data.
        steady: Services to which as much comes in as before, as far as that is measured.
    """

    start: float
    end: float
    onset: float | None
    step: float
    shares: Mapping[str, float]
    first_failing: str
    anomalies: tuple[Anomaly, ...] = ()
    lines: tuple[NewLines, ...] = ()
    spans: tuple[FailedSpan, ...] = ()
    graph: ServiceGraph = field(default_factory=ServiceGraph)
    hosts: Mapping[str, str] = field(default_factory=dict)
    baseline_words: frozenset[str] = frozenset()
    services: tuple[str, ...] = ()
    steady: frozenset[str] = frozenset()
