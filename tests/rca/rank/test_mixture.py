from dataclasses import replace

import numpy as np
import pytest

from rca.rank import mixture
from tests.rca.rank.conftest import STEP, TUNING, noise, scored


def test_candidates_are_weighed_by_fit() -> None:
    columns = {"a|cpu_percent": 10 + noise(1) + 60 * STEP, "b|cpu_percent": 10 + noise(2)}
    _, services, _ = scored(columns)
    both = replace(
        services,
        score=np.vstack([services.score, services.score / 4]),
        alert=np.zeros(2, dtype=np.float64),
        shown=np.r_[services.shown, services.shown / 4],
    )
    mixed = mixture.mix(both, np.ones(2), TUNING)
    assert mixed.weights.sum() == pytest.approx(1.0)
    assert mixed.weights[0] > 0.9


def test_a_candidate_at_which_much_is_explained_weighs_more_than_its_own_top_score_says() -> None:
    columns = {
        "web|latency_ms": 200 + noise(1) + 100 * STEP,
        "db|latency_ms": 20 + 0.2 * noise(2) + 95 * STEP,
    }
    _, services, _ = scored(columns, [("web", "db")])
    top = float(services.score.max())
    assert services.shown[0] > top
    level = np.array([[top, 0.0], [top, 0.0]])
    both = replace(services, score=level, alert=np.zeros(2, dtype=np.float64), shown=np.r_[services.shown, top])
    assert mixture.mix(both, np.ones(2), TUNING).weights[0] > 0.5


def test_candidates_weigh_by_the_time_they_stand_for_up_to_a_minute() -> None:
    _, services, _ = scored({"a|cpu_percent": 10 + noise(1) + 60 * STEP})
    four = replace(
        services,
        score=np.repeat(services.score, 4, axis=0),
        alert=np.zeros(4, dtype=np.float64),
        shown=np.repeat(services.shown, 4),
    )
    weights = mixture.mix(four, np.array([1.0, 5.0, 60.0, 600.0]), TUNING).weights
    assert (weights / weights[0]).tolist() == pytest.approx([1.0, 5.0, 60.0, 60.0])


def test_a_candidate_at_which_the_alert_shows_weighs_more() -> None:
    _, services, _ = scored({"a|cpu_percent": 10 + noise(1) + 60 * STEP})
    both = replace(
        services,
        score=np.repeat(services.score, 2, axis=0),
        alert=np.array([0.0, 1.0]),
        shown=np.repeat(services.shown, 2),
    )
    weights = mixture.mix(both, np.ones(2), TUNING).weights
    assert weights[1] / weights[0] == pytest.approx(np.exp(TUNING.alert_weight))
