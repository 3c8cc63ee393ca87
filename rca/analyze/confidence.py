"""How far the incident stands out of its own baseline: the same procedure, ranked where nothing happened."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rca.analyze.beside import Beside
from rca.analyze.ranking import Moments, Ranked, judge, look, moments
from rca.model.scores import CHANNELS
from rca.model.tuning import Tuning
from rca.rank.mixture import Mixed
from rca.rank.score import ServiceScores
from rca.rank.structure import FAILING, SLOW, Structure

_SHORTEST = 4  # rows of a pseudo-window
_SYMPTOMS = np.array([c in SLOW | FAILING for c in CHANNELS])
_TIE = 1e-9  # scores that differ by less are one


@dataclass(frozen=True, slots=True)
class Standing:
    """The evidence for and against singling out a service.

    Attributes:
        value: `level / (offset + Q)`.
        level: What the first suspect shows: its score and, in part, the symptoms around it (`level`).
        first: S1, the top score.
        second: S2, the one after it.
        usual: Q, what the baseline's own windows usually show; None when it is too short to tell, or was chosen.
        most: What the loudest of them shows; 0 without any.
        windows: How many there were.
    """

    value: float
    level: float
    first: float
    second: float
    usual: float | None
    most: float
    windows: int


def standing(
    ranked: Ranked,
    also: Beside | None,
    *,
    told: bool,
    baseline: tuple[float, float] | None,
    tuning: Tuning,
    guard_seconds: float = 0.0,
) -> Standing:
    """Compare what the first suspect shows with what the first of the baseline's own windows do.

    Args:
        ranked: The ranking.
        also: Logs and spans; None without any.
        told: Whether an onset was told: the pseudo-windows are told theirs too.
        baseline: What counts as normal, or None.
        tuning: The constants.
        guard_seconds: How far the baseline keeps from the onset.
    """
    scores = np.sort(ranked.mixed.score)[::-1]
    first = float(scores[0]) if len(scores) else 0.0
    second = float(scores[1]) if len(scores) > 1 else 0.0
    shown = top_level(ranked.services, ranked.mixed, ranked.structure, tuning)
    calm = _pseudo(ranked, also, told=told, tuning=tuning, guard_seconds=guard_seconds) if baseline is None else []
    usual = float(np.quantile(calm, tuning.usual_quantile)) if calm else None
    value = shown / needed(usual, tuning)
    return Standing(value, shown, first, second, usual, max(calm, default=0.0), len(calm))


def needed(usual: float | None, tuning: Tuning) -> float:
    """What a suspect has to show for a confidence of 1, given what calm windows show; None where nobody knows."""
    return tuning.confidence_offset + (tuning.usual_unknown if usual is None else usual)


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
    weights = np.array([tuning.weights[c] for c in CHANNELS])[_SYMPTOMS]
    symptoms = np.tensordot(mixed.weights, services.strength[:, hit][:, :, _SYMPTOMS], 1) * weights
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


def _pseudo(
    ranked: Ranked, also: Beside | None, *, told: bool, tuning: Tuning, guard_seconds: float
) -> list[float]:
    """What the first of each of the baseline's windows shows."""
    table, start = ranked.table, int(ranked.rows[ranked.best])
    length, sought = len(table.times) - start, len(table.times) - ranked.lead
    coarse = replace(tuning, grid_growth=tuning.pseudo_growth)
    ends = np.unique(np.linspace(max(_SHORTEST, start // 2), start, tuning.pseudo_ends).astype(int))
    windows: list[tuple[int, Moments]] = []
    for end in ends[(ends >= _SHORTEST) & (ends <= start)].tolist():
        at = moments(
            table.times[:end],
            told=float(table.times[end - min(length, max(1, end // 3))]) if told else None,
            baseline=None,
            tuning=coarse,
            lead=max(0, end - sought),
            guard_seconds=guard_seconds,
        )
        if at is not None:
            windows.append((end, at))
    # The series of all windows at once: these overlap, and numpy is quick at much of the same.
    splits = [split for _, at in windows for split in at.splits]
    seen = look(ranked.structure, ranked.scorer, splits, coarse)
    tops, first = [], 0
    for end, at in windows:
        extra = also.until(float(table.times[end]) - also.lead).at if also else None
        mine = seen.part(slice(first, first + len(at.splits)))
        first += len(at.splits)
        services, mixed = judge(table, ranked.structure, at, mine, extra, coarse)
        tops.append(top_level(services, mixed, ranked.structure, tuning))
    return tops
