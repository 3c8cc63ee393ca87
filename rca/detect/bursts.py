"""Since when: where a burst of lines or errors begins, which is seldom where the metrics' rows part."""

import numpy as np

from rca.model.signals import FloatArray
from rca.model.tuning.lines import BurstTuning


def began(times: FloatArray, start: float, split: float, end: float, tuning: BurstTuning) -> float | None:
    """When a burst began that is under way at the split.

    A row of the metrics, and a rate over several of them, departs a while after what it measures: the first lines
    of a burst lie before the split. They are followed back, from one to the one before it, as long as they come
    about as close to each other as in the burst.

    Args:
        times: When each happened, sorted, unix seconds.
        start: Where the baseline begins.
        split: Where the incident is taken to begin.
        end: Where it ends.
        tuning: The constants.

    Returns:
        The time of the burst's first; None where nothing happens after the split, not clearly more than before, or
        too little to tell.
    """
    first, low, last = np.searchsorted(times, (split, start, end)).tolist()
    if last <= first:
        return None
    rate = (last - first) / max(end - split, 1e-3)
    if last - first < tuning.few and first > low:
        return None
    if rate <= tuning.more * (first - low) / max(split - start, 1e-3):
        return None
    chain = tuning.chain / rate
    head = first
    while head > low and times[head] - times[head - 1] <= chain:
        head -= 1
    return float(times[head])
