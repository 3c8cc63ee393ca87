"""How a report was made, in the words that every format shows: raw texts, which each format must defuse."""

from collections.abc import Mapping
from typing import Any

from rca.model.incident import SourceRecord
from rca.model.report import Report
from rca.model.times import moment
from rca.report.present.text import listed
from rca.report.present.units import clock, duration
from rca.report.present.view import name

_NAMES = 8


def baseline_text(report: Report) -> str:
    """What was taken as normal, and how far it keeps from the onset (the guard)."""
    if report.baseline is None:
        return "none: nothing could be taken as normal"
    start, end = report.baseline.start, report.baseline.end
    text = f"{moment(start)} to {clock(end, start.date())} ({duration(report.baseline.seconds)})"
    onset = report.onset.at or report.onset.given
    if onset is None:
        return text
    if 0 <= (onset - end).total_seconds() < 1:
        return f"{text}, up to the first row that departs"
    if end <= onset:
        return f"{text}, guard {duration((onset - end).total_seconds())} before the onset"
    return f"{text}, taken after the onset" if start >= onset else f"{text}, overlaps the onset"


def window_text(report: Report) -> str:
    """What was looked at."""
    start, end = report.span.start, report.span.end
    return f"{moment(start)} to {clock(end, start.date())} ({duration(report.span.seconds)})"


def source_title(source: SourceRecord) -> str:
    """Who was asked: `prometheus (mimir 2.14), 12 queries`."""
    backend = " ".join(
        part for part in (source.backend if source.backend != source.name else "", source.version) if part
    )
    asked = "1 query" if len(source.queries) == 1 else f"{len(source.queries):,} queries"
    return f"{source.name} ({backend}), {asked}" if backend else f"{source.name}, {asked}"


def simple_text(report: Report) -> str:
    """The simple ranker's order, and whether it agrees on the first; empty when it didn't rank."""
    if not report.simple_ranking:
        return ""
    same = bool(report.suspects) and report.suspects[0].service == report.simple_ranking[0]
    order = listed(map(name, report.simple_ranking), most=_NAMES)
    return f"{order} (by the largest departure alone; {'agrees' if same else 'differs'} on the first)"


def redaction_text(redactions: Mapping[str, Any]) -> str:
    """How many secrets of each kind were cut out."""
    cuts = [f"{count:,} {kind}" for kind, count in sorted(redactions.items()) if count]
    return ", ".join(cuts) if cuts else "nothing"


def made_of(report: Report) -> tuple[tuple[str, str], ...]:
    """How the report was made: label and text."""
    title = f" ({report.bundle_title})" if report.bundle_title else ""
    lines = [("Window", window_text(report)), ("Baseline", baseline_text(report))]
    lines += [("Asked", source_title(source)) for source in report.sources] or [("Asked", "no source on record")]
    if simple := simple_text(report):
        lines.append(("Simple ranker", simple))
    settings = f", configuration {report.tool.config_hash}" if report.tool.config_hash else ""
    lines += [
        ("Redacted", redaction_text(report.redactions)),
        ("Bundle", f"{report.bundle_id}{title}{', replayed' if report.replayed else ''}"),
        ("SHA-256", report.bundle_sha256 or "unknown"),
        ("Made by", f"rca {report.tool.version}{settings}, schema {report.schema_version}"),
    ]
    return tuple(lines)
