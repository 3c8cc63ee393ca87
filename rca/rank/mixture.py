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


def mix(scores: ServiceScores, tuning: Tuning) -> Mixed:
    """Weigh each candidate by `exp(S1 + w A)`: its top score and how clearly the alert shows at it."""
    fit = scores.score.max(axis=1, initial=0.0) + tuning.alert_weight * scores.alert
    weights = np.exp(fit - fit.max())
    weights /= weights.sum()
    return Mixed(weights, weights @ scores.score)
