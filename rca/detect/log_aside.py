"""What a line says beside its message: many clients' errors name whom they called in fields only."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rca.model.logs import LogLine

# Elastic Common Schema and OpenTelemetry, new names and old; the plainest first.
# https://www.elastic.co/docs/reference/ecs · https://opentelemetry.io/docs/specs/semconv/
_PEERS: Final = (
    "service.peer.name",
    "peer.service",
    "service.target.name",
    "server.address",
    "net.peer.name",
    "destination.domain",
    "destination.address",
    "db.system.name",
    "db.system",
)
_ERROR: Final = ("error.message", "exception.message")
_STACK: Final = ("error.stack_trace", "exception.stacktrace")
_ROOTS: Final = frozenset(name.partition(".")[0] for name in (*_PEERS, *_ERROR, *_STACK))
# The lines of a stack trace that say what happened, in Java, .NET, Python, Go and JavaScript.
_CAUSE = re.compile(
    r"^\s*(?:Caused by: |panic: |-+> )?[\w.$]*(?:Error|Exception|Fault|Timeout)\w*\b:? .+", re.MULTILINE
)
_MOST: Final = 2_000
"""Characters of a text that are looked at."""


def aside(line: LogLine) -> str:
    r"""The fields of a line that tell whom an error is about, as a text; empty where there are none.

    A peer's name is told as `to NAME`, so that an ordinary word counts as a name.

    >>> from datetime import UTC, datetime
    >>> fields = {"server.address": "sessions", "error.message": "connection reset"}
    >>> aside(LogLine(datetime(2026, 1, 1, tzinfo=UTC), "cart", "ERROR", "GET failed", fields=fields))
    'to sessions\nconnection reset'
    """
    if not any(name.partition(".")[0] in _ROOTS for name in line.fields):
        return ""
    parts = [f"to {text}" for name in _PEERS if (text := _text(line.fields, name))]
    parts += [text for name in _ERROR if (text := _text(line.fields, name)) and text != line.message]
    for name in _STACK:
        parts += (match.group().strip() for match in _CAUSE.finditer(_text(line.fields, name)))
    return "\n".join(parts)


def _text(fields: Mapping[str, Any], name: str) -> str:
    """A field's text, whether dots are in its name or mean nesting."""
    value: Any = fields.get(name)
    if value is None:
        value = fields
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return value[:_MOST] if isinstance(value, str) else ""
