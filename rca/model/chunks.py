"""Many series in parts."""

from collections.abc import Iterator

CELLS = 1_000_000


def chunks(series: int, rows: int) -> Iterator[slice]:
    """Series in parts of so many cells that what is computed of a part stays in the processor's cache."""
    size = max(1, CELLS // max(1, rows))
    return (slice(start, min(start + size, series)) for start in range(0, series, size))
