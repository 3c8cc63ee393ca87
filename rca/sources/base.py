"""The seam between the outside world and a bundle.

A source is asked once for a stretch of time and yields pieces as they arrive. The collector merges the pieces, so
that an interrupt keeps what had come by then. A failure that leaves the rest usable is a `Gap` inside a piece; a
failure of the whole source is raised as a `SourceError`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from rca.model.incident import Alert, Commit, Event, Gap, Interval, SourceRecord, Span
from rca.model.logs import LogCounts, LogLine
from rca.model.signals import SignalFrame
from topology import ServiceGraph


@dataclass(frozen=True, slots=True)
class Request:
    """What a source is asked for.

    Attributes:
        span: The stretch of time, baseline included.
        step_seconds: The resolution of series and log buckets.
        deadline: `time.monotonic()` by which the source must have ended, whatever it has by then.
        lookback: How long before the span a change of state (a deploy, a commit) may lie.
    """

    span: Interval
    step_seconds: int
    deadline: float
    lookback: timedelta = timedelta(0)

    @property
    def changes(self) -> Interval:
        """The stretch in which changes of state are looked for."""
        return Interval(self.span.start - self.lookback, self.span.end)


@dataclass(frozen=True, slots=True, eq=False)
class Harvest:
    """A piece of what a source answered; every part is optional.

    Attributes:
        what: What this piece is, in words for the progress display ("log counts").
        done: Pieces that have come, this one included.
        total: Pieces expected, as far as is known now; 0 when unknown.
        record: The source's description of itself; the last one given wins.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    metrics: SignalFrame | None = None
    logs: tuple[LogLine, ...] = ()
    log_counts: LogCounts | None = None
    graph: ServiceGraph | None = None
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()
    spans: tuple[Span, ...] = ()
    commits: tuple[Commit, ...] = ()
    gaps: tuple[Gap, ...] = ()
    record: SourceRecord | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `rca doctor`.

    Attributes:
        ok: True fine, False broken, None worth knowing.
        hint: What to do about it.
        facts: What belongs to it, shown below it.
        more: The same, for who wants to know everything.
    """

    source: str
    name: str
    ok: bool | None
    detail: str
    hint: str = ""
    facts: tuple[str, ...] = field(default=())
    more: tuple[str, ...] = field(default=())


class Source(Protocol):
    """What every source does.

    Attributes:
        measures: It may hold what an analysis needs: series, lines or spans. One that can't (a repository) doesn't
            make up for those that failed.
    """

    name: str
    measures: bool

    def harvest(self, request: Request) -> Iterator[Harvest]:
        """Yield pieces as they arrive, until done or until the deadline.

        Raises:
            SourceError: Nothing can be had: unreachable, refused, timed out.
        """
        ...

    def check(self, request: Request) -> Iterator[Check]:
        """Say whether the source is reachable, who we are there, what was found. Never raises a `SourceError`."""
        ...

    def close(self) -> None:
        """Free connections. Safe to call from another thread and more than once."""
        ...
