"""How surprising a count is, given how many were to be expected: for lines, spans and failed calls alike."""

import numpy as np

from rca.model.signals import FloatArray


def surprise(observed: FloatArray, expected: FloatArray, longer: FloatArray | float = 0.0) -> FloatArray:
    """`(o - e) / sqrt((1 + r) e + o/4 + 0.5)`: about a z, and 0 where no more than expected were seen.

    Near what is expected it is nine tenths of Pearson's residual of a Poisson count, `(o - e) / sqrt(e)`. Far
    beyond that, `o/4` bounds it by `2 sqrt(o)`, to which the variance-stabilised residual `2 (sqrt(o) - sqrt(e))`
    tends too (Freeman and Tukey, Annals of Mathematical Statistics 1950): one flood doesn't decide alone. With the
    half, one of what never was before isn't infinitely many. What is expected is itself a count, of a stretch
    whose length r compares with: its variance is `r e`, and nothing beside a long baseline.

    Args:
        observed: Counts, not below 0, of any shape.
        expected: How many were to be expected, of the same shape.
        longer: r, how many times as long they were observed as what is expected was; 0 where that is known.
    """
    return np.clip((observed - expected) / np.sqrt((1.0 + longer) * expected + observed / 4 + 0.5), 0.0, None)
