"""Whole traces and spans, drawn in three round trips."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from rca.errors import SourceQueryError
from rca.model.incident import Interval
from rca.sources.elastic.client import Answer, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.spans import Traced, collect_spans
from rca.sources.elastic.traces import Place, Traces, draw_traces
from topology import NodeKind

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(minutes=10))
GRID = Grid.over(SPAN, 300)
KEYWORD = {"keyword": {"aggregatable": True}}
CAPS: dict[str, Any] = {"trace.id": KEYWORD, "@timestamp": {"date": {"aggregatable": True}}}
APM = CAPS | {"span.destination.service.resource": KEYWORD, "service.name": KEYWORD}


class Traced100:
    """A hundred documents, of two traces of two lines and one of ninety-six."""

    def __init__(self, caps: Mapping[str, Any] = CAPS, *, refuse: bool = False) -> None:
        self.caps, self.refuse, self.calls = caps, refuse, 0

    def field_caps(self, _indices: Sequence[str], _fields: Sequence[str]) -> Mapping[str, Any]:
        return {"fields": self.caps}

    def one(self, search: Search) -> Answer:
        aggs = search.body["aggs"]
        if "drawn" in aggs:
            slots = [{"traces": {"buckets": [{"key": key} for key in keys]}} for keys in (["a", "long"], ["b"])]
            return Answer({"aggregations": {"drawn": {"times": {"buckets": slots}}}})
        if "traces" in aggs:
            sizes = [{"key": "a", "doc_count": 2}, {"key": "b", "doc_count": 2}, {"key": "long", "doc_count": 96}]
            return Answer({"aggregations": {"traces": {"buckets": sizes}}})
        if "services" in aggs:
            return Answer({"aggregations": {"services": CALLS}})
        return Answer({"aggregations": {"trace_0": {"doc_count": 100}}})

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        self.calls += 1
        if self.refuse:
            return [Answer({}, SourceQueryError("refused"))]
        wanted = [
            names for f in searches[0].body["query"]["bool"]["filter"] for names in f.get("terms", {}).values()
        ]
        return [Answer({"hits": {"hits": [hit(trace, i) for trace in wanted[-1] for i in range(2)]}})]


def hit(trace: str, number: int) -> dict[str, Any]:
    fields = {
        "@timestamp": [START.isoformat()],
        "trace.id": [trace],
        "span.id": [str(number)],
        "service.name": ["s"],
    }
    return {"_id": f"{trace}{number}", "fields": fields}


def resource(name: str, kind: str, subtype: str) -> dict[str, Any]:
    described = {
        "type": {"buckets": [{"key": kind}] if kind else []},
        "subtype": {"buckets": [{"key": subtype}] if subtype else []},
    }
    return {"key": name, "doc_count": 600, "failed": {"doc_count": 60}, **described}


CALLS = {
    "sum_other_doc_count": 4,
    "buckets": [
        {
            "key": "shop",
            "resources": {
                "buckets": [
                    resource("postgresql", "db", "postgresql"),
                    resource("cart:8080", "external", "http"),
                    resource("pay.example:443", "external", "http"),
                    resource("10.0.0.1:80", "", ""),
                ]
            },
        },
        {"key": "cart", "resources": {"buckets": []}},
    ],
}


def place(documents: int = 100) -> Place:
    return Place("log traces", ("logs-*",), "@timestamp", "trace.id", (), documents, ("message",))


def draw(server: Traced100, budget: int, documents: int = 100) -> Traces:
    return draw_traces(cast("ElasticClient", server), place(documents), GRID, budget)


def test_traces_that_fit_are_fetched_whole_and_one_that_is_too_long_is_not() -> None:
    found = draw(Traced100(), 50)
    assert found.ids == ("a", "b")
    assert len(found.hits) == 4
    assert found.gaps == ()


def test_when_most_traces_are_too_long_that_is_a_gap() -> None:
    server = Traced100()
    found = draw(server, 3)
    assert (found.ids, server.calls) == ((), 0)
    assert [gap.what for gap in found.gaps] == ["whole traces (log traces)"]


def test_no_documents_or_no_budget_asks_nothing() -> None:
    assert draw(Traced100(), 0) == draw(Traced100(), 50, documents=0) == Traces()


def test_a_refused_page_is_a_gap() -> None:
    found = draw(Traced100(refuse=True), 50)
    assert [gap.why for gap in found.gaps] == ["refused"]
    assert found.ids == ()  # none is called whole of which lines may be missing


def collect(caps: Mapping[str, Any]) -> Traced:
    return collect_spans(cast("ElasticClient", Traced100(caps)), ("traces-*",), SPAN)


def test_spans_come_in_whole_traces_and_in_order() -> None:
    found = collect(CAPS)
    ids = [(trace, number) for trace in ("a", "b", "long") for number in "01"]
    assert [(span.trace_id, span.span_id) for span in found.spans] == ids
    assert (found.documents, found.graph) == (100, None)


def test_calls_are_counted_to_databases_and_to_services_that_are_known() -> None:
    found = collect(APM)
    assert found.graph is not None
    edges = [(edge.caller, edge.callee, edge.weight, edge.errors) for edge in found.graph.edges()]
    assert edges == [("shop", "cart", 1.0, 0.1), ("shop", "postgresql", 1.0, 0.1)]
    assert found.graph.node("postgresql").kind is NodeKind.DATABASE
    assert any("calls of services beyond" in gap.what for gap in found.gaps)


def test_indices_without_trace_ids_hold_no_spans() -> None:
    text = {"text": {"aggregatable": False}}
    assert collect({"trace.id": text, "@timestamp": {"date": {}}}) == collect({}) == Traced()
    assert collect_spans(cast("ElasticClient", Traced100()), (), SPAN) == Traced()
