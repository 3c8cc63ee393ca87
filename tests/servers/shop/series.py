"""A series of samples, and its OpenMetrics text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.servers.shop.system import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series.

    Attributes:
        values: Shape `(n,)`, a value for each scrape; NaN where there is none.
    """

    name: str
    labels: Mapping[str, str]
    values: Floats

    def only(self, present: NDArray[np.bool_]) -> "Series":
        """The same series, absent where `present` is false."""
        return replace(self, values=np.where(present, self.values, np.nan))


def cumulative(increments: NDArray[np.floating[Any]]) -> Floats:
    """A counter out of its increments; it didn't begin with the first scrape."""
    return np.asarray(np.cumsum(increments) + 1000.0, dtype=np.float64)


def render(times: Floats, series: Iterable[Series]) -> Iterator[str]:
    """Each series as its lines."""
    stamps = [f"{time:.0f}" for time in times]
    for one in series:
        labels = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
        head = f"{one.name}{{{labels}}}"
        values = one.values.tolist()
        yield "".join(
            f"{head} {value!r} {stamp}\n"
            for stamp, value in zip(stamps, values, strict=True)
            if value == value  # noqa: PLR0124 - the cheapest way to say "is not NaN"
        )
