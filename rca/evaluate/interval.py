"""Confidence intervals in closed form, so that the same results give the same bytes."""

import math
from collections.abc import Sequence
from typing import TypeAlias

Range: TypeAlias = tuple[float, float]
_Z95 = 1.959963984540054


def wilson(hits: int, cases: int) -> Range:
    """The 95 % interval of a share; right for small numbers and shares near 0 or 1, unlike `p ± 2 s`.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Args:
        hits: How many of the cases.
        cases: At least 1.
    """
    share, square = hits / cases, _Z95**2
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    reach = _Z95 / (1 + square / cases) * math.sqrt(share * (1 - share) / cases + square / (4 * cases**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def of_mean(shares: Sequence[float], ranges: Sequence[Range]) -> Range:
    """The 95 % interval of a mean of independent shares, from the interval of each.

    The method of variance estimates recovery: Zou and Donner, "Construction of confidence limits about effect
    measures: a general approach", Statistics in Medicine 27 (2008).

    Args:
        shares: At least one.
        ranges: As many.
    """
    count = len(shares)
    mean = sum(shares) / count
    below = math.hypot(*(share - low for share, (low, _) in zip(shares, ranges, strict=True))) / count
    above = math.hypot(*(high - share for share, (_, high) in zip(shares, ranges, strict=True))) / count
    return max(0.0, mean - below), min(1.0, mean + above)
