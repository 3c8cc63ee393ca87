"""Sums over any stretch of rows, from sums that were made once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.ordered import running
from rca.model.chunks import chunks
from rca.model.signals import FloatArray

_NOISE = 1e-6  # of the largest value: what is left of a difference of sums that should be nothing


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Running sums of `m` series of `n` rows; missing values count nothing.

    Attributes:
        total: Shape `(n + 1, m)`, the sum of the first rows: two of them are read at once, for all series.
        known: Shape `(n + 1, m)`, how many of them hold a value.
    """

    total: FloatArray
    known: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, values: FloatArray) -> "Sums":
        """Add up series of shape `(m, n)`."""
        series, rows = values.shape
        total = np.zeros((rows + 1, series))
        known = np.zeros((rows + 1, series), dtype=np.min_scalar_type(rows))
        for some in chunks(series, rows):
            by_row = np.ascontiguousarray(values[some].T)
            there = ~np.isnan(by_row)
            running(there, known[:, some])
            running(np.where(there, by_row, 0.0), total[:, some])
        return cls(total, known)

    def over(self, rows: slice) -> tuple[FloatArray, NDArray[np.intp]]:
        """The sum over a stretch and how many values it is of, each of shape `(m,)`."""
        count = (self.known[rows.stop] - self.known[rows.start]).astype(np.intp)
        return self.total[rows.stop] - self.total[rows.start], count


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """Standard deviations of `m` series over any stretch of rows.

    Attributes:
        first: Sums of the values, each less a level of its series.
        second: Sums of their squares.
        noise: Shape `(m,)`, below which a deviation is rounding.
    """

    first: Sums
    second: Sums
    noise: FloatArray

    @classmethod
    def of(cls, values: FloatArray, level: FloatArray) -> "Deviations":
        """Of series of shape `(m, n)`, and a level of each, shape `(m,)`, near which it mostly stays."""
        away = values - level[:, None]
        noise = _NOISE * np.fmax.reduce(np.abs(away), axis=1, initial=0.0)
        return cls(Sums.of(away), Sums.of(away**2), noise)

    def over(self, rows: slice) -> FloatArray:
        """The standard deviation over a stretch, of shape `(m,)`; 0 for none or for a constant."""
        first, count = self.first.over(rows)
        second, _ = self.second.over(rows)
        count = np.maximum(count, 1)
        sd = np.sqrt(np.maximum(second / count - (first / count) ** 2, 0.0))
        return np.where(sd > self.noise, sd, 0.0)
