"""The honest simple ranker that runs beside: the largest robust z of each service, nothing else."""

import numpy as np

from rca.model.medians import medians
from rca.model.scores import SeriesTable
from rca.model.signals import FloatArray

_MAD_OF_SIGMA = 1.4826


def rank(table: SeriesTable, row: int) -> tuple[str, ...]:
    """Services by their largest `|x - median| / (1.4826 MAD)` from a row on, the baseline being all before it.

    Series that were constant before are left out, as such rankers do.
    """
    pre, post = table.values[:, :row], table.values[:, row:]
    usable = np.flatnonzero(~np.all(np.isnan(pre), axis=1) & ~np.all(np.isnan(post), axis=1))
    best: dict[str, float] = {key.service: 0.0 for key in table.keys}
    if len(usable):
        peak = _peak(pre[usable], post[usable])
        for i, value in zip(usable.tolist(), peak.tolist(), strict=True):
            service = table.keys[i].service
            best[service] = max(best[service], value)
    return tuple(sorted(best, key=lambda service: (-best[service], service)))


def _peak(pre: FloatArray, post: FloatArray) -> FloatArray:
    center = medians(pre)[:, None]
    spread = _MAD_OF_SIGMA * medians(np.abs(pre - center))
    furthest = np.fmax.reduce(np.abs(post - center), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, furthest / spread, 0.0)
