from rca.changes.facts import Anomaly, FailedSpan, NewLines
from rca.changes.origin import first_failing
from rca.model.signals import Kind
from topology import Edge, ServiceGraph

GRAPH = ServiceGraph(edges=[Edge("web", "orders"), Edge("orders", "db")])


def find(
    anomalies: tuple[Anomaly, ...] = (),
    lines: tuple[NewLines, ...] = (),
    spans: tuple[FailedSpan, ...] = (),
    shares: dict[str, float] | None = None,
    alerted: str = "web",
) -> str:
    return first_failing(
        anomalies=anomalies, lines=lines, spans=spans, shares=shares or {}, graph=GRAPH, alerted=alerted, step=60.0
    )


def test_without_any_sign_it_is_where_the_alert_fired() -> None:
    assert find() == "web"


def test_the_deepest_failing_span_counts_most_unless_the_caller_cancelled_it() -> None:
    deep = FailedSpan("db", "SELECT", deepest=True)
    cut = FailedSpan("db", "SELECT", deepest=True, cancelled=True)
    own = FailedSpan("orders", "query", deepest=True)
    assert find(spans=(deep,), shares={"orders": 1.0}) == "db"
    assert find(spans=(cut, own)) == "orders"


def test_a_line_that_names_another_service_accuses_that_one() -> None:
    lines = (
        NewLines("web", "orders is down", 1.0, 10.0, accused="orders"),
        NewLines("web", "no answer", 1.0, 20.0),
    )
    assert find(lines=lines) == "orders"


def test_the_earliest_metric_decides_between_a_caller_and_its_callee() -> None:
    anomalies = (
        Anomaly("web", "p99", Kind.LATENCY, up=True, at=400.0, began=400.0, ramp=False, strength=9.0),
        Anomaly("db", "p99", Kind.LATENCY, up=True, at=100.0, began=100.0, ramp=False, strength=9.0),
    )
    assert find(anomalies=anomalies) == "db"


def test_a_warning_counts_as_an_error_of_who_is_seen_to_fail() -> None:
    lines = (NewLines("orders", "took 4 s", 0.4, 10.0), NewLines("web", "no answer", 1.0, 20.0))
    slow = Anomaly("orders", "p99", Kind.LATENCY, up=True, at=30.0, began=30.0, ramp=False, strength=9.0)
    failing = Anomaly("web", "errors", Kind.ERRORS, up=True, at=30.0, began=30.0, ramp=False, strength=9.0)
    assert find(lines=lines) == "web"
    assert find(anomalies=(slow, failing), lines=lines) == "orders"
