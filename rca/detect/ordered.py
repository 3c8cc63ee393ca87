"""Series sorted once, so that quantiles of any stretch of rows are picked instead of sorted for.

A stretch's values in order are the whole series' in order without those of other rows. Candidate onsets ask for
the quantiles of a hundred stretches that overlap nearly entirely; sorting each anew was most of a ranking's time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.signals import FloatArray


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
        so_far: Shape `(n + 1, m)`, in how many of the first rows each series has a value.
    """

    row: NDArray[np.unsignedinteger]
    value: FloatArray
    so_far: NDArray[np.intp]

    @classmethod
    def of(cls, values: FloatArray) -> "Ordered":
        """Sort series of shape `(m, n)`."""
        order = np.argsort(values, axis=1)
        so_far = np.pad(np.cumsum(~np.isnan(values.T), axis=0), ((1, 0), (0, 0)))
        # The smaller the numbers, the faster they are compared.
        small = order.astype(np.min_scalar_type(values.shape[1]))
        return cls(small, np.take_along_axis(values, order, axis=1), so_far)

    def counts(self, rows: slice) -> NDArray[np.intp]:
        """How many values each series has in a stretch. Shape `(m,)`."""
        found: NDArray[np.intp] = self.so_far[rows.stop] - self.so_far[rows.start]
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
        low = np.floor(position).astype(np.intp)
        high = np.minimum(low + 1, last)
        inside = self.row < rows.stop
        if rows.start:
            inside &= self.row >= rows.start
        places = np.flatnonzero(inside)  # as many of each series, so `width` further on the next one's begin
        first = np.arange(series) * width
        values = self.value.reshape(-1)
        return Quantiles(values[places[first + low]], values[places[first + high]], position - low)
