"""Services ranked: the candidate onsets, what is seen at each of them, and the scores that leads to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rca.analyze.memo import Memo
from rca.detect import onset
from rca.detect.series import Scorer, Split
from rca.detect.silence import Reporting, silence
from rca.model.incident import Window
from rca.model.scores import CHANNELS, Channel, SeriesScores, SeriesTable
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.rank import mixture
from rca.rank.mixture import Mixed
from rca.rank.score import ServiceScores
from rca.rank.score import score as score_services
from rca.rank.structure import Structure

MOSTLY = 0.5
"""The share of a symptom from which what explains it says whose it is."""

# Candidates and the ends of their baselines, each of shape (c,) -> evidence of logs and spans, shape (c, s, k).
Extra = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Search:
    """Where the onset is sought, and what counts as before it.

    Attributes:
        told: The onset that was told, unix seconds; None when nobody did.
        baseline: What counts as normal, `(start, end)` in unix seconds, where it was chosen; None for what lies
            before a candidate.
        lead: How many rows were collected before the stretch where the incident is sought.
        guard_seconds: How far a baseline that wasn't chosen keeps from the onset.
    """

    told: float | None
    baseline: tuple[float, float] | None
    lead: int
    guard_seconds: float

    @classmethod
    def of(cls, window: Window, times: FloatArray, guard_seconds: float) -> "Search":
        """As a bundle's window says, over rows at these times, unix seconds."""
        return cls(
            window.onset.timestamp() if window.onset else None,
            window.baseline.timestamps if window.baseline else None,
            int(np.searchsorted(times, window.span.start.timestamp())),
            guard_seconds,
        )


@dataclass(frozen=True, eq=False)
class Ranked:
    """Everything the ranking rests on.

    Attributes:
        table: The series.
        structure: The graph and the alert.
        search: Where the onset was sought.
        scorer: What scores the table at any candidate.
        reporting: What tells who stopped reporting.
        rows: Shape `(c,)`, the candidate onsets, as rows of the table.
        splits: What each counts as before and after.
        seconds: Shape `(c,)`, the time each stands for.
        series: Each series at each candidate.
        services: Each service at each candidate.
        mixed: The scores over all candidates.
        fits: Share of the heaviest candidate's weight from which one may be the likeliest.
    """

    table: SeriesTable
    structure: Structure
    search: Search
    scorer: Scorer
    reporting: Reporting
    rows: NDArray[np.intp]
    splits: tuple[Split, ...]
    seconds: FloatArray
    series: SeriesScores
    services: ServiceScores
    mixed: Mixed
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

    def explained_by(self, service: str) -> tuple[float, str | None]:
        """The most of a service's symptoms that a callee explains at the likeliest onset, and which one."""
        explained = self.services.explained[self.best, self.structure.services.index(service)]
        kind = int(np.argmax(explained))
        callee = int(self.services.by[self.best, self.structure.services.index(service), kind])
        return float(explained[kind]), self.structure.services[callee] if callee >= 0 else None

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


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
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
    table: SeriesTable, structure: Structure, search: Search, extra: Extra | None, tuning: Tuning, memo: Memo
) -> Ranked | None:
    """Rank the services.

    Args:
        table: The series.
        structure: The graph and the alert.
        search: Where the onset is sought.
        extra: Gives the evidence that isn't a series'.
        tuning: The constants.
        memo: What was worked out of variants of the bundle.

    Returns:
        None when the window is too short for any candidate, or nobody is known.
    """
    at = candidates(table.times, search, tuning)
    if at is None or not structure.services:
        return None
    scorer = memo.once("scorer", (table, tuning), lambda: Scorer.of(table, tuning))
    reporting = memo.once("reporting", (table,), lambda: Reporting.of(table, tuning.rows), values=tuning.rows)
    seen = look(structure, scorer, reporting, at.splits, tuning, memo)
    services, mixed = judge(table, structure, at, seen, extra, tuning)
    return Ranked(
        table=table,
        structure=structure,
        search=search,
        scorer=scorer,
        reporting=reporting,
        rows=at.rows,
        splits=at.splits,
        seconds=at.seconds,
        series=seen.scores,
        services=services,
        mixed=mixed,
        fits=tuning.onset_fits,
    )


def candidates(times: FloatArray, search: Search, tuning: Tuning) -> Candidates | None:
    """The candidate onsets, each with something before and after it; None without any."""
    baseline, guard = search.baseline, search.guard_seconds
    rows = onset.candidates(times, search.told, baseline, tuning, lead=search.lead)
    step = float(np.median(np.diff(times))) if len(rows) and baseline is None else None
    splits = tuple(onset.split(times, int(row), baseline, tuning, guard_seconds=guard, step=step) for row in rows)
    usable = [i for i, split in enumerate(splits) if len(split.before) and len(split.after)]
    if not usable:
        return None
    return Candidates(rows[usable], tuple(splits[i] for i in usable), onset.seconds(times, rows[usable]))


def look(
    structure: Structure, scorer: Scorer, reporting: Reporting, splits: Sequence[Split], tuning: Tuning, memo: Memo
) -> Seen:
    """What the series show at each of the splits."""
    silent = silence(reporting, splits, structure.owner, len(structure.services), tuning)
    return Seen(_scores(scorer, splits, memo), silent)


def _scores(scorer: Scorer, splits: Sequence[Split], memo: Memo) -> SeriesScores:
    """The series at each of the splits, worked out at those that weren't looked at before."""
    if not memo.lasting or not splits:
        return scorer.score(splits)
    known: dict[tuple[bytes, ...], tuple[FloatArray, ...]] = memo.once("scores", (scorer,), dict)
    keys = [tuple(rows[:1].tobytes() + rows[-1:].tobytes() for rows in split.stretches) for split in splits]
    new = [i for i, key in enumerate(keys) if key not in known]
    scored = scorer.score([splits[i] for i in new])
    known.update(zip((keys[i] for i in new), zip(scored.z, scored.before, scored.after, strict=True), strict=True))
    return SeriesScores(*(np.stack(part) for part in zip(*(known[key] for key in keys), strict=True)))


def judge(
    table: SeriesTable, structure: Structure, at: Candidates, seen: Seen, extra: Extra | None, tuning: Tuning
) -> tuple[ServiceScores, Mixed]:
    """What that, and the evidence that isn't a series', mean for each service."""
    unmeasured = np.zeros((len(at.splits), len(structure.services), len(CHANNELS)))
    unmeasured[:, :, CHANNELS.index(Channel.SILENCE)] = np.log1p(seen.silence)
    if extra is not None:
        unmeasured = np.maximum(unmeasured, extra(table.times[at.rows], baseline_ends(table.times, at.splits)))
    services = score_services(table, seen.scores, structure, unmeasured, tuning)
    return services, mixture.mix(services, at.seconds, tuning)


def baseline_ends(times: FloatArray, splits: Sequence[Split]) -> FloatArray:
    """When each split's baseline ends, unix seconds: at the first row that isn't in it. Shape `(c,)`."""
    last = np.array([split.before[-1] for split in splits], dtype=np.intp)
    ends: FloatArray = times[np.minimum(last + 1, len(times) - 1)]
    return ends
