"""Strata: how a part of the sample is spread over services, levels and time, and how lines get their weights.

Lines are drawn by (service, how bad, slice of time): errors and warnings are found through the index; the rest, by
what those leave of the budget, through a random sampler, and directly for services too quiet for that.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from rca.model.logs import LogCounts, LogLine
from rca.sources.elastic.client import Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.layers import Layer, in_window
from rca.sources.elastic.lines import wanted_fields
from rca.sources.elastic.sampler import SEED, sampled
from rca.sources.elastic.schema import Role, Schema

ERRORS, WARNINGS = frozenset({"ERROR", "FATAL"}), frozenset({"WARN"})
FAILING = "~failing"
"""The stratum of lines without a level whose text has a word of failure; told apart from `""`, the others."""
_ERROR_SHARE, _WARNING_SHARE = 0.5, 0.2
_PER_STRATUM = 16
_MAX_SLICES = 24
_MAX_TOP_HITS = 100
"""The server's `max_inner_result_window`."""
_DRAWN_PER_LINE = 4
_WORDS = ("error", "exception", "failed", "failure", "fatal", "panic", "critical", "traceback")
_FAILING = re.compile(
    rf"(?<![\w.'])(?:{'|'.join(_WORDS)})(?!\w|['.]\w)", re.IGNORECASE
)  # as the server's words end

Stratum = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """How many lines each stratum gets at most.

    Attributes:
        services: The services that take part, those with most lines first.
    """

    services: tuple[str, ...]
    slices: Grid
    errors: int
    warnings: int
    rest: int

    @classmethod
    def of(cls, budget: int, services: Sequence[str], grid: Grid) -> "Spread":
        """Slices of time so that a service gets about sixteen lines in each, and the lines by how bad they are.

        Args:
            budget: Lines in all.
            services: Those with most lines first; of more services than lines only the first take part.
            grid: The window's buckets.
        """
        taking = tuple(services[: max(1, budget // 3)])
        slices = grid.coarse(min(_MAX_SLICES, max(1, budget // (len(taking) * _PER_STRATUM))))
        each = budget / (len(taking) * slices.buckets)
        warnings = min(_MAX_TOP_HITS, max(1, int(each * _WARNING_SHARE)))
        rest = min(_MAX_TOP_HITS, max(1, int(each * (1 - _ERROR_SHARE - _WARNING_SHARE))))
        errors = min(_MAX_TOP_HITS, max(1, int(each) - warnings - rest))
        return cls(taking, slices, errors, warnings, rest)

    def leaving(self, left: int, layers: Sequence[Layer]) -> "Spread":
        """The same with what errors and warnings left for the rest, which never gets less than its own share.

        Few strata have errors, and which have isn't known before they were asked for; nor do quiet services use up
        what they may have. So of few lines and of many about as many travel. In which slices a service is silent
        isn't known either: all count as filled, so that fewer travel where some aren't, and never too many.

        Args:
            left: Lines of the budget that weren't drawn.
            layers: Where the rest will be drawn.
        """
        there = [layer.services[name] for layer in layers for name in self.services if name in layer.services]
        fitting = takewhile(
            lambda rest: sum(min(rest * self.slices.buckets, lines) for lines in there) <= left,
            range(self.rest, _MAX_TOP_HITS + 1),
        )
        return replace(self, rest=max(fitting, default=self.rest))


def searches_for_bad(layer: Layer, schema: Schema, grid: Grid, spread: Spread) -> Iterator[Search]:
    """The searches for errors and warnings of one layer."""
    base, names = _lines_of(layer, grid, spread)
    if not names:
        return
    if layer.level is None:
        words = [{"match": {name: {"query": " ".join(_WORDS)}}} for name in layer.cohort.fields[Role.MESSAGE]]
        text = {"bool": {"should": words, "minimum_should_match": 1}}
        if words:
            yield _top(layer, "error messages", {"filter": [*base, text]}, spread.slices, spread.errors, names)
        return
    for purpose, levels, lines in (
        ("error messages", ERRORS, spread.errors),
        ("warnings", WARNINGS, spread.warnings),
    ):
        raw = layer.raw_levels(schema, levels)
        if raw:
            query = {"filter": [*base, _is(layer.level, raw)]}
            yield _top(layer, purpose, query, spread.slices, lines, names)


def searches_for_rest(layer: Layer, schema: Schema, grid: Grid, spread: Spread) -> Iterator[Search]:
    """The searches for all other lines of one layer; where no level is stated, for any lines."""
    base, names = _lines_of(layer, grid, spread)
    if names:
        bad = layer.raw_levels(schema, ERRORS | WARNINGS)
        unwanted = {"must_not": [_is(layer.level, bad)]} if layer.level is not None and bad else {}
        yield from _rest(layer, {"filter": base, **unwanted}, spread, names)


def _lines_of(layer: Layer, grid: Grid, spread: Spread) -> tuple[list[Mapping[str, Any]], list[str]]:
    """What selects the layer's lines of the services that take part, and those services."""
    names = [name for name in spread.services if name in layer.services]
    base: list[Mapping[str, Any]] = [in_window(layer.timestamp, grid.span), *layer.filters]
    if len(names) < len(layer.services):
        base.append(_is(layer.service, names))
    return base, names


def hits_of(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The documents in an answer to one of `searches`."""
    for service in _services(found):
        for slot in service["times"]["buckets"]:
            yield from slot["lines"]["hits"]["hits"]


def failing_counts(found: Mapping[str, Any], slices: Grid) -> dict[Stratum, float]:
    """How many lines with words of failure there are, from the answer to the search for them."""
    counts: dict[Stratum, float] = {}
    for service in _services(found):
        for slot in service["times"]["buckets"]:
            stratum = (str(service["key"]), FAILING, slices.index(slot["key"] / 1000))
            counts[stratum] = counts.get(stratum, 0.0) + float(slot["doc_count"])
    return counts


def level_stratum(level: str | None, message: str) -> str:
    """The stratum of a line by its document's own level, or by its text where it has none."""
    if level is not None:
        return level
    return FAILING if _FAILING.search(message) else ""


def real_counts(counts: LogCounts, slices: Grid, failing: Mapping[Stratum, float]) -> dict[Stratum, float]:
    """How many real lines each stratum has."""
    real: dict[Stratum, float] = {}
    slots = [slices.index(float(seconds)) for seconds in counts.times]
    for j, service in enumerate(counts.services):
        for k, level in enumerate(counts.levels):
            for slot, value in zip(slots, counts.counts[:, j, k], strict=True):
                if value:
                    real[service, level, slot] = real.get((service, level, slot), 0.0) + float(value)
    for (service, level, slot), value in failing.items():
        others = (service, "", slot)
        if others in real:
            real[others] = max(0.0, real[others] - value)
            real[service, level, slot] = value
    return real


def weigh(
    lines: Sequence[LogLine], strata: Sequence[Stratum], real: Mapping[Stratum, float], totals: Mapping[str, int]
) -> list[LogLine]:
    """Share each stratum's real lines evenly among those drawn from it.

    Args:
        lines: As they were drawn.
        strata: Of each line.
        real: How many real lines a stratum has; empty when they couldn't be counted.
        totals: How many a service has, used where nothing better is known.

    Returns:
        The lines, none with a weight under 1.
    """
    drawn = Counter(strata)
    drawn_of_service = Counter(line.service for line in lines)
    weighed = []
    for line, stratum in zip(lines, strata, strict=True):
        if real:
            weight = real.get(stratum, 0.0) / drawn[stratum]
        else:
            weight = totals.get(line.service, 0) / drawn_of_service[line.service]
        weighed.append(_weighing(line, max(1.0, weight)))
    return weighed


def _weighing(line: LogLine, weight: float) -> LogLine:
    """The line with its weight; `dataclasses.replace` takes several times as long, and lines are many."""
    return LogLine(
        line.at,
        line.service,
        line.level,
        line.message,
        line.trace_id,
        line.span_id,
        line.instance,
        line.fields,
        weight,
    )


def _rest(layer: Layer, query: Mapping[str, Any], spread: Spread, names: Sequence[str]) -> Iterator[Search]:
    per_service = spread.slices.buckets * spread.rest
    total = sum(layer.services[name] for name in names)
    drawn = min(1.0, len(names) * per_service * _DRAWN_PER_LINE / max(1, total))
    quiet = [name for name in names if layer.services[name] * drawn < per_service]
    loud = [name for name in names if layer.services[name] * drawn >= per_service]
    if loud:
        yield _top(layer, "log messages", query, spread.slices, spread.rest, loud, drawn)
    if quiet:
        own = {**query, "filter": [*query["filter"], _is(layer.service, quiet)]} if loud else query
        yield _top(layer, "log messages", own, spread.slices, spread.rest, quiet)


def _top(
    layer: Layer,
    purpose: str,
    query: Mapping[str, Any],
    slices: Grid,
    lines: int,
    names: Sequence[str],
    share: float = 1.0,
) -> Search:
    """A few random lines of each service and slice; the randomness is a hash of `_seq_no`, the same each time.

    Other services' lines are left out among those that were sampled: to look a service up in the index for each
    of millions of lines takes the server longer than all else.
    """
    asked = {
        "size": lines,
        "_source": False,
        "fields": wanted_fields(layer.cohort, stack=purpose == "error messages"),
    }
    by_time = {**slices.histogram(layer.timestamp), "aggs": {"lines": {"top_hits": asked}}}
    chosen = {"field": layer.service, "size": len(names), "include": list(names)}
    by_service = {"services": {"terms": chosen, "aggs": {"times": by_time}}}
    scored = {"random_score": {"seed": SEED, "field": "_seq_no"}}
    body = {
        "size": 0,
        "track_total_hits": False,
        "query": {
            "function_score": {"query": {"bool": dict(query)}, "functions": [scored], "boost_mode": "replace"}
        },
        "aggs": sampled(by_service, share),
    }
    return Search(purpose, layer.cohort.indices, body)


def _services(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    buckets: Sequence[Mapping[str, Any]] = found.get("drawn", {}).get("services", {}).get("buckets", ())
    return buckets


def _is(field: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"terms": {field: list(values)}}
