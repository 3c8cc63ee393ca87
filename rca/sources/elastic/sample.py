"""A bounded, weighted sample of messages.

When everything fits the budget, everything is taken. Else less is drawn (`drawn_of`): half of it as whole traces,
spread over the window, so that sequences of lines survive; the other half by stratum, errors first, so that a
quiet service's few errors are seen beside a chatty one's millions. Where trace ids stand in messages alone, traces
are looked for after that by the ids that were seen. Neither the bytes nor, but for errors and
warnings, the work grow with the volume.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from rca.model.incident import Gap
from rca.model.logs import LogCounts, LogLine
from rca.sources.elastic import strata
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census, Layer, exists, in_window
from rca.sources.elastic.lines import Hits, LineReader, hit_key, in_order, wanted_fields
from rca.sources.elastic.schema import Role, Schema
from rca.sources.elastic.traces import MAX_PAGE, Place, WholeTraces, draw_traces

_DRAWN_SHARE, _DRAWN_LEAST = 0.5, 5_000
_TRACE_SHARE = 0.5
_TRACE_SLICES = 12
TRACED_ENOUGH = 0.05
"""Share of the lines that have a trace's id, from which whole traces are drawn by it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines, not yet weighed.

    Attributes:
        lines: As they were drawn.
        where: The stratum of each.
        slices: The slices of time of the strata; None when everything was taken.
        failing: Real counts of lines without a level that have words of failure.
    """

    lines: tuple[LogLine, ...] = ()
    where: tuple[strata.Stratum, ...] = ()
    slices: Grid | None = None
    failing: Mapping[strata.Stratum, float] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


def drawn_of(budget: int) -> int:
    """How many lines are drawn where not everything fits the budget: half of it, or 5,000 if that is more.

    Each thousand lines takes 45 ms to read and analyse, and 5,000 ranked the services as well as 6,000 did
    (docs/benchmarks.md). A small budget is used up: it was chosen.
    """
    return min(budget, max(_DRAWN_LEAST, int(budget * _DRAWN_SHARE)))


def draw(client: ElasticClient, census: Census, schema: Schema, grid: Grid, budget: int) -> Sample:
    """Fetch the sample and read it; `weighed` gives the lines their weights once the counts are there.

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
        return _all_of_it(client, census, schema, grid)
    budget = drawn_of(budget)
    half_of = partial(_Stratified, client, census, schema, grid)
    slices = grid.coarse(min(_TRACE_SLICES, grid.buckets))
    found = trace_place(census, grid)
    if found is not None:
        traced = int(budget * _TRACE_SHARE)
        half = half_of(budget - traced)
        traces = _at_once(client, half, *found, slices, traced)
    else:
        half, traces = _one_after_the_other(client, census, half_of, grid, slices, budget)
    hits: Hits = dict(traces.hits)
    for key, hit in half.hits.items():
        hits.setdefault(key, hit)
    gaps = (*traces.gaps, *half.gaps, *_left_out(half.spread, services, budget))
    lines, where = _read(hits, schema, half.spread.slices, traces.ids, ids_in_text=found is None)
    return Sample(lines, where, half.spread.slices, half.failing, tuple(dict.fromkeys(gaps)))


def weighed(sample: Sample, census: Census, counts: LogCounts | None) -> tuple[LogLine, ...]:
    """The sample's lines, each with the number of real lines it stands for.

    Args:
        sample: What `draw` fetched.
        census: The one it was drawn by.
        counts: The exact counts; without them a service's lines share its total.
    """
    if sample.slices is None:
        return in_order(sample.lines)
    real = strata.real_counts(counts, sample.slices, sample.failing) if counts is not None else {}
    return in_order(strata.weigh(sample.lines, sample.where, real, census.services))


class _Stratified:
    """The half that is drawn by stratum."""

    def __init__(self, client: ElasticClient, census: Census, schema: Schema, grid: Grid, budget: int) -> None:
        self._client, self._census, self._schema, self._grid = client, census, schema, grid
        self._budget = budget
        self._bad: Hits = {}
        self.spread = strata.Spread.of(budget, tuple(census.services), grid)
        self.hits: Hits = {}
        self.failing: dict[strata.Stratum, float] = {}
        self.gaps: list[Gap] = []

    def draw(self) -> None:
        """Errors and warnings first, then of the rest as much as they leave.

        Raises:
            SourceError: The server can't be reached, or refused it.
        """
        self._ask(strata.searches_for_bad)
        self._bad = self.hits
        self.draw_rest(self._budget)

    def draw_rest(self, budget: int) -> None:
        """The lines that are neither errors nor warnings, as many as those leave of a budget; anew if need be.

        Raises:
            SourceError: The server can't be reached, or refused it.
        """
        self.hits = dict(self._bad)
        self.spread = self.spread.leaving(budget - len(self._bad), self._census.layers)
        self._ask(strata.searches_for_rest)

    def _ask(self, searches_for: Callable[[Layer, Schema, Grid, strata.Spread], Iterable[Search]]) -> None:
        spread = self.spread
        asked = [
            (layer, search)
            for layer in self._census.layers
            for search in searches_for(layer, self._schema, self._grid, spread)
        ]
        answers = self._client.search([search for _, search in asked])
        for (layer, search), answer in zip(asked, answers, strict=True):
            self.gaps += answer.gaps
            if answer.error is not None:
                self.gaps.append(Gap(NAME, search.purpose, answer.error.message))
            if layer.level is None and search.purpose == "error messages":
                for stratum, count in strata.failing_counts(answer.aggregations, spread.slices).items():
                    self.failing[stratum] = self.failing.get(stratum, 0.0) + count
            for hit in strata.hits_of(answer.aggregations):
                self.hits.setdefault(hit_key(hit), (hit, layer.cohort))


def _at_once(
    client: ElasticClient, half: _Stratified, cohort: Cohort, place: Place, slices: Grid, budget: int
) -> WholeTraces:
    """Draw the half by stratum and whole traces by their field; neither depends on the other."""
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(draw_traces, client, place, slices, budget)
        half.draw()
        found = later.result()
    return WholeTraces({hit_key(hit): (hit, cohort) for hit in found.hits}, frozenset(found.ids), found.gaps)


def _one_after_the_other(
    client: ElasticClient,
    census: Census,
    half_of: Callable[[int], _Stratified],
    grid: Grid,
    slices: Grid,
    budget: int,
) -> tuple[_Stratified, WholeTraces]:
    """Draw by stratum, then the traces that those lines name in their texts; without any, all by stratum."""
    # Here, as reading it in takes time that the first question of all systems would wait for.
    from rca.sources.elastic.text_traces import draw_text_traces, ids_in_text  # noqa: PLC0415

    in_text, gaps = ids_in_text(client, census, grid, TRACED_ENOUGH)
    half = half_of(budget - int(budget * _TRACE_SHARE) if in_text else budget)
    half.draw()
    if not in_text:
        return half, WholeTraces(gaps=gaps)
    traces = draw_text_traces(client, census, grid, slices, half.hits, budget - len(half.hits))
    if not traces.ids:
        half.draw_rest(budget)
    return half, traces


def _read(
    hits: Hits,
    schema: Schema,
    slices: Grid | None = None,
    whole: frozenset[str] = frozenset(),
    *,
    ids_in_text: bool = False,
) -> tuple[tuple[LogLine, ...], tuple[strata.Stratum, ...]]:
    """Documents as lines, those without a time or a service left out, and the stratum of each."""
    lines: list[LogLine] = []
    where: list[strata.Stratum] = []
    readers: dict[int, LineReader] = {}
    for hit, cohort in hits.values():
        reader = readers.get(id(cohort))
        if reader is None:
            reader = readers[id(cohort)] = LineReader(cohort, schema, whole, ids_in_text=ids_in_text)
        found = reader.read(hit)
        if found is None:
            continue
        line, states_level = found
        lines.append(line)
        level = strata.level_stratum(line.level if states_level else None, line.message)
        where.append((line.service, level, slices.index(line.at.timestamp()) if slices else None))
    return tuple(lines), tuple(where)


def _all_of_it(client: ElasticClient, census: Census, schema: Schema, grid: Grid) -> Sample:
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
    hits: Hits = {
        hit_key(hit): (hit, layer.cohort)
        for layer, answer in zip(census.layers, answers, strict=True)
        for hit in answer.hits
    }
    in_text = trace_place(census, grid) is None
    return Sample(*_read(hits, schema, ids_in_text=in_text), gaps=tuple(dict.fromkeys(gaps)))


def trace_place(census: Census, grid: Grid) -> tuple[Cohort, Place] | None:
    """The trace field that most documents have; None when hardly any has one."""
    if not census.traced:
        return None
    (cohort, name), documents = max(census.traced, key=lambda item: (item[1], item[0][1]))
    timestamp = cohort.first(Role.TIMESTAMP) or ""
    if documents < TRACED_ENOUGH * census.total:
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
