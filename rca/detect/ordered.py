"""Series sorted once, so that quantiles of any stretch of rows are picked instead of sorted for.

A stretch's values in order are the whole series' in order without those of other rows. Candidate onsets ask for
the quantiles of a hundred stretches that overlap nearly entirely; sorting each anew was most of a ranking's time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rca.model.chunks import chunks
from rca.model.signals import FloatArray

# What each way to a quantile takes, in half nanoseconds: its calls; for each value; series; value of a stretch.
_PICK, _READ = 40_000, 1.1
_HALVE, _FIND, _COUNT = 120_000, 10, 1.5
_SORT, _PUT, _COMPARE = 20_000, 60, 6

# Values all in a row, and where in them those just below and above the quantiles stand.
_Found = tuple[FloatArray, NDArray[np.intp], NDArray[np.intp]]


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
        values: Shape `(m, n)`, as they came; NaN where missing.
        row: Shape `(m, n)`, where each series' smallest value stands, its second smallest, …; missing ones last.
        value: Shape `(m, n)`, the values there.
        place: Shape `(n, m)`, where in this order each row's value stands; `n` where it is missing.
        so_far: Shape `(n + 1, m)`, in how many of the first rows each series has a value.
    """

    values: FloatArray
    row: NDArray[np.unsignedinteger]
    value: FloatArray
    place: NDArray[np.unsignedinteger]
    so_far: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, values: FloatArray) -> "Ordered":
        """Sort series of shape `(m, n)`."""
        series, rows = values.shape
        small = np.min_scalar_type(rows)  # the smaller the numbers, the faster they are compared
        row, value = np.empty(values.shape, dtype=small), np.empty(values.shape)
        place, so_far = np.empty((rows, series), dtype=small), np.zeros((rows + 1, series), dtype=small)
        for some in chunks(series, rows):
            part = values[some]
            known = ~np.isnan(part)
            order = np.argsort(part, axis=1)
            row[some] = order
            order += rows * np.arange(len(part))[:, None]  # now among all values of the part, in a row
            part.reshape(-1).take(order, out=value[some], mode="clip")
            back, rank = np.empty(part.size, dtype=small), np.arange(rows, dtype=small)
            back[order] = np.where(rank < known.sum(axis=1)[:, None], rank, small.type(rows))
            place[:, some] = back.reshape(part.shape).T
            running(np.ascontiguousarray(known.T), so_far[:, some])
        return cls(values, row, value, place, so_far)

    def counts(self, rows: slice) -> NDArray[np.intp]:
        """How many values each series has in a stretch. Shape `(m,)`."""
        found: NDArray[np.intp] = (self.so_far[rows.stop] - self.so_far[rows.start]).astype(np.intp)
        return found

    def repeats(self) -> NDArray[np.bool_]:
        """Which series hold a value more than once. Shape `(m,)`."""
        found = np.zeros(len(self.value), dtype=bool)
        for some in chunks(*self.value.shape):
            found[some] = (self.value[some, 1:] == self.value[some, :-1]).any(axis=1)
        return found

    def quantiles(self, stretches: Sequence[slice], of: Sequence[float]) -> Quantiles:
        """Quantiles of each series in stretches of rows, missing values left out.

        Args:
            stretches: Each from its first row up to, and without, the last; equal ones are looked at once.
            of: Which `q` quantiles, each from 0 to 1.

        Returns:
            Arrays of shape `(len(stretches), q, m)`.
        """
        number = {ends: i for i, ends in enumerate(sorted({(rows.start, rows.stop) for rows in stretches}))}
        shape = (len(number), len(of), len(self.row))
        below, above, share = np.empty(shape), np.empty(shape), np.empty(shape)
        for some in chunks(*self.row.shape):  # each of them stays near while all stretches are looked at
            for (start, stop), i in number.items():
                found = self._quantiles(some, slice(start, stop), np.asarray(of))
                below[i, :, some], above[i, :, some], share[i, :, some] = found
        at = [number[rows.start, rows.stop] for rows in stretches]
        same = at == list(range(len(number)))
        return Quantiles(below, above, share) if same else Quantiles(below[at], above[at], share[at])

    def _quantiles(self, some: slice, rows: slice, of: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What `Quantiles` holds, of some series in a stretch; each of a shape that spreads to `(q, k)`."""
        width, n = rows.stop - rows.start, len(self.place)
        if not width:
            missing = np.full((len(of), 1), np.nan)
            return missing, missing, missing
        counts = (self.so_far[rows.stop, some] - self.so_far[rows.start, some]).astype(np.intp)
        last = np.maximum(counts - 1, 0)
        if np.all(last == last[0]):  # which is usual, and one number does for all
            last = last[:1]
        position = last * of[:, None]
        low = position.astype(np.intp)
        high = np.minimum(low + 1, last)
        costs = {
            self._pick: _PICK + _READ * len(counts) * n,
            self._halve: len(of) * (_HALVE + len(counts) * (_FIND + _COUNT * width)),
            self._sort: _SORT + len(counts) * (_PUT + _COMPARE * width),
        }
        values, below, above = min(costs, key=costs.__getitem__)(some, rows, low, high)
        return values.take(below), values.take(above), position - low

    def _pick(self, some: slice, rows: slice, low: NDArray[np.intp], high: NDArray[np.intp]) -> _Found:
        """Some series' values and which of these are at two places of each one's order in a stretch.

        By looking which of all values in order are the stretch's.
        """
        inside = self.row[some] < rows.stop
        if rows.start:
            inside &= self.row[some] >= rows.start
        found = np.flatnonzero(inside)  # as many of each series, so `width` further on the next one's begin
        first = np.arange(len(inside)) * (rows.stop - rows.start)
        return self.value[some].reshape(-1), found.take(first + low), found.take(first + high)

    def _halve(self, some: slice, rows: slice, low: NDArray[np.intp], high: NDArray[np.intp]) -> _Found:
        """The same, bit by bit: the last place that no more than so many of the stretch's lie below."""
        near, small = self.place[rows, some], np.min_scalar_type(rows.stop - rows.start)
        n, series, kind = len(self.place), near.shape[1], near.dtype.type
        first = np.arange(series) * n
        below, above = (np.empty((len(low), series), dtype=np.intp) for _ in range(2))
        for q, rank in enumerate(low.astype(small)):
            found = np.zeros(series, dtype=near.dtype)
            for bit in [kind(1 << i) for i in reversed(range(n.bit_length()))]:
                fewer = (near < found + bit).view(np.uint8).sum(axis=0, dtype=small)
                found += (fewer <= rank) * bit
            below[q] = np.minimum(found, n - 1) + first  # beyond the last stands what is missing
            after = found + kind(1)
            following = (near - after).min(axis=0) + after  # what isn't after it wraps round to more than what is
            above[q] = np.where(high[q] > low[q], following + first, below[q])
        return self.value[some].reshape(-1), below, above

    def _sort(self, some: slice, rows: slice, low: NDArray[np.intp], high: NDArray[np.intp]) -> _Found:
        """The same, by sorting the stretch itself."""
        ordered = np.sort(self.values[some, rows], axis=1)
        first = np.arange(len(ordered)) * (rows.stop - rows.start)
        return ordered.reshape(-1), first + low, first + high


def running(rows: NDArray[Any], sums: NDArray[Any]) -> None:
    """Add up rows of many columns: `sums[i + 1]` is what the rows up to the one at `i` come to, if `sums[0]` is 0.

    A row at a time, for numpy's own running sums along the first axis go from column to column, five times slower.
    """
    for i, row in enumerate(rows):
        np.add(sums[i], row, out=sums[i + 1])
