"""The source itself: what is asked, in which order, and what of it reaches the bundle."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from rca.config.settings import ElasticsearchSettings
from rca.errors import ConfigError, SourceError
from rca.model.incident import Event, Gap
from rca.model.logs import LogCounts
from rca.sources.base import Check, Harvest, Request
from rca.sources.elastic import sample
from rca.sources.elastic.client import NAME, ElasticClient, Search
from rca.sources.elastic.counts import Grid, count
from rca.sources.elastic.events import collect_events
from rca.sources.elastic.fields import Resolution, resolve, wanted
from rca.sources.elastic.layers import Census, take_census
from rca.sources.elastic.queries import log_query
from rca.sources.elastic.record import describe
from rca.sources.elastic.schema import EventRole, Schema, load_schemas
from rca.sources.elastic.silence import silent_services, unassigned
from rca.sources.elastic.spans import Traced, collect_spans

_T = TypeVar("_T")
_PIECES = 5
_WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Asked:
    """What other threads are asking for."""

    messages: Future[sample.Sample]
    spans: Future[Traced]
    events: Future[tuple[list[Event], list[Gap]]]


class ElasticsearchSource:
    """Logs, spans and events out of Elasticsearch.

    Args:
        settings: How to reach it, and which fields to trust.

    Raises:
        ConfigError: The settings or a schema file can't be used.
    """

    name = NAME
    measures = True

    def __init__(self, settings: ElasticsearchSettings) -> None:
        unknown = sorted(set(settings.event_fields) - set(EventRole))
        if unknown:
            raise ConfigError(
                f"elasticsearch.event_fields has no role '{unknown[0]}'", hint=f"Choose of {', '.join(EventRole)}."
            )
        self._settings = settings
        self._schema: Schema = load_schemas(settings.schemas)
        self._client = ElasticClient(settings)
        self._census: Census | None = None

    def harvest(self, request: Request) -> Iterator[Harvest]:
        """Yield what there is: the source's record, counts, messages, spans, events.

        Raises:
            SourceError: Elasticsearch can't be reached, refuses us, or answers nothing in time.
        """
        self._client.budget.deadline = request.deadline
        resolution = self._resolve()  # by itself: nothing else is asked of a server that doesn't answer
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix=NAME)
        try:
            yield from self._harvest(pool, request, resolution)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _harvest(self, pool: ThreadPoolExecutor, request: Request, resolution: Resolution) -> Iterator[Harvest]:
        grid = Grid.over(request.span, request.step_seconds)
        version = pool.submit(self._client.version)
        gaps = list(resolution.gaps)
        if not resolution.matched:
            gaps.append(no_index(self._settings.indices))
        else:
            gaps += self._unmatched()
        census = self._census = take_census(self._client, resolution.cohorts, grid.span)
        gaps += [*census.gaps, *unassigned(census)]
        asked = self._ask_at_once(pool, request, census, grid)
        known, _ = _finish(version, "its version", "")
        record = describe(self._settings, resolution, census, self._schema, known, grid)
        yield Harvest("fields and services", 1, _PIECES, gaps=tuple(dict.fromkeys(gaps)), record=record)
        yield from self._pieces(asked, census, grid)

    def check(self, request: Request) -> Iterator[Check]:
        """Say step by step what is reachable, who we are, what was found, and what is missing."""
        from rca.sources.elastic.check import Doctor  # noqa: PLC0415 - only for `rca doctor`

        self._client.budget.deadline = request.deadline
        yield from Doctor(self._client, self._settings, self._schema).run(request)

    def log_query(self, service: str, level: str | None = None) -> str:
        """KQL for the lines of a service, after a harvest; see `queries.log_query`."""
        return log_query(self._census.layers if self._census else (), self._schema, service, level)

    def close(self) -> None:
        """Free connections."""
        self._client.close()

    def _resolve(self) -> Resolution:
        names = wanted(self._schema, self._settings.fields)
        fields = sorted({name for candidates in names.values() for name in candidates})
        caps = self._client.field_caps(self._settings.indices, fields)
        return resolve(caps, self._schema, self._settings.fields, tuple(self._settings.indices))

    def _unmatched(self) -> list[Gap]:
        """The user's own patterns that match nothing; of the defaults most never do."""
        own = [pattern for pattern in self._settings.indices if pattern not in ElasticsearchSettings().indices]
        if len(self._settings.indices) < 2:  # noqa: PLR2004 - a single one did match
            return []
        body = {"size": 0, "track_total_hits": False, "terminate_after": 1}
        answers = self._client.search([Search(f"index {pattern}", (pattern,), body) for pattern in own])
        gaps = [
            no_index([name])
            for name, found in zip(own, answers, strict=True)
            if not found.error and not found.shards
        ]
        return gaps + [_lost("logs", found.error) for found in answers if found.error]

    def _ask_at_once(self, pool: ThreadPoolExecutor, request: Request, census: Census, grid: Grid) -> _Asked:
        """All but the counts, each in a thread."""
        lines, settings = self._settings.sample_lines, self._settings
        return _Asked(
            pool.submit(sample.draw, self._client, census, self._schema, grid, lines),
            pool.submit(collect_spans, self._client, settings.span_indices, request.span),
            pool.submit(
                collect_events,
                self._client,
                settings.event_indices,
                request.changes,
                self._schema,
                settings.event_fields,
            ),
        )

    def _pieces(self, asked: _Asked, census: Census, grid: Grid) -> Iterator[Harvest]:
        """Counts in this thread, all else as it comes."""
        counted: list[LogCounts] = []
        gaps: list[Gap] = []
        try:
            for tally, found in count(self._client, census.layers, self._schema, grid):
                part = tally.counts()
                gaps += found
                if part is not None:
                    counted.append(part)
                    yield Harvest("log counts", 2, _PIECES, log_counts=part, gaps=tuple(found))
        except SourceError as error:
            gaps.append(_lost("log counts", error))
        from rca.sources.merge import merge_counts  # noqa: PLC0415 - numpy, which the questions needn't wait for

        counts = merge_counts(counted)
        gaps += silent_services(counts) if counts is not None else []
        yield Harvest("log counts", 2, _PIECES, gaps=tuple(gaps))
        messages, gaps = _finish(asked.messages, "log messages", sample.Sample())
        known = counts if not any("log counts" in gap.what for gap in gaps) else None
        read = sample.weighed(messages, census, known)
        yield Harvest("log messages", 3, _PIECES, logs=read, gaps=(*messages.gaps, *gaps))
        found_spans, gaps = _finish(asked.spans, "spans", Traced())
        gaps += found_spans.gaps
        yield Harvest("spans", 4, _PIECES, spans=found_spans.spans, graph=found_spans.graph, gaps=tuple(gaps))
        (events, event_gaps), gaps = _finish(asked.events, "events", ([], []))
        yield Harvest("events", 5, _PIECES, events=tuple(events), gaps=(*event_gaps, *gaps))


def no_index(patterns: Sequence[str]) -> Gap:
    """That no logs were found under these names."""
    why = "no index matched, or this user may see none of them; see elasticsearch.indices, and GET _cat/indices"
    return Gap(NAME, f"logs in {', '.join(patterns)}", why)


def _lost(what: str, error: SourceError) -> Gap:
    return Gap(NAME, what, error.told)


def _finish(future: "Future[_T]", what: str, nothing: _T) -> tuple[_T, list[Gap]]:
    """A part's result, or nothing and the reason."""
    try:
        return future.result(), []
    except SourceError as error:
        return nothing, [_lost(what, error)]
