"""Whether the baseline did the same by itself: its windows, as long as the incident, that departed as far."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rca.detect.departure import departure, typical
from rca.detect.ordered import Ordered
from rca.detect.sums import Sums
from rca.model.scores import SeriesTable
from rca.model.signals import FloatArray

_SLACK = 1e-9  # far more than rounding
_FEW = 50_000  # cells that are looked through faster than halved

# Each series' z at a candidate, what is usual, and what a z of 1 is; each of shape (m,).
_At = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Recurrence:
    """Series whose past can be searched.

    A window's median is as far out as half of its values are, so counting them tells nearly every window apart; a
    mean is known from running sums but for rounding. Only the few that are left have their values looked at.

    Attributes:
        table: The series.
        ordered: The same in order.
        counted: Shape `(m,)`, which count events, and are told by their mean.
        ways: The others that get worse upwards, and those that do downwards; some are in both.
        events: Shape `(k,)`, those that count events.
        sums: Their running sums.
        rounding: Shape `(k,)`, how wrong a difference of these can be.
    """

    table: SeriesTable
    ordered: Ordered
    counted: NDArray[np.bool_]
    ways: tuple["_Way", "_Way"]
    events: NDArray[np.intp]
    sums: Sums
    rounding: FloatArray

    @classmethod
    def of(cls, table: SeriesTable, ordered: Ordered, counted: NDArray[np.bool_]) -> "Recurrence":
        """Arrange them."""
        events = np.flatnonzero(counted)
        up, down = (np.flatnonzero(~counted & (table.direction * sign >= 0)) for sign in (1, -1))
        ways = _Way.of(ordered, up, 1), _Way.of(ordered, down, -1)
        sums, size = Sums.of(table.values[events]), Sums.of(np.abs(table.values[events])).total[-1]
        rounding = 8 * np.finfo(np.float64).eps * len(table.times) * size
        return cls(table, ordered, counted, ways, events, sums, rounding)

    def share(self, before: slice, width: int, z: FloatArray, center: FloatArray, scale: FloatArray) -> FloatArray:
        """The share of the baseline's windows that were as far out. Shape `(m,)`.

        Args:
            before: The baseline's rows.
            width: How long the incident is, in rows.
            z: Shape `(m,)`, how far out each series is then; 0 for those that needn't be looked at.
            center: Shape `(m,)`, what is usual.
            scale: Shape `(m,)`, what a z of 1 is.
        """
        length, series = before.stop - before.start, len(z)
        width = min(width, max(1, length // 2))
        if length <= 1 or not np.any(z > 0):
            return np.zeros(series)
        windows = _Windows(before, before.start + np.arange(0, length - width + 1, max(1, width // 2)), width)
        sure, likely = (np.zeros((len(windows.starts), series), dtype=bool) for _ in range(2))
        for way in self.ways:
            self._medians(way, windows, (z, center, scale), sure, likely)
        self._means(windows, (z, center, scale), sure, likely)
        at, some = np.divmod(np.flatnonzero(likely & ~sure), series)
        values = self.table.values[some[:, None], windows.starts[at, None] + np.arange(width)]
        shift = typical(values, self.counted[some]) - center[some]
        past = departure(shift, -shift, self.table.direction[some], scale[some]) >= z[some]
        found = sure.sum(axis=0) + np.bincount(some[past], minlength=series)
        return np.asarray(found / len(windows.starts))

    def _medians(
        self, way: "_Way", windows: "_Windows", at: _At, sure: NDArray[np.bool_], likely: NDArray[np.bool_]
    ) -> None:
        """Mark the windows that are as far out for sure, and those that may be; each of shape `(windows, m)`."""
        asked = np.flatnonzero(at[0][way.series] > 0)
        if not len(asked):
            return
        series = way.series[asked]
        z, center, scale = (part[series] for part in at)
        reach = np.nan_to_num(z, posinf=0.0) * scale  # z is infinite where the scale is 0
        slack = _SLACK * (np.abs(center) + reach)
        place = way.place_of(asked, way.sign * center + reach - slack)
        # Only where no value lies so near the threshold that rounding may put it on the other side.
        beyond = way.following(asked, place, windows.before)
        firm = (beyond >= way.sign * center + reach + slack) & (slack > 0) & np.isfinite(z)
        limit = np.full(len(way.series), len(self.table.times), dtype=way.places.dtype)
        limit[asked] = place
        counts = windows.sums(way.places[windows.before] > limit).take(asked, axis=1)
        known = windows.growth(self.ordered.so_far).take(series, axis=1)
        sure[:, series] |= firm & (counts > known // 2)
        likely[:, series] |= counts >= np.maximum(known - known // 2, 1)

    def _means(self, windows: "_Windows", at: _At, sure: NDArray[np.bool_], likely: NDArray[np.bool_]) -> None:
        """The same for those that count events."""
        asked = np.flatnonzero(at[0][self.events] > 0)
        if not len(asked):
            return
        series = self.events[asked]
        z, center, scale = (part[series] for part in at)
        known = windows.growth(self.sums.known).take(asked, axis=1).astype(np.float64)
        known[known == 0] = np.nan
        mean = windows.growth(self.sums.total).take(asked, axis=1) / known
        wrong = self.rounding[asked] / known + _SLACK * (np.abs(mean) + np.abs(center))
        up, direction = mean - center, self.table.direction[series]
        sure[:, series] = departure(up - wrong, -up - wrong, direction, scale) > z * (1 + _SLACK)
        likely[:, series] = departure(up + wrong, wrong - up, direction, scale) >= z * (1 - _SLACK)


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Windows of a baseline, overlapping by half.

    Attributes:
        before: The baseline's rows.
        starts: Shape `(w,)`, where each begins.
        width: How many rows each has.
    """

    before: slice
    starts: NDArray[np.intp]
    width: int

    def sums(self, out: NDArray[np.bool_]) -> NDArray[np.unsignedinteger]:
        """How many of each window's rows are marked. Shapes `(len(before), k)` and `(w, k)`."""
        marked, small = out.view(np.uint8), np.min_scalar_type(self.width)
        begins = (self.starts - self.before.start).tolist()
        return np.stack([marked[begin : begin + self.width].sum(axis=0, dtype=small) for begin in begins])

    def growth(self, so_far: NDArray[Any]) -> NDArray[Any]:
        """What running sums, shape `(n + 1, k)`, grow by in each window. Shape `(w, k)`."""
        grown: NDArray[Any] = so_far[self.starts + self.width] - so_far[self.starts]
        return grown


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """Series that get worse one way.

    Attributes:
        series: Shape `(k,)`, which.
        sign: 1 upwards, -1 downwards.
        places: Shape `(n, k)`, which of the series' values each is, from 1 for the best; 0 where it is missing.
        known: Shape `(k,)`, how many values each has.
    """

    ordered: Ordered
    series: NDArray[np.intp]
    sign: int
    places: NDArray[np.unsignedinteger]
    known: NDArray[np.intp]

    @classmethod
    def of(cls, ordered: Ordered, series: NDArray[np.intp], sign: int) -> "_Way":
        """Of series, in their order upwards."""
        rows, small = len(ordered.place), ordered.place.dtype
        places, known = ordered.place.take(series, axis=1), ordered.counts(slice(0, rows))[series]
        found = places + small.type(1) if sign > 0 else known.astype(small) - places
        return cls(ordered, series, sign, np.where(places < rows, found, small.type(0)), known)

    def place_of(self, some: NDArray[np.intp], least: FloatArray) -> NDArray[np.intp]:
        """How many values of some of them are better than a threshold; both count upwards from the good."""
        if len(some) * len(self.places) <= _FEW:
            better = self.sign * self.ordered.value[self.series[some]] < least[:, None]
            return np.asarray(better.sum(axis=1, dtype=np.intp))
        low, high = np.zeros(len(some), dtype=np.intp), self.known[some]
        first = self._best(some)
        values = self.ordered.value.reshape(-1)
        for _ in range(len(self.places).bit_length()):
            middle = (low + high) >> 1
            better = self.sign * values.take(first + self.sign * middle, mode="clip") < least
            better &= low < high
            low, high = np.where(better, middle + 1, low), np.where(better, high, middle)
        return low

    def following(self, some: NDArray[np.intp], place: NDArray[np.intp], rows: slice) -> FloatArray:
        """The value at a place, or after it where that isn't in a stretch of rows; infinity beyond the last."""
        first, known = self._best(some), self.known[some]
        row = self.ordered.row.reshape(-1).take(first + self.sign * place, mode="clip")
        place = place + ((row < rows.start) | (row >= rows.stop))
        found = self.sign * self.ordered.value.reshape(-1).take(first + self.sign * place, mode="clip")
        return np.where(place < known, found, np.inf)

    def _best(self, some: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where the best value of each stands among all values."""
        first: NDArray[np.intp] = self.series[some] * len(self.places)
        return first if self.sign > 0 else first + self.known[some] - 1
