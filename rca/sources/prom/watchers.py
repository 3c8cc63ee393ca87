"""Exporters and monitors among the scraped processes: theirs is not the process of what they watch.

A Redis that is watched by an exporter is scraped as `service="redis"`, and so are the exporter's own memory, its
restarts and whether it answers. What tells the two apart is what else the same target exposes.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from rca.errors import SourceError
from rca.model.incident import Gap
from rca.sources.prom.client import PromClient
from rca.sources.prom.names import Labels
from rca.sources.prom.packs import Pack
from rca.sources.prom.plan import NAME
from rca.sources.prom.promql import quote
from rca.sources.prom.work import Crew, Grid

# What makes one scraped target: `exported_…` where another Prometheus had scraped it.
_TARGET = "job, instance, exported_job, exported_instance"
_NOTHING = r"(?!)"  # matches no name
_ANSWERS = "up"  # of every target, also of one that no longer answers

Watchers: TypeAlias = Mapping[Labels, frozenset[tuple[str, ...]]]


def watchers(
    client: PromClient,
    crew: Crew,
    packs: Sequence[Pack],
    present: Collection[str],
    asked: Iterable[tuple[Pack, str, Labels]],
    grid: Grid,
) -> tuple[Watchers, tuple[Gap, ...]]:
    """Find the rows of the targets' own metrics that speak of nothing but exporters and monitors.

    Args:
        client: The server.
        crew: Who asks.
        packs: What knows an exporter by its metrics.
        present: The metrics that are there.
        asked: What will be asked: the pack, a metric's name, the labels of its series.
        grid: Few points; a target that was seen as an exporter at one of them is one.

    Returns:
        By labels, the identities of these rows; and a gap where the server didn't answer.
    """
    marks = sorted({name for pack in packs for name in _marks(pack, present)})
    metrics: dict[Labels, set[str]] = {}
    for pack, metric, labels in asked:
        if pack.about_target:
            metrics.setdefault(labels, {_ANSWERS}).add(metric)
    if not marks or not metrics:
        return {}, ()
    queries = {labels: _query(labels, sorted(metrics[labels]), marks) for labels in metrics}
    found: dict[Labels, frozenset[tuple[str, ...]]] = {}
    failed: list[Gap] = []
    ordered = sorted(queries, key=lambda labels: queries[labels])
    pairs = crew.each(
        lambda labels: client.query_range(queries[labels], grid.first, grid.last, grid.step), ordered
    )
    for labels, answer in pairs:
        if isinstance(answer, SourceError):
            failed.append(Gap(NAME, "which processes are exporters", f"{answer}; theirs count as the services'"))
            continue
        found[labels] = frozenset(labels.identity(row["metric"]) for row in answer.series)
    return found, tuple(failed)


def _marks(pack: Pack, present: Collection[str]) -> Iterator[str]:
    """The metrics that are there by which the pack knows an exporter."""
    known, ignored = (
        re.compile("|".join(f"(?:{each})" for each in some) or _NOTHING) for some in (pack.exporters, pack.ignore)
    )
    return (name for name in present if known.fullmatch(name) and not ignored.fullmatch(name))


def _query(labels: Labels, metrics: Sequence[str], marks: Sequence[str]) -> str:
    """The rows all of whose targets expose a mark.

    Where a service and its exporter share a row (two containers of one pod), the row stays the service's.
    """
    own = f"{{__name__=~{quote('|'.join(metrics))},{labels.mine}}}"
    # A mark without an instance would be on a target with every other series that has none.
    mark = f'{{__name__=~{quote("|".join(marks))},instance!=""}}'
    by = ", ".join(labels.by)
    return f"count by ({by}) ({own}) == count by ({by}) ({own} and on ({_TARGET}) {mark})"
