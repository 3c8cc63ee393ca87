"""The Prometheus source: asks what there is, then for all of it, and yields each answer as it comes."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rca.config.settings import PrometheusSettings
from rca.errors import SourceAuthError, SourceError, SourceUnreachableError
from rca.model.incident import Gap, SourceRecord
from rca.sources.base import Check, Harvest, Request
from rca.sources.prom.alerts import FIRING
from rca.sources.prom.assemble import Assembled, assemble, first_of
from rca.sources.prom.client import Answer, Backend, PromClient
from rca.sources.prom.discover import discover
from rca.sources.prom.doctor import checks
from rca.sources.prom.edges import edges, node_kinds
from rca.sources.prom.events import events
from rca.sources.prom.firings import recorded, warned
from rca.sources.prom.packfile import load_packs
from rca.sources.prom.packs import EdgeRule, EventRule, Signal
from rca.sources.prom.plan import NAME, Ask, Plan, template_of
from rca.sources.prom.query import for_all
from rca.sources.prom.work import Crew, Grid


@dataclass(frozen=True, slots=True)
class _Job:
    """One question of the harvest: what it is about, and what makes a piece of its answer."""

    what: str
    ask: Callable[[], Harvest]


class PrometheusSource:
    """Prometheus, or something that speaks its API, as a source.

    Args:
        settings: Where, as whom, how many queries at once, and the user's own packs.

    Raises:
        ConfigError: The address can't be used, a file isn't there, or a pack is wrong.
    """

    name = NAME
    measures = True

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._packs = load_packs(settings.packs)
        self._client = PromClient(settings)
        self._crews: list[Crew] = []
        self._lock = threading.Lock()

    def harvest(self, request: Request) -> Iterator[Harvest]:
        """Yield a piece for every answered query; see `Source.harvest`.

        Raises:
            SourceError: The server can't be reached, refuses us, or answers nothing at all.
        """
        crew = self._crew(request)
        try:
            backend = self._client.backend()
            plan = discover(self._client, crew, self._packs, Grid.of(request))
            jobs = self._jobs(plan)
            yield Harvest(
                "what there is",
                1,
                len(jobs) + 1,
                graph=node_kinds(plan),
                gaps=plan.gaps,
                record=self._record(plan, backend),
            )
            yield from self._run(crew, jobs)
        finally:
            crew.close()

    def check(self, request: Request) -> Iterator[Check]:
        """The lines of `rca doctor`; see `Source.check`."""
        crew = self._crew(request)
        try:
            yield from checks(self._client, crew, self._packs, self._settings, Grid.of(request))
        finally:
            crew.close()

    def close(self) -> None:
        """Stop asking and free the connections."""
        with self._lock:
            crews, self._crews = self._crews, []
        for crew in crews:
            crew.close()
        self._client.close()

    def _crew(self, request: Request) -> Crew:
        self._client.until(request.deadline)
        crew = Crew(self._settings.concurrency, request.deadline)
        with self._lock:
            self._crews.append(crew)
        return crew

    def _run(self, crew: Crew, jobs: list[_Job]) -> Iterator[Harvest]:
        """Yield what comes; a query that failed is a gap, and nothing but failures the source's."""
        answered, last = 0, None
        for done, (job, piece) in enumerate(crew.each(lambda job: job.ask(), jobs), 2):
            if isinstance(piece, SourceError):
                last = piece
                yield Harvest(job.what, done, len(jobs) + 1, gaps=(Gap(NAME, job.what, str(piece)),))
                continue
            answered += 1
            yield Harvest(
                job.what, done, len(jobs) + 1, metrics=piece.metrics, graph=piece.graph, events=piece.events,
                alerts=piece.alerts, gaps=piece.gaps,
            )  # fmt: skip
        if isinstance(last, SourceAuthError | SourceUnreachableError) and not answered:
            raise last

    def _jobs(self, plan: Plan) -> list[_Job]:
        """One job for each part of a pack; for a signal, all the labels by which its series are named."""
        signals: dict[tuple[str, str], list[Ask]] = {}
        made: list[_Job] = []
        for ask in plan.asks:
            if isinstance(ask.part, EdgeRule):
                made.append(_Job(ask.name, partial(self._edges, ask, ask.part, plan)))
            elif isinstance(ask.part, EventRule):
                made.append(_Job(ask.name, partial(self._events, ask, ask.part, plan)))
            else:
                signals.setdefault((ask.pack.name, ask.name), []).append(ask)
        made += [_Job(name, partial(self._series, asks, plan)) for (_, name), asks in signals.items()]
        return [*made, _Job("alerts", partial(self._alerts, plan))]

    def _range(self, query: str, grid: Grid) -> Answer:
        return self._client.query_range(query, grid.first, grid.last, grid.step)

    def _series(self, asks: Sequence[Ask], plan: Plan) -> Harvest:
        """One signal's series: a service's come from the first of the alternatives that has it."""
        parts: dict[Signal, list[Ask]] = {}
        for ask in asks:
            assert isinstance(ask.part, Signal)  # noqa: S101 - _jobs sends only signals here
            parts.setdefault(ask.part, []).append(ask)
        made: list[Assembled] = []
        for signal, alike in parts.items():
            answers = [(ask, self._range(for_all(ask, signal.query), plan.grid)) for ask in alike]
            made.append(assemble(answers, signal, plan))
        frame = first_of([each.frame for each in made if each.frame is not None])
        return Harvest(metrics=frame, gaps=tuple(gap for each in made for gap in each.gaps))

    def _events(self, ask: Ask, rule: EventRule, plan: Plan) -> Harvest:
        query = for_all(ask, rule.query)
        answer = self._range(query, plan.grid)
        found, gaps = events(ask, rule, answer, plan, query)
        return Harvest(events=found, gaps=(*gaps, *warned(ask.name, answer)))

    def _edges(self, ask: Ask, rule: EdgeRule, plan: Plan) -> Harvest:
        window, end = plan.grid.count * plan.grid.step, plan.grid.last + plan.grid.step
        query = for_all(ask, rule.calls, window)
        calls = self._client.query(query, end)
        failures = self._client.query(for_all(ask, rule.failures, window), end) if rule.failures else None
        return Harvest(graph=edges(ask, rule, calls, failures, plan, query), gaps=warned(ask.name, calls))

    def _alerts(self, plan: Plan) -> Harvest:
        return recorded(self._client, plan.grid)

    def _record(self, plan: Plan, backend: Backend) -> SourceRecord:
        queries: dict[str, str] = {}
        for ask in plan.asks:
            name = f"{ask.name} by {ask.metric}" if ask.name in queries else ask.name
            queries.setdefault(name, for_all(ask, template_of(ask.part)))
        details: Mapping[str, object] = {
            "packs": {
                pack: {
                    "metrics": list(metrics),
                    "labels": sorted({ask.labels.service for ask in plan.asks if ask.pack.name == pack}),
                    "services": len(plan.services.get(pack, ())),
                    "scrape_interval_seconds": plan.intervals[pack],
                }
                for pack, metrics in sorted(plan.applied.items())
            },
            "exporters_and_monitors": list(plan.watchers),
            "ambiguous_names": list(plan.names.ambiguous),
            "step_seconds": plan.grid.step,
        }
        return SourceRecord(NAME, backend.name, backend.version, {**queries, "alerts": FIRING}, details)
