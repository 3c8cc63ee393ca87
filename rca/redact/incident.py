"""Redacting a whole bundle."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rca.model.incident import Alert, Bundle, Commit, Event, SourceRecord, Span
from rca.model.logs import LogLine
from rca.redact.redactor import Redactor

_BATCH = 200


def redact_bundle(bundle: Bundle) -> Bundle:
    """The bundle with secrets and personal data cut out of every free text; names, times and numbers stay.

    What was cut is added to `redactions`. A bundle with nothing to cut is returned as it is; otherwise `sha256` is
    empty, as the content is another (`rca.bundle.content_hash` computes it).
    """
    redactor = Redactor()
    redacted = replace(
        bundle,
        title=redactor.text(bundle.title),
        notes=redactor.text(bundle.notes),
        logs=_lines(bundle.logs, redactor),
        events=tuple(_event(event, redactor) for event in bundle.events),
        alerts=tuple(_alert(alert, redactor) for alert in bundle.alerts),
        spans=tuple(_span(span, redactor) for span in bundle.spans),
        commits=tuple(_commit(commit, redactor) for commit in bundle.commits),
        sources=tuple(_source(source, redactor) for source in bundle.sources),
        gaps=tuple(replace(gap, what=redactor.text(gap.what), why=redactor.text(gap.why)) for gap in bundle.gaps),
        sha256="",
    )
    if not redactor.counts:
        return bundle
    counts = Counter(bundle.redactions) + redactor.counts
    return replace(redacted, redactions={kind: counts[kind] for kind in sorted(counts)})


def redact_line(line: LogLine, redactor: Redactor) -> LogLine:
    """One log line; the same object when there was nothing to cut."""
    message, fields = redactor.text(line.message), redactor.mapping(line.fields)
    if message == line.message and fields is line.fields:
        return line
    return replace(line, message=message, fields=fields)


def _lines(lines: Sequence[LogLine], redactor: Redactor) -> tuple[LogLine, ...]:
    """All lines, in batches that each need only a few of the rules."""
    redacted: list[LogLine] = []
    for start in range(0, len(lines), _BATCH):
        batch = lines[start : start + _BATCH]
        narrowed = redactor.likely(f"{line.message}\n{line.fields or ''}" for line in batch)
        redacted += [redact_line(line, narrowed) for line in batch]
    return tuple(redacted)


def _event(event: Event, redactor: Redactor) -> Event:
    return replace(event, title=redactor.text(event.title), details=redactor.mapping(event.details))


def _alert(alert: Alert, redactor: Redactor) -> Alert:
    return replace(
        alert,
        labels=redactor.mapping(alert.labels),
        annotations=redactor.mapping(alert.annotations),
        generator_url=redactor.text(alert.generator_url),
    )


def _span(span: Span, redactor: Redactor) -> Span:
    return replace(span, operation=redactor.text(span.operation), fields=redactor.mapping(span.fields))


def _commit(commit: Commit, redactor: Redactor) -> Commit:
    return replace(
        commit,
        author=redactor.text(commit.author),
        message=redactor.text(commit.message),
        diff=None if commit.diff is None else redactor.text(commit.diff),
    )


def _source(source: SourceRecord, redactor: Redactor) -> SourceRecord:
    return replace(source, queries=redactor.mapping(source.queries), details=redactor.mapping(source.details))
