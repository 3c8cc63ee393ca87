"""The onset is a distribution: every candidate is ranked in full, and the rankings are mixed by their fit."""

from dataclasses import dataclass

import numpy as np

from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.rank.score import ServiceScores


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """Scores over all candidates.

    Attributes:
        weights: Shape `(c,)`, summing to 1.
        score: Shape `(s,)`.
    """

    weights: FloatArray
    score: FloatArray


def mix(scores: ServiceScores, seconds: FloatArray, tuning: Tuning) -> Mixed:
    """Weigh each candidate by `exp((S1 + U1) / 2 + w A) min(t, candidate_seconds)`.

    S1 is its top score, U1 the same before anything is explained away, A how clearly the alert shows at it.
    Explaining takes from the right candidate what it leaves to one at which the callee isn't anomalous yet, or no
    longer; without it, candidates that explain nothing well would weigh as much. t is the time that it stands for.
    Without that, candidates a second apart would outweigh by their number those that lie further off.

    Args:
        scores: The services at each candidate.
        seconds: Shape `(c,)`, the time each stands for.
        tuning: The constants.
    """
    fit = (scores.score.max(axis=1, initial=0.0) + scores.shown) / 2 + tuning.alert_weight * scores.alert
    weights = np.exp(fit - fit.max()) * np.minimum(seconds, tuning.candidate_seconds)
    weights /= weights.sum()
    return Mixed(weights, weights @ scores.score)
