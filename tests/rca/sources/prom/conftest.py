"""A plan to put answers together under, made by hand."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from rca.sources.prom.client import Answer
from rca.sources.prom.names import Labels, Names, Owners
from rca.sources.prom.packs import Naming, Pack, Part, Signal
from rca.sources.prom.plan import Ask, Plan
from rca.sources.prom.work import Grid

Rows = Sequence[tuple[Mapping[str, str], Mapping[int, str]]]


@pytest.fixture
def plan() -> Plan:
    """Ten points from 1000 on, 10 s apart."""
    return Plan(Grid(1000, 10, 10), (), Owners(), Names())


@pytest.fixture
def ask() -> Callable[..., Ask]:
    """Makes an ask for a part, by default a gauge by service."""

    def make(part: Part | None = None, labels: Labels | None = None, top: float = float("inf")) -> Ask:
        chosen = part or Signal("load", "max by ($S) (load{$F})", ("load",), Naming(("service",)))
        pack = Pack("mine", "ours", ("load",))
        return Ask(pack, chosen, "load", labels or Labels("service"), 60, top=top)

    return make


@pytest.fixture
def answer() -> Callable[..., Answer]:
    """Makes a range answer of labels and `{index of the point: value}`."""

    def make(rows: Rows, *warnings: str) -> Answer:
        series = [
            {"metric": labels, "values": [[1000 + 10 * index, value] for index, value in values.items()]}
            for labels, values in rows
        ]
        return Answer(series, warnings)

    return make
