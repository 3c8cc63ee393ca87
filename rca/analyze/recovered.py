"""A window that reaches beyond the incident is cut at its end: what is calm again says nothing about the fault."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from rca.analyze.prepare import Prepared
from rca.detect.kinds import SIGN, measures
from rca.detect.recovery import ended
from rca.model.incident import Bundle, Gap, Interval
from rca.model.tuning import Tuning


def until_recovery(bundle: Bundle, prepared: Prepared, tuning: Tuning) -> Bundle:
    """The bundle with its window cut where the system was calm again, and a gap that says so; else as it is.

    Without a chosen baseline only: one that lies after the incident ends it already.
    """
    frame, window = prepared.frame, bundle.window
    if window.baseline is not None or not frame.keys:
        return bundle
    count = len(frame.times)
    lead = int(np.searchsorted(frame.times, window.span.start.timestamp()))
    told, base, sought, clear = None, count, (lead, count), tuning.over_hidden
    if window.onset is not None:
        told = base = int(np.searchsorted(frame.times, window.onset.timestamp()))
        back, forward = (
            max(rows, int(seconds / frame.step)) if frame.step else rows
            for rows, seconds in (
                (tuning.back_rows, tuning.back_seconds),
                (tuning.forward_rows, tuning.forward_seconds),
            )
        )
        sought, clear = (max(0, told - back), told + forward), tuning.over_told
    direction = np.array([SIGN[measures(key)[1]] for key in frame.keys])
    end = ended(frame.values, direction, base, sought, told=told, clear=clear, tuning=tuning.rows)
    if end is None or end >= count or frame.times[end] <= window.span.start.timestamp():
        return bundle
    at = datetime.fromtimestamp(float(frame.times[end]), UTC)
    why = (
        f"It seems over by {at:%H:%M:%S} UTC; what came after is left out. If it went on, begin the window later."
    )
    return replace(
        bundle,
        window=replace(window, span=Interval(window.span.start, at)),
        gaps=(*bundle.gaps, Gap("analysis", "after the incident", why)),
    )
