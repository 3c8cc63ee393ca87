"""Log lines (a weighted sample) and log counts (exact)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rca.model.signals import FloatArray

TRACE_COMPLETE: Final = "trace.complete"
"""Set in a line's `fields` when every line of its trace is there, although others stand for many."""
STORED_AS: Final = "stored.as"
"""In a line's `fields`, the name that it stands under in its source, where that isn't its service's."""
SAMPLED_WEIGHT: Final = 1.01
"""A line of a greater weight stands for others, which are missing from the sequence of its trace."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a service's log.

    Attributes:
        at: When it was written (aware).
        service: Who wrote it.
        level: As the source said it, upper case (`ERROR`, `WARN`, `INFO`, …); empty when unknown.
        message: The text, as it came; control characters and markup are the report's to defuse.
        weight: How many real lines this one stands for.
    """

    at: datetime
    service: str
    level: str
    message: str
    trace_id: str | None = None
    span_id: str | None = None
    instance: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)
    weight: float = 1.0


def in_whole_traces(lines: Sequence[LogLine]) -> list[bool]:
    """Which lines have all others of their trace beside them: in a sample only those that are marked so."""
    if all(line.weight <= SAMPLED_WEIGHT for line in lines):
        return [True] * len(lines)
    return [line.fields.get(TRACE_COMPLETE) is True for line in lines]


@dataclass(frozen=True, slots=True, eq=False)
class LogCounts:
    """Exact counts of lines by bucket, service and level.

    Attributes:
        times: Shape `(n,)`, each bucket's start in unix seconds, strictly increasing.
        services: `s` names, sorted.
        levels: `l` names, upper case, sorted.
        counts: Shape `(n, s, l)`.

    Raises:
        ValueError: The shapes don't agree.
    """

    times: FloatArray
    services: tuple[str, ...]
    levels: tuple[str, ...]
    counts: FloatArray

    def __post_init__(self) -> None:
        expected = (len(self.times), len(self.services), len(self.levels))
        if self.counts.shape != expected:
            raise ValueError(f"counts are {self.counts.shape}, not {expected}")
