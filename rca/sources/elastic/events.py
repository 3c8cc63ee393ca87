"""Deploys, configuration changes, restarts and scalings out of indices that record them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rca.model.incident import Event, EventKind, Gap, Interval
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.fields import DATES, listed
from rca.sources.elastic.layers import in_window
from rca.sources.elastic.lines import read_time, text_of
from rca.sources.elastic.schema import EventRole, Schema

MAX_EVENTS = 1_000
_Fields = Mapping[EventRole, tuple[str, ...]]
_WORDS = (
    (
        EventKind.RESTART,
        re.compile(r"restart|crash|oom|evict|kill|back-?off|reboot|unhealthy|probe", re.IGNORECASE),
    ),
    (EventKind.SCALE, re.compile(r"scal(?:e|ing)|replica|autoscal|resiz", re.IGNORECASE)),
    (EventKind.DEPLOY, re.compile(r"deploy|releas|roll-?out|roll-?back|upgrad|version", re.IGNORECASE)),
    (EventKind.CONFIG, re.compile(r"config|flag|toggle|setting|secret|migration", re.IGNORECASE)),
)


def collect_events(
    client: ElasticClient, indices: Sequence[str], span: Interval, schema: Schema, overrides: Mapping[str, str]
) -> tuple[list[Event], list[Gap]]:
    """Every recorded change in the window, oldest first, up to a bound.

    Args:
        client: The connection.
        indices: Patterns of the indices that record changes; empty for none.
        span: The window.
        schema: Candidate fields.
        overrides: The user's own choice of fields, by role.

    Raises:
        SourceError: The server can't be reached, or refused it.
    """
    if not indices:
        return [], []
    fields = candidates(schema, overrides)
    caps = client.field_caps(indices, sorted({name for names in fields.values() for name in names}))
    groups, gaps = _by_time(caps, fields, indices, overrides)
    found: list[Event] = []
    for time, members in groups.items():
        events, missing = _search(client, members, span, {**fields, EventRole.TIMESTAMP: (time,)}, schema)
        found += events
        gaps += missing
    return sorted(found, key=lambda event: (event.at, event.service, event.title)), gaps


def candidates(schema: Schema, overrides: Mapping[str, str]) -> dict[EventRole, tuple[str, ...]]:
    """Candidate fields by role; one that the user chose stands alone, but for details, to which it adds."""
    found = {}
    for role in EventRole:
        own = (overrides[role],) if role in overrides else ()
        shipped = schema.events.get(role, ())
        found[role] = (*own, *shipped) if role is EventRole.DETAILS or not own else own
    return found


def _by_time(
    caps: Mapping[str, Any], fields: _Fields, patterns: Sequence[str], overrides: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], list[Gap]]:
    """Which indices are placed in time by which field, and what is missing."""
    raw = caps.get("indices") or ()
    matched = sorted([raw] if isinstance(raw, str) else raw)
    known: Mapping[str, Mapping[str, Any]] = caps.get("fields") or {}
    if not matched:
        return {}, [
            Gap(NAME, "events", f"no index matched {', '.join(patterns)}; see elasticsearch.event_indices")
        ]
    groups: dict[str, list[str]] = {}
    undated = []
    for index in matched:
        dated = (name for name in fields[EventRole.TIMESTAMP] if index in _dated(known.get(name) or {}, matched))
        time = next(dated, None)
        if time is None:
            undated.append(index)
        else:
            groups.setdefault(time, []).append(index)
    gaps = list(_gaps(known, fields, overrides))
    if undated:
        tried = ", ".join(fields[EventRole.TIMESTAMP])
        why = f"none of {tried} is a date there; name it in elasticsearch.event_fields.timestamp"
        gaps.append(Gap(NAME, f"events in {listed(undated)}", why))
    if len(groups) == 1 and not undated:
        return {time: tuple(patterns) for time in groups}, gaps
    return {time: tuple(members) for time, members in groups.items()}, gaps


def _dated(types: Mapping[str, Any], matched: Sequence[str]) -> set[str]:
    """The indices in which a field is a date."""
    found: set[str] = set()
    for kind, about in types.items():
        if kind in DATES:
            where = about.get("indices") or matched
            found |= {where} if isinstance(where, str) else set(where)
    return found


def _gaps(known: Mapping[str, Any], fields: _Fields, overrides: Mapping[str, str]) -> Iterator[Gap]:
    for role, name in sorted(overrides.items()):
        if name not in known:
            yield Gap(NAME, f"configured event {role} field {name}", "no matched index has it")
    if EventRole.SERVICE not in overrides and not any(name in known for name in fields[EventRole.SERVICE]):
        tried = ", ".join(fields[EventRole.SERVICE])
        why = f"no index has a field for it; name it in elasticsearch.event_fields.service (tried {tried})"
        yield Gap(NAME, "services of events", why)


def _search(
    client: ElasticClient, indices: Sequence[str], span: Interval, fields: _Fields, schema: Schema
) -> tuple[list[Event], list[Gap]]:
    (time,) = fields[EventRole.TIMESTAMP]
    names = dict.fromkeys(
        name for role, some in fields.items() if role is not EventRole.TIMESTAMP for name in some
    )
    body = {
        "size": MAX_EVENTS,
        "track_total_hits": True,
        "query": {"bool": {"filter": [in_window(time, span)]}},
        "sort": [{time: {"order": "desc", "unmapped_type": "date"}}],
        "_source": False,
        "fields": [{"field": time, "format": "strict_date_optional_time_nanos"}, *names],
    }
    answer = client.one(Search("events", tuple(indices), body))
    gaps = list(answer.gaps)
    if answer.total > len(answer.hits):
        why = f"only the newest {len(answer.hits)} of {answer.total} were read; narrow elasticsearch.event_indices"
        gaps.append(Gap(NAME, "older events", why))
    read = (read_event(hit.get("fields") or {}, fields, schema) for hit in answer.hits)
    found = [event for event in read if event is not None]
    if len(found) < len(answer.hits):
        why = f"without a service ({', '.join(fields[EventRole.SERVICE])}); see elasticsearch.event_fields.service"
        gaps.append(Gap(NAME, f"{len(answer.hits) - len(found)} events", why))
    return found, gaps


def read_event(values: Mapping[str, Any], fields: _Fields, schema: Schema) -> Event | None:
    """One document's fields as an event; None without a time or a service."""
    at = read_time(text_of(values, fields[EventRole.TIMESTAMP]))
    service = text_of(values, fields[EventRole.SERVICE])
    if at is None or service is None:
        return None
    said = [text for name in fields[EventRole.KIND] if (text := text_of(values, [name]))]
    title = text_of(values, fields[EventRole.TITLE]) or (said[0] if said else "event")
    details = {name: value for name in fields[EventRole.DETAILS] if (value := text_of(values, [name]))}
    commit = text_of(values, fields[EventRole.COMMIT])
    if commit:
        details["commit"] = commit
    return Event(at, kind_of([*said, title], schema), service, title, details)


def kind_of(texts: Sequence[str], schema: Schema) -> EventKind:
    """What kind of change these texts speak of; the first text that says anything decides."""
    for text in texts:
        if known := schema.event_kinds.get(text.casefold()):
            return known
        for kind, pattern in _WORDS:
            if pattern.search(text):
                return kind
    return EventKind.OTHER
