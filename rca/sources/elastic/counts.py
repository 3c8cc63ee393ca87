"""Exact counts by service, level and time bucket, within the server's limit of buckets.

The services of a layer are asked in batches whose buckets fit. Servers that allow fewer say so, and the batch is
halved.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from rca.model.incident import Gap, Interval
from rca.model.logs import LogCounts
from rca.model.signals import FloatArray
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.failures import TooManyBucketsError
from rca.sources.elastic.layers import Layer, in_window
from rca.sources.elastic.schema import Schema

BUCKETS = 50_000
"""Buckets asked for at once; servers allow 65,535, older ones 10,000."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Time buckets of equal length, the first beginning where the window does.

    Attributes:
        start: Unix seconds of the first bucket.
        step: Seconds a bucket.
        buckets: How many; all are whole, so that the last one never looks like a drop.
    """

    start: float
    step: int
    buckets: int

    @classmethod
    def over(cls, span: Interval, step: int) -> "Grid":
        """The whole buckets of a window; one at least, whatever its length."""
        return cls(span.start.timestamp(), step, max(1, int(span.seconds // step)))

    @property
    def span(self) -> Interval:
        """The time they cover."""
        start = datetime.fromtimestamp(self.start, UTC)
        return Interval(start, start + timedelta(seconds=self.step * self.buckets))

    @property
    def times(self) -> FloatArray:
        """Each bucket's start in unix seconds."""
        import numpy as np  # noqa: PLC0415 - the first questions to the server needn't wait for it

        return self.start + self.step * np.arange(self.buckets, dtype=np.float64)

    def index(self, seconds: float) -> int | None:
        """The bucket that holds a time, or None outside."""
        position = int((seconds - self.start) // self.step)
        return position if 0 <= position < self.buckets else None

    def coarse(self, slices: int) -> "Grid":
        """About as many longer buckets, each a whole number of these; the last may reach past the end."""
        per_slice = max(1, -(-self.buckets // max(1, slices)))
        return Grid(self.start, self.step * per_slice, -(-self.buckets // per_slice))

    def histogram(self, field: str) -> dict[str, Any]:
        """The aggregation, sparse: empty buckets don't travel."""
        return {"date_histogram": {**self._buckets(field), "min_doc_count": 1}}

    def every_bucket(self, field: str) -> dict[str, Any]:
        """The aggregation with its empty buckets: each is known by its place, and its time needn't travel."""
        first = int(self.start * 1000)
        last = first + self.step * 1000 * (self.buckets - 1)
        bounds = {"min": str(first), "max": str(last)}
        return {"date_histogram": {**self._buckets(field), "min_doc_count": 0, "extended_bounds": bounds}}

    def _buckets(self, field: str) -> dict[str, Any]:
        interval = self.step * 1000
        offset = int(self.start * 1000) % interval
        return {
            "field": field,
            "fixed_interval": f"{interval}ms",
            "offset": f"{offset}ms",
            "format": "epoch_millis",
        }


class Tally:
    """Counts as they come in."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._cells: dict[tuple[str, str], list[float]] = {}

    def add(self, service: str, level: str, buckets: Sequence[Mapping[str, Any]]) -> bool:
        """Add the buckets of a histogram, which must be all of the grid's; says whether they are."""
        if len(buckets) != self._grid.buckets:
            return False
        counts = [float(bucket["doc_count"]) for bucket in buckets]
        former = self._cells.get((service, level))
        if former is not None:  # two raw levels that mean the same
            counts = [one + other for one, other in zip(former, counts, strict=True)]
        self._cells[service, level] = counts
        return True

    def counts(self) -> LogCounts | None:
        """All of it, dense; None when nothing came."""
        import numpy as np  # noqa: PLC0415 - as above

        cells = {key: cell for key, cell in self._cells.items() if any(cell)}
        if not cells:
            return None
        services = tuple(sorted({service for service, _ in cells}))
        levels = tuple(sorted({level for _, level in cells}))
        values = np.zeros((self._grid.buckets, len(services), len(levels)))
        for (service, level), cell in cells.items():
            values[:, services.index(service), levels.index(level)] = cell
        return LogCounts(self._grid.times, services, levels, values)


def count(
    client: ElasticClient, layers: Sequence[Layer], schema: Schema, grid: Grid
) -> Iterator[tuple[Tally, list[Gap]]]:
    """Count every layer, batch by batch.

    Yields:
        What each round trip counted, and its gaps.

    Raises:
        SourceError: The server can't be reached.
    """
    todo = deque(batch for layer in layers for batch in _batches(layer, grid))
    while todo:
        layer, names = todo.popleft()
        answer = client.search([search_of(layer, names, grid)])[0]
        gaps = list(answer.gaps)
        if isinstance(answer.error, TooManyBucketsError) and len(names) > 1:
            middle = len(names) // 2
            todo.extendleft([(layer, names[middle:]), (layer, names[:middle])])
            continue
        if answer.error is not None:
            gaps.append(Gap(NAME, f"log counts of {_named(names)}", answer.error.told))
        tally = Tally(grid)
        torn = _add(tally, layer, schema, answer.aggregations)
        if torn:
            why = f"the server didn't answer with the {grid.buckets} buckets it was asked for"
            gaps.append(Gap(NAME, f"log counts of {_named(torn)}", why))
        yield tally, gaps


def _batches(layer: Layer, grid: Grid) -> Iterator[tuple[Layer, tuple[str, ...]]]:
    """The layer's services, in groups whose buckets fit whatever they hold."""
    per_service = 1 + max(1, len(layer.levels)) * (grid.buckets + 2)
    size = max(1, BUCKETS // per_service)
    names = iter(layer.services)
    while batch := tuple(islice(names, size)):
        yield layer, batch


def search_of(layer: Layer, names: tuple[str, ...], grid: Grid) -> Search:
    """Counts of these services. Their names are values of a terms query, never text inside one."""
    filters = [in_window(layer.timestamp, grid.span), *layer.filters]
    if len(names) < len(layer.services):
        filters.append({"terms": {layer.service: list(names)}})
    by_time: dict[str, Any] = {"times": grid.every_bucket(layer.timestamp)}
    times = "times.buckets.key*"
    if layer.level is not None:
        times = f"levels.buckets.{times}"
        by_time = {"levels": {"terms": {"field": layer.level, "size": len(layer.levels) + 1}, "aggs": by_time}}
    by_service = {"services": {"terms": {"field": layer.service, "size": len(names)}, "aggs": by_time}}
    body = {"size": 0, "track_total_hits": False, "query": {"bool": {"filter": filters}}, "aggs": by_service}
    return Search("log counts", layer.cohort.indices, body, unwanted=f"aggregations.services.buckets.{times}")


def _add(tally: Tally, layer: Layer, schema: Schema, found: Mapping[str, Any]) -> tuple[str, ...]:
    """Count an answer; the services whose answer can't be read."""
    torn = []
    for service in found.get("services", {}).get("buckets", ()):
        name = str(service["key"])
        parts = [("", service)]
        if layer.level is not None:
            parts = [(schema.level(layer.level, value["key"]), value) for value in service["levels"]["buckets"]]
        read = [tally.add(name, level, part["times"]["buckets"]) for level, part in parts]
        if not all(read):
            torn.append(name)
    return tuple(torn)


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} services ({names[0]}, …)"
