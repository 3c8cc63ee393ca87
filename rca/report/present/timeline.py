"""The timeline as it is read: what happened in the same second to the same service is one line.

All texts here are raw: they hold names and messages from the outside, which each format must defuse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rca.model.report import CHANGES, Report, TimelineEntry
from rca.report.present.changes import belongs_to, changes
from rca.report.present.text import listed
from rca.report.present.units import clock
from rca.report.present.view import first_day, is_involved, name

_TEXTS = 2  # signs of a service told in one line
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline.

    Attributes:
        evidence: Ids of the evidence that it tells.
    """

    at: datetime
    what: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The lines in the order of their time, and how many more there would be."""

    moments: tuple[Moment, ...]
    more: int


def timeline(report: Report, *, most: int) -> Timeline:
    """Fold a report's timeline.

    Services that aren't involved are left out, and restarts that belong to a deploy. Within a second the order is
    that of cause and effect: changes, then services along the way it spread, then alerts. Where there are too many
    lines, those stay that say when it began, what may have set it off, and when each service was hit first.

    Args:
        report: The report.
        most: How many lines at most.
    """
    entries = [entry for entry in report.timeline if not _aside(entry, report)]
    placed = [*_plain(entries, report), *_alerts(entries, report), *_signs(entries, report)]
    kept = sorted(placed, key=lambda line: (line.weight, line.moment.at))[:most]
    kept.sort(key=lambda line: (int(line.moment.at.timestamp()), line.place, line.moment.at))
    return Timeline(tuple(line.moment for line in kept), len(placed) - len(kept))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, how dispensable it is, and its place among those of the same second."""

    moment: Moment
    weight: int
    place: int


_CHANGE_PLACE, _ONSET_PLACE, _ALERT_PLACE = -2, -1, 1_000_000


def _aside(entry: TimelineEntry, report: Report) -> bool:
    if entry.kind == "evidence":
        return not any(s.service == entry.service and is_involved(report, s) for s in report.suspects)
    return any(belongs_to(entry, other) for other in report.timeline)


def _plain(entries: Iterable[TimelineEntry], report: Report) -> Iterable[_Line]:
    """Changes, the onset, and what says nothing of its kind; the same change several times in one line."""
    serious = {(trigger.kind, trigger.service, trigger.at) for trigger in changes(report).serious}
    again: dict[str, list[TimelineEntry]] = {}
    for entry in entries:
        if entry.kind in CHANGES:
            again.setdefault(entry.what, []).append(entry)
        elif entry.kind not in {"alert", "evidence"}:
            moment = Moment(entry.at, entry.what, (entry.evidence,) if entry.evidence else ())
            yield _Line(moment, 0, _ONSET_PLACE)
    for what, same in again.items():
        weight = 0 if any((e.kind, e.service, e.at) in serious for e in same) else 3
        yield _Line(_several(what, [], same, report), weight, _CHANGE_PLACE)


def _alerts(entries: Iterable[TimelineEntry], report: Report) -> Iterable[_Line]:
    """Alerts of one name in one line, with whom they spoke of."""
    by_name: dict[str, list[TimelineEntry]] = {}
    for entry in entries:
        if entry.kind == "alert":
            by_name.setdefault(entry.what, []).append(entry)
    for what, fired in by_name.items():
        services = list(dict.fromkeys(entry.service for entry in fired if entry.service))
        whom = [listed(map(name, services), most=_NAMED)] if services else []
        yield _Line(_several(what, whom, fired, report), 2, _ALERT_PLACE)


def _several(what: str, whom: Sequence[str], entries: Sequence[TimelineEntry], report: Report) -> Moment:
    """What happened once or several times, and until when it did."""
    first, last = min(entry.at for entry in entries), max(entry.at for entry in entries)
    often = [f"{len(entries)} times until {clock(last, first_day(report))}"] if last > first else []
    return Moment(first, f"{what} ({'; '.join([*whom, *often])})" if whom or often else what)


def _signs(entries: Iterable[TimelineEntry], report: Report) -> Iterable[_Line]:
    """What departed, by service and second."""
    order = [*(report.suspects[0].path if report.suspects else ()), *(s.service for s in report.suspects)]
    place = {service: index for index, service in reversed(list(enumerate(order)))}
    grouped: dict[tuple[str, int], list[TimelineEntry]] = {}
    for entry in entries:
        if entry.kind == "evidence":
            grouped.setdefault((entry.service, int(entry.at.timestamp())), []).append(entry)
    number = {evidence.id: index for index, evidence in enumerate(report.evidence)}
    met: set[str] = set()
    for (service, _), together in sorted(grouped.items(), key=lambda item: item[0][1]):
        at = min(entry.at for entry in together)
        together.sort(key=lambda entry: number.get(entry.evidence or "", len(number)))
        proof = tuple(entry.evidence for entry in together if entry.evidence)
        moment = Moment(at, _told(service, together), proof)
        yield _Line(moment, 4 if service in met else 1, place.get(service, len(order)))
        met.add(service)


def _told(service: str, together: Sequence[TimelineEntry]) -> str:
    texts = [entry.what.removeprefix(f"{service}: ") for entry in together]
    more = f"; and {len(texts) - _TEXTS} more" if len(texts) > _TEXTS else ""
    return f"{service}: {'; '.join(texts[:_TEXTS])}{more}"
