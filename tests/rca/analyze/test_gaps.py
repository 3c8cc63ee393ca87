"""What the analysis says it could not see."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from rca.analyze import analyze
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import ToolInfo
from rca.model.signals import SignalFrame


def test_a_short_torn_or_later_baseline_is_said(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    frame, window = checkout.metrics, checkout.window
    torn = [*range(30), *range(42, 60)]
    report = analyze(
        replace(checkout, metrics=SignalFrame(frame.times[torn], frame.values[torn], frame.keys)), tool=tool
    )
    assert any("torn in 1 place:" in gap.why for gap in report.gaps)
    short = analyze(
        replace(checkout, metrics=SignalFrame(frame.times[38:], frame.values[38:], frame.keys)), tool=tool
    )
    assert any("rows: what is usual is a guess" in gap.why for gap in short.gaps)
    later = Window(
        Interval(window.span.start + timedelta(minutes=45), window.span.end),
        None,
        Interval(window.span.end, window.span.end + timedelta(minutes=45)),
    )
    turned = SignalFrame(frame.times + 45 * 60, np.roll(frame.values, -45, axis=0), frame.keys)
    after = analyze(replace(checkout, metrics=turned, window=later), tool=tool)
    assert any("lies after the incident" in gap.why for gap in after.gaps)
