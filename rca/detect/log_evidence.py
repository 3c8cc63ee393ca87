"""The log evidence at one split, put together from its kinds."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from rca.detect.log_failing import EventCounts, Failing, Split, count_events, failing
from rca.detect.log_flow import (
    Follows,
    Hops,
    PairStrength,
    SlowHops,
    diverged,
    slow,
    vanished,
    vanished_by_service,
)
from rca.detect.log_table import IntArray, LogTable
from rca.detect.log_volume import Volume, volume_evidence
from rca.model.signals import FloatArray

_ACCUSED: Final = 0.8
_SILENT: Final = 0.5
_DIVERGED: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class LogEvidence:
    """What the logs say at one split; every array has the shape `(s,)`, by `LogIndex.services`.

    All scores are z-like: 0 for nothing, above 3 hardly chance, not bounded. Squash them before adding them to
    others (`ln(1 + min(z, 100))`).

    Attributes:
        errors: New or bursting errors of the service, its own or inherited.
        own: The part of `errors` that no deeper service explains (by the order within traces, by the graph, by
            what the errors themselves name).
        accused: Errors in other services that name this one as their counterpart, less where it works as before.
        fresh: Calm templates that the baseline never saw, where it knew what would come; untraced, beyond the
            usual rate of novelty.
        vanished: Lines that followed another in most traces of the baseline and no longer do.
        burst: Error-level lines by the source's exact counts, beyond rate and traffic; 0 without such counts.
        silent: The service all but stopped logging while the system went on.
        slow: Hops within traces that take longer than they did and touch this service.
        comparable: False when the baseline or the incident has no lines: the scores are then 0 for want of data.
        seconds_before: Seconds of the baseline in which lines were seen at all.
        seconds_after: The same of the incident.
    """

    errors: FloatArray
    own: FloatArray
    accused: FloatArray
    fresh: FloatArray
    vanished: FloatArray
    burst: FloatArray
    silent: FloatArray
    slow: FloatArray
    comparable: bool
    seconds_before: float
    seconds_after: float

    @property
    def failing(self) -> FloatArray:
        """The service's strongest sign of failing by itself: what to rank by, for symptoms of class failing."""
        explained = np.divide(self.own, self.errors, out=np.ones_like(self.own), where=self.errors > 0)
        signs = (
            self.own,
            _ACCUSED * self.accused,
            self.fresh,
            self.vanished,
            self.burst * explained,
            _SILENT * self.silent,
        )
        return np.asarray(np.max(signs, axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What an evaluation reads, built once for a bundle.

    Attributes:
        calls: Shape `(m, 2)`, caller and callee.
    """

    table: LogTable
    counts: Volume
    calls: IntArray
    hops: Hops
    follows: Follows


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything computed at one split, for the scores and for the findings alike."""

    before: tuple[float, float]
    after: tuple[float, float]
    split: Split
    counts: EventCounts
    gone: PairStrength
    slower: SlowHops
    evidence: LogEvidence


def evaluate(parts: Parts, before: tuple[float, float], after: tuple[float, float]) -> Evaluation:
    """Compare two stretches of time, each half open, in unix seconds."""
    table, nothing = parts.table, np.zeros(len(parts.table.services))
    split = Split(table.rows(*before), table.rows(*after), table.exposure(*before), table.exposure(*after))
    by_count = volume_evidence(table, parts.counts, before, after)
    counts = count_events(table, split)
    comparable = _some(split.before) and _some(split.after)
    fresh = nothing
    gone, slower, fails = (
        _no_pairs(parts.follows),
        SlowHops(nothing, _no_pairs(parts.hops)),
        Failing(*[nothing] * 4),
    )
    if comparable:
        fails = failing(table, split, counts, parts.calls)
        gone = vanished(table, parts.follows, before, after)
        rows = [slice(*np.searchsorted(parts.hops.times, ends)) for ends in (before, after)]
        slower = slow(table, parts.hops, rows[0], rows[1])
        unseen = (counts.before == 0) & ~table.is_error
        fresh = np.maximum(fails.fresh, _DIVERGED * diverged(table, parts.hops, rows[0], rows[1], unseen))
    evidence = LogEvidence(
        errors=fails.errors,
        own=fails.own,
        accused=fails.accused,
        fresh=fresh,
        vanished=vanished_by_service(table, parts.follows, gone, parts.calls),
        burst=by_count.burst if parts.counts.exact else nothing,
        silent=by_count.silent if comparable or parts.counts.exact else nothing,
        slow=slower.by_service,
        comparable=comparable,
        seconds_before=split.seconds_before,
        seconds_after=split.seconds_after,
    )
    return Evaluation(before, after, split, counts, gone, slower, evidence)


def _no_pairs(pairs: Follows | Hops) -> PairStrength:
    none = np.zeros(len(pairs.first))
    return PairStrength(none, none, none)


def _some(rows: slice) -> bool:
    return bool(rows.stop > rows.start)
