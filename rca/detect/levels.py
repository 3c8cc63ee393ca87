"""What each series was like over stretches of rows. What several candidates ask for is worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.departure import typical
from rca.detect.ordered import Ordered
from rca.model.chunks import chunks
from rca.model.signals import FloatArray

_FEW = 40_000  # cells of a window that are sorted faster than looked up in what is in order
_KEPT = 10_000_000  # levels that are kept, 80 MB


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The levels of `m` series of `n` rows: of those that count events the mean, of others the median.

    Attributes:
        ordered: Their values in order.
        counted: Shape `(m,)`, which count events.
        events: Shape `(k,)`, these.
        counts: Shape `(k, n)`, their values.
        kept: Those of windows, by their first row and how many rows they have; only a cache.
    """

    ordered: Ordered
    counted: NDArray[np.bool_]
    events: NDArray[np.intp]
    counts: FloatArray
    kept: dict[tuple[int, int], FloatArray]

    @classmethod
    def of(cls, ordered: Ordered, counted: NDArray[np.bool_]) -> "Levels":
        """Of series, and which of them count events."""
        events = np.flatnonzero(counted)
        return cls(ordered, counted, events, ordered.values[events], {})

    def over(self, stretches: Sequence[slice]) -> FloatArray:
        """Of stretches of rows, as `typical` gives them. Shape `(len(stretches), m)`."""
        levels: FloatArray = self.ordered.quantiles(stretches, (0.5,)).values[:, 0]
        for level, rows in zip(levels, stretches, strict=True):
            total, known = self.counts[:, rows].sum(axis=1), self.ordered.counts(rows)[self.events]
            torn = np.flatnonzero(np.isnan(total))
            total[torn] = np.nansum(self.counts[torn, rows], axis=1)
            level[self.events] = np.where(known > 0, total / np.maximum(known, 1), np.nan)
        return levels

    def windows(self, starts: Sequence[int], width: int) -> FloatArray:
        """Of windows of so many rows that begin at given ones. Shape `(len(starts), m)`."""
        new = [start for start in starts if (start, width) not in self.kept]
        if (len(self.kept) + len(new)) * len(self.counted) > _KEPT:
            self.kept.clear()
            new = list(starts)
        if new and width * len(self.counted) > _FEW:
            levels = self.over([slice(start, start + width) for start in new])
            self.kept.update(zip(((start, width) for start in new), levels, strict=True))
        elif new:
            self._look(new, width)
        return np.stack([self.kept[start, width] for start in starts])

    def _look(self, starts: Sequence[int], width: int) -> None:
        """Keep those of some windows, as many at a time as are quickly sorted."""
        series = len(self.counted)
        every = np.lib.stride_tricks.sliding_window_view(self.ordered.values, width, axis=1)
        for some in chunks(len(starts), width * series):
            seen = every[:, list(starts[some])].reshape(-1, width)
            levels = typical(seen, np.repeat(self.counted, len(seen) // max(1, series)))
            self.kept.update(
                zip(((start, width) for start in starts[some]), levels.reshape(series, -1).T, strict=True)
            )
