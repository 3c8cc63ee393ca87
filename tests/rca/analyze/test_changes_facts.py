"""What the weighing of changes is told of an incident."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from rca.analyze.changes_facts import gather
from rca.analyze.prepare import prepare
from rca.changes.facts import Facts
from rca.detect.logs import LogIndex
from rca.model.incident import Bundle
from rca.model.logs import LogLine
from rca.model.report import OnsetEstimate
from rca.model.signals import Kind
from rca.model.tuning.lines import LineTuning
from rca.model.tuning.rows import RowTuning
from tests.rca.analyze.conftest import ONSET_ROW, ROWS, MakeBundle

LATE = np.where(np.arange(ROWS) >= ONSET_ROW, 1.0, 0.0)


def facts(bundle: Bundle) -> Facts:
    index = LogIndex.build(bundle.logs, LineTuning()) if bundle.logs else None
    given = bundle.window.onset
    return gather(
        bundle, prepare(bundle, RowTuning()), {"db": 1.0}, OnsetEstimate(given, given=given), index=index
    )


def test_what_got_better_is_no_anomaly(make_bundle: MakeBundle) -> None:
    wave = np.sin(np.arange(ROWS))
    bundle = make_bundle(
        {"db|latency_p99_ms": 200 + wave - 150 * LATE, "web|latency_p99_ms": 200 + wave + 150 * LATE}
    )
    assert [(one.service, one.kind) for one in facts(bundle).anomalies] == [("web", Kind.LATENCY)]


def errors(bundle: Bundle, *, stray: int, burst: int, number: int) -> Bundle:
    """One line each minute, an error at one minute, and a burst of the same error from another one on."""
    start, said = bundle.window.span.start, "disk is broken"
    calm = [LogLine(start + timedelta(minutes=m), "db", "INFO", f"checkpoint {m} done") for m in range(ROWS)]
    first = LogLine(start + timedelta(minutes=stray), "db", "ERROR", said)
    many = [
        LogLine(start + timedelta(minutes=burst, seconds=s), "db", "ERROR", "disk is broken")
        for s in range(number)
    ]
    return replace(bundle, logs=(*calm, first, *many))


def test_a_burst_begins_where_it_does_and_not_with_a_stray_line_before(checkout: Bundle) -> None:
    start = checkout.window.span.start.timestamp()
    found = facts(errors(checkout, stray=41, burst=46, number=50))
    assert [line.text for line in found.lines] == ["disk is broken"]
    assert start + 46 * 60 <= found.lines[0].first <= start + 46 * 60 + 10
    assert found.lines[0].count == 51


def test_the_harm_does_not_begin_with_one_new_error_where_others_come_in_hundreds(make_bundle: MakeBundle) -> None:
    calm = make_bundle({"db|cpu_usage": 0.2 + 0.01 * np.sin(np.arange(ROWS))})
    bundle = errors(calm, stray=41, burst=46, number=100)
    other = LogLine(calm.window.span.start + timedelta(minutes=42), "db", "ERROR", "cannot open the page")
    found = facts(replace(bundle, logs=(*bundle.logs, other)))
    start = calm.window.span.start.timestamp()
    assert found.onset is not None
    assert start + 46 * 60 <= found.onset <= start + 46 * 60 + 15
