"""`bundle.json`: what the bundle is about, what was asked of whom, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rca.bundle import layout
from rca.bundle.fields import Fields
from rca.bundle.records import time_text
from rca.errors import BundleError
from rca.model.incident import Bundle, Gap, Interval, SourceRecord, Symptom, Window

_KNOWN = frozenset(
    {
        "format_version",
        "id",
        "title",
        "system",
        "window",
        "onset",
        "baseline",
        "alert",
        "resolution_seconds",
        "sources",
        "files",
        "notes",
        "gaps",
        "redactions",
    }
)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the header says of a file.

    Attributes:
        sha256: Of the file as stored, lower case; empty when not stated.
        rows: Rows of a table without its header, or lines; None when not stated.
    """

    sha256: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The content of `bundle.json`."""

    bundle: Bundle
    files: Mapping[str, FileRecord]


def read_header(content: Any, default_id: str) -> Header:
    """Check and read the header.

    Args:
        content: What JSON gave.
        default_id: The id of a bundle that doesn't name one.

    Raises:
        BundleError: It can't be used, or was made by a newer version.
    """
    fields = Fields(layout.HEADER, 0, content)
    _check_version(fields)
    gaps = tuple(_gap(Fields(layout.HEADER, 0, item)) for item in fields.items("gaps"))
    unknown = sorted(fields.data.keys() - _KNOWN)
    if unknown:
        note = Gap("bundle", f"{layout.HEADER}: {', '.join(unknown)}"[:200], "unknown fields, ignored")
        gaps = (*gaps, note) if note not in gaps else gaps
    bundle = Bundle(
        id=fields.identifier("id") or default_id,
        window=_window(fields),
        title=fields.text("title"),
        system=fields.text("system"),
        symptom=_symptom(fields.inner("alert")),
        resolution_seconds=fields.amount("resolution_seconds"),
        sources=tuple(_source(Fields(layout.HEADER, 0, item)) for item in fields.items("sources")),
        notes=fields.text("notes"),
        gaps=gaps,
        redactions=_redactions(Fields(layout.HEADER, 0, fields.mapping("redactions"))),
    )
    return Header(bundle, _files(fields))


def write_header(bundle: Bundle) -> dict[str, Any]:
    """The content of `bundle.json`, but for `files`."""
    window, symptom = bundle.window, bundle.symptom
    alert: dict[str, Any] | None = None
    if symptom is not None:
        alert = {"service": symptom.service, "metric": symptom.metric}
        alert |= {"fired_at": time_text(symptom.fired_at)} if symptom.fired_at else {}
    return {
        "format_version": layout.FORMAT_VERSION,
        "id": bundle.id,
        "title": bundle.title,
        "system": bundle.system,
        "window": _span_record(window.span),
        "onset": time_text(window.onset) if window.onset else None,
        "baseline": _span_record(window.baseline) if window.baseline else None,
        "alert": alert,
        "resolution_seconds": float(bundle.resolution_seconds),
        "sources": [
            {
                "name": source.name,
                "backend": source.backend,
                "version": source.version,
                "queries": dict(source.queries),
                "details": dict(source.details),
            }
            for source in bundle.sources
        ],
        "notes": bundle.notes,
        "gaps": [{"source": gap.source, "what": gap.what, "why": gap.why} for gap in bundle.gaps],
        "redactions": {kind: bundle.redactions[kind] for kind in sorted(bundle.redactions)},
    }


def _check_version(fields: Fields) -> None:
    version = fields.data.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(
            f"{layout.HEADER}: no usable format_version ({version!r:.60}), so not a bundle of this tool",
            hint=layout.WHAT_A_BUNDLE_IS,
        )
    if version > layout.FORMAT_VERSION:
        raise BundleError(
            f"the bundle was made by a newer version of rca (format {version}, this one reads "
            f"{layout.FORMAT_VERSION})",
            hint="Update rca.",
        )


def _window(fields: Fields) -> Window:
    span = _interval(fields.inner("window"), "window")
    if span is None:
        raise fields.error("'window' is missing")
    onset = fields.optional_time("onset")
    if onset is not None and not span.start <= onset <= span.end:
        raise fields.error(f"the onset {time_text(onset)} lies outside of the window")
    return Window(span, onset, _interval(fields.inner("baseline"), "baseline"))


def _interval(fields: Fields | None, what: str) -> Interval | None:
    if fields is None:
        return None
    start, end = fields.time("start"), fields.time("end")
    try:
        return Interval(start, end)
    except ValueError:
        raise fields.error(f"the {what} ends ({time_text(end)}) before it begins ({time_text(start)})") from None


def _symptom(fields: Fields | None) -> Symptom | None:
    if fields is None:
        return None
    return Symptom(fields.required("service"), fields.text("metric") or None, fields.optional_time("fired_at"))


def _source(fields: Fields) -> SourceRecord:
    return SourceRecord(
        name=fields.text("name"),
        backend=fields.text("backend") or fields.text("name"),
        version=fields.identifier("version") or "",
        queries={key: str(value) for key, value in fields.mapping("queries").items()},
        details=fields.mapping("details"),
    )


def _gap(fields: Fields) -> Gap:
    return Gap(fields.text("source"), fields.text("what"), fields.text("why"))


def _redactions(fields: Fields) -> dict[str, int]:
    return {kind: int(fields.amount(kind)) for kind in fields.data}


def _files(fields: Fields) -> dict[str, FileRecord]:
    records: dict[str, FileRecord] = {}
    for name, item in fields.mapping("files").items():
        entry = Fields(layout.HEADER, 0, item)
        rows = entry.number("rows")
        records[name] = FileRecord(entry.text("sha256").lower(), None if rows is None else int(rows))
    return records


def _span_record(span: Interval) -> dict[str, str]:
    return {"start": time_text(span.start), "end": time_text(span.end)}
