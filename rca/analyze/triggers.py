"""Changes on record that may have set the incident off: near in time, near in the graph."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rca.model.incident import Event
from rca.model.report import Trigger
from topology import ServiceGraph
from topology.propagate import undirected_distances

_REACH = timedelta(hours=24)
_SLACK = timedelta(minutes=2)  # clocks and buckets: an event may be stamped a little after what it caused
_HALF_LIFE_MINUTES = 30.0
_PER_HOP = 0.5
_MOST = 10
_HOPS = 2


def triggers(
    events: Sequence[Event], onset: datetime | None, shares: Mapping[str, float], graph: ServiceGraph
) -> tuple[Trigger, ...]:
    """Score events before the onset by how recent they are and how near to the suspects.

    Args:
        events: As recorded.
        onset: The best estimate of when it began; None gives no triggers.
        shares: Each suspect's score over the first one's, 0 to 1.
        graph: Who calls whom.
    """
    if onset is None:
        return ()
    weighed = []
    for event in events:
        if not onset - _REACH <= event.at <= onset + _SLACK:
            continue
        hops = undirected_distances(graph, event.service, _HOPS) or {event.service: 0}
        near, share = max(
            ((name, shares.get(name, 0.0) * _PER_HOP**distance) for name, distance in hops.items()),
            key=lambda pair: (pair[1], pair[0]),
        )
        minutes = max(0.0, (onset - event.at).total_seconds() / 60)
        score = share * 0.5 ** (minutes / _HALF_LIFE_MINUTES)
        if score > 0:
            weighed.append((score, event, near, minutes))
    weighed.sort(key=lambda item: (-item[0], -item[1].at.timestamp(), item[1].service, item[1].title))
    return tuple(
        Trigger(
            rank,
            event.kind.value,
            event.service,
            event.at,
            round(score, 4),
            _why(event, near, minutes),
            event.details.get("commit") if isinstance(event.details.get("commit"), str) else None,
        )
        for rank, (score, event, near, minutes) in enumerate(weighed[:_MOST], start=1)
    )


def _why(event: Event, near: str, minutes: float) -> str:
    when = f"{minutes:.0f} min before the onset" if minutes >= 1 else "at the onset"
    where = "on the suspect itself" if near == event.service else f"near {near}"
    return f"{event.title}: {when}, {where}"
