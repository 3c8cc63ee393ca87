from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.model.logs import LogLine
from rca.model.trace_ids import TraceIds, ids_in, trace_ids

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        f"done trace_id={TRACE} span_id={SPAN}",
        f"INFO TraceID: {TRACE} SpanID: {SPAN} done",
        f'{{"traceId":"{TRACE}","spanId":"{SPAN}"}}',
        f'{{"trace":{{"id":"{TRACE}"}},"span":{{"id":"{SPAN}"}}}}',
        f'{{"trace.id": "{TRACE}", "span.id": "{SPAN}"}}',
        f"traceparent: 00-{TRACE}-{SPAN}-01",
        f"INFO [shop,{TRACE},{SPAN}] done",
        f"X-B3-TraceId: {TRACE} X-B3-SpanId: {SPAN}",
    ],
)
def test_the_usual_ways_to_write_ids_are_understood(text: str) -> None:
    assert ids_in(text) == TraceIds(TRACE, SPAN)


@pytest.mark.parametrize("text", [f"TRACE_ID={TRACE} done", f"dd.trace_id={TRACE} x"])
def test_a_trace_id_may_come_without_a_span(text: str) -> None:
    assert ids_in(text) == TraceIds(TRACE, None)


@pytest.mark.parametrize(
    "text", ["Traceback (most recent call last)", "no ids here", "trace_id= ", "brace is odd"]
)
def test_other_texts_have_no_ids(text: str) -> None:
    assert ids_in(text) == TraceIds(None, None)


def test_fields_come_before_the_text() -> None:
    line = LogLine(AT, "cart", "INFO", f"trace_id={'f' * 32}", trace_id=TRACE, span_id=SPAN)
    assert trace_ids(line) == TraceIds(TRACE, SPAN)


def test_an_id_of_zeros_is_none() -> None:
    assert trace_ids(LogLine(AT, "cart", "INFO", f"trace_id={'0' * 32}")) == TraceIds(None, None)


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    ids_in(text)
