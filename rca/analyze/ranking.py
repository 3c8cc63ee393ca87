"""A bundle ranked: the table, the graph, the candidates, and the scores they lead to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rca.analyze.kept import Kept
from rca.detect import onset, table
from rca.detect.kinds import infer
from rca.detect.log_resolving import unresolved
from rca.detect.series import Scorer, Split
from rca.detect.silence import Reporting, silence
from rca.model.incident import Bundle
from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable, Side
from rca.model.signals import FloatArray, SignalFrame
from rca.model.tuning import Tuning
from rca.rank import mixture, structure
from rca.rank.mixture import Mixed
from rca.rank.score import ServiceScores
from rca.rank.score import score as score_services
from rca.rank.structure import Structure
from topology import Node, NodeKind, ServiceGraph
from topology.names import is_unknown

_STORES = frozenset({NodeKind.DATABASE, NodeKind.CACHE, NodeKind.QUEUE})

# Candidates and the ends of their baselines, each of shape (c,) -> evidence of logs and spans, shape (c, s, k).
Extra = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Everything the ranking rests on.

    Attributes:
        scorer: What scores the table at any candidate.
        reporting: What tells who stopped reporting.
        rows: Shape `(c,)`, the candidate onsets, as rows of the table.
        splits: What each counts as before and after.
        seconds: Shape `(c,)`, the time each stands for.
        series: Each series at each candidate.
        services: Each service at each candidate.
        mixed: The scores over all candidates.
        lead: How many rows lie before the stretch where the incident is sought.
        fits: Share of the heaviest candidate's weight from which one may be the likeliest.
    """

    table: SeriesTable
    structure: Structure
    scorer: Scorer
    reporting: Reporting
    rows: NDArray[np.intp]
    splits: tuple[Split, ...]
    seconds: FloatArray
    series: SeriesScores
    services: ServiceScores
    mixed: Mixed
    lead: int
    fits: float

    @cached_property
    def best(self) -> int:
        """The likeliest candidate: of those that fit well, the one nearest to where the first suspect departed.

        A fault's median is the same while most rows from a candidate on are faulty, so weights alone leave it open
        by as much as the fault is long.
        """
        weights = self.mixed.weights
        heaviest = int(np.argmax(weights))
        z = self.series.z[heaviest]
        mine = np.flatnonzero((self.structure.owner == int(np.argmax(self.mixed.score))) & (z > 0))
        if not len(mine):
            return heaviest
        row = departure(self, heaviest, int(mine[np.argmax(z[mine])]))
        if row is None:
            return heaviest
        fitting = np.flatnonzero(weights >= self.fits * weights[heaviest])
        return int(fitting[np.argmin(np.abs(self.rows[fitting] - row))])

    @property
    def at(self) -> float:
        """The time of the likeliest candidate, unix seconds."""
        return float(self.table.times[self.rows[self.best]])

    @property
    def baseline_end(self) -> float:
        """When its baseline ends, unix seconds."""
        return float(baseline_ends(self.table.times, self.splits[self.best : self.best + 1])[0])

    @property
    def top_score(self) -> float:
        """The highest score of a service."""
        return float(self.mixed.score.max(initial=0.0))

    def score_of(self, service: str) -> float:
        """The score of a service as it is told; 0 of one that isn't ranked."""
        services = self.structure.services
        return round(float(self.mixed.score[services.index(service)]), 6) if service in services else 0.0

    def order(self) -> list[int]:
        """Services, best first.

        Ties are broken by the evidence before anything was explained away, then by all of it, by name at the very
        last.
        """
        strength = self.mixed.weights @ self.services.strength.max(axis=2, initial=0.0)
        total = self.mixed.weights @ self.services.strength.sum(axis=2)
        keys = zip(
            (-np.round(self.mixed.score, 9)).tolist(),
            (-np.round(strength, 9)).tolist(),
            (-np.round(total, 9)).tolist(),
            self.structure.services,
            strict=True,
        )
        return [number for number, _ in sorted(enumerate(keys), key=lambda item: item[1])]


def departure(ranked: Ranked, candidate: int, row: int) -> int | None:
    """When a series left its baseline: the first row near a candidate onset that is at least half way out.

    Args:
        ranked: The ranking.
        candidate: Which candidate onset.
        row: Which series.

    Returns:
        An index into the table's times; None when the series never does.
    """
    before, after = ranked.series.before[candidate, row], ranked.series.after[candidate, row]
    values = ranked.table.values[row]
    out = (values - (before + after) / 2) * np.sign(after - before) >= 0  # False where missing
    start, end = int(ranked.rows[candidate]), int(ranked.splits[candidate].after[-1]) + 1
    while start > 0 and out[start] and out[start - 1]:
        start -= 1
    hits = np.flatnonzero(out[start:end])
    return start + int(hits[0]) if len(hits) else None


def symptom_channel(bundle: Bundle) -> Channel | None:
    """The kind of evidence that the reported metric is; None when no metric was reported."""
    symptom = bundle.symptom
    if symptom is None or not symptom.metric:
        return None
    stated = [
        key.kind
        for key in (bundle.metrics.keys if bundle.metrics else ())
        if key.declared and key.metric == symptom.metric and key.service == symptom.service
    ]
    return table.channel(stated[0] if stated else infer(symptom.metric)[0], Side.OWN)


def build(
    bundle: Bundle, frame: SignalFrame, graph: ServiceGraph, tuning: Tuning, kept: Kept
) -> tuple[SeriesTable, Structure, frozenset[tuple[str, str]]]:
    """The table and the structure of a bundle, before any onset is considered.

    Returns:
        And who could not resolve whose name, by its log lines: callers and callees.
    """
    others = {line.service for line in bundle.logs} | {span.service for span in bundle.spans}
    if bundle.log_counts is not None:
        others |= set(bundle.log_counts.services)
    others |= {node.name for node in graph.nodes() if node.kind in _STORES and _from_spans(node)}
    # "unknown" is no answer; where that is all there is, it at least says that something is wrong.
    named = {name for name in others if not is_unknown(name)}
    others = named if named or frame.keys else others
    names = frozenset({node.name for node in graph.nodes()} | others | set(frame.services))
    rows, lines = tuning.rows, tuning.lines
    lost = kept.once(
        "unresolved",
        (bundle.logs,),
        lambda: unresolved(bundle.logs, sorted(names), lines),
        values=(names, lines),
    )
    made = kept.once("table", (frame,), lambda: table.build(frame, rows, names, lost), values=(names, lost, rows))
    arrays = structure.build(
        made, graph, others=others, symptom=bundle.symptom, symptom_channel=symptom_channel(bundle), tuning=tuning
    )
    return made, arrays, lost


def _from_spans(node: Node) -> bool:
    """Whether calls to it were traced: its callers' spans speak for what writes none itself."""
    return any(provenance.source == "spans" for provenance in node.provenance)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Candidate onsets.

    Attributes:
        rows: Shape `(c,)`, as rows of the table.
        splits: What each counts as before and after.
        seconds: Shape `(c,)`, the time each stands for.
    """

    rows: NDArray[np.intp]
    splits: tuple[Split, ...]
    seconds: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the series show at candidate onsets.

    Attributes:
        scores: Each series at each candidate.
        silence: Shape `(c, s)`, who stopped reporting, z-like.
    """

    scores: SeriesScores
    silence: FloatArray

    def part(self, some: slice) -> "Seen":
        """The same of some of the candidates."""
        scores = SeriesScores(self.scores.z[some], self.scores.before[some], self.scores.after[some])
        return Seen(scores, self.silence[some])


def rank(
    made: SeriesTable,
    arrays: Structure,
    *,
    told: float | None,
    baseline: tuple[float, float] | None,
    extra: Extra | None,
    tuning: Tuning,
    lead: int = 0,
    guard_seconds: float = 0.0,
    kept: Kept,
) -> Ranked | None:
    """Rank the services.

    Args:
        made: The series.
        arrays: The graph and the alert.
        told: The onset that was told, unix seconds, or None.
        baseline: What counts as normal, or None.
        extra: Gives the evidence that isn't a series'.
        tuning: The constants.
        lead: How many rows were collected before the stretch where the incident is sought.
        guard_seconds: How far the baseline keeps from the onset.
        kept: What was worked out of variants of the bundle.

    Returns:
        None when the window is too short for any candidate, or nobody is known.
    """
    at = moments(made.times, told=told, baseline=baseline, tuning=tuning, lead=lead, guard_seconds=guard_seconds)
    if at is None or not arrays.services:
        return None
    scorer = kept.once("scorer", (made, tuning), lambda: Scorer.of(made, tuning))
    reporting = kept.once("reporting", (made,), lambda: Reporting.of(made, tuning.rows), values=tuning.rows)
    seen = look(arrays, scorer, reporting, at.splits, tuning, kept)
    services, mixed = judge(made, arrays, at, seen, extra, tuning)
    return Ranked(
        made,
        arrays,
        scorer,
        reporting,
        at.rows,
        at.splits,
        at.seconds,
        seen.scores,
        services,
        mixed,
        lead,
        tuning.onset_fits,
    )


def moments(
    times: FloatArray,
    *,
    told: float | None,
    baseline: tuple[float, float] | None,
    tuning: Tuning,
    lead: int,
    guard_seconds: float,
) -> Moments | None:
    """The candidate onsets, each with something before and after it; None without any."""
    rows = onset.candidates(times, told, baseline, tuning, lead=lead)
    step = float(np.median(np.diff(times))) if len(rows) and baseline is None else None
    splits = tuple(
        onset.split(times, int(row), baseline, tuning, guard_seconds=guard_seconds, step=step) for row in rows
    )
    usable = [i for i, split in enumerate(splits) if len(split.before) and len(split.after)]
    if not usable:
        return None
    return Moments(rows[usable], tuple(splits[i] for i in usable), onset.seconds(times, rows[usable]))


def look(
    arrays: Structure, scorer: Scorer, reporting: Reporting, splits: Sequence[Split], tuning: Tuning, kept: Kept
) -> Seen:
    """What the series show at each of the splits."""
    silent = silence(reporting, splits, arrays.owner, len(arrays.services), tuning)
    return Seen(_scores(scorer, splits, kept), silent)


def _scores(scorer: Scorer, splits: Sequence[Split], kept: Kept) -> SeriesScores:
    """The series at each of the splits, worked out at those that weren't looked at before."""
    if not kept.lasting or not splits:
        return scorer.score(splits)
    known: dict[tuple[bytes, ...], tuple[FloatArray, ...]] = kept.once("scores", (scorer,), dict)
    keys = [tuple(rows[:1].tobytes() + rows[-1:].tobytes() for rows in split.stretches) for split in splits]
    new = [i for i, key in enumerate(keys) if key not in known]
    scored = scorer.score([splits[i] for i in new])
    known.update(zip((keys[i] for i in new), zip(scored.z, scored.before, scored.after, strict=True), strict=True))
    return SeriesScores(*(np.stack(part) for part in zip(*(known[key] for key in keys), strict=True)))


def judge(
    made: SeriesTable, arrays: Structure, at: Moments, seen: Seen, extra: Extra | None, tuning: Tuning
) -> tuple[ServiceScores, Mixed]:
    """What that, and the evidence that isn't a series', mean for each service."""
    beside = np.zeros((len(at.splits), len(arrays.services), len(CHANNELS)))
    beside[:, :, CHANNELS.index(Channel.SILENCE)] = np.log1p(seen.silence)
    if extra is not None:
        beside = np.maximum(beside, extra(made.times[at.rows], baseline_ends(made.times, at.splits)))
    services = score_services(made, seen.scores, arrays, beside, tuning)
    return services, mixture.mix(services, at.seconds, tuning)


def baseline_ends(times: FloatArray, splits: Sequence[Split]) -> FloatArray:
    """When each split's baseline ends, unix seconds: at the first row that isn't in it. Shape `(c,)`."""
    last = np.array([split.before[-1] for split in splits], dtype=np.intp)
    ends: FloatArray = times[np.minimum(last + 1, len(times) - 1)]
    return ends
