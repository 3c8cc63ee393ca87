"""What is there: which packs apply, by which labels, for which services, at which scrape interval."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from rca.errors import SourceAuthError, SourceError, SourceUnreachableError
from rca.model.incident import Gap
from rca.sources.prom.client import Answer, PromClient
from rca.sources.prom.names import POD_LABELS, REPLICASET_LABELS, Labels, Names, Owners
from rca.sources.prom.packs import Naming, Pack, Part, Signal
from rca.sources.prom.plan import MAX_SERIES, NAME, Ask, Plan, is_pattern
from rca.sources.prom.promql import METRIC_NAME
from rca.sources.prom.watchers import watchers
from rca.sources.prom.work import Crew, Grid

MAX_NAMES = 2_000  # of one batch of patterns
MAX_PER_PATTERN = 40
_BATCH_CHARS = 1_500
_IDENTITY_POINTS = 12
_INTERVALS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
_PROBE_SECONDS = 600
_HA_LABELS = ("prometheus_replica",)
DEFAULT_INTERVAL = 60


_OWNERS: Mapping[str, tuple[str, ...]] = {
    "kube_pod_owner": ("exported_namespace", "namespace", *POD_LABELS, "owner_kind", "owner_name"),
    "kube_replicaset_owner": ("exported_namespace", "namespace", *REPLICASET_LABELS, "owner_name"),
}
_Draft: TypeAlias = tuple[Pack, Part, str, Labels]
_Rows: TypeAlias = dict[tuple[str, Labels], list[Mapping[str, str]]]


class _Finder:
    """The steps of `discover`, which share the client, the grid and what came so far."""

    def __init__(self, client: PromClient, crew: Crew, packs: Sequence[Pack], grid: Grid) -> None:
        self.client, self.crew, self.packs, self.grid = client, crew, packs, grid
        self.start, self.end = grid.first, grid.last + grid.step
        self.gaps: list[Gap] = []

    def present(self) -> frozenset[str]:
        """Which of the packs' metrics exist in the window: asked once, in batches that fit an address line."""
        found: set[str] = set()
        wanted_names = {
            *_OWNERS,
            *(name for pack in self.packs for entry in pack.metrics for name in _apart(entry)),
        }
        batches = list(_batches(sorted(wanted_names)))

        def ask(batch: tuple[str, ...]) -> list[str]:
            match = '{__name__=~"' + "|".join(batch).replace("\\", "\\\\").replace('"', '\\"') + '"}'
            return self.client.label_values("__name__", [match], self.start, self.end, MAX_NAMES)

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
            lambda metric: self.client.label_names([metric], self.start, self.end), sorted(metrics)
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
            lambda metric: self.client.label_values("le", [metric], self.start, self.end, MAX_NAMES),
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
        coarse = self.grid.coarse(_IDENTITY_POINTS)
        lacking = ",".join(f'{label}=""' for label in without)
        query = f"count by ({', '.join(by)}) ({metric}{{{lacking}}})"
        return self.client.query_range(query, coarse.first, coarse.last, coarse.step)

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
        probe = min(_PROBE_SECONDS, max(60, self.end - self.start))
        marks = sorted({self.start + probe, (self.start + self.end) // 2, self.end})

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
            found[pack] = seconds if isinstance(seconds, int) and seconds > 0 else DEFAULT_INTERVAL
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


def discover(client: PromClient, crew: Crew, packs: Sequence[Pack], grid: Grid) -> Plan:
    """Find out what can be asked.

    Raises:
        SourceError: The server can't be reached, refuses us, or answers none of the look-ups.
    """
    finder = _Finder(client, crew, packs, grid)
    present = finder.present()
    refused: dict[str, str] = {}
    chosen: list[tuple[Pack, Part, str]] = []
    named = _named(packs)
    for pack in packs:
        missing = [name for name in pack.requires if not _matching(name, present)]
        if missing:
            refused[pack.name] = f"no {', '.join(missing)} in the window"
            continue
        chosen += [(pack, part, metric) for part, metric in _parts(pack, present, named, finder.gaps)]
    label_names = finder.labels({metric for _, _, metric in chosen})
    asks: list[_Draft] = []
    for pack, part, metric in chosen:
        names = label_names.get(metric)
        if names is None:
            continue
        if unless := sorted(set(pack.unless_labels) & names):
            refused.setdefault(pack.name, f"its metrics have the label {unless[0]}: another pack speaks of them")
            continue
        labels = resolve(part.naming, names)
        if labels is None:
            wanted = ", ".join((*part.naming.service, *part.naming.peer))
            finder.gaps.append(Gap(NAME, f"{pack.name}: {part.name}", f"{metric} has none of the labels {wanted}"))
            continue
        asks.append((pack, part, metric, labels))
    for pack in packs:
        if pack.name not in refused and all(pack is not other for other, *_ in asks):
            refused[pack.name] = "none of its signals has the metrics and labels it needs"
    asks, rows = _with_fallbacks(finder, asks, label_names)
    return _finish(finder, present, refused, asks, rows)


def _with_fallbacks(
    finder: _Finder, asks: list[_Draft], label_names: Mapping[str, frozenset[str]]
) -> tuple[list[_Draft], _Rows]:
    """Ask again, by the next label, for the series of a metric that lack the preferred one."""
    rows: _Rows = {}
    every, pending = list(asks), asks
    while pending:
        rows.update(finder.identities((metric, labels) for _, _, metric, labels in pending))
        following: list[_Draft] = []
        for pack, part, metric, labels in pending:
            if all(row.get(labels.service) for row in rows.get((metric, labels), ())):
                continue
            tried = (*labels.without, labels.service)
            other = resolve(part.naming, label_names[metric] - {*tried})
            if other is not None:
                following.append((pack, part, metric, replace(other, without=tried)))
            elif not labels.is_pod:  # of containers, the machine's own sums have no pod
                why = f"they have none of the labels {', '.join(part.naming.service)}"
                finder.gaps.append(Gap(NAME, f"{pack.name}: series of {metric}", why))
        every += following
        pending = following
    finder.gaps = sorted(set(finder.gaps))
    return every, rows


def _finish(
    finder: _Finder,
    present: frozenset[str],
    refused: Mapping[str, str],
    asks: list[_Draft],
    rows: _Rows,
) -> Plan:
    kubernetes = any(labels.is_pod or labels.service in REPLICASET_LABELS for *_, labels in asks)
    owners = finder.owners(present) if kubernetes else Owners()
    first: dict[str, str] = {}
    for pack, _, metric, _ in asks:
        first.setdefault(pack.name, metric)
    intervals = finder.intervals(first)
    histograms = {_buckets(part, metric) for _, part, metric, _ in asks} - {""}
    tops = finder.tops(histograms)
    known: set[tuple[str, str]] = set()
    by_pack: dict[str, set[tuple[str, str]]] = {}
    watched: set[tuple[str, str]] = set()
    coarse = finder.grid.coarse(_IDENTITY_POINTS)
    asked = [(pack, metric, labels) for pack, _, metric, labels in asks]
    watching, gaps = watchers(finder.client, finder.crew, finder.packs, present, asked, coarse)
    for pack, _, metric, labels in asks:
        skipped = watching.get(labels, frozenset()) if pack.about_target else frozenset()
        for row in rows.get((metric, labels), ()):
            who = labels.identify(row, owners)
            if labels.identity(row) in skipped:
                watched |= {who} if who else set()
            elif who:
                known.add(who)
                by_pack.setdefault(pack.name, set()).add(who)
            if labels.peer and (whom := labels.identify_peer(row)):
                known.add(whom)
    names = Names(known)
    made = tuple(
        Ask(
            pack=pack,
            part=part,
            metric=metric,
            labels=labels,
            window=max(4 * intervals[pack.name], finder.grid.step),
            top=tops.get(_buckets(part, metric), float("inf")),
            wide=labels.is_pod and len(rows.get((metric, labels), ())) > MAX_SERIES,
            watchers=watching.get(labels, frozenset()) if pack.about_target else frozenset(),
        )
        for pack, part, metric, labels in asks
    )
    applied: dict[str, tuple[str, ...]] = {}
    for ask in made:
        applied[ask.pack.name] = tuple(sorted({*applied.get(ask.pack.name, ()), ask.metric}))
    return Plan(
        grid=finder.grid,
        asks=made,
        owners=owners,
        names=names,
        applied=applied,
        refused=refused,
        services={pack: tuple(sorted({names.of(*who) for who in found})) for pack, found in by_pack.items()},
        intervals={pack: intervals[pack] for pack in applied},
        watchers=tuple(sorted({names.of(*who) for who in watched})),
        present=present,
        gaps=(*finder.gaps, *gaps),
    )


def resolve(naming: Naming, names: frozenset[str]) -> Labels | None:
    """Choose the labels, the preferred first, among those that a metric has; None without one for the service."""

    def first(wanted: Sequence[str]) -> str:
        return next((label for label in wanted if label in names), "")

    service, peer = first(naming.service), first(naming.peer)
    if not service or (naming.peer and not peer):
        return None
    return Labels(
        service=service,
        namespace=first(naming.namespace),
        instance=first(naming.instance),
        peer=peer,
        peer_namespace=first(naming.peer_namespace) if peer else "",
        replica=first(_HA_LABELS),
        strip=naming.strip,
    )


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


def _matching(pattern: str, present: Iterable[str]) -> list[str]:
    """The metric names that a name or a pattern matches whole, sorted."""
    wanted = re.compile(pattern)
    return sorted(name for name in present if wanted.fullmatch(name))


def _named(packs: Iterable[Pack]) -> frozenset[str]:
    """Every metric that some pack asks for by its name: a pattern leaves it alone."""
    return frozenset(name for pack in packs for name in pack.metrics if METRIC_NAME.fullmatch(name))


def _buckets(part: Part, metric: str) -> str:
    """The histogram of a quantile; empty for every other part."""
    return part.buckets.replace("$m", metric) if isinstance(part, Signal) else ""


def _parts(
    pack: Pack, present: frozenset[str], named: frozenset[str], gaps: list[Gap]
) -> Iterator[tuple[Part, str]]:
    """The parts whose metrics are there, each with the metric that stands for it.

    Signals that share a name are alternatives, and all are asked: services differ in the dialect they speak.
    Of edges and events the first that can be asked is taken.
    """
    taken: set[str] = set()
    for part in pack.parts:
        if part.name in taken or any(not _matching(name, present) for name in part.requires):
            continue
        found = _matching(part.requires[0], present)
        if not is_pattern(part):
            taken |= set() if isinstance(part, Signal) else {part.name}
            yield part, found[0]
            continue
        found = [
            name for name in found if name not in named and not any(_matching(no, [name]) for no in pack.ignore)
        ]
        if (rest := len(found) - MAX_PER_PATTERN) > 0:
            why = f"a pattern is asked for at most {MAX_PER_PATTERN} metrics: write a pack for those that matter"
            gaps.append(Gap(NAME, f"{rest} metrics like {part.requires[0]}", why))
        yield from ((part, name) for name in found[:MAX_PER_PATTERN])


def _finite(values: Iterable[str]) -> Iterator[float]:
    for value in values:
        try:
            bound = float(value)
        except ValueError:
            continue
        if abs(bound) < float("inf"):
            yield bound
