"""The honest simple ranker that runs beside: the largest robust z of each service, nothing else."""

import numpy as np

from rca.model.chunks import chunks
from rca.model.medians import medians
from rca.model.scores import SeriesTable
from rca.model.signals import FloatArray

_MAD_OF_SIGMA = 1.4826


def rank(table: SeriesTable, row: int) -> tuple[str, ...]:
    """Services by their largest `|x - median| / (1.4826 MAD)` from a row on, the baseline being all before it.

    Series that were constant before are left out, as such rankers do.
    """
    best: dict[str, float] = {key.service: 0.0 for key in table.keys}
    for some in chunks(*table.values.shape):
        peaks = _peaks(table.values[some, :row], table.values[some, row:])
        for key, value in zip(table.keys[some], peaks.tolist(), strict=True):
            best[key.service] = max(best[key.service], value)
    return tuple(sorted(best, key=lambda service: (-best[service], service)))


def _peaks(pre: FloatArray, post: FloatArray) -> FloatArray:
    """Each series' largest z; 0 where it was constant before, or isn't known on both sides."""
    peaks = np.zeros(len(pre))
    usable = np.flatnonzero(~np.all(np.isnan(pre), axis=1) & ~np.all(np.isnan(post), axis=1))
    pre, post = pre[usable], post[usable]
    center = medians(pre)[:, None]
    spread = _MAD_OF_SIGMA * medians(np.abs(pre - center))
    furthest = np.fmax.reduce(np.abs(post - center), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        peaks[usable] = np.where(spread > 0, furthest / spread, 0.0)
    return peaks
