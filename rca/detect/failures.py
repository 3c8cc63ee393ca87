"""How many failures a series of failures is about: a ratio, or a rate, alone doesn't say.

One failed call where there was none before is infinitely many times as many, and says next to nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.sums import Sums
from rca.detect.surprise import surprise
from rca.model.scores import CHANNELS, Channel, SeriesTable, Side
from rca.model.signals import FloatArray
from rca.model.tuning.rows import RowTuning

_TRAFFIC = CHANNELS.index(Channel.TRAFFIC)
_AVAILABILITY = CHANNELS.index(Channel.AVAILABILITY)
_ERRORS = [CHANNELS.index(c) for c in (Channel.ERRORS, Channel.CLIENT_ERRORS)]
_PER_ROW = {"1/s": 1.0, "1/min": 1 / 60, "1/h": 1 / 3600}


@dataclass(frozen=True, slots=True, eq=False)
class Failures:
    """Failed calls a row, of the series that can be counted.

    Attributes:
        rows: Shape `(f,)`, their rows in the table, ascending.
        counts: Failed calls in each row of time, summed up.
    """

    rows: NDArray[np.intp]
    counts: Sums

    def most(self, before: slice, after: slice, tuning: RowTuning) -> FloatArray:
        """The largest z that so few failures can be, of shape `(f,)`.

        The `surprise` of the failures that were seen, as for lines of a log.

        Args:
            before: Columns of the baseline.
            after: Columns of the incident.
            tuning: What none in the baseline is worth.
        """
        usual, old = self.counts.over(before)
        observed, new = self.counts.over(after)
        observed = np.maximum(observed, 0.0)
        longer = new / np.maximum(old, 1)
        expected = (np.maximum(usual, 0.0) + tuning.unseen_failure) * longer
        return np.where(new > 0, surprise(observed, expected, longer), np.inf)


def failures(table: SeriesTable) -> Failures:
    """Count the failures in each row.

    Counts and rates are counts already. Of a ratio they are its share of the service's calls, where these are
    measured too, and the count of calls that gives most where there are several.
    """
    step = float(np.median(np.diff(table.times))) if len(table.times) > 1 else 1.0
    calls: dict[str, list[int]] = {}
    for row in np.flatnonzero(table.channels == _TRAFFIC).tolist():
        calls.setdefault(table.keys[row].service, []).append(row)
    found: list[tuple[int, FloatArray]] = []
    for row in np.flatnonzero(np.isin(table.channels, [*_ERRORS, _AVAILABILITY])).tolist():
        values, full = table.values[row], float(table.full_scale[row])
        if not full:
            found.append((row, values * _size(table, row, step)))
        elif table.sides[row] is Side.OWN and table.keys[row].service in calls:
            share = values / full if table.channels[row] != _AVAILABILITY else 1.0 - values / full
            of = calls[table.keys[row].service]
            number = np.fmax.reduce([table.values[i] * _size(table, i, step) for i in of], axis=0)
            found.append((row, share * number))
    rows = np.array([row for row, _ in found], dtype=np.intp)
    return Failures(rows, Sums.of(np.array([counts for _, counts in found]).reshape(len(found), len(table.times))))


def _size(table: SeriesTable, row: int, step: float) -> float:
    """Events that one unit of a series stands for: whole numbers are counts, anything else is a rate a second."""
    values = table.values[row][np.isfinite(table.values[row])]
    if table.keys[row].unit in _PER_ROW:
        return step * _PER_ROW[table.keys[row].unit]
    return 1.0 if np.all(values == np.round(values)) else step
