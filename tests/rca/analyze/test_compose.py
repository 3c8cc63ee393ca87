from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rca.analyze import analyze
from rca.model.incident import Bundle, Gap, Interval, Symptom, Window
from rca.model.logs import LogLine
from rca.model.report import Confidence, Role, ToolInfo
from rca.model.signals import SignalFrame
from tests.rca.analyze.conftest import MakeBundle


def test_the_saturated_callee_is_named_and_its_callers_are_symptoms(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(checkout, tool=tool)
    roles = {suspect.service: suspect.role for suspect in report.suspects}
    assert report.suspects[0].service == "db"
    assert roles == {"db": Role.CAUSE, "orders": Role.SYMPTOM, "web": Role.SYMPTOM, "mail": Role.BYSTANDER}
    assert not report.verdict.abstained
    assert report.verdict.confidence is Confidence.HIGH
    assert report.verdict.summary.startswith("db most likely caused it since 2026-03-01 12:45:00 UTC")


def test_the_path_leads_from_the_suspect_to_where_it_was_seen(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(checkout, symptom=Symptom("web", "latency_p99_ms")), tool=tool)
    assert report.suspects[0].path == ("db", "orders", "web")
    assert report.impact == ("db", "orders", "web")
    assert report.healthy_on_path == ()


def test_evidence_is_told_in_words_with_numbers(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(checkout, tool=tool)
    texts = [item.text for item in report.evidence if item.service == "db"]
    assert any(text.startswith("p99 latency x") and " ms to " in text for text in texts)
    assert all(item.points and item.baseline is not None for item in report.evidence)
    assert [item.id for item in report.evidence] == [f"E{i + 1}" for i in range(len(report.evidence))]


@pytest.mark.parametrize("late", [0, 60, 120, 180])
def test_a_late_onset_changes_nothing(checkout: Bundle, tool: ToolInfo, late: int) -> None:
    assert checkout.window.onset is not None
    told = replace(checkout.window, onset=checkout.window.onset + timedelta(seconds=late))
    report = analyze(replace(checkout, window=told), tool=tool)
    assert report.suspects[0].service == "db"
    assert report.onset.at == checkout.window.onset


def test_an_unknown_onset_is_found_and_said(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(checkout, window=Window(checkout.window.span)), tool=tool)
    assert report.suspects[0].service == "db"
    assert report.onset.at == checkout.window.onset
    assert report.onset.given is None
    assert "onset" in {gap.what for gap in report.gaps}


def test_nothing_happened_and_nobody_is_named(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    calm = SignalFrame(frame.times[:45], frame.values[:45], frame.keys)
    window = Window(Interval(checkout.window.span.start, checkout.window.span.start + timedelta(minutes=45)))
    report = analyze(replace(checkout, metrics=calm, window=window), tool=tool)
    assert report.verdict.abstained
    assert Role.CAUSE not in {suspect.role for suspect in report.suspects}
    assert len(report.suspects) == 4


def test_a_bundle_without_anything_abstains(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(checkout, metrics=None), tool=tool)
    assert report.verdict.abstained
    assert report.suspects == ()
    assert "metrics" in {gap.what for gap in report.gaps}


def test_the_gaps_of_the_bundle_reach_the_report(checkout: Bundle, tool: ToolInfo) -> None:
    gap = Gap("prometheus", "latency", "timed out")
    assert gap in analyze(replace(checkout, gaps=(gap,)), tool=tool).gaps


def test_a_baseline_after_the_incident_is_honoured(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    frame = checkout.metrics
    start = checkout.window.span.start
    turned = SignalFrame(frame.times, np.roll(frame.values, 15, axis=0), frame.keys)
    baseline = Interval(start + timedelta(minutes=15), start + timedelta(minutes=60))
    window = Window(Interval(start, start + timedelta(minutes=15)), None, baseline)
    report = analyze(replace(checkout, metrics=turned, window=window), tool=tool)
    assert report.suspects[0].service == "db"
    assert report.baseline == baseline


def test_a_symptom_seen_at_a_service_that_nobody_knows_is_told(checkout: Bundle, tool: ToolInfo) -> None:
    def told(name: str) -> str:
        gaps = analyze(replace(checkout, symptom=Symptom(name)), tool=tool).gaps
        return " ".join(gap.why for gap in gaps if gap.what == "where the symptom was seen")

    assert told("orders") == ""
    assert told("") == ""
    assert told("order") == "Nothing is known of order. Did you mean orders?"
    assert told("qqq") == "Nothing is known of qqq. Check its name; here it changed nothing."


def _lines(service: str, checkout: Bundle) -> tuple[LogLine, ...]:
    at = checkout.window.span.start
    calm = [LogLine(at + timedelta(seconds=20 * i), service, "INFO", "served a page") for i in range(180)]
    burst = [LogLine(at + timedelta(minutes=45, seconds=i), service, "ERROR", "disk is full") for i in range(300)]
    return tuple(sorted([*calm, *burst], key=lambda line: line.at))


@pytest.mark.parametrize("name", ["unknown", "-", ""])
def test_lines_that_name_no_service_make_no_suspect(checkout: Bundle, tool: ToolInfo, name: str) -> None:
    report = analyze(replace(checkout, logs=_lines(name, checkout)), tool=tool)
    assert report.suspects[0].service == "db"
    assert name not in {suspect.service for suspect in report.suspects}
    why = "480 of 480 lines name no service: they accuse only whom their text names."
    assert Gap("analysis", "lines of nobody", why) in report.gaps


def test_lines_of_nobody_still_show_that_something_is_wrong(checkout: Bundle, tool: ToolInfo) -> None:
    report = analyze(replace(checkout, metrics=None, logs=_lines("unknown", checkout)), tool=tool)
    assert [suspect.service for suspect in report.suspects] == ["unknown"]
    assert report.suspects[0].score > 0


def test_nothing_that_moves_has_no_onset(make_bundle: MakeBundle, tool: ToolInfo) -> None:
    report = analyze(
        make_bundle({"a|cpu_percent": np.full(60, 3.0), "b|cpu_percent": np.full(60, 4.0)}), tool=tool
    )
    assert report.onset.at is None
    assert report.verdict.abstained
    assert report.verdict.summary == "The data don't single out a service."
    assert any(gap.what == "constant series" for gap in report.gaps)
    assert report.span.start == datetime(2026, 3, 1, 12, tzinfo=UTC)
