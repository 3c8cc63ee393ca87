"""Services whose series stop: what always reported and no longer does, while others go on.

Only kinds that report without being asked count (processors, memory, pools, and the number of requests): a ratio
of failures or a quantile is also missing where nobody calls. Rows in which most of the system is missing are a
hole in the scraping and say nothing about anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.detect.ordered import running
from rca.detect.series import Split
from rca.model.chunks import chunks
from rca.model.scores import CHANNELS, Channel, SeriesTable, Side
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning

_RESOURCES = [CHANNELS.index(c) for c in (Channel.CPU, Channel.MEMORY, Channel.SATURATION)]
_STEADY = [*_RESOURCES, CHANNELS.index(Channel.TRAFFIC)]


@dataclass(frozen=True, slots=True, eq=False)
class Reporting:
    """The series of a table that report without being asked, and when they did.

    Attributes:
        rows: Shape `(k,)`, their rows in the table.
        weight: Shape `(k,)`, what each counts.
        count: Shape `(n + 1,)`, how many of the first rows of time aren't holes in the scraping.
        there: Shape `(n + 1, k)`, in how many of these each series has a value.
    """

    rows: NDArray[np.intp]
    weight: FloatArray
    count: NDArray[np.intp]
    there: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, table: SeriesTable, tuning: RowTuning) -> "Reporting":
        """Count the values of a table."""
        rows, length = steady(table), len(table.times)
        present = np.empty((length, len(rows)), dtype=bool)
        for some in chunks(len(rows), length):
            present[:, some] = ~np.isnan(table.values[rows[some]]).T
        usable = present.mean(axis=1) >= tuning.silence_present if len(rows) else np.zeros(length, dtype=bool)
        there = np.zeros((length + 1, len(rows)), dtype=np.min_scalar_type(length))
        running(present & usable[:, None], there)
        weight = np.where(np.isin(table.channels[rows], _RESOURCES), 1.0, tuning.silence_asked)
        return cls(rows, weight, np.r_[0, np.cumsum(usable)], there)

    def stopped(self, split: Split, tuning: Tuning) -> FloatArray:
        """The z of each one's missing rows; 0 where it goes on. Shape `(k,)`."""
        before, after = ((some[0], some[-1] + 1) for some in (split.before, split.after))
        seen, later = ((self.there[b] - self.there[a]).astype(np.intp) for a, b in (before, after))
        of, of_later = (int(self.count[b] - self.count[a]) for a, b in (before, after))
        return _stopped(seen, of, later, of_later, tuning)


def silence(
    reporting: Reporting, splits: Sequence[Split], owner: NDArray[np.intp], services: int, tuning: Tuning
) -> FloatArray:
    """How surely each service has stopped reporting, z-like.

    A stopped series scores the z of its missing rows against the share that was missing in its baseline (a
    binomial's, with `silence_prior` rows more of each kind); a service the mean of its series', those that go on
    counting 0, less `silence_others` times the share of the other services that stopped with it. Where most of its
    series go on it hasn't stopped.

    Args:
        reporting: The series.
        splits: The candidates' rows.
        owner: Shape `(m,)`, the service of each series of the table.
        services: How many services there are.
        tuning: The constants.

    Returns:
        Shape `(c, s)`, 0 for a service that goes on, or of which nothing steady is measured.
    """
    result = np.zeros((len(splits), services))
    if not len(reporting.rows):
        return result
    whose, weight = owner[reporting.rows], reporting.weight
    total = np.bincount(whose, weight, minlength=services)
    monitored = total > 0
    # Where only requests are measured, no more than their weight is left of the strength.
    known = np.maximum(total, np.where(monitored, 1.0, np.inf))
    for row, split in enumerate(splits):
        z = reporting.stopped(split, tuning)
        if not z.any():
            continue
        share = np.bincount(whose, weight * (z > 0), minlength=services) / np.maximum(total, 1e-9)
        mean = np.bincount(whose, weight * z, minlength=services) / known
        found = np.where(share >= tuning.rows.silence_series, mean, 0.0)
        others = (float(np.sum(found > 0)) - (found > 0)) / max(1, int(np.sum(monitored)) - 1)
        result[row] = found * np.clip(1.0 - tuning.rows.silence_others * others, 0.0, 1.0)
    return result


def steady(table: SeriesTable) -> NDArray[np.intp]:
    """Rows of the table that report without being asked, of the services themselves."""
    own = np.array(
        [side is Side.OWN and not q for side, q in zip(table.sides, table.quantiles, strict=True)], dtype=bool
    )
    return np.flatnonzero(np.isin(table.channels, _STEADY) & own)


def stopped(table: SeriesTable, split: Split, tuning: Tuning) -> NDArray[np.bool_]:
    """Which series of any kind were always there before and are missing since. Shape `(m,)`."""
    there, later = (np.sum(~np.isnan(table.values[:, rows]), axis=1) for rows in (split.before, split.after))
    return _stopped(there, len(split.before), later, len(split.after), tuning) > 0


def _stopped(
    before: NDArray[np.intp], rows_before: int, after: NDArray[np.intp], rows_after: int, tuning: Tuning
) -> FloatArray:
    """The z of each series' missing rows; 0 where it was sporadic, or goes on.

    Args:
        before: Shape `(m,)`, values in the baseline.
        rows_before: Its rows.
        after: Shape `(m,)`, values in the incident.
        rows_after: Its rows.
        tuning: The constants.
    """
    if rows_before < tuning.min_before or rows_after < tuning.min_after:
        return np.zeros(len(before))
    rows, missing = tuning.rows, rows_after - after
    usual = (rows_before - before + rows.silence_prior) / (rows_before + 2.0 * rows.silence_prior)
    z = (missing - rows.silence_late - rows_after * usual) / np.sqrt(rows_after * usual * (1.0 - usual))
    gone = (before >= rows.silence_always * rows_before) & (missing >= rows.silence_missing * rows_after)
    return np.where(gone, np.clip(z, 0.0, tuning.z_cap), 0.0)
