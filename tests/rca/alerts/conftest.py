"""Alerts and graphs, made by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.incident import Alert
from topology import Edge, ServiceGraph

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
Make = Callable[..., Alert]


@pytest.fixture
def make() -> Make:
    """Makes an alert: name, service, seconds after three o'clock, seconds until its end, further labels."""

    def one(name: str, service: str | None, at: float = 0, end: float | None = None, **labels: str) -> Alert:
        own = {"alertname": name, **({"service": service} if service else {}), **labels}
        ends = None if end is None else START + timedelta(seconds=end)
        return Alert(own, {}, START + timedelta(seconds=at), ends, state="resolved" if ends else "active")

    return one


@pytest.fixture
def shop() -> ServiceGraph:
    """A gateway over two branches; the first ends in a cache that two services call."""
    names = (
        "gateway checkout",
        "gateway search",
        "checkout cart",
        "checkout payments",
        "cart cache",
        "search index",
    )
    calls = (pair.split() for pair in (*names, "payments ledger", "orders ledger"))
    return ServiceGraph(edges=[Edge(caller, callee) for caller, callee in calls])
