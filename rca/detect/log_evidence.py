"""The log evidence at one split, put together from its kinds."""

from dataclasses import dataclass

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
from rca.model.tuning.lines import LineTuning


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
        failing: The strongest sign of failing by itself: what to rank by, for symptoms of class failing.
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
    failing: FloatArray
    comparable: bool
    seconds_before: float
    seconds_after: float


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What an evaluation reads, built once for a bundle.

    Attributes:
        calls: Shape `(m, 2)`, caller and callee.
        tuning: The constants that it was built with.
    """

    table: LogTable
    counts: Volume
    calls: IntArray
    hops: Hops
    follows: Follows
    tuning: LineTuning


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
    table, tuning, nothing = parts.table, parts.tuning, np.zeros(len(parts.table.services))
    split = Split(table.rows(*before), table.rows(*after), table.exposure(*before), table.exposure(*after))
    by_count = volume_evidence(table, parts.counts, before, after, tuning)
    counts = count_events(table, split, tuning)
    comparable = _some(split.before) and _some(split.after)
    fresh = nothing
    gone, slower, fails = (
        _no_pairs(parts.follows),
        SlowHops(nothing, _no_pairs(parts.hops)),
        Failing(*[nothing] * 4),
    )
    if comparable:
        fails = failing(table, split, counts, parts.calls, tuning)
        gone = vanished(table, parts.follows, before, after, tuning)
        rows = [slice(*np.searchsorted(parts.hops.times, ends)) for ends in (before, after)]
        slower = slow(table, parts.hops, rows[0], rows[1], tuning)
        unseen = (counts.before == 0) & ~table.is_error
        elsewhere = diverged(table, parts.hops, rows[0], rows[1], unseen, tuning)
        fresh = np.maximum(fails.fresh, tuning.diverged * elsewhere)
    missing = vanished_by_service(table, parts.follows, gone, parts.calls, tuning)
    burst = by_count.burst if parts.counts.exact else nothing
    silent = by_count.silent if comparable or parts.counts.exact else nothing
    unexplained = np.divide(fails.own, fails.errors, out=np.ones_like(fails.own), where=fails.errors > 0)
    signs = (
        fails.own,
        tuning.accused * fails.accused,
        fresh,
        missing,
        burst * unexplained,
        tuning.silent * silent,
    )
    evidence = LogEvidence(
        errors=fails.errors,
        own=fails.own,
        accused=fails.accused,
        fresh=fresh,
        vanished=missing,
        burst=burst,
        silent=silent,
        slow=slower.by_service,
        failing=np.max(signs, axis=0),
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
