"""Series sorted once, so that quantiles of any stretch of rows are picked instead of sorted for.

A stretch's values in order are the whole series' in order without those of other rows. Candidate onsets ask for
the quantiles of a hundred stretches that overlap nearly entirely; sorting each anew was most of a ranking's time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.signals import FloatArray

_CELLS = 1_000_000  # of a chunk
# What halving for a quantile takes, in cells that are looked through in that time: its calls, each cell it reads.
_CALLS, _CELL = 120_000, 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Quantiles of many series by linear interpolation, and the values between which they lie.

    Attributes:
        low: Shape `(…, q, m)`, the value just below each of `q` quantiles; NaN without any value.
        high: The one just above.
        share: How far between the two, 0 to 1.
    """

    low: FloatArray
    high: FloatArray
    share: FloatArray

    @classmethod
    def stacked(cls, some: Sequence["Quantiles"]) -> "Quantiles":
        """Those of several stretches; the first axis tells them apart."""
        return cls(*(np.stack([getattr(one, name) for one in some]) for name in ("low", "high", "share")))

    @property
    def values(self) -> FloatArray:
        """The quantiles themselves."""
        result: FloatArray = self.low + (self.high - self.low) * self.share
        return result

    def of_logs(self, series: NDArray[np.intp], level: FloatArray) -> "Quantiles":
        """The same of some series' logarithms, which are in the same order.

        Args:
            series: Which.
            level: Shape `(…, len(series))`, added to keep zeros finite.
        """
        added = level[..., None, :]
        low, high = (np.log(np.maximum(part[..., series], 0.0) + added) for part in (self.low, self.high))
        return Quantiles(low, high, self.share[..., series])


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """The values of `m` series of `n` rows in their order.

    Attributes:
        row: Shape `(m, n)`, where each series' smallest value stands, its second smallest, …; missing ones last.
        value: Shape `(m, n)`, these values.
        place: Shape `(n, m)`, where in this order each row's value stands; `n` where it is missing.
        so_far: Shape `(n + 1, m)`, in how many of the first rows each series has a value.
    """

    row: NDArray[np.unsignedinteger]
    value: FloatArray
    place: NDArray[np.unsignedinteger]
    so_far: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, values: FloatArray) -> "Ordered":
        """Sort series of shape `(m, n)`."""
        series, rows = values.shape
        small = np.min_scalar_type(rows)  # the smaller the numbers, the faster they are compared
        row, value = np.empty(values.shape, dtype=small), np.empty_like(values)
        place, so_far = np.empty((rows, series), dtype=small), np.zeros((rows + 1, series), dtype=small)
        for some in chunks(series, rows):
            order, known = np.argsort(values[some], axis=1), ~np.isnan(values[some].T)
            row[some], value[some] = order, np.take_along_axis(values[some], order, axis=1)
            back = np.empty(order.shape, dtype=small)
            np.put_along_axis(back, order, np.arange(rows, dtype=small)[None], axis=1)
            place[:, some] = np.where(known, back.T, small.type(rows))
            np.cumsum(known, axis=0, out=so_far[1:, some], dtype=small)
        return cls(row, value, place, so_far)

    def counts(self, rows: slice) -> NDArray[np.intp]:
        """How many values each series has in a stretch. Shape `(m,)`."""
        found: NDArray[np.intp] = (self.so_far[rows.stop] - self.so_far[rows.start]).astype(np.intp)
        return found

    def quantiles(self, rows: slice, of: Sequence[float]) -> Quantiles:
        """Quantiles of each series in a stretch of rows, missing values left out.

        Args:
            rows: From the first row up to, and without, the last.
            of: Which `q` quantiles, each from 0 to 1.

        Returns:
            Arrays of shape `(q, m)`.
        """
        series, width = len(self.row), rows.stop - rows.start
        if not width or not series:
            missing = np.full((len(of), series), np.nan)
            return Quantiles(missing, missing, missing)
        last = np.maximum(self.counts(rows) - 1, 0)
        position = last * np.asarray(of)[:, None]
        low = position.astype(np.intp)
        high = np.minimum(low + 1, last)
        below, above = np.empty_like(position), np.empty_like(position)
        short = len(of) * (_CALLS + _CELL * width * series) < self.place.size
        find = self._halve if short else self._pick
        for some in chunks(*self.row.shape):
            values = self.value[some].reshape(-1)
            places = find(some, rows, low[:, some], high[:, some])
            below[:, some], above[:, some] = values.take(places[0]), values.take(places[1])
        return Quantiles(below, above, position - low)

    def _pick(
        self, some: slice, rows: slice, low: NDArray[np.intp], high: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which of some series' values, all in a row, are those at two places of each one's order in a stretch."""
        inside = self.row[some] < rows.stop
        if rows.start:
            inside &= self.row[some] >= rows.start
        found = np.flatnonzero(inside)  # as many of each series, so `width` further on the next one's begin
        first = np.arange(low.shape[1]) * (rows.stop - rows.start)
        return found.take(first + low), found.take(first + high)

    def _halve(
        self, some: slice, rows: slice, low: NDArray[np.intp], high: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The same, bit by bit: the last place that no more than so many of the stretch's lie below."""
        near, small = self.place[rows, some], np.min_scalar_type(rows.stop - rows.start)
        n, kind = len(self.place), near.dtype.type
        first = np.arange(low.shape[1]) * n
        below, above = np.empty_like(low), np.empty_like(low)
        for q, rank in enumerate(low.astype(small)):
            found = np.zeros(len(rank), dtype=near.dtype)
            for bit in [kind(1 << i) for i in reversed(range(n.bit_length()))]:
                fewer = (near < found + bit).view(np.uint8).sum(axis=0, dtype=small)
                found += (fewer <= rank) * bit
            below[q] = np.minimum(found, n - 1) + first  # beyond the last stands what is missing
            after = found + kind(1)
            following = (near - after).min(axis=0) + after  # what isn't after it wraps round to more than what is
            above[q] = np.where(high[q] > low[q], following + first, below[q])
        return below, above


def chunks(series: int, rows: int) -> Iterator[slice]:
    """Series in parts of so many cells that what is computed of a part stays in the processor's cache."""
    size = max(1, _CELLS // max(1, rows))
    return (slice(start, min(start + size, series)) for start in range(0, series, size))
