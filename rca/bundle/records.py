"""The files with one record a line (and `alerts.json`): logs, events, traces, commits, alerts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from rca.bundle.fields import Fields, decode_json, rows
from rca.model.incident import Alert, Commit, Event, EventKind, Gap, Span
from rca.model.logs import LogLine

T = TypeVar("T")

_LOG = frozenset(
    {"@timestamp", "service", "level", "message", "trace_id", "span_id", "instance", "fields", "weight"}
)
_EVENT = frozenset({"timestamp", "kind", "service", "title", "details"})
_SPAN = frozenset(
    {
        "trace_id",
        "span_id",
        "parent_id",
        "service",
        "operation",
        "start",
        "duration_ms",
        "status",
        "fields",
    }
)
_COMMIT = frozenset(
    {"sha", "author", "timestamp", "message", "files_changed", "diff", "repository", "services", "tags"}
)
_ALERT = frozenset(
    {
        "labels",
        "annotations",
        "startsAt",
        "endsAt",
        "fingerprint",
        "status",
        "generatorURL",
        "updatedAt",
        "receivers",
    }
)
_NEVER = 1


def read_logs(text: str, file: str, gaps: list[Gap]) -> tuple[LogLine, ...]:
    """The lines of `logs.jsonl`.

    Raises:
        BundleError: A line isn't such a record; with file and line, here and below.
    """
    return _records(rows(text, file), file, _LOG, _log, gaps)


def read_events(text: str, file: str, gaps: list[Gap]) -> tuple[Event, ...]:
    """The changes of `events.jsonl`; a kind that isn't known is `other`."""
    return _records(rows(text, file), file, _EVENT, _event, gaps)


def read_given_events(text: str, file: str) -> tuple[Event, ...]:
    """Events that a person or a script wrote: one JSON object a line, or one list of them.

    As in `events.jsonl`, but each needs a service, and fields of other names are taken for details.

    Raises:
        BundleError: One of them isn't an event; with file and line (in a list, the place).
    """
    found: Iterator[Fields]
    if text.lstrip().startswith("["):
        items = decode_json(text, file)
        found = (Fields(f"{file}[{place}]", 0, item) for place, item in enumerate(items))
    else:
        found = rows(text, file)
    return tuple(_given(fields) for fields in found)


def read_spans(text: str, file: str, gaps: list[Gap]) -> tuple[Span, ...]:
    """The spans of `traces.jsonl`."""
    return _records(rows(text, file), file, _SPAN, _span, gaps)


def read_commits(text: str, file: str, gaps: list[Gap]) -> tuple[Commit, ...]:
    """The commits of `commits.jsonl`."""
    return _records(rows(text, file), file, _COMMIT, _commit, gaps)


def read_alerts(text: str, file: str, gaps: list[Gap]) -> tuple[Alert, ...]:
    """The alerts of `alerts.json`; an end in the year 1, as Alertmanager writes it, is none."""
    value = decode_json(text, file)
    if not isinstance(value, list):
        raise Fields(file, 0, {}).error("a list of alerts is needed")
    found = (Fields(f"{file}[{place}]", 0, item) for place, item in enumerate(value))
    return _records(found, file, _ALERT, _alert, gaps)


def log_record(line: LogLine) -> dict[str, Any]:
    """The line as `logs.jsonl` holds it."""
    record: dict[str, Any] = {
        "@timestamp": time_text(line.at),
        "service": line.service,
        "level": line.level.upper(),
        "message": line.message,
    }
    if line.trace_id is not None:
        record["trace_id"] = line.trace_id
    if line.span_id is not None:
        record["span_id"] = line.span_id
    if line.instance is not None:
        record["instance"] = line.instance
    if line.fields:
        record["fields"] = dict(line.fields)
    if line.weight != 1:
        record["weight"] = float(line.weight)
    return record


def event_record(event: Event) -> dict[str, Any]:
    """The event as `events.jsonl` holds it."""
    return {
        "timestamp": time_text(event.at),
        "kind": str(event.kind),
        "service": event.service,
        "title": event.title,
        "details": dict(event.details),
    }


def span_record(span: Span) -> dict[str, Any]:
    """The span as `traces.jsonl` holds it."""
    record = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "service": span.service,
        "operation": span.operation,
        "start": time_text(span.start),
        "duration_ms": float(span.duration_ms),
        "status": "error" if span.error else "ok",
    }
    return record | ({"fields": dict(span.fields)} if span.fields else {})


def commit_record(commit: Commit) -> dict[str, Any]:
    """The commit as `commits.jsonl` holds it."""
    record: dict[str, Any] = {
        "sha": commit.sha,
        "author": commit.author,
        "timestamp": time_text(commit.at),
        "message": commit.message,
        "files_changed": list(commit.files_changed),
        "diff": commit.diff,
    }
    if commit.repository:
        record["repository"] = commit.repository
    if commit.owners:
        record["services"] = dict(commit.owners)
    if commit.tags:
        record["tags"] = list(commit.tags)
    return record


def alert_record(alert: Alert) -> dict[str, Any]:
    """The alert as Alertmanager's API v2 shows it."""
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": time_text(alert.starts_at),
        "endsAt": time_text(alert.ends_at) if alert.ends_at else None,
        "fingerprint": alert.fingerprint,
        "status": {"state": alert.state},
        "generatorURL": alert.generator_url,
    }


def time_text(at: datetime) -> str:
    """A time as RFC 3339 in UTC: `2026-01-31T09:30:00.25Z` without needless digits."""
    text = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[: -len("+00:00")]
    return (text.rstrip("0") if "." in text else text) + "Z"


def _records(
    found: Iterator[Fields], file: str, known: frozenset[str], read: Callable[[Fields], T], gaps: list[Gap]
) -> tuple[T, ...]:
    unknown: set[str] = set()
    records = []
    for fields in found:
        if not fields.data.keys() <= known:
            unknown |= fields.data.keys() - known
        records.append(read(fields))
    if unknown:
        gaps.append(Gap("bundle", f"{file}: {', '.join(sorted(unknown))}"[:200], "unknown fields, ignored"))
    return tuple(records)


def _log(row: Fields) -> LogLine:
    return LogLine(
        at=row.time("@timestamp"),
        service=row.required("service"),
        level=row.text("level").upper(),
        message=row.text("message"),
        trace_id=row.identifier("trace_id"),
        span_id=row.identifier("span_id"),
        instance=row.identifier("instance"),
        fields=row.mapping("fields"),
        weight=row.amount("weight", 1.0),
    )


def _event(row: Fields) -> Event:
    kind = row.text("kind", "other").lower()
    return Event(
        at=row.time("timestamp"),
        kind=EventKind(kind) if kind in {*EventKind} else EventKind.OTHER,
        service=row.text("service"),
        title=row.text("title"),
        details=row.mapping("details"),
    )


def _given(row: Fields) -> Event:
    row.required("service")
    other = {name: value for name, value in row.data.items() if name not in _EVENT}
    event = _event(row)
    return replace(event, title=event.title or f"{event.kind}", details={**other, **event.details})


def _span(row: Fields) -> Span:
    return Span(
        trace_id=row.identifier("trace_id") or "",
        span_id=row.identifier("span_id") or "",
        parent_id=row.identifier("parent_id"),
        service=row.required("service"),
        operation=row.text("operation"),
        start=row.time("start"),
        duration_ms=row.amount("duration_ms"),
        error=row.text("status").lower() == "error",
        fields=row.mapping("fields"),
    )


def _commit(row: Fields) -> Commit:
    diff = row.data.get("diff")
    return Commit(
        sha=row.identifier("sha") or "",
        author=row.text("author"),
        at=row.time("timestamp"),
        message=row.text("message"),
        files_changed=tuple(str(name) for name in row.items("files_changed")),
        diff=None if diff is None else row.text("diff"),
        repository=row.text("repository"),
        owners=tuple(sorted((path, str(service)) for path, service in row.mapping("services").items())),
        tags=tuple(str(name) for name in row.items("tags")),
    )


def _alert(row: Fields) -> Alert:
    status = row.inner("status")
    ends = row.optional_time("endsAt")
    return Alert(
        labels=_words(row.mapping("labels")),
        annotations=_words(row.mapping("annotations")),
        starts_at=row.time("startsAt"),
        ends_at=None if ends is None or ends.year == _NEVER else ends,
        fingerprint=row.identifier("fingerprint") or "",
        state="active" if status is None else status.text("state", "active"),
        generator_url=row.text("generatorURL"),
    )


def _words(value: dict[str, Any]) -> dict[str, str]:
    return {key: item if isinstance(item, str) else str(item) for key, item in value.items()}
