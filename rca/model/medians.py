"""Medians of many series at once, missing values left out."""

import numpy as np

from rca.model.signals import FloatArray


def medians(values: FloatArray) -> FloatArray:
    """The median along the last axis, which isn't empty; NaN where nothing but NaN stands.

    What `numpy.nanmedian` gives, without its loop over the series.
    """
    ordered = np.sort(values, axis=-1)  # missing values last
    counts = np.sum(~np.isnan(ordered), axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(counts - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(counts // 2, ordered.shape[-1] - 1), axis=-1)
    middle: FloatArray = ((low + high) / 2)[..., 0]
    return middle
