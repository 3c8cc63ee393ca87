"""Metric packs: which series to ask for, and what they mean, as values. The files' format: docs/packs.md."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from rca.model.incident import EventKind
from rca.model.signals import Bad, Kind
from topology import NodeKind


class Across(StrEnum):
    """How several series of one service (its pods, its replicas) become one."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"
    MEAN = "mean"


class Rule(StrEnum):
    """What in a series' course is an event."""

    CREATED = "created"  # the value is a unix time that lies in the window
    APPEARS = "appears"  # a label's value that was not there before
    RISES = "rises"  # the value went up
    CHANGES = "changes"  # the value is another one
    STARTS = "starts"  # above zero after it was not there, or not above zero


@dataclass(frozen=True, slots=True)
class Naming:
    """Which labels say whose series it is, the preferred first.

    Attributes:
        service: The service; the first label that the metric has is taken.
        namespace: Its namespace; may have none.
        instance: The replica, for series that are also wanted by replica.
        peer: The callee, for what a caller measured.
        peer_namespace: The callee's namespace.
        strip: Endings to take off a service's name (`-exporter`).
    """

    service: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ()
    instance: tuple[str, ...] = ()
    peer: tuple[str, ...] = ()
    peer_namespace: tuple[str, ...] = ()
    strip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One series a service, and what it means.

    Attributes:
        query: A template (see `rca.sources.prom.promql`).
        requires: Metrics that must be there: names, or patterns that match names whole.
        across: How several series of one service become one.
        scale: What the values are multiplied with, to be in `unit`.
        buckets: The histogram's bucket metric, for a quantile: its values end at the top bucket.
    """

    name: str
    query: str
    requires: tuple[str, ...]
    naming: Naming
    kind: Kind = Kind.OTHER
    bad: Bad = Bad.BOTH
    unit: str = ""
    across: Across = Across.MAX
    scale: float = 1.0
    buckets: str = ""


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """Who calls whom: calls a second, and failed ones, by caller and callee."""

    name: str
    calls: str
    failures: str
    requires: tuple[str, ...]
    naming: Naming


@dataclass(frozen=True, slots=True)
class EventRule:
    """Changes of state that a series shows.

    Attributes:
        subject: For `appears`: the label whose new value is the change. Else a label that names what changed.
        title: The event's words, with `{service}`, `{old}` and `{new}`.
    """

    name: str
    rule: Rule
    event: EventKind
    query: str
    requires: tuple[str, ...]
    naming: Naming
    subject: str = ""
    title: str = ""


Part: TypeAlias = Signal | EdgeRule | EventRule


@dataclass(frozen=True, slots=True)
class Pack:
    """What is asked of one stack.

    Attributes:
        description: What it reads, in a few words, for `rca doctor`.
        requires: It applies when each of these metrics is there: names, or patterns.
        ignore: Patterns of names that the pack's patterns don't mean.
        unless_labels: It does not apply where its metrics have one of these labels.
        node_kind: What its services are, where that is clear.
        exporters: Patterns of metrics that only exporters and monitors expose, whose process isn't the service's.
        about_target: Its series are about the scraped process itself: left out where that is one of these.
        origin: The file, for errors and `rca doctor`.
    """

    name: str
    description: str
    requires: tuple[str, ...]
    signals: tuple[Signal, ...] = ()
    edges: tuple[EdgeRule, ...] = ()
    events: tuple[EventRule, ...] = ()
    ignore: tuple[str, ...] = ()
    unless_labels: tuple[str, ...] = ()
    node_kind: NodeKind | None = None
    exporters: tuple[str, ...] = ()
    about_target: bool = False
    origin: str = field(default="", compare=False)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric name or pattern that the pack wants to know of, sorted."""
        names = (name for part in self.parts for name in part.requires)
        return tuple(sorted({*self.requires, *self.exporters, *names}))

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that is asked for."""
        return (*self.signals, *self.edges, *self.events)
