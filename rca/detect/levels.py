"""What each series was like over stretches of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.departure import typical
from rca.detect.ordered import Ordered
from rca.model.chunks import chunks
from rca.model.signals import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The levels of `m` series of `n` rows: of those that count events the mean, of others the median.

    Attributes:
        ordered: Their values in order.
        counted: Shape `(m,)`, which count events.
        events: Shape `(k,)`, these.
        counts: Shape `(k, n)`, their values.
    """

    ordered: Ordered
    counted: NDArray[np.bool_]
    events: NDArray[np.intp]
    counts: FloatArray

    @classmethod
    def of(cls, ordered: Ordered, counted: NDArray[np.bool_]) -> "Levels":
        """Of series, and which of them count events."""
        events = np.flatnonzero(counted)
        return cls(ordered, counted, events, ordered.values[events])

    def over(self, stretches: Sequence[slice]) -> FloatArray:
        """Of stretches of rows, as `typical` gives them. Shape `(len(stretches), m)`."""
        levels: FloatArray = self.ordered.quantiles(stretches, (0.5,)).values[:, 0]
        for level, rows in zip(levels, stretches, strict=True):
            total, known = self.counts[:, rows].sum(axis=1), self.ordered.counts(rows)[self.events]
            torn = np.flatnonzero(np.isnan(total))
            total[torn] = np.nansum(self.counts[torn, rows], axis=1)
            level[self.events] = np.where(known > 0, total / np.maximum(known, 1), np.nan)
        return levels

    def windows(self, series: NDArray[np.intp], rows: slice, width: int, stride: int) -> FloatArray:
        """Of some series in windows of so many rows, so far apart. Shape `(w, len(series))`."""
        starts = (rows.stop - rows.start - width) // stride + 1
        levels = np.empty((len(series), starts))
        for some in chunks(len(series), width * starts):
            part = self.ordered.values[series[some], rows]
            seen = np.lib.stride_tricks.sliding_window_view(part, width, axis=1)[:, ::stride].reshape(-1, width)
            counted = np.repeat(self.counted[series[some]], starts)
            levels[some] = typical(seen, counted).reshape(-1, starts)
        return levels.T
