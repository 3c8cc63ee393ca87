"""One name for each service, however the sources spell it: `cart`, `Cart_Service`, `shop/cart-7d9f8c6b5-x2x4z`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from rca.analyze.memo import NO_MEMO, Memo
from rca.model.incident import Bundle, Gap
from rca.model.logs import STORED_AS, LogCounts, LogLine
from rca.model.signals import SignalFrame
from rca.report.present.text import listed
from topology import ServiceGraph
from topology.merge import merge
from topology.names import canonical, is_unknown, pod_stem, spellings

_LISTED = 8
# Which of its spellings a new name is compared by, with which of a known one: a pod of `store-0` is no `store`'s.
_LEVELS = ((0, 0), (1, 1), (2, 1), (2, 2), (3, 1), (3, 3))


def with_one_name_each(bundle: Bundle, memo: Memo = NO_MEMO) -> Bundle:
    """A bundle in which each service has the name that its series have, or else the graph, its spans, its lines.

    A name counts as another's spelling where no source tells the two apart, and no third one is spelt so.

    Args:
        bundle: What the sources answered.
        memo: What was worked out of its variants.

    Returns:
        The same bundle where all agree; else another one, with a gap that says who was taken for whom.
    """
    names = {name: target for name, target in _same(_sources(bundle)).items() if name != target}
    if not names:
        return bundle
    held = tuple(sorted(names.items()))

    def kept(name: str) -> str:
        return names.get(name, name)

    return replace(
        bundle,
        metrics=memo.once("series' names", (bundle.metrics,), lambda: _series(bundle.metrics, names), values=held),
        graph=memo.once("graph's names", (bundle.graph,), lambda: _graph(bundle.graph, names), values=held),
        logs=memo.once("lines' names", (bundle.logs,), lambda: _lines(bundle.logs, names), values=held),
        log_counts=counts_under(bundle.log_counts, names),
        spans=memo.once(
            "spans' names",
            (bundle.spans,),
            lambda: tuple(replace(span, service=kept(span.service)) for span in bundle.spans),
            values=held,
        ),
        events=tuple(replace(event, service=kept(event.service)) for event in bundle.events),
        symptom=bundle.symptom and replace(bundle.symptom, service=kept(bundle.symptom.service)),
        gaps=(*bundle.gaps, _gap(names)),
    )


def _sources(bundle: Bundle) -> Iterator[set[str]]:
    """The names of each source, those first whose spelling is kept."""
    if bundle.metrics is not None:
        yield set(bundle.metrics.services)
        yield {key.peer for key in bundle.metrics.keys if key.peer}
    yield from _told(bundle.graph)
    yield {span.service for span in bundle.spans}
    counted = bundle.log_counts.services if bundle.log_counts is not None else ()
    yield {line.service for line in bundle.logs} | set(counted)
    yield {event.service for event in bundle.events}
    if bundle.symptom is not None:
        yield {bundle.symptom.service}


def _told(graph: ServiceGraph) -> list[set[str]]:
    """The names in a graph, by who told them: what one source tells apart, two need not."""
    told: dict[str, set[str]] = defaultdict(set)
    for edge in graph.edges():
        for source in {by.source for by in edge.provenance} or {""}:
            told[source] |= {edge.caller, edge.callee}
    joined = set().union(*told.values())
    for node in graph.nodes():
        for by in node.provenance:
            told[by.source].add(node.name)
        if not node.provenance and node.name not in joined:
            told[""].add(node.name)
    return [told[source] for source in sorted(told)]


def _same(sources: Iterable[set[str]]) -> dict[str, str]:
    """Each name with the one that it is kept under."""
    kept: dict[str, str] = {}
    for source in sources:
        names = {name for name in source if name and not is_unknown(name)}
        new = names - set(kept)
        known = set(kept.values())
        if new and known:
            kept |= _matches(new, {kept[name] for name in names - new}, known)
        kept |= {name: name for name in new - set(kept)}
    return kept


def _matches(new: Collection[str], taken: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Of a source's names that are new, those that spell a known one.

    Args:
        new: Names that no source before had.
        taken: Known ones that this source has, too: it tells them from the others, but for pods.
        known: All that are known.
    """
    found: dict[str, str] = {}
    forms = {name: spellings(name) for name in {*new, *known}}
    for level, of_known in _LEVELS:
        owners: dict[str, list[str]] = defaultdict(list)
        for name in sorted(known):
            owners[forms[name][of_known]].append(name)
        wanted: dict[str, list[str]] = defaultdict(list)
        for name in sorted(set(new) - set(found)):
            fitting = owners.get(forms[name][level], [])
            if len(fitting) == 1:
                wanted[fitting[0]].append(name)
        for target, names in wanted.items():
            workloads = {pod_stem(canonical(name)) for name in names}
            pods = workloads == {canonical(target)} and not workloads & {canonical(name) for name in names}
            if len(workloads) == 1 and (pods or not (target in taken or target in found.values())):
                found |= dict.fromkeys(names, target)
    return found


def _series(frame: SignalFrame | None, names: Mapping[str, str]) -> SignalFrame | None:
    """The series with the other ends of their edges under the names of those that are measured themselves."""
    if frame is None or names.keys().isdisjoint(key.peer for key in frame.keys if key.peer):
        return frame
    keys = (replace(key, peer=names.get(key.peer, key.peer)) if key.peer else key for key in frame.keys)
    return SignalFrame(frame.times, frame.values, tuple(keys))


def _lines(lines: Iterable[LogLine], names: Mapping[str, str]) -> tuple[LogLine, ...]:
    """The lines under these names; a query that shows them asks for the one that their source has."""
    return tuple(
        replace(line, service=names[line.service], fields={**line.fields, STORED_AS: line.service})
        if line.service in names
        else line
        for line in lines
    )


def counts_under(counts: LogCounts | None, names: Mapping[str, str]) -> LogCounts | None:
    """The counts with what stands under each of these names added to what stands under the one it is given."""
    if counts is None or names.keys().isdisjoint(counts.services):
        return counts
    to = [names.get(name, name) for name in counts.services]
    services = sorted(set(to))
    summed = np.zeros((len(counts.times), len(services), len(counts.levels)))
    for place, name in enumerate(to):
        summed[:, services.index(name)] += counts.counts[:, place]
    return LogCounts(counts.times, tuple(services), counts.levels, summed)


def _graph(graph: ServiceGraph, names: Mapping[str, str]) -> ServiceGraph:
    """The graph with what several names said of one service put together."""
    plain = ServiceGraph(
        (node for node in graph.nodes() if node.name not in names),
        (edge for edge in graph.edges() if not {edge.caller, edge.callee} & names.keys()),
    )
    moved = []
    for name in sorted(name for name in names if name in graph):
        edges = [graph.edge(caller, name) for caller in graph.callers(name)]
        edges += [graph.edge(name, callee) for callee in graph.callees(name)]
        ends = ((names.get(edge.caller, edge.caller), names.get(edge.callee, edge.callee), edge) for edge in edges)
        calls = [replace(edge, caller=caller, callee=callee) for caller, callee, edge in ends if caller != callee]
        moved.append(ServiceGraph([replace(graph.node(name), name=names[name])], calls))
    return merge(plain, *moved).graph if moved else graph


def _gap(names: Mapping[str, str]) -> Gap:
    shown = listed((f"{name} for {target}" for name, target in sorted(names.items())), most=_LISTED)
    return Gap("analysis", "services under several names", f"Taken, by their spelling: {shown}.")
