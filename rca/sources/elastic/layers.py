"""Which field names a line's service, and which its level, is decided document by document.

A mapping says that a field may exist; Filebeat's, for one, maps thousands that stay empty. So one cheap round of
counts asks which candidates hold values in the window. Documents whose service and level are in the same two
fields form a `Layer`: layers don't overlap, and each is counted and sampled with plain terms aggregations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rca.model.incident import Gap, Interval
from rca.sources.elastic.client import NAME, Answer, ElasticClient, Search
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.sampler import sampled
from rca.sources.elastic.schema import Role, Schema

MAX_SERVICES = 5_000
_MAX_LEVELS = 200
_LOOKED_AT = 0.02
"""Share of the documents by which it is judged how many have a trace's id: to look at all takes the server as long
as all else that is asked at first."""
Filter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """Documents whose service and level are held by the same two fields.

    Attributes:
        service: The field with the service's name.
        level: The field with the level, or None where the documents have none.
        filters: What selects these documents, the window left out.
        services: Lines by service's name.
        levels: Lines by raw value of the level field.
    """

    cohort: Cohort
    timestamp: str
    service: str
    level: str | None
    filters: tuple[Filter, ...] = ()
    services: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[Any, int] = field(default_factory=dict)

    def raw_levels(self, schema: Schema, names: frozenset[str]) -> tuple[Any, ...]:
        """The raw values that mean one of these levels."""
        if self.level is None:
            return ()
        return tuple(raw for raw in self.levels if schema.level(self.level, raw) in names)


@dataclass(frozen=True, slots=True)
class Census:
    """What the window holds.

    Attributes:
        totals: Documents in the window, by cohort.
        traced: About how many documents have a trace id, for each cohort and field of which a sample has any.
    """

    layers: tuple[Layer, ...]
    totals: tuple[tuple[Cohort, int], ...]
    traced: tuple[tuple[tuple[Cohort, str], int], ...]
    gaps: tuple[Gap, ...]

    @property
    def total(self) -> int:
        """Documents in the window, over all indices."""
        return sum(documents for _, documents in self.totals)

    @property
    def services(self) -> dict[str, int]:
        """Lines by service, most first, then by name."""
        counts: dict[str, int] = {}
        for layer in self.layers:
            for name, count in layer.services.items():
                counts[name] = counts.get(name, 0) + count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def in_window(timestamp: str, span: Interval) -> Filter:
    """The window as a filter: half open, in a format that doesn't depend on the mapping's own."""
    limits = {"gte": span.start.isoformat(), "lt": span.end.isoformat(), "format": "strict_date_optional_time"}
    return {"range": {timestamp: limits}}


def exists(name: str) -> Filter:
    """Documents with a value in this field."""
    return {"exists": {"field": name}}


def first_of(candidates: Sequence[str], position: int) -> dict[str, Any]:
    """Documents for which this candidate is the first one with a value."""
    query: dict[str, Any] = {"filter": [exists(candidates[position])]}
    if position:
        query["must_not"] = [exists(name) for name in candidates[:position]]
    return {"bool": query}


def none_of(candidates: Sequence[str]) -> dict[str, Any]:
    """Documents without a value in any of the candidates."""
    return {"bool": {"must_not": [exists(name) for name in candidates]}} if candidates else {"match_all": {}}


def take_census(client: ElasticClient, cohorts: Sequence[Cohort], span: Interval) -> Census:
    """Ask which candidates hold values, for which services and levels.

    Raises:
        SourceError: The server can't be reached, or refused every question.
    """
    usable = [cohort for cohort in cohorts if cohort.first(Role.TIMESTAMP)]
    searches: list[Search] = []
    for cohort in usable:
        searches += list(_questions(cohort, span))
    answers = client.search(searches)
    gaps = [gap for answer in answers for gap in answer.gaps]
    failed = [answer.error for answer in answers if answer.error is not None]
    if failed and len(failed) == len(answers):
        raise failed[0]
    gaps += [Gap(NAME, "log census", error.message) for error in failed]
    layers: list[Layer] = []
    traced: list[tuple[tuple[Cohort, str], int]] = []
    totals: list[tuple[Cohort, int]] = []
    left = iter(answers)
    for cohort in usable:
        overview = next(left)
        totals.append((cohort, overview.total))
        traced += [((cohort, name), count) for name, count in _traced(cohort, overview).items() if count]
        for service in cohort.fields[Role.SERVICE]:
            answer = next(left)
            layers += _layers(cohort, service, answer)
            gaps += _cut_off(answer)
    return Census(tuple(layers), tuple(totals), tuple(traced), tuple(dict.fromkeys(gaps)))


def _questions(cohort: Cohort, span: Interval) -> Iterator[Search]:
    """One overview of a cohort, then one search for each candidate of the service."""
    timestamp = cohort.first(Role.TIMESTAMP) or ""
    window = in_window(timestamp, span)
    traces = cohort.fields[Role.TRACE]
    overview = {f"trace_{i}": {"filter": first_of(traces, i)} for i in range(len(traces))}
    body: dict[str, Any] = {"size": 0, "track_total_hits": True, "query": {"bool": {"filter": [window]}}}
    if overview:
        body["aggs"] = sampled(overview, _LOOKED_AT)
    yield Search("log census", cohort.indices, body)
    services, levels = cohort.fields[Role.SERVICE], cohort.fields[Role.LEVEL]
    for i, service in enumerate(services):
        aggregations: dict[str, Any] = {"services": _terms(service, MAX_SERVICES)}
        for j, level in enumerate(levels):
            values = {"values": _terms(level, _MAX_LEVELS)}
            if j == 0:  # without a filter around it the server answers from its index alone, which is far cheaper
                aggregations["level_0"] = values["values"]
            else:
                split = {"services": _terms(service, MAX_SERVICES)}
                aggregations[f"level_{j}"] = {"filter": first_of(levels, j), "aggs": values | split}
        if levels:
            rest = {"services": _terms(service, MAX_SERVICES)}
            aggregations["no_level"] = {"filter": none_of(levels), "aggs": rest}
        query = {"bool": {"filter": [window, first_of(services, i)]}}
        yield Search(
            "log census",
            cohort.indices,
            {"size": 0, "track_total_hits": True, "query": query, "aggs": aggregations},
        )


def _terms(name: str, size: int) -> dict[str, Any]:
    return {"terms": {"field": name, "size": size, "order": [{"_count": "desc"}, {"_key": "asc"}]}}


def _values(aggregation: Mapping[str, Any]) -> dict[Any, int]:
    return {bucket["key"]: int(bucket["doc_count"]) for bucket in aggregation.get("buckets", ())}


def _layers(cohort: Cohort, service: str, answer: Answer) -> Iterator[Layer]:
    """The non-empty combinations of this service field with each level field, and with none."""
    if not answer.total:
        return
    services = cohort.fields[Role.SERVICE]
    levels = cohort.fields[Role.LEVEL]
    position = services.index(service)
    base = Layer(cohort, cohort.first(Role.TIMESTAMP) or "", service, None)
    found = answer.aggregations
    own = first_of(services, position)
    names = _values(found.get("services", {}))
    if not levels:
        yield replace(base, filters=(own,), services=names)
        return
    parts: list[tuple[str | None, Mapping[str, Any], dict[str, Any], int]] = []
    for j, level in enumerate(levels[1:], start=1):
        part = found.get(f"level_{j}", {})
        parts.append((level, part, first_of(levels, j), int(part.get("doc_count", 0))))
    rest = found.get("no_level", {})
    parts.append((None, rest, none_of(levels), int(rest.get("doc_count", 0))))
    others = [part for part in parts if part[3]]
    known = sum(count for *_, count in others)
    if known < answer.total:
        for _, part, _, _ in others:
            for name, lines in _values(part.get("services", {})).items():
                names[name] = names.get(name, 0) - lines
        names = {name: lines for name, lines in names.items() if lines > 0}
        filters = (own, first_of(levels, 0)) if others else (own,)
        yield replace(
            base, level=levels[0], filters=filters, services=names, levels=_values(found.get("level_0", {}))
        )
    for name, part, query, _ in others:
        yield replace(
            base,
            level=name,
            filters=(own, query),
            services=_values(part.get("services", {})),
            levels=_values(part.get("values", {})),
        )


def _traced(cohort: Cohort, overview: Answer) -> dict[str, int]:
    names = cohort.fields[Role.TRACE]
    found = overview.aggregations.get("drawn", {})
    return {name: int(found.get(f"trace_{i}", {}).get("doc_count", 0)) for i, name in enumerate(names)}


def _cut_off(answer: Answer) -> Iterator[Gap]:
    """Terms that didn't fit."""
    services = answer.aggregations.get("services", {})
    other = int(services.get("sum_other_doc_count", 0))
    if other:
        yield Gap(
            NAME,
            f"services beyond the {MAX_SERVICES} with most lines",
            f"{other} lines are theirs; narrow elasticsearch.indices",
        )
