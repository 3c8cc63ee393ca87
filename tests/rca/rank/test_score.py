from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from rca.detect import onset, series, table
from rca.model.incident import Symptom
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray, SignalFrame, SignalKey
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning
from rca.rank import mixture, simple, structure
from rca.rank.score import ServiceScores, score
from topology import Edge, Node, NodeKind, ServiceGraph

TUNING = Tuning()
ROWS, ROW = 40, 30
STEP = np.where(np.arange(ROWS) >= ROW, 1.0, 0.0)


def noise(seed: int) -> FloatArray:
    made: FloatArray = np.random.default_rng(seed).standard_normal(ROWS)
    return made


def scored(
    columns: Mapping[str, FloatArray],
    edges: Sequence[tuple[str, str]] = (),
    *,
    nodes: Sequence[Node] = (),
    symptom: Symptom | None = None,
    channel: Channel | None = None,
    extra: FloatArray | None = None,
) -> tuple[dict[str, float], ServiceScores, structure.Structure]:
    keys = tuple(SignalKey(name.split("|")[0], name.split("|")[1]) for name in columns)
    times = np.arange(0.0, 60.0 * ROWS, 60.0, dtype=np.float64)
    made = table.build(SignalFrame(times, np.array(list(columns.values())).T, keys), RowTuning())
    graph = ServiceGraph(nodes, [Edge(a, b) for a, b in edges])
    arrays = structure.build(made, graph, others=(), symptom=symptom, symptom_channel=channel, tuning=TUNING)
    z = series.Scorer.of(made, TUNING).score([onset.split(times, ROW, None, TUNING)])
    services = score(made, z, arrays, extra, TUNING)
    return dict(zip(arrays.services, services.score[0].tolist(), strict=True)), services, arrays


def test_a_callee_takes_its_callers_slowness_away() -> None:
    columns = {
        "web|latency_ms": 200 + noise(1) + 100 * STEP,
        "db|latency_ms": 20 + 0.2 * noise(2) + 95 * STEP,
    }
    alone, *_ = scored(columns)
    found, services, arrays = scored(columns, [("web", "db")])
    assert found["db"] > found["web"]
    assert found["web"] < alone["web"] / 2
    assert services.explained[0, arrays.services.index("web"), 0] == 1.0
    assert arrays.services[services.by[0, arrays.services.index("web"), 0]] == "db"


def test_a_callee_that_changed_less_explains_less() -> None:
    columns = {
        "web|latency_ms": 200 + noise(1) + 400 * STEP,
        "db|latency_ms": 20 + 0.2 * noise(2) + 20 * STEP,
    }
    _, services, arrays = scored(columns, [("web", "db")])
    assert services.explained[0, arrays.services.index("web"), 0] < 0.3


def test_failures_are_weighed_by_the_calls_they_are_of() -> None:
    columns = {
        "web|error_ratio": np.abs(0.001 * noise(1)) + 0.2 * STEP,
        "web|requests": 1000 + noise(3),
        "ads|error_ratio": np.abs(0.001 * noise(2)) + 0.2 * STEP,
        "ads|requests": 10 + 0.1 * noise(4),
    }
    _, services, arrays = scored(columns, [("web", "ads")])
    assert services.explained[0, arrays.services.index("web"), 1] < 0.05


def test_a_star_of_slow_edges_accuses_its_centre() -> None:
    leaves = ("a", "b", "c", "d")
    columns = {f"{leaf}|net_in_p50_ms": 5 + 0.1 * noise(i) + 100 * STEP for i, leaf in enumerate(leaves)}
    columns |= {"hub|cpu_percent": 10 + noise(9)}
    found, *_ = scored(columns, [("web", "hub"), *(("hub", leaf) for leaf in leaves)])
    assert max(found, key=lambda name: found[name]) == "hub"


def test_one_slow_edge_of_several_accuses_the_callee() -> None:
    leaves = ("a", "b", "c", "d")
    columns = {
        f"{leaf}|net_in_p50_ms": 5 + 0.1 * noise(i) + 100 * STEP * (leaf == "a") for i, leaf in enumerate(leaves)
    }
    columns |= {"hub|cpu_percent": 10 + noise(9)}
    found, *_ = scored(columns, [("hub", leaf) for leaf in leaves])
    assert max(found, key=lambda name: found[name]) == "a"


def test_failures_of_a_service_that_is_hardly_asked_any_more_count_less() -> None:
    busy = {"a|error_ratio": np.abs(0.001 * noise(1)) + 0.02 * STEP, "a|requests": 100 + noise(2)}
    left = {**busy, "a|requests": 100 + noise(2) - 90 * STEP}
    _, kept, _ = scored(busy)
    _, fewer, _ = scored(left)
    errors = CHANNELS.index(Channel.ERRORS)
    assert fewer.strength[0, 0, errors] < kept.strength[0, 0, errors]


def test_what_the_alert_is_not_about_counts_half() -> None:
    columns = {"a|latency_ms": 100 + noise(1) + 300 * STEP, "b|error_ratio": np.abs(0.001 * noise(2)) + 0.1 * STEP}
    plain, *_ = scored(columns)
    told, services, _ = scored(columns, symptom=Symptom("b", "error_ratio"), channel=Channel.ERRORS)
    assert told["a"] == pytest.approx(plain["a"] / 2)
    assert told["b"] == plain["b"]
    assert services.alert[0] > 3


def test_work_that_grows_with_the_calls_is_whose_calls_they_are() -> None:
    busy = {"db|cpu_percent": 5 + 0.1 * noise(1) + 35 * STEP, "web|cpu_percent": 5 + 0.1 * noise(2)}
    asked, *_ = scored({**busy, "db|requests": 100 + noise(3) + 700 * STEP})
    alone, *_ = scored({**busy, "db|requests": 100 + noise(3)})
    assert asked["db"] < 0.8 * alone["db"]
    more, *_ = scored({**busy, "db|requests": 100 + noise(3) + 20 * STEP})
    assert more["db"] > 0.95 * alone["db"]


@pytest.mark.parametrize(
    ("nodes", "edges", "factor"),
    [
        ((), (("web", "a"),), TUNING.hearsay),
        ((Node("a", NodeKind.DATABASE),), (("web", "a"),), 1.0),
        ((Node("a", NodeKind.EXTERNAL),), (("web", "a"),), TUNING.external),
        ((), (("web", "a"), ("b", "a")), 1.0),
        ((), (("web", "a"), ("a", "b")), 1.0),
        ((), (), 1.0),
    ],
)
def test_a_node_counts_as_much_as_is_known_of_it(
    nodes: tuple[Node, ...], edges: tuple[tuple[str, str], ...], factor: float
) -> None:
    columns = {"a|latency_ms": 100 + noise(1), "web|cpu_percent": noise(2), "b|cpu_percent": noise(3)}
    *_, arrays = scored(columns, edges, nodes=nodes)
    assert arrays.factor[arrays.services.index("a")] == factor


def test_evidence_beside_the_series_counts() -> None:
    extra = np.zeros((1, 1, len(CHANNELS)))
    extra[0, 0, CHANNELS.index(Channel.LOG_FAILURE)] = 2.0
    found, *_ = scored({"a|cpu_percent": 10 + noise(1)}, extra=extra)
    assert found["a"] > 3.9


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


def test_the_simple_ranker_takes_the_largest_z() -> None:
    keys = (SignalKey("a", "x"), SignalKey("b", "x"), SignalKey("c", "x"), SignalKey("d", "x"))
    values = np.array([noise(1), noise(2) + 50 * STEP, np.zeros(ROWS), np.r_[np.full(ROW, np.nan), np.ones(10)]]).T
    times = np.arange(0.0, 60.0 * ROWS, 60.0, dtype=np.float64)
    made = table.build(SignalFrame(times, values, keys), RowTuning())
    assert simple.rank(made, ROW) == ("b", "a", "c", "d")


def test_the_simple_ranker_leaves_missing_values_out() -> None:
    random = np.random.default_rng(3)
    values = random.gamma(2.0, 1.0, (ROWS, 9))
    values[random.random(values.shape) < 0.3] = np.nan
    keys = tuple(SignalKey(name, "x") for name in "abcdefghi")
    made = table.build(SignalFrame(np.arange(0.0, 60.0 * ROWS, 60.0), values, keys), RowTuning())
    middle = np.nanmedian(values[:ROW], axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(values[:ROW] - middle), axis=0)
    peak = np.nanmax(np.abs(values[ROW:] - middle), axis=0) / spread
    assert simple.rank(made, ROW) == tuple("abcdefghi"[i] for i in np.argsort(-peak))


def test_a_caller_is_explained_by_the_callee_that_explains_most_and_the_last_of_equals() -> None:
    columns = {
        "web|latency_ms": 200 + noise(1) + 100 * STEP,
        "shop|latency_ms": 200 + noise(2) + 100 * STEP,
        "db|latency_ms": 20 + 0.2 * noise(3) + 95 * STEP,
        "ads|latency_ms": 20 + 0.2 * noise(4) + 20 * STEP,
        "geo|latency_ms": 20 + 0.2 * noise(5) + 95 * STEP,
    }
    edges = [("web", "ads"), ("shop", "geo"), ("web", "db"), ("shop", "db"), ("shop", "ads")]
    _, services, arrays = scored(columns, edges)
    named = {
        name: (arrays.services[services.by[0, i, 0]], float(services.explained[0, i, 0]))
        for i, name in enumerate(arrays.services)
        if services.by[0, i, 0] >= 0
    }
    assert named == {"web": ("db", 1.0), "shop": ("geo", 1.0)}
    assert services.explained[0, arrays.services.index("db")].tolist() == [0.0, 0.0]
