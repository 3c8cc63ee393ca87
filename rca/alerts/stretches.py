"""From what was said of one alert, in order, to the stretches in which it fired."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rca.model.incident import Alert


@dataclass(frozen=True, slots=True)
class Turn:
    """One message about an alert.

    Attributes:
        fires: Whether it fires from here on.
        seen_at: When the message speaks of.
        ended_at: When it ended, for one that doesn't fire; None when nobody knows.
    """

    alert: Alert
    fires: bool
    seen_at: datetime
    ended_at: datetime | None = None


def stretches(turns: Sequence[Turn]) -> Iterator[Alert]:
    """One alert for each stretch of firing, from messages about the same alert in the order of time."""
    open_: Alert | None = None
    last: Alert | None = None
    for turn in turns:
        if turn.fires:
            open_ = replace(turn.alert, starts_at=open_.starts_at) if open_ else turn.alert
        elif open_ or last is None:  # an end whose beginning wasn't recorded tells both
            last = replace(
                turn.alert,
                starts_at=open_.starts_at if open_ else turn.alert.starts_at,
                ends_at=turn.ended_at,
                state="resolved",
            )
            open_ = None
            yield last
    if open_:
        yield open_
