"""Trace and span ids of a log line: from its fields, or found in its text by the patterns in common use.

Patterns: `trace_id=…`, `TraceID: …`, `"traceId":"…"`, `"trace":{"id":"…"}` (ECS), `dd.trace_id=…` (Datadog),
`X-B3-TraceId`, W3C `traceparent` (https://www.w3.org/TR/trace-context/), Spring Cloud Sleuth's `[app,trace,span]`.
"""

import re
from typing import Final, NamedTuple

from rca.model.logs import LogLine

SEARCHED_CHARS: Final = 4_096

# Each begins with a literal, which the regular expression engine finds fast.
_TRACE = re.compile(
    r"race(?:[_\-. ]?[iI][dD]|\"?\s*:\s*\{\s*\"id)\\?[\"']?\s*[:=]\s*\\?[\"']?([0-9A-Za-z][0-9A-Za-z-]{7,63})"
)
_TRACE_UPPER = re.compile(r"RACE[_\-. ]?ID[\"']?\s*[:=]\s*[\"']?([0-9A-Za-z][0-9A-Za-z-]{7,63})")
_SPAN = re.compile(r"pan(?:[_\-. ]?[iI][dD]|\"?\s*:\s*\{\s*\"id)\\?[\"']?\s*[:=]\s*\\?[\"']?([0-9A-Za-z-]{4,63})")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?![0-9a-f])")
_SLEUTH = re.compile(r"\[[^\s,\[\]]*,([0-9a-f]{16}(?:[0-9a-f]{16})?),([0-9a-f]{16})(?:,(?:true|false))?\]")


class TraceIds(NamedTuple):
    """What ties a line to a request; None where nothing was found."""

    trace: str | None
    span: str | None


def trace_ids(line: LogLine) -> TraceIds:
    """The trace and span ids of a line, its fields first, then its text. An id of zeros only is none."""
    return read_ids(line.trace_id, line.span_id, line.message)


def read_ids(trace: str | None, span: str | None, text: str) -> TraceIds:
    """As `trace_ids`, of what a line's fields say and of its text."""
    trace, span = trace or None, span or None
    if trace is None:
        found = ids_in(text)
        trace, span = found.trace, span or found.span
    return TraceIds(_real(trace), _real(span))


def ids_in(text: str) -> TraceIds:
    """The trace and span ids that a text mentions first."""
    text = text[:SEARCHED_CHARS]
    if match := _TRACE.search(text) or _TRACE_UPPER.search(text):
        span = _SPAN.search(text)
        return TraceIds(match.group(1), span.group(1) if span else None)
    if match := _TRACEPARENT.search(text) or _SLEUTH.search(text):
        return TraceIds(match.group(1), match.group(2))
    return TraceIds(None, None)


def _real(identifier: str | None) -> str | None:
    return identifier if identifier and identifier.strip("0-") else None
