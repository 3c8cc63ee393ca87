"""How far the incident stands out of its own baseline: the same procedure, ranked where nothing happened."""

from dataclasses import dataclass, replace

import numpy as np

from rca.analyze.beside import Beside
from rca.analyze.ranking import Moments, Ranked, judge, look, moments
from rca.model.tuning import Tuning

_SHORTEST = 4  # rows of a pseudo-window


@dataclass(frozen=True, slots=True)
class Standing:
    """The evidence for and against singling out a service.

    Attributes:
        value: `(2 S1 - S2) / (offset + Q)`.
        first: S1, the top score.
        second: S2, the one after it.
        usual: Q, a high quantile of the top scores in the baseline; None when it is too short to tell.
        windows: How many pseudo-windows were ranked.
    """

    value: float
    first: float
    second: float
    usual: float | None
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
    """Compare the ranking's lead and level with what the baseline's own windows give.

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
    tops = _pseudo(ranked, also, told=told, tuning=tuning, guard_seconds=guard_seconds) if baseline is None else []
    usual = float(np.quantile(tops, tuning.usual_quantile)) if tops else None
    value = (2 * first - second) / (tuning.confidence_offset + (tuning.usual_unknown if usual is None else usual))
    return Standing(value, first, second, usual, len(tops))


def _pseudo(
    ranked: Ranked, also: Beside | None, *, told: bool, tuning: Tuning, guard_seconds: float
) -> list[float]:
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
    seen = look(table, ranked.structure, ranked.ordered, splits, coarse)
    tops, first = [], 0
    for end, at in windows:
        extra = also.until(float(table.times[end]) - also.lead).at if also else None
        mine = seen.part(slice(first, first + len(at.splits)))
        first += len(at.splits)
        _, mixed = judge(table, ranked.structure, at, mine, extra, coarse)
        tops.append(float(mixed.score.max(initial=0.0)))
    return tops
