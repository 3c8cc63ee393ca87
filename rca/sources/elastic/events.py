"""Deploys, configuration changes, restarts and scalings out of indices that record them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rca.model.incident import Event, EventKind, Gap, Interval
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.layers import in_window
from rca.sources.elastic.lines import read_time, text_of

MAX_EVENTS = 1_000
_TIME = "@timestamp"
_SERVICE = (
    "service.name",
    "service",
    "app",
    "application",
    "labels.service",
    "kubernetes.deployment.name",
    "involvedObject.name",
    "kubernetes.event.involved_object.name",
)
_KIND = ("event.action", "kind", "type", "event.type", "event.category", "labels.kind", "action", "reason", "tags")
_TITLE = ("message", "title", "annotation", "text", "description", "kubernetes.event.message", "reason")
_DETAILS = (
    "service.version",
    "version",
    "commit",
    "git.commit.id",
    "user.name",
    "url.full",
    "service.environment",
)
_WORDS = (
    (EventKind.RESTART, re.compile(r"restart|crash|oom|evict|kill|back-?off|reboot", re.IGNORECASE)),
    (EventKind.SCALE, re.compile(r"scal(?:e|ing)|replica|autoscal|resiz", re.IGNORECASE)),
    (EventKind.DEPLOY, re.compile(r"deploy|releas|roll-?out|roll-?back|upgrad|version", re.IGNORECASE)),
    (EventKind.CONFIG, re.compile(r"config|flag|toggle|setting|secret|migration", re.IGNORECASE)),
)


def collect_events(client: ElasticClient, indices: Sequence[str], span: Interval) -> tuple[list[Event], list[Gap]]:
    """Every recorded change in the window, oldest first, up to a bound.

    Raises:
        SourceError: The server can't be reached, or refused it.
    """
    if not indices:
        return [], []
    wanted = [{"field": _TIME, "format": "strict_date_optional_time_nanos"}, *_SERVICE, *_KIND, *_TITLE, *_DETAILS]
    body = {
        "size": MAX_EVENTS,
        "track_total_hits": True,
        "query": {"bool": {"filter": [in_window(_TIME, span)]}},
        "sort": [{_TIME: {"order": "desc", "unmapped_type": "date"}}],
        "_source": False,
        "fields": wanted,
    }
    answer = client.one(Search("events", tuple(indices), body))
    gaps = list(answer.gaps)
    if not answer.shards:
        gaps.append(Gap(NAME, "events", f"no index matched {', '.join(indices)}; see elasticsearch.event_indices"))
    if answer.total > len(answer.hits):
        why = f"only the newest {len(answer.hits)} of {answer.total} were read; narrow elasticsearch.event_indices"
        gaps.append(Gap(NAME, "older events", why))
    found = [event for hit in answer.hits if (event := read_event(hit.get("fields") or {})) is not None]
    if len(found) < len(answer.hits):
        gaps.append(
            Gap(NAME, f"{len(answer.hits) - len(found)} events", f"without a service ({', '.join(_SERVICE)})")
        )
    return sorted(found, key=lambda event: (event.at, event.service, event.title)), gaps


def read_event(values: Mapping[str, Any]) -> Event | None:
    """One document's fields as an event; None without a time or a service."""
    at, service = read_time(text_of(values, [_TIME])), text_of(values, _SERVICE)
    if at is None or service is None:
        return None
    said = [text for name in _KIND if (text := text_of(values, [name]))]
    title = text_of(values, _TITLE) or (said[0] if said else "event")
    details = {name: value for name in _DETAILS if (value := text_of(values, [name]))}
    return Event(at, kind_of([*said, title]), service, title, details)


def kind_of(texts: Sequence[str]) -> EventKind:
    """What kind of change these texts speak of; the first text that says anything decides."""
    for text in texts:
        for kind, pattern in _WORDS:
            if pattern.search(text):
                return kind
    return EventKind.OTHER
