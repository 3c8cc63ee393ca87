"""JSON, for scripts: the contract of `schema.json`, the same bytes for the same report.

Everything is ASCII (other characters are escaped), so that nothing in it can act on a terminal. Numbers keep six
significant digits, times are RFC 3339 in UTC with milliseconds, a number that isn't finite is null.
"""

import json
import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import Enum
from numbers import Integral, Real
from typing import Any

from rca.model.incident import Gap, Interval, SourceRecord
from rca.model.report import Evidence, Report, SimilarIncident, SlowPath, Suspect, TimelineEntry, Trigger
from rca.model.times import rfc3339
from rca.report import Style

SUFFIX = ".json"

_DIGITS = 6
_SECOND_PLACES = 3
# A pair of numbers that `indent` spread over lines. Strings hold no raw line feed, so this can't match inside one.
_PAIR = re.compile(r"\[\n\s+([-+.\deE]+|null),\n\s+([-+.\deE]+|null)\n\s+\]")


def render(report: Report, _style: Style) -> str:
    """The report as one JSON object."""
    text = json.dumps(as_json(report), indent=2, allow_nan=False)
    return _PAIR.sub(r"[\1, \2]", text).replace("\x7f", "\\u007f") + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain dicts, lists, strings and numbers, in the order of the contract."""
    return {
        "schema_version": report.schema_version,
        "tool": {"version": report.tool.version, "config_hash": report.tool.config_hash},
        "bundle": {"id": report.bundle_id, "sha256": report.bundle_sha256, "title": report.bundle_title},
        "window": {
            **_interval(report.span),
            "onset": _time(report.onset.at or report.onset.given),
            "baseline": _interval(report.baseline) if report.baseline else None,
        },
        "onset": {
            "at": _time(report.onset.at),
            "earliest": _time(report.onset.earliest),
            "latest": _time(report.onset.latest),
            "given": _time(report.onset.given),
            "began": _time(report.onset.began),
        },
        "verdict": {
            "abstained": report.verdict.abstained,
            "confidence": report.verdict.confidence.value,
            "summary": report.verdict.summary,
            "reasons": list(report.verdict.reasons),
        },
        "alert_context": report.alert_context or None,
        "suspects": [_suspect(suspect) for suspect in report.suspects],
        "triggers": [_trigger(trigger) for trigger in report.triggers],
        "first_failure": _first_failure(report.first_failure),
        "impact": list(report.impact),
        "user_facing": list(report.user_facing),
        "healthy_on_path": list(report.healthy_on_path),
        "slow_path": _slow_path(report.slow_path) if report.slow_path else None,
        "evidence": [_evidence(evidence) for evidence in report.evidence],
        "gaps": [_gap(gap) for gap in report.gaps],
        "similar": None if report.similar is None else [_similar(past) for past in report.similar],
        "timeline": [_entry(entry) for entry in report.timeline],
        "simple_ranking": list(report.simple_ranking),
        "sources": [_source(source) for source in report.sources],
        "redactions": _plain(report.redactions),
        "replayed": report.replayed,
    }


def _suspect(suspect: Suspect) -> dict[str, Any]:
    return {
        "rank": suspect.rank,
        "service": suspect.service,
        "score": _number(suspect.score),
        "role": suspect.role.value,
        "path": list(suspect.path),
        "evidence": list(suspect.evidence),
        "why": suspect.why,
    }


def _trigger(trigger: Trigger) -> dict[str, Any]:
    return {
        "rank": trigger.rank,
        "kind": trigger.kind,
        "service": trigger.service,
        "commit": trigger.commit,
        "timestamp": _time(trigger.at),
        "score": _number(trigger.score),
        "why": trigger.why,
        "reasons": list(trigger.reasons),
    }


def _first_failure(failure: tuple[str, datetime | None] | None) -> dict[str, Any] | None:
    return {"service": failure[0], "at": _time(failure[1])} if failure else None


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": evidence.id,
        "kind": evidence.kind.value,
        "service": evidence.service,
        "text": evidence.text,
        "query": evidence.query,
        "baseline": _number(evidence.baseline),
        "observed": _number(evidence.observed),
        "onset": _time(evidence.onset),
        "unit": evidence.unit,
        "strength": _number(evidence.strength),
        "signal": evidence.signal.value if evidence.signal else None,
        "template": evidence.template,
        "metric": evidence.metric,
        "points": [
            [round(at, _SECOND_PLACES), _number(value)] for at, value in evidence.points if math.isfinite(at)
        ],
    }


def _slow_path(path: SlowPath) -> dict[str, Any]:
    return {
        "steps": [{"service": step.service, "ms": _number(step.ms)} for step in path.steps],
        "callee": path.callee or None,
        "answered": path.answered,
        "calls": path.calls,
        "own_ms": _number(path.own_ms),
        "usual_ms": _number(path.usual_ms),
        "traces": path.traces,
        "slow": path.slow,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"source": gap.source, "what": gap.what, "why": gap.why}


def _similar(past: SimilarIncident) -> dict[str, Any]:
    return {
        "incident": past.incident,
        "similarity": _number(past.similarity),
        "why": past.why,
        "resolution": past.resolution,
        "title": past.title,
        "at": _time(past.at),
        "confirmed": past.confirmed,
    }


def _entry(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "at": _time(entry.at),
        "what": entry.what,
        "evidence": entry.evidence,
        "kind": entry.kind,
        "service": entry.service,
    }


def _source(source: SourceRecord) -> dict[str, Any]:
    return {
        "name": source.name,
        "backend": source.backend,
        "version": source.version,
        "queries": _plain(source.queries),
        "details": _plain(source.details),
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {"start": _time(interval.start), "end": _time(interval.end)}


def _time(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}") + 0.0  # the sum turns -0.0 into 0.0


def _plain(value: Any) -> Any:
    """Whatever a source put on record, as JSON, sets and mappings in a fixed order."""
    match value:
        case Enum():
            return _plain(value.value)
        case Mapping():
            pairs = sorted(((str(key), item) for key, item in value.items()), key=lambda pair: pair[0])
            return {key: _plain(item) for key, item in pairs}
        case AbstractSet():
            return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case Integral():
            return int(value)
        case Real():
            return _number(float(value))
        case datetime() if value.tzinfo:
            return rfc3339(value)
        case _:
            return str(value)
