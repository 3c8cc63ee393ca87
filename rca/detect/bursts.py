"""Since when: where a burst of lines or errors begins, which is seldom where the metrics' rows part."""

from typing import Final

import numpy as np

from rca.model.signals import FloatArray

_FEW: Final = 5  # of fewer nobody can say how close to each other they come
_CHAIN: Final = 5.0  # of the burst's mean distance; a Poisson stream is silent for longer once in 150 times
_CLEARLY_MORE: Final = 3.0  # than before; of a stream that only grew nobody can say when it did


def began(times: FloatArray, start: float, split: float, end: float) -> float | None:
    """When a burst began that is under way at the split.

    A row of the metrics, and a rate over several of them, departs a while after what it measures: the first lines
    of a burst lie before the split. They are followed back, from one to the one before it, as long as they come
    about as close to each other as in the burst.

    Args:
        times: When each happened, sorted, unix seconds.
        start: Where the baseline begins.
        split: Where the incident is taken to begin.
        end: Where it ends.

    Returns:
        The time of the burst's first; None where nothing happens after the split, not clearly more than before, or
        too little to tell.
    """
    first, low, last = np.searchsorted(times, (split, start, end)).tolist()
    if last <= first:
        return None
    rate = (last - first) / max(end - split, 1e-3)
    if last - first < _FEW and first > low:
        return None
    if rate <= _CLEARLY_MORE * (first - low) / max(split - start, 1e-3):
        return None
    chain = _CHAIN / rate
    head = first
    while head > low and times[head] - times[head - 1] <= chain:
        head -= 1
    return float(times[head])
