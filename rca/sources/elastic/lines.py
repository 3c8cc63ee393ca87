"""Documents as log lines."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rca.model.logs import TRACE_COMPLETE, LogLine
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.schema import Role, Schema

MAX_MESSAGE = 32_768
_MAX_STACK = 2_000
_HEAD = 300
"""Characters of a message in which its level is looked for; further on, words like "error" are mere prose."""

_NAMED_LEVEL = re.compile(r"""["']?(?:level|severity|lvl)["']?\s*[=:]\s*["']?(?P<word>[A-Za-z]+)""", re.IGNORECASE)
_GLOG = re.compile(r"^(?P<letter>[IWEF])\d{4} \d\d:\d\d:\d\d")
_GLOG_LEVELS = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_WORD = re.compile(
    r"\b(?:(?P<FATAL>FATAL|CRITICAL|PANIC|panic:)|(?P<ERROR>ERROR|SEVERE|ERR)"
    r"|(?P<WARN>WARNING|WARN)|(?P<INFO>INFO|NOTICE)|(?P<DEBUG>DEBUG)|(?P<TRACE>TRACE))\b"
)
_FAILURE = re.compile(r"\w*(?:Exception|Error)\b|Traceback \(most recent|\b(?:error|failed|failure|fatal|panic)\b")

_ATTRIBUTE = "attributes."
"""OpenTelemetry's attributes are kept under their own names."""

_TEXTS = (Role.SERVICE, Role.MESSAGE, Role.TRACE, Role.SPAN, Role.INSTANCE)
_EXTRAS = ((Role.ERROR, "error.message"), (Role.ERROR_TYPE, "error.type"), (Role.STACK, "error.stack_trace"))
_READ = (Role.SERVICE, Role.LEVEL, *_TEXTS[1:], Role.ERROR, Role.ERROR_TYPE, Role.PEER)

Hits = dict[tuple[str, str], tuple[Mapping[str, Any], Cohort]]
"""Documents by what identifies them, each with the cohort that says how to read it."""


def wanted_fields(cohort: Cohort, *, stack: bool = False) -> list[Any]:
    """What of a document travels: the candidates of each role, and nothing else."""
    names = dict.fromkeys(name for role in _READ for name in cohort.fields[role])
    if stack:
        names |= dict.fromkeys(cohort.fields[Role.STACK])
    time = {"field": cohort.first(Role.TIMESTAMP), "format": "strict_date_optional_time_nanos"}
    return [time, *names]


def read_time(text: object) -> datetime | None:
    """A time as the server formats it, down to microseconds; None for anything else."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def first_value(values: Mapping[str, Any], names: Iterable[str]) -> tuple[str, Any] | None:
    """The first of these fields that has a value, and that value (the first one where there are several)."""
    for name in names:
        found = values.get(name)
        value = found[0] if isinstance(found, list) and found else found
        if value is not None and value not in ("", []):
            return name, value
    return None


def text_of(values: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first value of these fields as a text."""
    found = first_value(values, names)
    return None if found is None else str(found[1])


class LineReader:
    """Hits of one cohort as lines; the cohort's fields are looked up once for all of them.

    Args:
        cohort: Which field plays which role.
        schema: What a level's raw value means.
        whole: The traces of which every line was fetched; theirs are marked as such.
        ids_in_text: Trace ids stand in the messages, where no field has one.
    """

    def __init__(
        self,
        cohort: Cohort,
        schema: Schema,
        whole: frozenset[str] = frozenset(),
        *,
        ids_in_text: bool = False,
    ) -> None:
        self._schema, self._whole = schema, whole
        self._read_ids: Callable[[str | None, str | None, str], tuple[str | None, str | None]] | None = None
        if ids_in_text:
            from rca.model.trace_ids import read_ids  # noqa: PLC0415 - few systems need it, and all would wait

            self._read_ids = read_ids
        self._time = (cohort.first(Role.TIMESTAMP) or "",)
        self._level_names = cohort.fields[Role.LEVEL]
        self._names = [cohort.fields[role] for role in _TEXTS]
        self._extras = [(name, cohort.fields[role]) for role, name in _EXTRAS if cohort.fields[role]]
        # All of them: one may hold a mere address where another says what answers there.
        self._extras += [(name.removeprefix(_ATTRIBUTE), (name,)) for name in cohort.fields[Role.PEER]]
        self._levels: dict[tuple[str, str], str] = {}

    def read(self, hit: Mapping[str, Any]) -> tuple[LogLine, bool] | None:
        """One hit as a line, and whether its document states a level.

        None without a time or a service, which are counted as a gap elsewhere.

        Args:
            hit: With `fields`, as asked for by `wanted_fields`.
        """
        values: Mapping[str, Any] = hit.get("fields") or {}
        at = read_time(text_of(values, self._time))
        service, message, trace, span, instance = [text_of(values, names) for names in self._names]
        if at is None or service is None:
            return None
        extra: dict[str, Any] = {}
        for name, names in self._extras:
            if (text := text_of(values, names)) is not None:
                extra[name] = text[:_MAX_STACK]
        message = message or extra.get("error.message") or ""
        if self._read_ids is not None:
            trace, span = self._read_ids(trace, span, message)
        if trace in self._whole:
            extra[TRACE_COMPLETE] = True
        stated = first_value(values, self._level_names)
        line = LogLine(
            at,
            service,
            self._level(*stated) if stated else level_in(message, self._schema),
            message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…",
            trace,
            span,
            instance,
            extra,
        )
        return line, stated is not None

    def _level(self, field: str, value: Any) -> str:
        key = (field, str(value))
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = self._schema.level(*key)
        return level


def level_in(message: str, schema: Schema) -> str:
    """The level that a message states itself; empty when it states none.

    In the order of trust: `level=…`, glog's leading letter, an upper-case word, words and names of failure.
    """
    head = message[:_HEAD]
    if match := _NAMED_LEVEL.search(head):
        known = schema.levels.get(match["word"].casefold())
        if known:
            return known
    if match := _GLOG.match(head):
        return _GLOG_LEVELS[match["letter"]]
    if match := _WORD.search(head):
        return match.lastgroup or ""
    return "ERROR" if _FAILURE.search(head) else ""


def hit_key(hit: Mapping[str, Any]) -> tuple[str, str]:
    """What identifies a document."""
    return str(hit.get("_index", "")), str(hit.get("_id", ""))


def in_order(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """Lines by time, then by all else that tells them apart, so that equal indices give equal bytes."""
    return tuple(
        sorted(lines, key=lambda x: (x.at, x.service, x.trace_id or "", x.span_id or "", x.level, x.message))
    )
