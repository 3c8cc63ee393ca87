from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.model.logs import TRACE_COMPLETE, LogLine
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.lines import MAX_MESSAGE, LineReader, level_in, read_time, wanted_fields
from rca.sources.elastic.schema import Role, load_schemas

SCHEMA = load_schemas()
FIELDS: dict[Role, tuple[str, ...]] = {
    **dict.fromkeys(Role, ()),
    Role.TIMESTAMP: ("@timestamp",),
    Role.SERVICE: ("service.name", "kubernetes.container.name"),
    Role.LEVEL: ("log.level", "level"),
    Role.MESSAGE: ("message", "log"),
    Role.TRACE: ("trace.id",),
    Role.ERROR: ("error.message",),
    Role.STACK: ("error.stack_trace",),
    Role.PEER: ("server.address", "attributes.db.system"),
}
COHORT = Cohort(("logs-*",), FIELDS)


def hit(**values: Any) -> dict[str, Any]:
    return {"fields": {"@timestamp": ["2026-02-03T04:05:06.123456789Z"], **values}}


def read(**values: Any) -> LogLine | None:
    found = LineReader(COHORT, SCHEMA).read(hit(**values))
    return found[0] if found else None


def test_the_first_candidate_with_a_value_speaks() -> None:
    values = {"kubernetes.container.name": ["cart"], "level": [50], "log": ["no"], "trace.id": ["t", "u"]}
    line = read(**values)
    assert line is not None
    assert (line.service, line.level, line.message, line.trace_id) == ("cart", "ERROR", "no", "t")
    assert line.at == datetime(2026, 2, 3, 4, 5, 6, 123456, tzinfo=UTC)


def test_an_error_is_kept_apart_and_stands_in_for_an_empty_message() -> None:
    values = {"service.name": ["a"], "error.message": ["broken"], "error.stack_trace": ["x" * 9_000]}
    line = read(**values)
    assert line is not None
    assert line.message == "broken"
    assert line.fields["error.message"] == "broken"
    assert len(line.fields["error.stack_trace"]) == 2_000


def test_whom_a_line_is_about_is_kept() -> None:
    line = read(**{"service.name": ["a"], "server.address": ["10.0.0.7"], "attributes.db.system": ["redis"]})
    assert line is not None
    assert line.fields == {"server.address": "10.0.0.7", "db.system": "redis"}
    assert {"server.address", "attributes.db.system"} <= {*wanted_fields(COHORT)[1:]}


def test_ids_are_read_out_of_the_text_where_no_field_has_any() -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    document = hit(**{"service.name": ["a"], "message": [f"trace_id={trace} span_id={span} done"]})
    lines = [
        LineReader(COHORT, SCHEMA, frozenset({trace}), ids_in_text=in_text).read(document)
        for in_text in (True, False)
    ]
    assert [(line.trace_id, line.span_id, line.fields) for line, _ in filter(None, lines)] == [
        (trace, span, {TRACE_COMPLETE: True}),
        (None, None, {}),
    ]


def test_a_huge_message_is_cut() -> None:
    line = read(**{"service.name": ["a"], "message": ["x" * (MAX_MESSAGE + 5)]})
    assert line is not None
    assert len(line.message) == MAX_MESSAGE


@pytest.mark.parametrize("values", [{}, {"service.name": ["a"], "@timestamp": ["soon"]}, {"service.name": [""]}])
def test_a_document_without_time_or_service_is_no_line(values: dict[str, Any]) -> None:
    assert read(**values) is None


def test_whether_the_document_states_a_level_is_told_apart_from_what_its_text_says() -> None:
    reader = LineReader(COHORT, SCHEMA)
    stated, said = (
        reader.read(hit(**{"service.name": ["a"], "message": ["ERROR: no disk"], **level}))
        for level in ({"log.level": ["info"]}, {})
    )
    assert stated is not None
    assert said is not None
    assert [(line.level, states) for line, states in (stated, said)] == [("INFO", True), ("ERROR", False)]


def test_a_time_without_a_zone_is_not_believed() -> None:
    assert read_time("2026-02-03T04:05:06") is None


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ('{"level":"warning","msg":"an error was avoided"}', "WARN"),
        ("severity=ERROR it broke", "ERROR"),
        ("level=high pressure", ""),
        ("E0203 04:05:06.1 1 x.go:1] no", "ERROR"),
        ("W0203 04:05:06.1 1 x.go:1] hm", "WARN"),
        ("2026-02-03 04:05:06 [main] INFO c.s.X - error rate 0", "INFO"),
        ("04:05 CRITICAL disk", "FATAL"),
        ("04:05 SEVERE disk", "ERROR"),
        ("java.lang.NullPointerException: x", "ERROR"),
        ("Traceback (most recent call last):", "ERROR"),
        ("the request failed", "ERROR"),
        ("GET /errors 200", ""),
        ("x" * 400 + " ERROR", ""),
    ],
)
def test_a_message_states_its_level(message: str, level: str) -> None:
    assert level_in(message, SCHEMA) == level


@given(st.text())
def test_any_text_has_a_level_or_none(message: str) -> None:
    assert level_in(message, SCHEMA) in {"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}


def test_only_what_is_read_travels() -> None:
    assert "error.stack_trace" not in wanted_fields(COHORT)
    assert "error.stack_trace" in wanted_fields(COHORT, stack=True)
    assert wanted_fields(COHORT)[0]["field"] == "@timestamp"
