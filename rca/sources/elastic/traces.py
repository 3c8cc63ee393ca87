"""Whole traces, spread evenly over the window: a bounded number of documents, however many there are.

A random sample of documents names candidates in each slice of time, their sizes are counted, and the documents of
those that fit the budget are fetched. Every step's answer has a bounded size, and the seed is fixed.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from rca.model.incident import Gap
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.lines import Hits
from rca.sources.elastic.sampler import sampled

MAX_PAGE = 10_000
"""The server's `max_result_window`."""
_CANDIDATES = 1_000
_DRAWN_PER_CANDIDATE = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where traces are looked for.

    Attributes:
        purpose: In words, for gaps.
        timestamp: The field.
        field: The field with the trace's id.
        filters: What selects the documents, the window included.
        documents: How many there are.
        fields: What of each document is fetched.
    """

    purpose: str
    indices: tuple[str, ...]
    timestamp: str
    field: str
    filters: tuple[Mapping[str, Any], ...]
    documents: int
    fields: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """Documents of whole traces.

    Attributes:
        ids: The traces of which everything came, sorted.
    """

    hits: tuple[Mapping[str, Any], ...] = ()
    ids: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class WholeTraces:
    """Traces of which every document came, each document with how to read it.

    Attributes:
        hits: Their documents.
        ids: The traces.
    """

    hits: Hits = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()


def draw_traces(client: ElasticClient, place: Place, grid: Grid, budget: int) -> Traces:
    """Whole traces of about `budget` documents in all.

    Args:
        client: The connection.
        place: Where, and what of each document.
        grid: The slices of time among which the budget is spread.
        budget: Documents at most.

    Raises:
        SourceError: The server can't be reached, or refused it.
    """
    if not place.documents or budget <= 0:
        return Traces()
    slices, gaps = _candidates(client, place, grid)
    names = [name for names in slices for name in names]
    if not names:
        return Traces(gaps=gaps)
    counted = client.one(_search(place, names, {"traces": _terms(place.field, len(names))}))
    sizes = {str(b["key"]): int(b["doc_count"]) for b in counted.aggregations.get("traces", {}).get("buckets", ())}
    chosen, too_long = choose(slices, sizes, budget)
    gaps += counted.gaps
    if too_long > len(chosen):
        why = f"most have more lines than fit ({budget} in all); raise elasticsearch.sample_lines"
        gaps += (Gap(NAME, f"whole traces ({place.purpose})", why),)
    if not chosen:
        return Traces(gaps=gaps)
    parts = pages(chosen, sizes)
    answers = client.search([_search(place, part, None, size) for part, size in parts])
    trouble = [gap for answer in answers for gap in answer.gaps]
    trouble += [Gap(NAME, place.purpose, answer.error.message) for answer in answers if answer.error is not None]
    hits = tuple(hit for answer in answers for hit in answer.hits)
    whole = [
        name
        for (part, _), answer in zip(parts, answers, strict=True)
        if answer.error is None and not answer.gaps
        for name in part
    ]
    return Traces(hits, tuple(sorted(whole)), (*gaps, *trouble))


def choose(slices: Sequence[Sequence[str]], sizes: Mapping[str, int], budget: int) -> tuple[list[str], int]:
    """Take traces in turn from each slice while they fit.

    Args:
        slices: Candidates by slice of time; a trace may be in several.
        sizes: Documents by trace.
        budget: Documents in all.

    Returns:
        The chosen ones in that order, and how many were left out as too long.
    """
    longest = max(1, budget // max(1, len(slices)))
    chosen: dict[str, None] = {}
    left_out: set[str] = set()
    left = budget
    for row in zip_longest(*slices):
        for name in row:
            size = sizes.get(name, 0) if name is not None else 0
            if name is None or not size or name in chosen:
                continue
            if size > longest:
                left_out.add(name)
            elif size <= left:
                chosen[name] = None
                left -= size
    return list(chosen), len(left_out)


def pages(chosen: Sequence[str], sizes: Mapping[str, int]) -> list[tuple[list[str], int]]:
    """The chosen traces in groups that each fit into one answer, with the number of documents."""
    groups: list[tuple[list[str], int]] = []
    for name in chosen:
        size = sizes[name]
        if groups and groups[-1][1] + size <= MAX_PAGE:
            groups[-1] = ([*groups[-1][0], name], groups[-1][1] + size)
        else:
            groups.append(([name], min(size, MAX_PAGE)))
    return groups


def _candidates(client: ElasticClient, place: Place, grid: Grid) -> tuple[list[list[str]], tuple[Gap, ...]]:
    """Some traces of each slice, in an order that depends on nothing but their ids."""
    each = max(1, _CANDIDATES // grid.buckets)
    terms = {"terms": {"field": place.field, "size": each, "execution_hint": "map", "order": {"_key": "asc"}}}
    by_time = {"times": {**grid.histogram(place.timestamp), "aggs": {"traces": terms}}}
    share = _CANDIDATES * _DRAWN_PER_CANDIDATE / place.documents
    body = {"size": 0, "track_total_hits": False, "query": {"bool": {"filter": list(place.filters)}}}
    answer = client.one(Search(place.purpose, place.indices, {**body, "aggs": sampled(by_time, share)}))
    found = answer.aggregations.get("drawn", {}).get("times", {}).get("buckets", ())
    slices = [sorted((str(b["key"]) for b in slot["traces"]["buckets"]), key=shuffled) for slot in found]
    return slices, answer.gaps


def shuffled(name: str) -> tuple[int, str]:
    """An order that depends on nothing but the ids, and that no numbering of them shows in."""
    return zlib.crc32(name.encode()), name


def _terms(field: str, size: int) -> dict[str, Any]:
    return {"terms": {"field": field, "size": size, "execution_hint": "map"}}


def _search(place: Place, names: Sequence[str], aggs: Mapping[str, Any] | None, size: int = 0) -> Search:
    query = {"bool": {"filter": [*place.filters, {"terms": {place.field: list(names)}}]}}
    body: dict[str, Any] = {"size": size, "track_total_hits": False, "query": query}
    if aggs is not None:
        return Search(place.purpose, place.indices, {**body, "aggs": aggs})
    shape = {"_source": False, "fields": list(place.fields), "sort": [{place.timestamp: "asc"}]}
    return Search(place.purpose, place.indices, body | shape)
