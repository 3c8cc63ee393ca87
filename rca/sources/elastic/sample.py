"""A bounded, weighted sample of messages.

When everything fits the budget, everything is taken. Else less is drawn (`drawn_of`): half of it as whole traces,
spread over the window, so that sequences of lines survive; the other half by stratum, errors first, so that a
quiet service's few errors are seen beside a chatty one's millions. Neither the bytes nor, but for errors and
warnings, the work grow with the volume.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from rca.model.incident import Gap
from rca.model.logs import LogCounts, LogLine
from rca.sources.elastic import strata
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census, exists, in_window
from rca.sources.elastic.lines import LineReader, hit_key, in_order, wanted_fields
from rca.sources.elastic.schema import Role, Schema
from rca.sources.elastic.traces import MAX_PAGE, Place, Traces, draw_traces

_DRAWN_SHARE, _DRAWN_LEAST = 0.6, 6_000
_TRACE_SHARE = 0.5
_TRACED_ENOUGH = 0.05
_TRACE_SLICES = 12
Hit = tuple[Mapping[str, Any], Cohort]


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents, not yet weighed.

    Attributes:
        hits: Each with the cohort that says how to read it.
        slices: The slices of time of the strata; None when everything was taken.
        failing: Real counts of lines without a level that have words of failure.
        traces: The whole traces in it.
    """

    hits: tuple[Hit, ...] = ()
    slices: Grid | None = None
    failing: Mapping[strata.Stratum, float] = field(default_factory=dict)
    traces: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Every line of the window is there, each standing for itself."""
        return self.slices is None


def drawn_of(budget: int) -> int:
    """How many lines are drawn where not everything fits the budget: three fifths of it, or 6,000 if that is more.

    Each thousand lines takes 40 ms to read and analyse, and of millions 6,000 ranked the services as 10,000 did
    (docs/benchmarks.md). A small budget is used up: it was chosen.
    """
    return min(budget, max(_DRAWN_LEAST, int(budget * _DRAWN_SHARE)))


def draw(client: ElasticClient, census: Census, schema: Schema, grid: Grid, budget: int) -> Sample:
    """Fetch the sample's documents; `lines_of` makes lines of them once the counts are there.

    Args:
        client: The connection.
        census: Which services and levels there are.
        schema: What a level's raw value means.
        grid: The window's buckets.
        budget: Lines at most.

    Raises:
        SourceError: The server can't be reached, or refused it.
    """
    services = census.services
    if not services or budget <= 0:
        return Sample()
    if sum(services.values()) <= min(budget, MAX_PAGE):
        return _all_of_it(client, census, grid)
    budget = drawn_of(budget)
    found = _trace_place(census, grid)
    traced = int(budget * _TRACE_SHARE) if found is not None else 0
    spread = strata.Spread.of(budget - traced, tuple(services), grid, strata.bad_lines(census.layers, schema))
    asked = [(layer, search) for layer in census.layers for search in strata.searches(layer, schema, grid, spread)]
    with ThreadPoolExecutor(1) as pool:  # the two halves don't depend on each other
        slices = grid.coarse(min(_TRACE_SLICES, grid.buckets))
        later = pool.submit(draw_traces, client, found[1], slices, traced) if found is not None else None
        answers = client.search([search for _, search in asked])
        traces = later.result() if later is not None else Traces()
    hits = {hit_key(hit): (hit, found[0]) for hit in traces.hits} if found else {}
    gaps = [*traces.gaps, *_left_out(spread, services, budget)]
    failing: dict[strata.Stratum, float] = {}
    for (layer, search), answer in zip(asked, answers, strict=True):
        gaps += answer.gaps
        if answer.error is not None:
            gaps.append(Gap(NAME, search.purpose, answer.error.message))
        if layer.level is None and search.purpose == "error messages":
            for stratum, count in strata.failing_counts(answer.aggregations, spread.slices).items():
                failing[stratum] = failing.get(stratum, 0.0) + count
        for hit in strata.hits_of(answer.aggregations):
            hits.setdefault(hit_key(hit), (hit, layer.cohort))
    return Sample(tuple(hits.values()), spread.slices, failing, frozenset(traces.ids), tuple(dict.fromkeys(gaps)))


def lines_of(sample: Sample, census: Census, schema: Schema, counts: LogCounts | None) -> tuple[LogLine, ...]:
    """The sample's lines, each with the number of real lines it stands for.

    Args:
        sample: What `draw` fetched.
        census: The one it was drawn by.
        schema: What a level's raw value means.
        counts: The exact counts; without them a service's lines share its total.
    """
    lines: list[LogLine] = []
    where: list[strata.Stratum] = []
    readers: dict[int, LineReader] = {}
    for hit, cohort in sample.hits:
        reader = readers.get(id(cohort))
        if reader is None:
            reader = readers[id(cohort)] = LineReader(cohort, schema, sample.traces)
        found = reader.read(hit)
        if found is None:
            continue
        line, states_level = found
        lines.append(line)
        level = strata.level_stratum(line.level if states_level else None, line.message)
        where.append((line.service, level, sample.slices.index(line.at.timestamp()) if sample.slices else None))
    if sample.slices is None:
        return in_order(lines)
    real = strata.real_counts(counts, sample.slices, sample.failing) if counts is not None else {}
    return in_order(strata.weigh(lines, where, real, census.services))


def _all_of_it(client: ElasticClient, census: Census, grid: Grid) -> Sample:
    searches = []
    for layer in census.layers:
        query = {"bool": {"filter": [in_window(layer.timestamp, grid.span), *layer.filters]}}
        body = {"size": sum(layer.services.values()), "track_total_hits": False, "query": query}
        shape = {"_source": False, "fields": wanted_fields(layer.cohort, stack=True)}
        searches.append(
            Search("log messages", layer.cohort.indices, body | shape | {"sort": [{layer.timestamp: "asc"}]})
        )
    answers = client.search(searches)
    gaps = [gap for answer in answers for gap in answer.gaps]
    gaps += [Gap(NAME, "log messages", answer.error.message) for answer in answers if answer.error is not None]
    hits = [
        (hit, layer.cohort) for layer, answer in zip(census.layers, answers, strict=True) for hit in answer.hits
    ]
    return Sample(tuple(hits), gaps=tuple(dict.fromkeys(gaps)))


def _trace_place(census: Census, grid: Grid) -> tuple[Cohort, Place] | None:
    """The trace field that most documents have; None when hardly any has one."""
    if not census.traced:
        return None
    (cohort, name), documents = max(census.traced, key=lambda item: (item[1], item[0][1]))
    timestamp = cohort.first(Role.TIMESTAMP) or ""
    if documents < _TRACED_ENOUGH * census.total:
        return None
    filters = (in_window(timestamp, grid.span), exists(name))
    fields = tuple(wanted_fields(cohort))
    return cohort, Place("log traces", cohort.indices, timestamp, name, filters, documents, fields)


def _left_out(spread: strata.Spread, services: Mapping[str, int], budget: int) -> list[Gap]:
    missing = len(services) - len(spread.services)
    if missing <= 0:
        return []
    why = f"{len(services)} services share {budget} sampled lines; raise elasticsearch.sample_lines"
    return [Gap(NAME, f"messages of the {missing} quietest services", why)]
