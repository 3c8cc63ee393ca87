"""Log evidence in words: what a person is told about a service at a split."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from rca.detect.bursts import began
from rca.detect.log_evidence import Evaluation, Parts
from rca.detect.log_table import LogTable
from rca.model.logs import STORED_AS, LogLine
from rca.model.signals import FloatArray
from rca.model.tuning.lines import BurstTuning
from rca.model.words import percent
from topology.names import is_unknown

_PER_KIND: Final = 3
_MAX_TEMPLATE: Final = 160
_PLACEHOLDER = re.compile(r"\S*<[a-z*]+>\S*|\S*[\"\\]\S*")
_MINUTE: Final = 60.0
_TWO_DIGITS: Final = 10
_MILLISECOND: Final = 1e-3
_INSTANT: Final = 1e-3  # seconds


class FindingKind(StrEnum):
    """What happened to a template, or to a service's log as a whole."""

    NEW = "new"
    BURSTING = "bursting"
    VANISHED = "vanished"
    SLOW = "slow"
    SILENT = "silent"
    ACCUSED = "accused"


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One thing to tell about a service's log.

    Attributes:
        service: The service it is evidence about.
        template: The template's text; empty for a silence.
        text: The change in plain words, the template quoted in them.
        before: Lines a minute in the baseline, as they were seen; for vanished the share (0 to 1) of traces, for
            slow the usual seconds.
        after: The same in the incident.
        unit: `lines/min`, `ratio` or `s`.
        onset: When the burst began (for a silence: last heard); None when it can't be said, as of lines that the
            baseline has nearly as often.
        strength: z-like, comparable within a split.
        example: A line that shows it, from the incident where there is one.
        phrase: The longest run of constant words of the template, to search for; empty when there is none.
        speaker: Who wrote the lines: another service when this one is accused.
    """

    kind: FindingKind
    service: str
    template: str
    text: str
    before: float
    after: float
    unit: str
    onset: datetime | None
    strength: float
    example: LogLine | None
    phrase: str
    speaker: str

    def query(self) -> str:
        """A KQL query that shows the lines; names of services and phrases are quoted."""
        stored = self.example.fields.get(STORED_AS, self.speaker) if self.example else self.speaker
        parts = [f'service.name : "{_quoted(stored)}"']
        if self.phrase:
            parts.append(f'message : "{_quoted(self.phrase)}"')
        return " and ".join(parts)


def describe(parts: Parts, at: Evaluation, service: int) -> tuple[LogFinding, ...]:
    """Findings about one service (its position), strongest first."""
    found = [
        *_errors(parts, at, service),
        *_vanished(parts, at, service),
        *_slow(parts, at, service),
        *_silent(parts, at, service),
    ]
    return tuple(sorted(found, key=lambda finding: (-finding.strength, finding.kind, finding.template)))


def _errors(parts: Parts, at: Evaluation, service: int) -> Iterator[LogFinding]:
    """New and bursting lines that it wrote, and errors of others that name it."""
    if not at.evidence.comparable:
        return
    table, counts, tuning = parts.table, at.counts, parts.tuning
    novel = (counts.before == 0) & bool(at.evidence.fresh[service] > tuning.told)
    bad = table.is_error | novel
    wrote = (table.event_service == service) & bad
    named = (table.event_target == service) & table.is_error
    strength = counts.z * np.where(table.is_error, table.event_severity, tuning.told_calm)
    for event in _top(np.where(wrote | named, strength, 0.0), tuning.told):
        rates, since = _rates(table, at, event, tuning.bursts)
        new = rates[0] == 0
        accused = bool(named[event])
        kind = FindingKind.ACCUSED if accused else FindingKind.NEW if new else FindingKind.BURSTING
        speaker = table.services[table.event_service[event]]
        named_by = "named in a " if is_unknown(speaker) else f"{speaker} names it in a "
        said = named_by if accused else ""
        said += f"new log line, {_often(rates[1])}" if new else f"log line x{_ratio(*rates)}, {_often(*rates)}"
        text = f"{said}: {_quote(table, event)}"
        example = table.example(event, at.after[0] if since is None else since, at.after[1])
        yield _finding(
            parts, kind, service, event, text, (*rates, "lines/min"), strength[event], example, onset=since
        )


def _rates(
    table: LogTable, at: Evaluation, event: int, tuning: BurstTuning
) -> tuple[tuple[float, float], float | None]:
    """Lines a minute before and after, as they were seen, and when the burst began, if it is one.

    What came before the split but belongs to the burst isn't the baseline's.
    """
    times, weights = table.times[table.event == event], table.weight[table.event == event]
    start, stop = max(at.before[0], float(table.times[0])), min(at.after[1], float(table.times[-1]) + _INSTANT)
    since = began(times, start, at.after[0], stop, tuning) if start < at.after[0] else None
    calm = (at.before[0], at.before[1] if since is None else min(at.before[1], since))
    rates = []
    for low, high in (calm, at.after):
        seen = weights[(times >= low) & (times < high)].sum()
        rates.append(float(seen) / max(table.exposure(low, high), _INSTANT) * _MINUTE)
    if since is None and rates[0] == 0:
        since = float(times[np.searchsorted(times, min(calm[1], at.after[0]))])
    return (rates[0], rates[1]), since


def _vanished(parts: Parts, at: Evaluation, service: int) -> Iterator[LogFinding]:
    table, follows, gone = parts.table, parts.follows, at.gone
    its_own = table.event_service[follows.second] == service
    for pair in _top(np.where(its_own, gone.z, 0.0), parts.tuning.told):
        first, second = int(follows.first[pair]), int(follows.second[pair])
        p, q = float(gone.before[pair]), float(gone.after[pair])
        text = (
            f"log line missing, {percent(p)} to {percent(q)} of traces: {_quote(table, second)}"
            f" after {_quote(table, first)}"
        )
        missing = (follows.pair == pair) & (follows.times >= at.after[0]) & (follows.followed == 0)
        onset = follows.times[missing][:1]
        example = table.example(second, *at.before)
        yield _finding(
            parts, FindingKind.VANISHED, service, second, text, (p, q, "ratio"), gone.z[pair], example,
            onset=float(onset[0]) if len(onset) else None,
        )  # fmt: skip


def _slow(parts: Parts, at: Evaluation, service: int) -> Iterator[LogFinding]:
    table, hops, slower = parts.table, parts.hops, at.slower.pairs
    touches = (table.event_service[hops.first] == service) | (table.event_service[hops.second] == service)
    share = at.evidence.slow[service] / max(float(np.max(at.evidence.slow, initial=0.0)), 1e-9)
    for pair in _top(np.where(touches, slower.z * share, 0.0), parts.tuning.told):
        first, second = int(hops.first[pair]), int(hops.second[pair])
        peer = table.services[table.event_service[first]]
        usual, worst = float(slower.before[pair]), float(slower.after[pair])
        text = (
            f"log line late, usually {_seconds(usual)}, now up to {_seconds(worst)}: {_quote(table, second)}"
            f" after {_quote(table, first)} of {peer}"
        )
        late = (hops.pair == pair) & (hops.times >= at.after[0]) & (hops.times < at.after[1])
        row = np.flatnonzero(late)[np.argmax(hops.gap[late])] if bool(late.any()) else None
        example = None if row is None else table.example(second, float(hops.times[row]), at.after[1])
        yield _finding(
            parts, FindingKind.SLOW, service, second, text, (usual, worst, "s"), slower.z[pair] * share, example
        )  # fmt: skip


def _silent(parts: Parts, at: Evaluation, service: int) -> Iterator[LogFinding]:
    strength = float(at.evidence.silent[service])
    if strength <= parts.tuning.told:
        return
    seen = parts.counts
    heard = seen.total[:, service]
    rates, last = [], None
    for start, end in (at.before, at.after):
        inside = (seen.times >= start) & (seen.times < end)
        seconds = max(float(inside.sum()) * seen.width, 1e-3)
        rates.append(float(heard[inside].sum()) / seconds * _MINUTE)
    spoke = seen.times[(heard > 0) & (seen.times < at.after[1])]
    if len(spoke):
        last = datetime.fromtimestamp(float(spoke[-1]), UTC)
    name = parts.table.services[service]
    text = f"log all but stopped, {_number(rates[0])} to {_number(rates[1])} lines a minute"
    yield LogFinding(
        FindingKind.SILENT, name, "", text, rates[0], rates[1], "lines/min", last, strength, None, "", name
    )  # fmt: skip


def _finding(
    parts: Parts,
    kind: FindingKind,
    service: int,
    event: int,
    text: str,
    numbers: tuple[float, float, str],
    strength: float,
    example: LogLine | None,
    *,
    onset: float | None = None,
) -> LogFinding:
    table = parts.table
    template = table.templates[table.event_template[event]]
    seen = datetime.fromtimestamp(onset, UTC) if onset is not None else None
    if seen is None and example is not None and kind is FindingKind.SLOW:
        seen = example.at
    return LogFinding(
        kind=kind,
        service=table.services[service],
        template=template,
        text=text,
        before=numbers[0],
        after=numbers[1],
        unit=numbers[2],
        onset=seen,
        strength=float(strength),
        example=example,
        phrase=phrase(template),
        speaker=table.services[table.event_service[event]],
    )


def phrase(template: str) -> str:
    """The longest run of a template's words that hold no placeholder and no quote."""
    runs = [" ".join(run.split()) for run in _PLACEHOLDER.split(template)]
    return max(runs, key=len, default="")


def _top(strength: FloatArray, told: float) -> list[int]:
    """Positions of the strongest, at most `_PER_KIND`, that are beyond what is worth telling."""
    order = np.argsort(-strength, kind="stable")[:_PER_KIND]
    return [int(i) for i in order if strength[i] > told]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= _TWO_DIGITS else f"{value:.2g}"


def _seconds(value: float) -> str:
    if value >= 1:
        return f"{value:.2g} s"
    return f"{value * 1e3:.0f} ms" if value >= _MILLISECOND else "under 1 ms"


def _often(*per_minute: float) -> str:
    """How often, by the hour where a minute sees less than one: `45 a minute`, `4.9 to 11 an hour`."""
    each, unit = (1.0, "a minute") if max(per_minute) >= 1 else (_MINUTE, "an hour")
    return f"{' to '.join(_number(each * rate) for rate in per_minute)} {unit}"


def _ratio(before: float, after: float) -> str:
    return _number(after / before)


def _quote(table: LogTable, event: int) -> str:
    return f"“{_cut(table.templates[table.event_template[event]])}”"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEMPLATE else text[: _MAX_TEMPLATE - 1] + "…"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
