"""Whole traces of systems whose trace ids stand in the text of messages and in no field.

No aggregation can count such traces. So ids are read out of lines that were drawn, spread over time, and their
other lines are searched for by the words of the id: each slice of time asks for a few traces and, knowing by then
how long they are, for as many as fit. What travels is bounded however many traces there are, and a search looks up
a few hundred words.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rca.model.incident import Gap
from rca.model.trace_ids import read_ids
from rca.sources.elastic.client import NAME, Answer, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census, in_window
from rca.sources.elastic.lines import Hits, hit_key, read_time, text_of, wanted_fields
from rca.sources.elastic.sampler import sampled
from rca.sources.elastic.schema import Role
from rca.sources.elastic.traces import MAX_PAGE, WholeTraces, shuffled

_PURPOSE: Final = "log traces by the ids in messages"
_SETTING: Final = "elasticsearch.fields.trace"
_PROBED: Final = 100
_FIRST: Final = 4
_ROUNDS: Final = 3
_HEADROOM: Final = 1.25
"""Traces are taken to be this much longer than those before: an answer that overflows is of no use."""
_MAX_WORDS: Final = 900
"""In one search; servers take 1,024 at least (`indices.query.bool.max_clause_count`)."""
_MAX_FORMS: Final = 8
_MAX_STUCK: Final = 60
_STUCK = re.compile(r"[\w.:',]*(?:[_.:']|\d,)$")
"""What an analyser may leave in one word with the id behind it: `traceId:ab12` is one word, `traceId=ab12` two."""
_STICKING = re.compile(r"[_.:'][0-9A-Za-z]|,\d")
"""The same of what follows: `[shop,ab12,34cd]` has one word `ab12,34cd`, as a comma may be a number's."""
_BETWEEN_WORDS = re.compile(r"[^0-9A-Za-z]+")
_MOST_HIDDEN: Final = 0.1


def ids_in_text(client: ElasticClient, census: Census, grid: Grid, enough: float) -> tuple[bool, tuple[Gap, ...]]:
    """Look at a few random lines: whether so large a share has a trace's id in a text that can be searched.

    Returns:
        And a gap where the texts have ids but can't be searched.

    Raises:
        SourceError: The server can't be reached.
    """
    asked = []
    for cohort, documents in census.totals:
        if documents and cohort.fields[Role.MESSAGE]:
            shape = {"size": _PROBED, "_source": False, "fields": list(cohort.fields[Role.MESSAGE])}
            drawn = sampled({"lines": {"top_hits": shape}}, _PROBED / census.total)
            body = {"size": 0, "track_total_hits": False, "query": _query(cohort, grid), "aggs": drawn}
            asked.append((cohort, Search("log messages", cohort.indices, body)))
    answers = client.search([search for _, search in asked])
    searchable = [
        bool(cohort.words) if _read(hit, cohort)[0] else None
        for (cohort, _), answer in zip(asked, answers, strict=True)
        for hit in answer.aggregations.get("drawn", {}).get("lines", {}).get("hits", {}).get("hits", ())
    ]
    needed = max(1.0, enough * len(searchable))
    if searchable.count(True) >= needed:
        return True, ()
    if searchable.count(False) < needed:
        return False, ()
    why = "their ids stand in messages alone, which aren't indexed by word; map those as text, or give the ids"
    return False, (_gap(f"{why} a field ({_SETTING})"),)


def draw_text_traces(
    client: ElasticClient, census: Census, grid: Grid, slices: Grid, drawn: Hits, budget: int
) -> WholeTraces:
    """Whole traces out of those that drawn lines name.

    A trace counts as whole only when the search found those lines again that named it: an analyser may hide ids.

    Args:
        client: The connection.
        census: Where lines are.
        grid: The window.
        slices: The slices of time among which the budget is spread.
        drawn: Lines that were drawn already.
        budget: Further lines at most, beside those that were drawn.

    Raises:
        SourceError: The server can't be reached.
    """
    cohorts = [cohort for cohort, documents in census.totals if documents and cohort.words]
    named = _Named.by(drawn)
    chase = _Chase(client, cohorts, grid, named, named.by_slice(slices), budget)
    chase.run()
    hidden = {name for name in chase.complete if not named.lines[name].keys() <= chase.hits.keys()}
    gaps = chase.gaps
    if len(hidden) > _MOST_HIDDEN * len(chase.complete):
        why = (
            "their ids stand in messages alone, and a search doesn't find all of them there; give the ids a field"
        )
        return WholeTraces(gaps=(*gaps, _gap(f"{why} ({_SETTING})")))
    whole = frozenset(chase.complete - hidden)
    if chase.too_long > len(whole):
        gaps.append(_gap(f"most have more lines than fit ({budget} in all); raise elasticsearch.sample_lines"))
    hits = {key: (hit, cohort) for key, (hit, cohort) in chase.hits.items() if _read(hit, cohort)[0] in whole}
    return WholeTraces(hits, whole, tuple(dict.fromkeys(gaps)))


@dataclass(frozen=True, slots=True)
class _Named:
    """Traces that drawn lines name.

    Attributes:
        lines: By trace, the lines that name it, with their times in unix seconds.
        forms: What stands before an id so that both may be one word; the empty text first.
        goes_on: Whether the word that ends with an id may go on behind it.
    """

    lines: Mapping[str, Mapping[tuple[str, str], float]]
    forms: tuple[str, ...]
    goes_on: bool

    @classmethod
    def by(cls, hits: Hits) -> "_Named":
        lines: dict[str, dict[tuple[str, str], float]] = {}
        forms: Counter[str] = Counter()
        goes_on = False
        for key, (hit, cohort) in hits.items():
            name, text = _read(hit, cohort)
            at = read_time(text_of(hit.get("fields") or {}, (cohort.first(Role.TIMESTAMP) or "",)))
            if name is None or at is None:
                continue
            lines.setdefault(name, {})[key] = at.timestamp()
            begin = max(0, text.find(name))
            if stuck := _STUCK.search(text, max(0, begin - _MAX_STUCK), begin):
                forms[stuck.group()] += 1
            goes_on = goes_on or _STICKING.match(text, begin + len(name)) is not None
        common = sorted(forms, key=lambda form: (-forms[form], form))
        return cls(lines, ("", *common[:_MAX_FORMS]), goes_on)

    def searches(self, name: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Queries that together find the lines of a trace."""
        for form in self.forms:
            text = f"{form}{name}"
            yield {"multi_match": {"query": text, "fields": list(fields), "operator": "and"}}
            if self.goes_on:
                yield from ({"prefix": {field: {"value": text, "case_insensitive": True}}} for field in fields)

    def by_slice(self, slices: Grid) -> list[list[str]]:
        """The traces that were seen in each slice, in an order that depends on nothing but their ids."""
        found: dict[int, set[str]] = {}
        for name, lines in self.lines.items():
            for at in lines.values():
                if (position := slices.index(at)) is not None:
                    found.setdefault(position, set()).add(name)
        return [sorted(found[position], key=shuffled) for position in sorted(found)]


@dataclass(slots=True)
class _Slice:
    """What a slice of time still asks for: traces in this order, further lines that fit, traces at a time."""

    waiting: list[str]
    left: int
    take: int = _FIRST


class _Chase:
    """Traces fetched in rounds, each a single round trip."""

    def __init__(
        self,
        client: ElasticClient,
        cohorts: Sequence[Cohort],
        window: Grid,
        named: _Named,
        waiting: Sequence[list[str]],
        budget: int,
    ) -> None:
        self._client, self._cohorts, self._window, self._named = client, cohorts, window, named
        self._slices = [_Slice(names, budget // len(waiting)) for names in waiting]
        self._asked: set[str] = set()
        self._new = 0
        self._drawn = {key for lines in named.lines.values() for key in lines}
        self.complete: set[str] = set()
        self.too_long = 0
        self.hits: Hits = {}
        self.gaps: list[Gap] = []

    def run(self) -> None:
        """Ask until the budget, the traces or the rounds are used up."""
        for _ in range(_ROUNDS):
            batches = [(one, names) for one in self._slices if (names := self._next(one))]
            searches = [self._search(cohort, names, one) for one, names in batches for cohort in self._cohorts]
            answers = iter(self._client.search(searches))
            for one, names in batches:
                self._take(one, names, [next(answers) for _ in self._cohorts])
            self._share_what_is_left()

    def _next(self, one: _Slice) -> list[str]:
        """The next traces of a slice that no other slice has asked for."""
        each = (1 + self._named.goes_on) * len(self._named.forms) * max(len(c.words) for c in self._cohorts)
        names: list[str] = []
        words = 0
        while one.waiting and len(names) < one.take and words < _MAX_WORDS:
            name = one.waiting.pop(0)
            if name not in self._asked:
                self._asked.add(name)
                names.append(name)
                words += each * len(_BETWEEN_WORDS.split(name))
        return names

    def _take(self, one: _Slice, names: list[str], answers: Sequence[Answer]) -> None:
        """Keep what came whole; of more than fits, half of the traces are asked for again."""
        hits = {
            hit_key(hit): (hit, cohort)
            for cohort, answer in zip(self._cohorts, answers, strict=True)
            for hit in answer.hits
        }
        new = len(hits.keys() - self._drawn)
        self.gaps += [gap for answer in answers for gap in answer.gaps]
        self.gaps += [_gap(answer.error.message) for answer in answers if answer.error is not None]
        if any(answer.error is not None or answer.gaps for answer in answers):
            return
        if new > one.left or any(answer.total > len(answer.hits) for answer in answers):
            self.too_long += len(names) == 1
            one.take = len(names) // 2
            again = names if one.take else []
            one.waiting[:0] = again
            self._asked.difference_update(again)
            return
        self.hits |= hits
        self.complete.update(names)
        self._new += new
        one.left -= new
        one.take = len(one.waiting)

    def _share_what_is_left(self) -> None:
        """Lines of slices without further traces go to the others; nobody asks for more traces than should fit."""
        open_ = [one for one in self._slices if one.waiting]
        spare = sum(one.left for one in self._slices if not one.waiting) // max(1, len(open_))
        usual = _HEADROOM * max(1.0, self._new / max(1, len(self.complete)))
        for one in open_:
            one.left += spare
            one.take = min(max(1, one.take), int(one.left / usual))
        self._slices = open_

    def _search(self, cohort: Cohort, names: list[str], one: _Slice) -> Search:
        size = min(MAX_PAGE, one.left + sum(len(self._named.lines[name]) for name in names))
        words = [query for name in names for query in self._named.searches(name, cohort.words)]
        fields = [{"terms": {name: names}} for name in cohort.fields[Role.TRACE]]
        query = _query(cohort, self._window, {"bool": {"should": words + fields, "minimum_should_match": 1}})
        body = {"size": size, "track_total_hits": size + 1, "query": query, "_source": False}
        return Search(_PURPOSE, cohort.indices, body | {"fields": wanted_fields(cohort)})


def _query(cohort: Cohort, window: Grid, *filters: Mapping[str, Any]) -> dict[str, Any]:
    return {"bool": {"filter": [in_window(cohort.first(Role.TIMESTAMP) or "", window.span), *filters]}}


def _read(hit: Mapping[str, Any], cohort: Cohort) -> tuple[str | None, str]:
    """The trace that a document belongs to, as the analysis reads it, and its message."""
    values: Mapping[str, Any] = hit.get("fields") or {}
    text = text_of(values, cohort.fields[Role.MESSAGE]) or ""
    return read_ids(text_of(values, cohort.fields[Role.TRACE]), None, text).trace, text


def _gap(why: str) -> Gap:
    return Gap(NAME, f"whole traces ({_PURPOSE})", why)
