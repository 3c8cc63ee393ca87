"""What can be asked: which packs apply, by which labels, for which services, at which scrape interval."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rca.model.incident import Gap
from rca.sources.prom.client import PromClient
from rca.sources.prom.lookup import Lookup
from rca.sources.prom.names import REPLICASET_LABELS, Labels, Names, Owners
from rca.sources.prom.packs import Naming, Pack, Part, Signal
from rca.sources.prom.plan import MAX_SERIES, NAME, Ask, Plan, is_pattern
from rca.sources.prom.promql import METRIC_NAME
from rca.sources.prom.watchers import Watchers, watchers
from rca.sources.prom.work import Crew, Grid

_MAX_PER_PATTERN = 40
_HA_LABELS = ("prometheus_replica",)


_Draft: TypeAlias = tuple[Pack, Part, str, Labels]
_Rows: TypeAlias = dict[tuple[str, Labels], list[Mapping[str, str]]]


def discover(client: PromClient, crew: Crew, packs: Sequence[Pack], grid: Grid) -> Plan:
    """Find out what can be asked.

    Raises:
        SourceError: The server can't be reached, refuses us, or answers none of the look-ups.
    """
    lookup = Lookup(client, crew, grid)
    present = lookup.present(packs)
    refused: dict[str, str] = {}
    chosen: list[tuple[Pack, Part, str]] = []
    named = _named(packs)
    for pack in packs:
        missing = [name for name in pack.requires if not _matching(name, present)]
        if missing:
            refused[pack.name] = f"no {', '.join(missing)} in the window"
            continue
        chosen += [(pack, part, metric) for part, metric in _parts(pack, present, named, lookup.gaps)]
    label_names = lookup.labels({metric for _, _, metric in chosen})
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
            lookup.gaps.append(Gap(NAME, f"{pack.name}: {part.name}", f"{metric} has none of the labels {wanted}"))
            continue
        asks.append((pack, part, metric, labels))
    for pack in packs:
        if pack.name not in refused and all(pack is not other for other, *_ in asks):
            refused[pack.name] = "none of its signals has the metrics and labels it needs"
    asks, rows = _with_fallbacks(lookup, asks, label_names)
    return _finish(lookup, packs, present, refused, asks, rows)


def _with_fallbacks(
    lookup: Lookup, asks: list[_Draft], label_names: Mapping[str, frozenset[str]]
) -> tuple[list[_Draft], _Rows]:
    """Ask again, by the next label, for the series of a metric that lack the preferred one."""
    rows: _Rows = {}
    every, pending = list(asks), asks
    while pending:
        rows.update(lookup.identities((metric, labels) for _, _, metric, labels in pending))
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
                lookup.gaps.append(Gap(NAME, f"{pack.name}: series of {metric}", why))
        every += following
        pending = following
    lookup.gaps = sorted(set(lookup.gaps))
    return every, rows


@dataclass(frozen=True, slots=True)
class _Found:
    """Whose series there are, as namespace and name.

    Attributes:
        known: Every service, and everyone whom one calls.
        by_pack: The services that each pack found.
        exporters: Exporters and monitors, whose processes are not those of services.
    """

    known: set[tuple[str, str]]
    by_pack: dict[str, set[tuple[str, str]]]
    exporters: set[tuple[str, str]]


def _found(asks: Iterable[_Draft], rows: _Rows, watching: Watchers, owners: Owners) -> _Found:
    found = _Found(set(), {}, set())
    for pack, _, metric, labels in asks:
        skipped = watching.get(labels, frozenset()) if pack.about_target else frozenset()
        for row in rows.get((metric, labels), ()):
            who = labels.identify(row, owners)
            if labels.identity(row) in skipped:
                found.exporters.update({who} if who else ())
            elif who:
                found.known.add(who)
                found.by_pack.setdefault(pack.name, set()).add(who)
            if labels.peer and (whom := labels.identify_peer(row)):
                found.known.add(whom)
    return found


def _finish(
    lookup: Lookup,
    packs: Sequence[Pack],
    present: frozenset[str],
    refused: Mapping[str, str],
    asks: list[_Draft],
    rows: _Rows,
) -> Plan:
    kubernetes = any(labels.is_pod or labels.service in REPLICASET_LABELS for *_, labels in asks)
    owners = lookup.owners(present) if kubernetes else Owners()
    first: dict[str, str] = {}
    for pack, _, metric, _ in asks:
        first.setdefault(pack.name, metric)
    intervals = lookup.intervals(first)
    tops = lookup.tops({_buckets(part, metric) for _, part, metric, _ in asks} - {""})
    asked = [(pack, metric, labels) for pack, _, metric, labels in asks]
    watching, gaps = watchers(lookup.client, lookup.crew, packs, present, asked, lookup.coarse)
    found = _found(asks, rows, watching, owners)
    names = Names(found.known)
    made = tuple(
        Ask(
            pack=pack,
            part=part,
            metric=metric,
            labels=labels,
            window=max(4 * intervals[pack.name], lookup.grid.step),
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
        grid=lookup.grid,
        asks=made,
        owners=owners,
        names=names,
        applied=applied,
        refused=refused,
        services={pack: tuple(sorted({names.of(*who) for who in whose})) for pack, whose in found.by_pack.items()},
        intervals={pack: intervals[pack] for pack in applied},
        watchers=tuple(sorted({names.of(*who) for who in found.exporters})),
        present=present,
        gaps=(*lookup.gaps, *gaps),
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
        if (rest := len(found) - _MAX_PER_PATTERN) > 0:
            why = f"a pattern is asked for at most {_MAX_PER_PATTERN} metrics: write a pack for those that matter"
            gaps.append(Gap(NAME, f"{rest} metrics like {part.requires[0]}", why))
        yield from ((part, name) for name in found[:_MAX_PER_PATTERN])
