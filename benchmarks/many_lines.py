"""Many log lines out of few: the shop's own requests and background lines, again and again at other times.

A request's lines keep their distances and move together, to any time on the same side of the onset, and each copy
is a trace of its own. So every kind of line comes at the rate the shop has it, a rare one too, however many lines
there are; repeating each line near its own time instead would turn a stray error into a burst.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from tests.servers.shop import SHAPES, LogRecord, Shop, log_records

BATCH_LINES = 10_000
Integers = NDArray[np.int64]
_TRACE_MARK = "0" * 32
_SCATTER, _IDS = 0x9E3779B97F4A7C15F39CC0605CEDC835, 1 << 128
"""An odd factor makes of numbers in a row ids that look drawn, each another one."""
_MILLISECONDS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Which lines move together.

    Attributes:
        of_line: Shape `(lines,)`, each line's group.
        distance: Shape `(lines,)`, milliseconds after the group's first line.
        failing: Shape `(groups,)`, whether it begins at the onset or later.
    """

    of_line: Integers
    distance: Integers
    failing: NDArray[np.bool_]

    @classmethod
    def of(cls, shop: Shop, records: Sequence[LogRecord]) -> "_Groups":
        """A request's lines are a group; a background line is one by itself. The records are in order of time."""
        numbers: dict[str, int] = {}
        begins: list[int] = []
        of_line: list[int] = []
        times = [(record.at - shop.start) // _MILLISECONDS for record in records]
        for position, (record, time) in enumerate(zip(records, times, strict=True)):
            number = numbers.setdefault(record.trace_id or f"line {position}", len(begins))
            if number == len(begins):
                begins.append(time)
            of_line.append(number)
        first = np.array(begins)
        onset = (shop.onset - shop.start) // _MILLISECONDS
        return cls(np.array(of_line), np.array(times) - first[of_line], first >= onset)


def bulk_bodies(shop: Shop, lines: int) -> Iterator[bytes]:
    """So many lines in ECS as bodies for `_bulk`, in order of time as logs arrive."""
    records = list(log_records(shop))
    times, copied, traces = _spread(shop, _Groups.of(shop, records), lines)
    stamps = [
        f"{shop.start + timedelta(seconds=s):%Y-%m-%dT%H:%M:%S}".encode() for s in range(times[-1] // 1000 + 1)
    ]
    rests = [_rest(record) for record in records]
    for start in range(0, lines, BATCH_LINES):
        part = slice(start, start + BATCH_LINES)
        yield b"".join(
            b'{"index":{}}\n{"@timestamp":"%b.%03dZ",%b\n'
            % (
                stamps[time // 1000],
                time % 1000,
                rests[line].replace(_TRACE_MARK.encode(), b"%032x" % (trace * _SCATTER % _IDS)),
            )
            for time, line, trace in zip(
                times[part].tolist(), copied[part].tolist(), traces[part].tolist(), strict=True
            )
        )


def _spread(shop: Shop, groups: _Groups, lines: int) -> tuple[Integers, Integers, Integers]:
    """For each line to write, by time: milliseconds since the start, the line it copies, its trace's number."""
    rng = np.random.default_rng(shop.seed)
    onset, end = ((at - shop.start) // _MILLISECONDS for at in (shop.onset, shop.end))
    count = len(groups.failing)
    times: list[Integers] = []
    copied: list[Integers] = []
    traces: list[Integers] = []
    left = lines
    while left > 0:
        begins = np.where(groups.failing, rng.integers(onset, end, count), rng.integers(0, onset, count))
        chosen = np.argsort(rng.permutation(count)[groups.of_line], kind="stable")[:left]  # any groups, whole
        group = groups.of_line[chosen]
        times.append(begins[group] + groups.distance[chosen])
        traces.append(group + len(copied) * count)
        copied.append(chosen)
        left -= len(chosen)
    order = np.argsort(np.concatenate(times), kind="stable")
    return np.concatenate(times)[order], np.concatenate(copied)[order], np.concatenate(traces)[order]


def _rest(record: LogRecord) -> bytes:
    """A line as JSON less its time and its first brace, with a mark where its trace's id goes."""
    document = SHAPES["ecs"].document(replace(record, trace_id=_TRACE_MARK if record.trace_id else None))
    del document["@timestamp"]
    return json.dumps(document)[1:].encode()
