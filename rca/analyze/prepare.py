"""Before the ranking: the frame cut to the window and to what can be used, the graph completed, the gaps named."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rca.analyze.memo import NO_MEMO, Memo
from rca.detect.cadence import cadence, put_together
from rca.detect.kinds import bare, infer, words
from rca.model.chunks import chunks
from rca.model.incident import Bundle, Gap, Span
from rca.model.signals import FloatArray, Kind, SignalFrame
from rca.model.tuning.rows import RowTuning
from topology import ServiceGraph
from topology.infer import from_spans
from topology.merge import merge

_EMPTY = SignalFrame(np.empty(0), np.empty((0, 0)), ())
_FILL = frozenset({Kind.MEMORY, Kind.SATURATION, Kind.QUEUE})  # what fills up may rise for a whole window
_TOTAL = ("total",)  # by convention the last word of a counter's name; "count" is that of others, too
_SUMS = {_TOTAL, ("count",)}
_LARGEST = 1e100  # so that squares stay finite


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What analysis works on.

    Attributes:
        frame: The series up to the window's end, the baseline before it included.
        graph: The bundle's graph, completed by its spans.
        spans: The bundle's, orphans given back to their trace.
        gaps: What was found missing on the way.
    """

    frame: SignalFrame
    graph: ServiceGraph
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]


def prepare(bundle: Bundle, tuning: RowTuning, memo: Memo = NO_MEMO) -> Prepared:
    """The usable part of a bundle.

    Args:
        bundle: The bundle.
        tuning: What tells a counter, `counter_…`, and the rows where no metrics are, `clock_…`.
        memo: What was worked out of its variants.
    """
    window = bundle.window
    if bundle.metrics is None:
        frame, gaps = _frame(bundle, tuning)
    else:
        of = (bundle.metrics, window.span, window.baseline)
        frame, gaps = memo.once("frame", of, lambda: _frame(bundle, tuning), values=(tuning, window.onset))
    spans = memo.once("spans", (bundle.spans,), lambda: adopt(bundle.spans))
    graph = bundle.graph
    if spans:
        traced = memo.once("traced", (spans,), lambda: from_spans(spans))
        graph = memo.once("graph", (bundle.graph, traced), lambda: merge(bundle.graph, traced).graph)
    return Prepared(frame, graph, spans, tuple(gaps))


def adopt(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans whose parent lies in another trace, moved there: something on the way wrote a trace id of its own.

    Only where the parent's id occurs once in the whole bundle, so that nothing is guessed.
    """
    count = Counter(span.span_id for span in spans)
    present = {(span.trace_id, span.span_id) for span in spans}
    trace = {span.span_id: span.trace_id for span in spans if count[span.span_id] == 1}
    parent = {span.span_id: span.parent_id for span in spans if count[span.span_id] == 1}

    def home(span: Span) -> str:
        at, seen = span, set()
        trace_id = at.trace_id
        parent_id = at.parent_id
        while parent_id in trace and parent_id not in seen and (trace_id, parent_id) not in present:
            seen.add(parent_id)
            trace_id, parent_id = trace[parent_id], parent[parent_id]
        return trace_id

    homes = {(span.trace_id, span.span_id): home(span) for span in spans}
    # A span below an orphan moves with it.
    for _ in range(len(spans)):
        moved = {
            (span.trace_id, span.span_id): homes[span.trace_id, span.parent_id]
            for span in spans
            if span.parent_id and (span.trace_id, span.parent_id) in homes
        }
        if all(homes[key] == value for key, value in moved.items()):
            break
        homes |= moved
    return tuple(
        span
        if (trace_id := homes[span.trace_id, span.span_id]) == span.trace_id
        else replace(span, trace_id=trace_id)
        for span in spans
    )


def _frame(bundle: Bundle, tuning: RowTuning) -> tuple[SignalFrame, list[Gap]]:
    frame = bundle.metrics
    if frame is None or not len(frame.times) or not frame.keys:
        return _clock_only(bundle, tuning), [
            Gap("analysis", "metrics", "The bundle holds no series; the ranking rests on logs and spans.")
        ]
    gaps = []
    empty = int(np.all(np.isnan(frame.values), axis=0).sum())
    if empty:
        gaps.append(Gap("analysis", f"{empty} series", "They hold no value in this window."))
    # Rows before the window are baseline that was collected with it; rows after it are not looked at.
    inside = frame.times < bundle.window.span.end.timestamp()
    if not (inside & (frame.times >= bundle.window.span.start.timestamp())).any():
        inside[:] = False
    if bundle.window.baseline is not None:
        start, end = bundle.window.baseline.timestamps
        inside |= (frame.times >= start) & (frame.times < end)
    if not inside.any():
        gaps.append(
            Gap(
                "analysis",
                "metrics in the window",
                "Every row lies outside it: check the clocks and the time zone.",
            )
        )
        return _EMPTY, gaps
    times, values = frame.times[inside], _finite(frame.values, inside)
    if seconds := cadence(times, values, tuning):
        onset = bundle.window.onset
        times, values = put_together(times, values, seconds, onset.timestamp() if onset else float(times[0]))
        why = f"Series have values at seconds of their own: they were put together into rows of {seconds:g} s."
        gaps.append(Gap("analysis", "rows of the metrics", why))
    return SignalFrame(times, _rates(times, values, frame, tuning), frame.keys), gaps


def _finite(values: FloatArray, rows: NDArray[np.bool_]) -> FloatArray:
    """Some rows, without what is too large, and laid out by series, as all that follows looks at them."""
    result = np.empty((values.shape[1], int(rows.sum())))
    for some in chunks(values.shape[1], len(values)):
        np.clip(values[rows, some].T, -_LARGEST, _LARGEST, out=result[some])
    return result.T


def _clock_only(bundle: Bundle, tuning: RowTuning) -> SignalFrame:
    """A time axis without series, so that logs and spans alone have candidate onsets."""
    if not (bundle.logs or bundle.spans or bundle.log_counts is not None):
        return _EMPTY
    span = bundle.window.span
    step = max(tuning.clock_seconds, span.seconds / tuning.clock_rows)
    times = np.arange(span.start.timestamp() + step, span.end.timestamp() + step / 2, step)
    return SignalFrame(times, np.empty((len(times), 0)), ())


def _rates(times: FloatArray, values: FloatArray, frame: SignalFrame, tuning: RowTuning) -> FloatArray:
    """Counters that came as they are, made into increases a usual step of time; a reset counts as none.

    After a hole in the rows a counter has risen by as much more as it was longer.
    """
    columns = _counters(values, frame, tuning)
    if not columns:
        return values
    result = values.copy(order="K")
    steps = np.diff(values[:, columns], axis=0, prepend=values[:1, columns])
    seconds = np.diff(times)
    steps[1:] /= (seconds / np.median(seconds))[:, None]
    result[:, columns] = np.where(steps < 0, 0.0, steps)
    return result


def _counters(values: FloatArray, frame: SignalFrame, tuning: RowTuning) -> list[int]:
    """Which columns sum up events since the process began: by their name and by what they do.

    What one service's does so clearly, another's of the same name does that rises once or never.
    """
    names = [bare(key.metric, key.service).lower() for key in frame.keys]
    last = [words(name)[-1:] for name in names]
    named = [i for i, name in enumerate(names) if last[i] in _SUMS and infer(name)[0] is not Kind.OTHER]
    rare = {i for i in named if last[i] == _TOTAL and infer(names[i])[0] not in _FILL}
    clear = {i for i in named if _is_counter(values[:, i], tuning, rare=i in rare)}
    alike = {names[i] for i in clear}
    return [i for i in named if i in clear or (i in rare and names[i] in alike and _never_falls(values[:, i]))]


def _never_falls(column: FloatArray) -> bool:
    return bool(np.all(np.diff(column[~np.isnan(column)]) >= 0))


def _is_counter(column: FloatArray, tuning: RowTuning, *, rare: bool) -> bool:
    """It never falls but for resets, and it rises through the whole window, not only at its end.

    Of rare events it rises seldom, perhaps at its end only. There the falls are held against the rises: a rate of
    rare events falls after each.
    """
    rising = tuning.counter_rising
    steps = np.diff(column[~np.isnan(column)])
    if len(steps) < 2:  # noqa: PLR2004 - one step tells nothing
        return False
    rises, falls = int(np.sum(steps > 0)), int(np.sum(steps < 0))
    if rare and rises >= tuning.counter_rises:
        return rises >= rising * (rises + falls)
    half = steps[: max(1, len(steps) // 2)]
    return bool(np.mean(steps >= 0) >= rising and np.mean(half > 0) > 1 - rising)
