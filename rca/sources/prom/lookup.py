"""What is there, asked of the server: metrics, labels, who has them, bucket bounds, owners, scrape intervals."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rca.errors import SourceAuthError, SourceError, SourceUnreachableError
from rca.model.incident import Gap
from rca.sources.prom.client import Answer, PromClient
from rca.sources.prom.names import POD_LABELS, REPLICASET_LABELS, Labels, Owners
from rca.sources.prom.packs import Pack
from rca.sources.prom.plan import NAME
from rca.sources.prom.promql import METRIC_NAME
from rca.sources.prom.work import Crew, Grid

MAX_NAMES = 2_000  # of one batch of patterns
_DEFAULT_INTERVAL = 60
_BATCH_CHARS = 1_500
_IDENTITY_POINTS = 12
_INTERVALS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
_PROBE_SECONDS = 600
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "kube_pod_owner": ("exported_namespace", "namespace", *POD_LABELS, "owner_kind", "owner_name"),
    "kube_replicaset_owner": ("exported_namespace", "namespace", *REPLICASET_LABELS, "owner_name"),
}


class Lookup:
    """What the server is asked before anything is planned; what it didn't answer is in `gaps`.

    Attributes:
        client: The server.
        crew: Who asks.
        grid: The window.
        coarse: A few points of it: who was seen at one of them is there.
        gaps: What couldn't be looked up, so far.
    """

    def __init__(self, client: PromClient, crew: Crew, grid: Grid) -> None:
        self.client, self.crew = client, crew
        self.grid, self.coarse = grid, grid.coarse(_IDENTITY_POINTS)
        self.gaps: list[Gap] = []
        self._start, self._end = grid.first, grid.last + grid.step

    def present(self, packs: Iterable[Pack]) -> frozenset[str]:
        """Which of the packs' metrics exist in the window: asked once, in batches that fit an address line.

        Raises:
            SourceError: The server can't be reached, refuses us, or answers for none of the batches.
        """
        found: set[str] = set()
        wanted_names = {
            *_OWNERS,
            *(name for pack in packs for entry in pack.metrics for name in _apart(entry)),
        }
        batches = list(_batches(sorted(wanted_names)))

        def ask(batch: tuple[str, ...]) -> list[str]:
            match = '{__name__=~"' + "|".join(batch).replace("\\", "\\\\").replace('"', '\\"') + '"}'
            return self.client.label_values("__name__", [match], self._start, self._end, MAX_NAMES)

        failures: list[SourceError] = []
        for batch, names in self.crew.each(ask, batches):
            if isinstance(names, SourceError):
                if isinstance(names, SourceAuthError | SourceUnreachableError):
                    raise names
                failures.append(names)
                self.gaps.append(Gap(NAME, f"{len(batch)} names of metrics could not be looked up", str(names)))
                continue
            if len(names) >= MAX_NAMES:
                why = f"over {MAX_NAMES} metrics match one batch of patterns; some packs may not have been applied"
                self.gaps.append(Gap(NAME, "names of metrics", why))
            wanted = re.compile("|".join(f"(?:{name})" for name in batch))
            found.update(name for name in names if wanted.fullmatch(name) and METRIC_NAME.fullmatch(name))
        if failures and len(failures) == len(batches):
            raise failures[0]
        return frozenset(found)

    def labels(self, metrics: Iterable[str]) -> dict[str, frozenset[str]]:
        """The label names of each metric's series in the window."""
        found: dict[str, frozenset[str]] = {}
        pairs = self.crew.each(
            lambda metric: self.client.label_names([metric], self._start, self._end), sorted(metrics)
        )
        for metric, names in pairs:
            if isinstance(names, SourceError):
                self.gaps.append(Gap(NAME, f"the labels of {metric} could not be read", str(names)))
                continue
            found[metric] = frozenset(names)
        return found

    def tops(self, metrics: Iterable[str]) -> dict[str, float]:
        """The highest finite bucket bound of each histogram."""
        found: dict[str, float] = {}
        pairs = self.crew.each(
            lambda metric: self.client.label_values("le", [metric], self._start, self._end, MAX_NAMES),
            sorted(metrics),
        )
        for metric, values in pairs:
            if not isinstance(values, SourceError):  # without them a saturated histogram goes unnoticed, no more
                found[metric] = max(_finite(values), default=float("inf"))
        return found

    def identities(
        self, wanted: Iterable[tuple[str, Labels]]
    ) -> dict[tuple[str, Labels], list[Mapping[str, str]]]:
        """The label values that name the series of each metric, over the window."""
        found: dict[tuple[str, Labels], list[Mapping[str, str]]] = {}
        ordered = sorted(set(wanted), key=lambda pair: (pair[0], pair[1].by, pair[1].without))
        for pair, answer in self.crew.each(lambda pair: self._rows(pair[0], pair[1].by, pair[1].without), ordered):
            if isinstance(answer, SourceError):
                self.gaps.append(Gap(NAME, f"the services of {pair[0]} could not be listed", str(answer)))
                continue
            found[pair] = [row["metric"] for row in answer.series]
        return found

    def _rows(self, metric: str, by: Sequence[str], without: Sequence[str]) -> Answer:
        lacking = ",".join(f'{label}=""' for label in without)
        query = f"count by ({', '.join(by)}) ({metric}{{{lacking}}})"
        return self.client.query_range(query, self.coarse.first, self.coarse.last, self.coarse.step)

    def owners(self, present: frozenset[str]) -> Owners:
        """Pods' and ReplicaSets' owners, as far as kube-state-metrics says them."""
        rows: dict[str, list[Mapping[str, str]]] = {}
        there = [metric for metric in _OWNERS if metric in present]
        for metric, answer in self.crew.each(lambda metric: self._rows(metric, _OWNERS[metric], ()), there):
            if isinstance(answer, SourceError):
                self.gaps.append(Gap(NAME, "the pods' owners", f"{metric}: {answer}; pods are named by pattern"))
                continue
            rows[metric] = [row["metric"] for row in answer.series]
        if "kube_pod_owner" not in present:
            self.gaps.append(
                Gap(NAME, "the pods' owners", "no kube_pod_owner (kube-state-metrics): pods are named by pattern")
            )
        return Owners.read(rows.get("kube_pod_owner", ()), rows.get("kube_replicaset_owner", ()))

    def intervals(self, metrics: Mapping[str, str]) -> dict[str, int]:
        """The usual distance of two samples by pack, read off a metric of each."""
        probe = min(_PROBE_SECONDS, max(60, self._end - self._start))
        marks = sorted({self._start + probe, (self._start + self._end) // 2, self._end})

        def ask(metric: str) -> int:
            query = f"quantile(0.5, count_over_time({metric}[{probe}s]))"
            counts = [
                float(row["value"][1]) for at in marks for row in self.client.query(query, at).series
            ]  # fmt: skip
            return interval_of(probe, max(counts, default=0.0))

        asked = dict(self.crew.each(ask, sorted(set(metrics.values()))))
        found: dict[str, int] = {}
        for pack, metric in metrics.items():
            seconds = asked.get(metric, 0)
            found[pack] = seconds if isinstance(seconds, int) and seconds > 0 else _DEFAULT_INTERVAL
        return found


def interval_of(seconds: float, samples: float) -> int:
    """The scrape interval that gives so many samples in so many seconds; 0 when it can't be told.

    It is rounded to a usual one when within a sixth of it: a scrape more or less must not change the queries.
    """
    if samples < 2:  # noqa: PLR2004 - one sample has no distance to another
        return 0
    raw = seconds / samples
    near = min(_INTERVALS, key=lambda usual: abs(usual - raw))
    return near if abs(near - raw) <= near / 6 else max(1, round(raw))


def _batches(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    batch: list[str] = []
    for name in names:
        if batch and sum(map(len, batch)) + len(name) > _BATCH_CHARS:
            yield tuple(batch)
            batch = []
        batch.append(name)
    if batch:
        yield tuple(batch)


def _apart(entry: str) -> Sequence[str]:
    """The alternatives of an entry of `requires`, where none is within parentheses."""
    return (entry,) if "(" in entry else entry.split("|")


def _finite(values: Iterable[str]) -> Iterator[float]:
    for value in values:
        try:
            bound = float(value)
        except ValueError:
            continue
        if abs(bound) < float("inf"):
            yield bound
