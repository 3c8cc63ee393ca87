from dataclasses import replace

import numpy as np

from rca.analyze.assess import AnalysisOptions, rank_bundle
from rca.analyze.prepare import prepare
from rca.analyze.ranking import Ranked
from rca.model.incident import Bundle
from rca.model.tuning.rows import RowTuning
from rca.rank.mixture import Mixed


def ranked_of(bundle: Bundle) -> Ranked:
    ranked, _ = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions())
    assert ranked is not None
    return ranked


def test_equal_scores_are_ordered_by_the_strongest_evidence_then_by_all_of_it_then_by_name(
    checkout: Bundle,
) -> None:
    ranked = ranked_of(checkout)
    strength = np.zeros_like(ranked.services.strength)
    assert ranked.structure.services == ("db", "mail", "orders", "web")
    strength[:, 0, :2] = 2.0
    strength[:, 1, 0] = 3.0
    strength[:, 3, :3] = 2.0
    level = Mixed(ranked.mixed.weights, np.ones_like(ranked.mixed.score))
    found = replace(ranked, mixed=level, services=replace(ranked.services, strength=strength))
    assert [found.structure.services[i] for i in found.order()] == ["mail", "web", "db", "orders"]


def test_what_explains_most_of_a_service_is_named(checkout: Bundle) -> None:
    ranked = ranked_of(checkout)
    share, callee = ranked.explained_by("orders")
    assert share > 0.5
    assert callee == "db"
    assert ranked.explained_by("db") == (0.0, None)
