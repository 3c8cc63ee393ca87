"""How far the incident stands out of its own baseline: the same procedure, ranked where nothing happened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rca.analyze.logs_and_spans import LogsAndSpans
from rca.analyze.memo import NO_MEMO, Memo
from rca.analyze.ranking import Candidates, Ranked, candidates, judge, look
from rca.model.scores import CHANNELS
from rca.model.tuning import Tuning
from rca.rank.mixture import Mixed
from rca.rank.score import ServiceScores
from rca.rank.structure import IS_SYMPTOM, Structure

_TIE = 1e-9  # scores that differ by less are one


@dataclass(frozen=True, slots=True)
class Standing:
    """The evidence for and against singling out a service.

    Attributes:
        value: `level / needed`.
        level: What the first suspect shows: its score and, in part, the symptoms around it (`level`).
        first: S1, the top score.
        second: S2, the one after it.
        usual: Q, what the baseline's own windows usually show; None when it is too short to tell, or was chosen.
        most: What the loudest of them shows; 0 without any.
        windows: How many there were.
        apart: How many of them would fit without overlap: what they know together.
    """

    value: float
    level: float
    first: float
    second: float
    usual: float | None
    most: float
    windows: int
    apart: float


def standing(
    ranked: Ranked, logs_and_spans: LogsAndSpans | None, tuning: Tuning, memo: Memo = NO_MEMO
) -> Standing:
    """Compare what the first suspect shows with what the first of the baseline's own windows do.

    Args:
        ranked: The ranking.
        logs_and_spans: The evidence beside its series; None without any.
        tuning: The constants.
        memo: What was worked out of variants of the bundle.
    """
    scores = np.sort(ranked.mixed.score)[::-1]
    first = float(scores[0]) if len(scores) else 0.0
    second = float(scores[1]) if len(scores) > 1 else 0.0
    shown = top_level(ranked.services, ranked.mixed, ranked.structure, tuning)
    # One that was chosen may lie anywhere: it has no windows that end where an incident could begin.
    calm = _pseudo(ranked, logs_and_spans, tuning, memo) if ranked.search.baseline is None else {}
    usual = float(np.quantile(list(calm.values()), tuning.usual_quantile)) if calm else None
    apart = _apart(list(calm), len(ranked.table.times) - int(ranked.rows[ranked.best]), tuning)
    most = max(calm.values(), default=0.0)
    return Standing(shown / needed(usual, apart, tuning), shown, first, second, usual, most, len(calm), apart)


def needed(usual: float | None, apart: float, tuning: Tuning) -> float:
    """What a suspect has to show for a confidence of 1.

    What calm windows show is known from few of them, so it leans on what they show in other systems: a mean, in
    which that counts for `usual_prior` windows (the posterior mean of a normal prior and normal observations).

    Args:
        usual: What this system's calm windows usually show; None where nobody knows.
        apart: How many of them don't overlap.
        tuning: The constants.
    """
    known, prior = (0.0 if usual is None else apart), tuning.usual_prior
    expected = (known * (usual or 0.0) + prior * tuning.usual_elsewhere) / (known + prior)
    return tuning.confidence_offset + expected


def _apart(ends: Sequence[int], length: int, tuning: Tuning) -> float:
    """How many windows would fit without overlap into what these cover; not more than there are."""
    if not ends:
        return 0.0
    return min(float(len(ends)), 1.0 + (ends[-1] - ends[0]) / _width(ends[-1], length, tuning))


def _width(end: int, length: int, tuning: Tuning) -> int:
    """Rows of the pseudo-window that ends there, of an incident of so many."""
    return min(length, max(1, int(end * tuning.pseudo_share)))


def top_level(services: ServiceScores, mixed: Mixed, structure: Structure, tuning: Tuning) -> float:
    """What the service with the top score shows; of several with the same score, the most."""
    top = float(mixed.score.max(initial=0.0))
    return level(mixed.score >= top - _TIE, services, mixed, structure, tuning)


def level(
    suspects: NDArray[np.bool_], services: ServiceScores, mixed: Mixed, structure: Structure, tuning: Tuning
) -> float:
    """What suspects show: their score and a share of the strongest symptom on them, or on who depends on them.

    Explaining away takes that symptom from the callers, so it isn't in any score; but it is what tells an incident
    from a resource that only moved.

    Args:
        suspects: Shape `(s,)`, which; several count as one, with the highest score.
        services: Every service at every candidate onset.
        mixed: The scores over all candidates.
        structure: Who calls whom.
        tuning: The constants.
    """
    hit = _with_callers(suspects, structure.edges)
    weights = np.array([tuning.weights[c] for c in CHANNELS])[IS_SYMPTOM]
    symptoms = np.tensordot(mixed.weights, services.strength[:, hit][:, :, IS_SYMPTOM], 1) * weights
    return float(mixed.score[suspects].max(initial=0.0) + tuning.corroborate * symptoms.max(initial=0.0))


def _with_callers(suspects: NDArray[np.bool_], edges: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Services and all that call them, directly or not. Shape `(s,)`."""
    caller, callee = edges.T
    found = suspects.copy()
    while True:
        wider = found.copy()
        wider[caller[found[callee]]] = True
        if np.array_equal(wider, found):
            return found
        found = wider


def _pseudo(ranked: Ranked, logs_and_spans: LogsAndSpans | None, tuning: Tuning, memo: Memo) -> dict[int, float]:
    """What the first of each of the baseline's windows shows, by the row before which that ends; ascending.

    Where an onset was told, these are told theirs, too.
    """
    table, search, start = ranked.table, ranked.search, int(ranked.rows[ranked.best])
    length, sought = len(table.times) - start, len(table.times) - search.lead
    coarse = replace(tuning, grid_growth=tuning.pseudo_growth)
    shortest, from_ = tuning.pseudo_rows, int(start * tuning.pseudo_from)
    ends = np.unique(np.linspace(max(shortest, from_), start, tuning.pseudo_ends).astype(int))
    windows: list[tuple[int, Candidates]] = []
    for end in ends[(ends >= shortest) & (ends <= start)].tolist():
        told = float(table.times[end - _width(end, length, tuning)]) if search.told is not None else None
        at = candidates(table.times[:end], replace(search, told=told, lead=max(0, end - sought)), coarse)
        if at is not None:
            windows.append((end, at))
    # The series of all windows at once: these overlap, and numpy is quick at much of the same.
    splits = [split for _, at in windows for split in at.splits]
    seen = look(ranked.structure, ranked.scorer, ranked.reporting, splits, coarse, memo)
    tops: dict[int, float] = {}
    first = 0
    for end, at in windows:
        extra = logs_and_spans.until_row(float(table.times[end])).at if logs_and_spans else None
        mine = seen.part(slice(first, first + len(at.splits)))
        first += len(at.splits)
        services, mixed = judge(table, ranked.structure, at, mine, extra, coarse)
        tops[end] = top_level(services, mixed, ranked.structure, tuning)
    return tops
