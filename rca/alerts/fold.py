"""Duplicates folded: the same alert sent again, by each replica of the monitoring, or fired anew."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rca.alerts.labels import identity, replica, service_of
from rca.model.incident import Alert

JITTER = timedelta(minutes=2)
"""Replicas of the monitoring evaluate at different moments: beginnings this close are one firing."""
FLAPS = 3
"""So many firings within FLAP_WINDOW are flapping."""
FLAP_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """One time that an alert fired.

    Attributes:
        end: None while it fires, and where nobody knows when it ended.
        fires: It has not ended.
    """

    start: datetime
    end: datetime | None = None
    fires: bool = False

    def covers(self, at: datetime) -> bool:
        """Whether it fired at that time, as far as is known."""
        return self.start <= at and (self.fires if self.end is None else at <= self.end)


@dataclass(frozen=True, slots=True)
class Folded:
    """All of what was sent about one alert.

    Attributes:
        alert: Its first firing.
        service: Whose it is; None when its labels don't say.
        received: How many alerts were folded into it.
        replicas: How many senders there were.
        episodes: When it fired, in order; never empty.
    """

    alert: Alert
    service: str | None
    received: int
    replicas: int
    episodes: tuple[Episode, ...]

    @property
    def start(self) -> datetime:
        """When it first fired."""
        return self.episodes[0].start

    @property
    def fires(self) -> bool:
        """Whether it still fires."""
        return self.episodes[-1].fires

    @property
    def suppressed(self) -> bool:
        """Whether it was silenced or inhibited."""
        return self.alert.state == "suppressed"

    @property
    def flapping(self) -> bool:
        """Whether it fired and resolved again and again."""
        starts = [episode.start for episode in self.episodes]
        return any(last - first <= FLAP_WINDOW for first, last in zip(starts, starts[FLAPS - 1 :], strict=False))


def fold(alerts: Iterable[Alert], known: Collection[str] = ()) -> tuple[Folded, ...]:
    """One for each alert, told apart by labels without those of replicas; by first firing, then labels.

    Args:
        alerts: In any order.
        known: The services of the graph, by which labels are read.
    """
    same: dict[tuple[tuple[str, str], ...], list[Alert]] = {}
    for alert in alerts:
        key = identity(alert) or (("fingerprint", alert.fingerprint),)
        same.setdefault(key, []).append(alert)
    found = [_folded(sorted(same[key], key=_order), known) for key in same]
    return tuple(sorted(found, key=lambda one: (one.start, identity(one.alert), one.alert.fingerprint)))


def _order(alert: Alert) -> tuple[object, ...]:
    return alert.starts_at, replica(alert), alert.fingerprint, alert.state, sorted(alert.annotations.items())


def _folded(alerts: Sequence[Alert], known: Collection[str]) -> Folded:
    senders = {replica(alert) for alert in alerts}
    return Folded(alerts[0], service_of(alerts[0], known), len(alerts), len(senders), tuple(_episodes(alerts)))


def _episodes(alerts: Sequence[Alert]) -> list[Episode]:
    """The times it fired, from what was said of them in the order of their beginnings."""
    found: list[Episode] = []
    for alert in alerts:
        new = Episode(alert.starts_at, alert.ends_at, alert.state != "resolved")
        last = found[-1] if found else None
        if last and (new.start - last.start <= JITTER or (last.end is not None and last.covers(new.start))):
            found[-1] = _joined(last, new)
        else:
            if last and last.fires:  # it fires anew, so it had ended, and nobody said when
                found[-1] = Episode(last.start)
            found.append(new)
    return found


def _joined(one: Episode, other: Episode) -> Episode:
    """Of two tellings of one firing, the one that knows its end."""
    ends = [episode.end for episode in (one, other) if episode.end is not None]
    over = ends or not (one.fires and other.fires)
    return Episode(one.start, max(ends, default=None), fires=not over)
