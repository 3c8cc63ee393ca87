"""A bundle from its value to its files, and the hash over them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rca.bundle import layout
from rca.bundle.header import write_header
from rca.bundle.log_counts import derive_counts, even, write_counts
from rca.bundle.metrics import write_metrics
from rca.bundle.records import alert_record, commit_record, event_record, log_record, span_record
from rca.model.incident import Bundle
from topology.document import to_document

Documents = Mapping[str, tuple[bytes, int | None]]
"""The files of a bundle, unpacked, by name: content, and rows of tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """A bundle that knows its hash, with the files that the hash was taken over, ready to be written.

    Attributes:
        bundle: With its `sha256`.
        documents: Its files, unpacked.
    """

    bundle: Bundle
    documents: Documents


def seal(bundle: Bundle) -> Sealed:
    """Make a bundle's files, once for its hash and for writing it, and give it the hash."""
    found = documents(bundle)
    return Sealed(replace(bundle, sha256=_hash(found)), found)


def content_hash(bundle: Bundle) -> str:
    """A hash of what the bundle says, the same for a folder and its archives, before and after writing.

    It is SHA-256 over the name and the SHA-256 of every file as it is written, unpacked, by name; the header
    counts without its `files`. Nothing of `bundle.sha256` goes in.
    """
    return _hash(documents(bundle))


def documents(bundle: Bundle) -> dict[str, tuple[bytes, int | None]]:
    """The files of a bundle, unpacked, by name: content, and rows of tables. Empty parts are left out."""
    found: dict[str, tuple[bytes, int | None]] = {layout.HEADER: (pretty(write_header(bundle)), None)}
    if bundle.metrics is not None and len(bundle.metrics.times):
        text, series = write_metrics(bundle.metrics)
        found[layout.METRICS] = (_encode(text), len(bundle.metrics.times))
        if series:
            found[layout.SERIES] = (pretty(series), None)
    for name, records in (
        (layout.LOGS, map(log_record, bundle.logs)),
        (layout.EVENTS, map(event_record, bundle.events)),
        (layout.TRACES, map(span_record, bundle.spans)),
        (layout.COMMITS, map(commit_record, bundle.commits)),
    ):
        lines = _lines(records)
        if lines:
            found[name] = (_encode("\n".join([*lines, ""])), len(lines))
    counts = bundle.log_counts
    if counts is None and bundle.logs:
        counts = derive_counts(bundle.logs, bundle.window.span, bundle.resolution_seconds, [])
    if counts is not None and counts.counts.size:
        text, rows = write_counts(even(counts))
        found[layout.LOG_COUNTS] = (_encode(text), rows)
    if len(bundle.graph):
        found[layout.TOPOLOGY] = (pretty(to_document(bundle.graph)), None)
    if bundle.alerts:
        found[layout.ALERTS] = (pretty([alert_record(alert) for alert in bundle.alerts]), None)
    return found


def pretty(value: Any) -> bytes:
    """A JSON document, indented."""
    return _encode(_json(value, _encoder(indent=1)) + "\n")


def _hash(found: Documents) -> str:
    digest = hashlib.sha256()
    for name, (data, _) in sorted(found.items()):
        digest.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def _encode(text: str) -> bytes:
    """UTF-8; half surrogate pairs, which a source's JSON can hold, become `?`."""
    return text.encode("utf-8", "replace")


def _lines(records: Iterable[Mapping[str, Any]]) -> list[str]:
    encoder = _encoder(indent=None)
    return [_json(record, encoder) for record in records]


def _encoder(*, indent: int | None) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent, default=str)


def _json(value: Any, encoder: json.JSONEncoder) -> str:
    try:
        return encoder.encode(value)
    except ValueError:
        return encoder.encode(_finite(value))


def _finite(value: Any) -> Any:
    """The value with null for what JSON has no number for."""
    if isinstance(value, float) and value - value != 0:
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
