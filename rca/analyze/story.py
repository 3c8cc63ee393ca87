"""The story that a report tells: who failed first, since when, and what happened in which order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rca.analyze.evidence import is_outburst
from rca.analyze.spread import Spread
from rca.model.incident import Bundle, Event, EventKind
from rca.model.report import Evidence, OnsetEstimate, TimelineEntry

_TIMELINE = 25  # pieces of evidence
_KIND = {EventKind.OTHER: "event"}  # as it is told, where its own name says too little
_ROWS_LATE = 3  # by which a rate may depart after what it measures


def first_failure(
    order: Sequence[str], by_service: Mapping[str, Sequence[Evidence]]
) -> tuple[str, datetime | None] | None:
    """The first suspect and its earliest evidence: the service that failed first, as far as the ranking says."""
    if not order or not by_service.get(order[0]):
        return None
    times = [item.onset for item in by_service[order[0]] if item.onset is not None]
    return order[0], min(times, default=None)


def began(
    onset: OnsetEstimate,
    failure: tuple[str, datetime | None] | None,
    extent: Spread,
    by_service: Mapping[str, Sequence[Evidence]],
    step: float,
) -> datetime | None:
    """The first sign of it: of the first suspect, or shortly before that a line or span of those it hit.

    A cause whose signs are rates departs a few rows after the first errors that it causes.

    Args:
        onset: The best row of the metrics, and its range.
        failure: The first suspect with its earliest evidence.
        extent: Whom it hit.
        by_service: The evidence.
        step: Seconds between two rows.

    Returns:
        A time within the onset's range or, where the first suspect has none there, at most that of the best row.
        Where all that is known of those hit comes after that range, the first of it: nothing could be shown for an
        earlier time.
    """
    if onset.at is None or onset.earliest is None or onset.latest is None:
        return None
    first = failure[1] if failure else None
    shown = [
        item.onset for service in extent.impact for item in by_service.get(service, ()) if item.onset is not None
    ]
    if shown and min(shown) > onset.latest:
        return min(shown)
    start = first if first is not None and onset.earliest <= first <= onset.latest else onset.at
    soonest = max(onset.earliest, start - timedelta(seconds=_ROWS_LATE * step))
    signs = [
        item.onset
        for service in extent.impact
        for item in by_service.get(service, ())
        if item.onset is not None and is_outburst(item)
    ]
    return min([start, *(sign for sign in signs if sign >= soonest)])


def _alerts(bundle: Bundle, services: Collection[str]) -> Iterator[TimelineEntry]:
    """The alerts of the window and of the hour before it."""
    from rca.alerts import service_of  # noqa: PLC0415 - most incidents are analysed without any alert

    span = bundle.window.span
    for alert in bundle.alerts:
        if span.start - timedelta(hours=1) <= alert.starts_at <= span.end:
            text = f"alert: {alert.labels.get('alertname', 'unnamed')}"
            yield TimelineEntry(alert.starts_at, text, kind="alert", service=service_of(alert, services) or "")


def _change(event: Event) -> str:
    """A change in one line, without the service's name twice."""
    title = event.title.removeprefix(f"{event.service}: ")
    return f"{_KIND.get(event.kind, event.kind.value)} of {event.service}: {title}"


def timeline(bundle: Bundle, since: datetime | None, evidence: Sequence[Evidence]) -> tuple[TimelineEntry, ...]:
    """Everything on record with a time: changes, alerts, the onset, and each piece of evidence, the first ones.

    Args:
        bundle: The recording.
        since: When it began; None where that isn't known.
        evidence: In the order of the suspects.
    """
    span = bundle.window.span
    entries = [
        TimelineEntry(
            event.at,
            _change(event),
            kind=event.kind.value,
            service=event.service,
        )
        for event in bundle.events
        if span.start <= event.at < span.end
    ]
    if bundle.alerts:
        entries += _alerts(bundle, {item.service for item in evidence})
    if bundle.symptom and bundle.symptom.fired_at and not bundle.alerts:
        entries.append(
            TimelineEntry(
                bundle.symptom.fired_at,
                f"symptom reported on {bundle.symptom.service}",
                kind="symptom",
                service=bundle.symptom.service,
            )
        )
    if since:
        entries.append(TimelineEntry(since, "likeliest onset", kind="onset"))
    entries += [
        TimelineEntry(item.onset, f"{item.service}: {item.text}", item.id, kind="evidence", service=item.service)
        for item in [item for item in evidence if item.onset is not None][:_TIMELINE]
        if item.onset
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.evidence or "", entry.what)))
