"""Errors that are new or burst, who has them of its own, and whom they name.

An event type scores the `surprise` of how often it was seen in the incident. Expected is the baseline's count
times the greatest of three ratios: of the exposed time, of all calm lines, of the service's own calm lines. A
quarter of a line is added to the baseline, so that "never seen before" means little after a short look.
"""

from dataclasses import dataclass

import numpy as np

from rca.detect.log_table import BoolArray, IntArray, LogTable, tally
from rca.detect.surprise import surprise
from rca.model.signals import FloatArray
from rca.model.tuning.lines import LineTuning


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What is compared: the baseline's rows and the incident's, and how much longer the one is.

    Attributes:
        before: Rows of the baseline.
        after: Rows of the incident.
        seconds_before: Exposed seconds of the baseline.
        seconds_after: Exposed seconds of the incident.
    """

    before: slice
    after: slice
    seconds_before: float
    seconds_after: float

    @property
    def ratio(self) -> float:
        """Exposed time of the incident over that of the baseline."""
        return self.seconds_after / max(self.seconds_before, 1e-3)


@dataclass(frozen=True, slots=True, eq=False)
class EventCounts:
    """Counts by event type, in units of its usual weight; each of shape `(e,)`.

    Attributes:
        before: In the baseline.
        after: In the incident.
        expected: In the incident, had nothing changed but time and traffic.
        z: How far `after` is above `expected`; never negative.
    """

    before: FloatArray
    after: FloatArray
    expected: FloatArray
    z: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Failing:
    """Evidence of failure, each of shape `(s,)`, z-like, 0 for none.

    Attributes:
        errors: New or bursting errors, all of the service's together or its loudest one.
        own: The part of `errors` that no deeper service explains.
        accused: Errors of other services that name this one, less where it goes on as before.
        fresh: Untraced templates of any level that the baseline never saw, beyond the usual rate of novelty.
    """

    errors: FloatArray
    own: FloatArray
    accused: FloatArray
    fresh: FloatArray


def count_events(table: LogTable, split: Split, tuning: LineTuning) -> EventCounts:
    """Observed and expected counts of every event type."""
    size = len(table.event_service)
    before, after = (tally(table.event[rows], size, table.weight[rows]) for rows in (split.before, split.after))
    calm = ~table.is_error
    services = len(table.services)
    calm_before, calm_after = (
        tally(table.event_service[calm], services, counts[calm]) for counts in (before, after)
    )
    ratio, prior = split.ratio, tuning.prior_lines
    overall = (calm_after.sum() + prior * ratio) / (calm_before.sum() + prior)
    own = (calm_after + prior * overall) / (calm_before + prior)
    scale = np.maximum(own, max(overall, ratio))[table.event_service]
    before, after = before / table.event_weight, after / table.event_weight
    expected = (before + tuning.unseen) * scale
    return EventCounts(before, after, expected, surprise(after, expected))


def failing(table: LogTable, split: Split, counts: EventCounts, calls: IntArray, tuning: LineTuning) -> Failing:
    """The evidence of failure at a split.

    Args:
        table: The lines.
        split: What is compared.
        counts: `count_events` of the same.
        calls: Shape `(m, 2)`, caller and callee.
        tuning: The constants.
    """
    services = len(table.services)
    errors, where, target = table.is_error, table.event_service, table.event_target
    together = surprise(*_sums(counts, where, errors, services))
    loudest = np.zeros(services)
    np.maximum.at(loudest, where, counts.z * np.where(errors, table.event_severity, 0.0))
    raw = np.maximum(together, loudest)

    anomalous = errors & (counts.z > tuning.anomalous)
    excess = np.where(anomalous, np.clip(counts.after - counts.expected, 0.0, None), 0.0)
    by_service = tally(where, services, excess)
    naming = target >= 0
    credible = _credible(table, counts, tuning.alive)
    blamed = excess[naming] * credible[target[naming]]
    inherited = np.maximum(
        _inherited(table, split, excess, by_service, calls, tuning.callee_explains),
        _divide(tally(where[naming], services, blamed), by_service),
    )
    accused = surprise(*_sums(counts, target, naming, services)) * credible
    return Failing(raw, raw * (1 - tuning.explained * inherited), accused, _fresh(table, split, counts, tuning))


def _credible(table: LogTable, counts: EventCounts, alive: float) -> FloatArray:
    """How far an accusation can be believed, shape `(s,)`: little where the accused goes on logging as before."""
    services = len(table.services)
    calm = ~table.is_error
    usual, seen = (
        tally(table.event_service[calm], services, values[calm]) for values in (counts.expected, counts.after)
    )
    works = np.minimum(
        1.0, _divide(seen, np.where(tally(table.event_service, services, counts.before) > 0, usual, 0.0))
    )
    return 1 - alive * works


def _sums(counts: EventCounts, key: IntArray, chosen: BoolArray, size: int) -> tuple[FloatArray, FloatArray]:
    """Observed and expected counts of chosen event types, summed by a key; those that were anomalous or usual."""
    return (
        tally(key[chosen], size, counts.after[chosen]),
        tally(key[chosen], size, counts.expected[chosen]),
    )


def _fresh(table: LogTable, split: Split, counts: EventCounts, tuning: LineTuning) -> FloatArray:
    """Untraced lines of templates that the baseline never saw, against Good and Turing's estimate of novelty.

    The share of lines that are of a kind never seen before is about the share of kinds seen once (Good, Biometrika
    1953). Lines with a trace are judged by what they follow instead (`log_flow.diverged`).
    """
    services = len(table.services)
    where = table.event_service
    rows = split.after
    alone = rows.start + np.flatnonzero(table.trace[rows] < 0)
    after = tally(table.event[alone], len(where), table.weight[alone]) / table.event_weight
    unseen = counts.before == 0
    once = (counts.before > 0) & (counts.before <= 1)
    prior = tuning.novelty_prior
    usual = (tally(where[once], services) + prior) / (tally(where, services, counts.before) + 2 * prior)
    expected = usual * tally(where, services, after) + tuning.unseen
    return tuning.new_calm * surprise(tally(where[unseen], services, after[unseen]), expected)


def _divide(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.divide(a, b, out=np.zeros_like(b), where=b > 0)


def _inherited(
    table: LogTable,
    split: Split,
    excess: FloatArray,
    by_service: FloatArray,
    calls: IntArray,
    callee_explains: float,
) -> FloatArray:
    """The share of each service's excess errors that began elsewhere, shape `(s,)`.

    Where errors carry a whole trace, the first anomalous error of the trace is its origin. Where they don't, a
    callee with errors of its own explains its caller's, up to `callee_explains` times as many as it has.
    """
    services = len(table.services)
    rows = split.after
    anomalous = (excess > 0)[table.event[rows]]
    traced = anomalous & (table.trace[rows] >= 0) & table.whole[rows]
    where = table.event_service[table.event[rows]]
    traces = table.trace[rows][traced]
    _, first, number = np.unique(traces, return_index=True, return_inverse=True)
    speaker = where[traced]
    foreign = speaker[first][number] != speaker
    of_trace = tally(speaker, services)
    from_trace = _divide(tally(speaker, services, foreign), of_trace)
    known = _divide(of_trace, tally(where[anomalous], services))

    from_graph = np.zeros(services)
    if len(calls):
        caller, callee = calls[:, 0], calls[:, 1]
        share = np.minimum(1.0, callee_explains * _divide(by_service[callee], by_service[caller]))
        np.maximum.at(from_graph, caller, share)
    return known * from_trace + (1 - known) * from_graph
