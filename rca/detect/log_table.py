"""Log lines as arrays: what every kind of log evidence is computed from.

Lines that say the same (same service, template, severity and named target) are one *event type*. All else is
integers and floats in time order, so that an evaluation at another onset is a few `bincount`s over two slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rca.detect.log_aside import aside
from rca.detect.log_resolving import is_unresolved
from rca.detect.log_severity import severity
from rca.detect.log_targets import TargetFinder
from rca.detect.masking import Masker, headline
from rca.detect.templates import Mined, mine
from rca.model.logs import LogLine, in_whole_traces
from rca.model.signals import FloatArray
from rca.model.trace_ids import trace_ids
from rca.model.tuning.lines import LineTuning

IntArray: TypeAlias = NDArray[np.intp]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LogTable:
    """Lines as arrays, sorted by time; `n` lines, `e` event types, `s` services.

    Attributes:
        services: The names, sorted; every other array speaks of positions here.
        templates: Texts of templates, sorted.
        lines: The lines themselves, in the order of the arrays.
        times: Shape `(n,)`, unix seconds.
        event: Shape `(n,)`, each line's event type.
        weight: Shape `(n,)`, how many real lines each stands for.
        trace: Shape `(n,)`, a number for each trace, -1 without one.
        whole: Shape `(n,)`, which lines have all others of their trace beside them.
        event_service: Shape `(e,)`.
        event_template: Shape `(e,)`.
        event_severity: Shape `(e,)`, 0 to 1, see `log_severity`.
        is_error: Shape `(e,)`, which event types are errors by their severity.
        event_target: Shape `(e,)`, the other service that an error names, -1 for none.
        event_weight: Shape `(e,)`, the usual weight of its lines (`sum w² / sum w`): the grain of its counts.
        covered: Shape `(k, 2)`, the stretches of time in which lines were seen at all, in order.
    """

    services: tuple[str, ...]
    templates: tuple[str, ...]
    lines: tuple[LogLine, ...]
    times: FloatArray
    event: IntArray
    weight: FloatArray
    trace: IntArray
    whole: BoolArray
    event_service: IntArray
    event_template: IntArray
    event_severity: FloatArray
    is_error: BoolArray
    event_target: IntArray
    event_weight: FloatArray
    covered: FloatArray

    def rows(self, start: float, end: float) -> slice:
        """The lines with `start <= t < end`."""
        first, last = np.searchsorted(self.times, (start, end))
        return slice(int(first), int(max(first, last)))

    def exposure(self, start: float, end: float) -> float:
        """Seconds between two times in which lines were seen at all."""
        if not len(self.covered):
            return 0.0
        return float(
            np.sum(np.clip(np.minimum(self.covered[:, 1], end) - np.maximum(self.covered[:, 0], start), 0, None))
        )

    def example(self, event: int, start: float, end: float) -> LogLine | None:
        """The first line of an event type in a stretch of time, or None."""
        rows = self.rows(start, end)
        found = np.flatnonzero(self.event[rows] == event)
        return self.lines[rows.start + int(found[0])] if len(found) else None


def tally(key: IntArray, size: int, weights: ArrayLike | None = None) -> FloatArray:
    """`numpy.bincount` that always gives floats, shape `(size,)`."""
    return np.bincount(key, weights, minlength=size).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Lines and what they say, whoever is known; in order of time, each attribute but `mined` one a line."""

    lines: tuple[LogLine, ...]
    said: tuple[str, ...]
    masked: tuple[str, ...]
    mined: Mined
    times: FloatArray
    trace: IntArray


def read_lines(lines: Sequence[LogLine], tuning: LineTuning) -> Texts:
    """Read lines; the order in which they are given doesn't matter."""
    ordered = tuple(sorted(lines, key=lambda line: (line.at, line.service, line.message)))
    said = tuple(headline(line.message) for line in ordered)
    mask = Masker().mask_line
    masked = tuple(mask(text) for text in said)
    mined = mine(masked, [line.service for line in ordered], tuning)
    times = np.array([line.at.timestamp() for line in ordered], dtype=np.float64)
    return Texts(ordered, said, masked, mined, times, _traces(ordered))


def build_table(texts: Texts, services: Sequence[str], tuning: LineTuning) -> LogTable:
    """Arrange lines.

    Args:
        texts: Lines of any services.
        services: Every service to be known by name, sorted; each line's service must be among them.
        tuning: The constants.
    """
    ordered, mined = texts.lines, texts.mined
    position = {name: i for i, name in enumerate(services)}
    service = [position[line.service] for line in ordered]
    event_of: dict[tuple[int, int, float, int], int] = {}
    judge = _Judge(services, tuning)
    event = np.empty(len(ordered), dtype=np.intp)
    for i, line in enumerate(ordered):
        how_bad = judge.severity(line, texts.masked[i])
        is_error = how_bad >= tuning.is_error
        target = judge.target(line, texts.said[i], texts.masked[i], service[i]) if is_error else -1
        event[i] = event_of.setdefault((service[i], mined.index[i], how_bad, target), len(event_of))
    weight = np.array([line.weight for line in ordered], dtype=np.float64)
    size = len(event_of)
    columns = list(zip(*event_of, strict=True)) or [(), (), (), ()]
    severities = np.array(columns[2], dtype=np.float64)
    heavy, total = tally(event, size, weight * weight), tally(event, size, weight)
    return LogTable(
        services=tuple(services),
        templates=mined.templates,
        lines=ordered,
        times=texts.times,
        event=event,
        weight=weight,
        trace=texts.trace,
        whole=np.array(in_whole_traces(ordered), dtype=bool),
        event_service=np.array(columns[0], dtype=np.intp),
        event_template=np.array(columns[1], dtype=np.intp),
        event_severity=severities,
        is_error=severities >= tuning.is_error,
        event_target=np.array(columns[3], dtype=np.intp),
        event_weight=np.maximum(np.divide(heavy, total, out=np.ones(size), where=total > 0), 1e-9),
        covered=coverage(texts.times, tuning),
    )


class _Judge:
    """How bad lines are, and whom errors name; what recurs is looked at once."""

    def __init__(self, services: Sequence[str], tuning: LineTuning) -> None:
        self._tuning = tuning
        self._finder = TargetFinder(services, tuning)
        self._raw = self._finder.needs_raw_text
        self._severities: dict[tuple[str, str], float] = {}
        self._targets: dict[tuple[str, str, int], int] = {}

    def severity(self, line: LogLine, masked: str) -> float:
        """From 0 (calm) to 1, by the line's level and its text without what varies."""
        key = (line.level.upper(), masked)
        if not key[0]:
            return severity("", f"{line.message[:160]} {masked}", self._tuning)
        if (known := self._severities.get(key)) is None:
            known = self._severities[key] = severity(*key, self._tuning)
        return known

    def target(self, line: LogLine, said: str, masked: str, speaker: int) -> int:
        """The position of the service that an error names as its counterpart; -1 for none, or for a wrong name."""
        searched = said if self._raw or "<s>" in masked else masked
        beside = aside(line)
        key = (searched, beside, speaker)
        if (known := self._targets.get(key)) is None:
            known = self._finder.find(searched, speaker)
            known = self._targets[key] = self._finder.find(beside, speaker) if known < 0 else known
        return known if known < 0 or not is_unresolved(f"{said}\n{beside}") else -1


def _traces(lines: Sequence[LogLine]) -> IntArray:
    numbers: dict[str, int] = {}
    found = (trace_ids(line).trace for line in lines)
    return np.array(
        [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in found], dtype=np.intp
    )


def coverage(times: FloatArray, tuning: LineTuning) -> FloatArray:
    """The stretches in which lines were seen at all, shape `(k, 2)`.

    They are parted where a gap is far from the usual ones. A stretch is extended by half of the usual gap on
    either side, so that a lone line has a length.
    """
    if not len(times):
        return np.empty((0, 2))
    gaps = np.diff(times)
    usual = float(np.quantile(gaps, tuning.hole_quantile)) if len(gaps) else 0.0
    pad = max(float(np.mean(gaps[gaps <= usual])) if len(gaps) else 0.0, 1e-3) / 2
    breaks = np.flatnonzero(gaps > max(tuning.hole_seconds, tuning.hole_gaps * usual))
    starts = times[np.concatenate(([0], breaks + 1))]
    ends = times[np.concatenate((breaks, [len(times) - 1]))]
    return np.column_stack((starts - pad, ends + pad))
