"""What the analysis says it could not see."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rca.analyze import AnalysisOptions, analyze
from rca.analyze.assess import assess
from rca.analyze.gaps import gaps
from rca.model.incident import Bundle, Interval, Window
from rca.model.report import ToolInfo
from rca.model.signals import Bad, Kind, SignalFrame, SignalKey
from rca.model.tuning import Tuning
from tests.rca.analyze.conftest import traced


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


@pytest.mark.parametrize(("most", "said"), [(1.1, True), (0.9, False)])
def test_a_baseline_that_departs_from_itself_as_far_is_said(checkout: Bundle, most: float, said: bool) -> None:  # noqa: FBT001 - a column
    found = assess(checkout, AnalysisOptions())
    assert found.stood is not None
    stood = replace(found.stood, most=most * found.stood.level)
    told = gaps(found.bundle, found.prepared, found.ranked, stood, Tuning())
    assert any("departs from itself" in gap.why for gap in told) is said


def test_traces_that_are_too_few_are_a_gap(checkout: Bundle, tool: ToolInfo) -> None:
    few = analyze(replace(checkout, spans=traced(checkout, every=12)), tool=tool)
    assert any(gap.what == "traces" and "may be chance" in gap.why for gap in few.gaps)
    enough = analyze(replace(checkout, spans=traced(checkout)), tool=tool)
    assert not any(gap.what == "traces" for gap in enough.gaps)


@pytest.mark.parametrize(
    ("level", "failing_from", "chosen"),
    [
        (0.01, 45, True),
        (0.5, 45, False),  # requests fail as often as traces
        (0.01, 58, False),  # few more traces fail
    ],
)
def test_traces_that_fail_far_more_often_than_requests_are_called_chosen(
    checkout: Bundle, tool: ToolInfo, level: float, failing_from: int, *, chosen: bool
) -> None:
    assert checkout.metrics is not None
    calm = [i for i, key in enumerate(checkout.metrics.keys) if key.kind.value != "errors"]
    key = SignalKey("web", "error_ratio", kind=Kind.ERRORS, bad=Bad.UP, unit="ratio", declared=True)
    times = checkout.metrics.times
    ratio = level * np.where(np.arange(len(times)) % 3, 1.0, 1.2)[:, None]
    values = np.hstack([checkout.metrics.values[:, calm], ratio])
    frame = SignalFrame(times, values, (*(checkout.metrics.keys[i] for i in calm), key))
    spans = traced(checkout, failing_from=failing_from)
    report = analyze(replace(checkout, metrics=frame, spans=spans), tool=tool)
    assert any(gap.what == "traces" and "tail sampling" in gap.why for gap in report.gaps) is chosen
