import numpy as np
import pytest

from rca.model.incident import Symptom
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray
from tests.rca.rank.conftest import STEP, TUNING, noise, scored, shown
from topology import Node, NodeKind


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


def test_evidence_beside_the_series_counts() -> None:
    extra = np.zeros((1, 1, len(CHANNELS)))
    extra[0, 0, CHANNELS.index(Channel.LOG_FAILURE)] = 2.0
    found, *_ = scored({"a|cpu_percent": 10 + noise(1)}, extra=extra)
    assert found["a"] > 3.9


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


def test_a_callee_in_a_star_of_slow_edges_shares_what_the_others_show_too() -> None:
    columns = {f"{leaf}|net_in_p50_ms": 5 + 0.1 * noise(i) + 100 * STEP for i, leaf in enumerate("abc")}
    alone, *_ = scored(columns | {"hub|cpu_percent": 10 + noise(9)})
    found, *_ = scored(columns | {"hub|cpu_percent": 10 + noise(9)}, [("hub", leaf) for leaf in "abc"])
    assert found["a"] == pytest.approx((1 - TUNING.explain) * TUNING.hearsay * alone["a"], rel=0.1)


@pytest.mark.parametrize(("leaves", "accused"), [("ab", False), ("abc", True)])
def test_two_slow_edges_are_no_star(leaves: str, accused: bool) -> None:  # noqa: FBT001 - a parameter
    columns = {f"{leaf}|net_in_p50_ms": 5 + 0.1 * noise(i) + 100 * STEP for i, leaf in enumerate(leaves)}
    _, services, made = scored(columns | {"hub|cpu_percent": 10 + noise(9)}, [("hub", leaf) for leaf in leaves])
    assert (shown(services, made, "hub", Channel.EDGE) > 0) is accused


def test_what_a_callee_lacks_explains_a_callers_symptoms_in_part() -> None:
    columns = {"web|latency_ms": 200 + noise(1) + 100 * STEP, "db|cpu_percent": 10 + noise(2) + 80 * STEP}
    _, services, made = scored(columns, [("web", "db")])
    web = made.services.index("web")
    assert services.explained[0, web, 0] == TUNING.explain_across
    assert services.by[0, web, 0] == made.services.index("db")


@pytest.mark.parametrize(("requests", "left"), [(10_000.0, 1 - TUNING.explain), (1000.0, 1.0)])
def test_what_a_caller_says_of_failures_is_a_callees_only_where_that_explains_most_of_them(
    requests: float, left: float
) -> None:
    columns = {
        "web|error_ratio": np.abs(0.001 * noise(1)) + 0.6 * STEP,
        "web|requests": 10_000 + noise(3),
        "ads|error_ratio": np.abs(0.001 * noise(2)) + 0.6 * STEP,
        "ads|requests": requests + 0.001 * requests * noise(4),
    }
    said = np.zeros((1, 2, len(CHANNELS)))
    log = CHANNELS.index(Channel.LOG_FAILURE)
    said[0, 1, log] = 2.0
    _, services, made = scored(columns, [("web", "ads")], extra=said)
    assert made.services == ("ads", "web")
    full = 2.0 * TUNING.weights[Channel.LOG_FAILURE] * TUNING.entry
    assert services.kept[0, 1, log] == pytest.approx(left * full, rel=0.02)


@pytest.mark.parametrize(("requests", "share"), [(100 - 90 * STEP, 1.0), (100 + 0 * STEP, 0.75)])
def test_of_calls_that_did_not_arrive_the_caller_knows_more_than_the_callee(
    requests: FloatArray, share: float
) -> None:
    columns = {
        "web|error_ratio": np.abs(1e-4 * noise(1)) + 0.4 * STEP,
        "web|error_ratio_to:db": np.abs(1e-4 * noise(2)) + 0.3 * STEP,
        "web|requests": 100 + noise(3),
        "db|error_ratio": np.abs(1e-4 * noise(4)),
        "db|requests": requests + noise(5),
    }
    _, services, made = scored(columns, [("web", "db")])
    assert services.explained[0, made.services.index("web"), 1] == pytest.approx(share, abs=0.02)


def test_the_symptoms_of_who_is_called_by_nobody_count_less_and_its_resources_do_not() -> None:
    failing = {"web|error_ratio": np.abs(0.001 * noise(1)) + 0.2 * STEP, "db|cpu_percent": 10 + noise(2)}
    busy = {"web|cpu_percent": 10 + noise(1) + 80 * STEP, "db|cpu_percent": 10 + noise(2)}
    for columns, factor in ((failing, TUNING.entry), (busy, 1.0)):
        alone, *_ = scored(columns)
        found, *_ = scored(columns, [("web", "db")])
        assert found["web"] == pytest.approx(factor * alone["web"])


def test_the_latency_of_who_calls_nobody_is_its_own() -> None:
    columns = {"db|latency_ms": 20 + 0.2 * noise(1) + 95 * STEP}
    plain, *_ = scored(columns)
    store, *_ = scored(columns, nodes=[Node("db", NodeKind.DATABASE)])
    ratio = TUNING.leaf_latency / TUNING.weights[Channel.LATENCY]
    assert store["db"] == pytest.approx(ratio * plain["db"])


def test_the_best_kind_of_evidence_counts_in_full_and_the_others_by_a_share() -> None:
    columns = {"a|cpu_percent": 10 + noise(1) + 60 * STEP, "a|error_ratio": np.abs(0.001 * noise(2)) + 0.2 * STEP}
    found, services, _ = scored(columns)
    kept = np.sort(services.kept[0, 0])
    assert kept[-2] > 1
    assert found["a"] == pytest.approx(kept[-1] + TUNING.rest * kept[:-1].sum())
