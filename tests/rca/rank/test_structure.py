import numpy as np
import pytest

from rca.detect import table
from rca.model.incident import Symptom
from rca.model.signals import Bad, Kind, SignalFrame, SignalKey
from rca.model.tuning.rows import RowTuning
from rca.rank import structure
from tests.rca.rank.conftest import ROWS, STEP, TUNING, noise, scored
from topology import Edge, Node, NodeKind, ServiceGraph

FAILING = structure.CLASSES.index(structure.FAILING)
SLOW = structure.CLASSES.index(structure.SLOW)


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


def test_times_are_compared_in_the_callers_unit() -> None:
    columns = {"web|latency_p50_seconds": 0.2 + 0.01 * noise(1), "db|net_in_p50_ms": 5 + 0.1 * noise(2)}
    *_, made = scored(columns, [("web", "db")])
    assert made.pairs[SLOW].factor.tolist() == [1e-3]


@pytest.mark.parametrize(("unit", "pairs"), [("ratio", 1), ("%", 0)])
def test_failures_are_compared_where_they_are_of_one_unit(unit: str, pairs: int) -> None:
    keys = (
        SignalKey("web", "failed", None, Kind.ERRORS, Bad.UP, "ratio", declared=True),
        SignalKey("web", "failed_calls", None, Kind.ERRORS, Bad.UP, unit, peer="db", declared=True),
    )
    values = np.abs(0.001 * np.array([noise(1), noise(2)])).T
    times = np.arange(0.0, 60.0 * ROWS, 60.0, dtype=np.float64)
    made = table.build(SignalFrame(times, values, keys), RowTuning())
    graph = ServiceGraph(edges=[Edge("web", "db")])
    built = structure.build(made, graph, others=(), symptom=None, symptom_channel=None, tuning=TUNING)
    assert int(built.pairs[FAILING].seen.sum()) == pairs


def test_an_alert_about_another_kind_of_metric_shows_in_that_metric_alone() -> None:
    columns = {"a|cpu_percent": 10 + noise(1) + 60 * STEP, "a|memory_bytes": 1e6 + noise(2)}
    *_, made = scored(columns, symptom=Symptom("a", "memory_bytes"))
    assert made.alert_rows.tolist() == [1]
