"""What speaks for a cause that is none of the changes, held against the table of docs/changes.md."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rca.changes.elsewhere import FLOOR, Elsewhere, hypotheses
from rca.changes.facts import Anomaly, Facts, FailedSpan, NewLines
from rca.changes.vocabulary import Vocabulary
from rca.model.signals import Kind
from topology import Edge, ServiceGraph

PAGE = (Path(__file__).parents[3] / "docs" / "changes.md").read_text("utf-8")
ONSET, STEP = 1_770_000_000.0, 60.0
GRAPH = ServiceGraph(edges=[Edge("edge", "alpha"), Edge("alpha", "store"), Edge("edge", "beta")])
OUTSIDE = "POST https://api.stripe.com/v1/charges answered 503"


def line(
    text: str, service: str = "alpha", count: float = 10, *, late: bool = False, accused: str = ""
) -> NewLines:
    return NewLines(service, text, 1.0, ONSET + (600 if late else 5), count, accused)


def rose(kind: Kind, ratio: float = 3.0, service: str = "alpha", **more: Any) -> Anomaly:
    values: dict[str, Any] = {
        "metric": f"{kind.value}_x",
        "up": True,
        "at": ONSET,
        "began": ONSET,
        "ramp": False,
    } | more
    return Anomaly(service=service, kind=kind, strength=20.0, ratio=ratio, **values)


def grew(kind: Kind, steps: int = 10) -> Anomaly:
    return rose(kind, ramp=True, began=ONSET - steps * STEP)


def incident(*parts: NewLines | Anomaly | FailedSpan, **more: Any) -> Facts:
    """An incident of `alpha`."""
    return Facts(
        start=ONSET - 7200, end=ONSET + 900, onset=ONSET, step=STEP, shares={"alpha": 1.0}, first_failing="alpha",
        anomalies=tuple(part for part in parts if isinstance(part, Anomaly)),
        lines=tuple(part for part in parts if isinstance(part, NewLines)),
        spans=tuple(part for part in parts if isinstance(part, FailedSpan)),
        graph=GRAPH, services=("alpha", "beta", "edge", "store"), **more,
    )  # fmt: skip


Value = Callable[[Sequence[float]], float]
"""From the figures of a part of the table to what is added."""


def whole(figures: Sequence[float]) -> float:
    """The first figure as it stands."""
    return figures[0]


@dataclass(frozen=True)
class Case:
    """An incident, and all that speaks for a cause of it: words of the table's part, and what it adds."""

    cause: str
    kind: str
    facts: Facts
    told: Mapping[str, Value]


STOLEN = "cpu steal on this host"
EXPIRED = "x509: certificate has expired"
CASES = (
    Case("a third party", "external", incident(line(OUTSIDE)), {"share of its own new errors": whole}),
    Case(
        "a third party",
        "external",
        incident(line(OUTSIDE), line("handler failed")),
        {"share of its own new errors": lambda f: f[0] / 2},
    ),
    Case(
        "a third party",
        "external",
        incident(FailedSpan("alpha", "POST /charges", "api.stripe.com", deepest=True)),
        {"deepest failing span": whole},
    ),
    Case(
        "a third party",
        "external",
        incident(line(OUTSIDE), line(OUTSIDE, "beta")),
        {"share of its own new errors": whole, "several services fail at it": whole},
    ),
    Case("a surge", "traffic", incident(rose(Kind.TRAFFIC, 1.3)), {"before the rest": whole}),
    Case("a surge", "traffic", incident(rose(Kind.TRAFFIC, 9.0)), {"before the rest": lambda f: f[1]}),
    Case(
        "a surge",
        "traffic",
        incident(rose(Kind.TRAFFIC, 9.0, "edge", at=ONSET - 60), rose(Kind.TRAFFIC), line("shedding load: surge")),
        {
            "before the rest": lambda f: f[1],
            "at several services": whole,
            "where requests come in": whole,
            "too much load": whole,
        },
    ),
    Case(
        "a surge",
        "traffic",
        incident(rose(Kind.TRAFFIC, 9.0), steady=frozenset({"edge"})),
        {"made inside": whole, "before the rest": lambda f: f[1]},
    ),
    Case("a machine", "node", incident(line("node n1 is NotReady", "kubelet")), {"platform's own lines": whole}),
    Case("a machine", "node", incident(line(STOLEN)), {"platform's own lines": lambda f: f[1]}),
    Case(
        "a machine",
        "node",
        incident(line(STOLEN, count=1), line("handler failed", count=99)),
        {"platform's own lines": lambda f: f[1] * f[2]},
    ),
    Case("a machine", "node", incident(rose(Kind.CPU, metric="node_cpu")), {"one of its series": whole}),
    Case("a machine", "node", incident(FailedSpan("alpha", "kernel panic")), {"failing spans name it": whole}),
    Case(
        "a machine",
        "node",
        incident(
            rose(Kind.LATENCY), rose(Kind.LATENCY, service="beta"),
            hosts={"alpha": "n1", "beta": "n1", "store": "n2"},
        ),
        {"services that share it": whole},
    ),
    Case("bad data", "data", incident(line("invalid record: order_id=4711", count=4)), {"one record in": whole}),
    *(
        Case(
            "what several depend on",
            "dependency",
            incident(*(line("store: refused", name, accused="store") for name in names)),
            {"services that fail at it alike": value},
        )
        for names, value in (
            (("alpha", "beta"), lambda f: 2 * f[0]),
            (("alpha", "beta", "b", "c"), lambda f: 4 * f[0]),
            (("alpha", "beta", "b", "c", "d"), lambda f: 4 * f[0]),
        )
    ),
    Case(
        "what several depend on",
        "dependency",
        incident(line("store: refused", accused="store"), rose(Kind.AVAILABILITY, service="store", up=False)),
        {"stopped being available": whole},
    ),
    *(
        Case(
            "the way between",
            "network",
            incident(rose(Kind.LATENCY, ratio, peer="store")),
            {"waits twice as long": value},
        )
        for ratio, value in ((2.0, whole), (4.0, lambda f: f[0] + f[1]), (999.0, lambda f: f[2]))
    ),
    *(
        Case("growth to a limit", "capacity", incident(grew(kind)), {"a ramp of ten points": value})
        for value, kinds in (
            (whole, (Kind.MEMORY, Kind.DISK, Kind.SATURATION)),
            (lambda f: f[1], (Kind.QUEUE, Kind.OTHER)),
        )
        for kind in kinds
    ),
    Case("what words tell", "certificate", incident(line(EXPIRED, late=True)), {"share of new lines": whole}),
    Case(
        "what words tell",
        "capacity",
        incident(line("quota exceeded", late=True)),
        {"share of new lines": lambda f: f[1]},
    ),
    Case(
        "what words tell",
        "job",
        incident(line("cronjob runs", count=1, late=True), line("handler failed", count=99)),
        {"share of new lines": lambda f: f[0] * f[2]},
    ),
    Case(
        "what words tell",
        "certificate",
        incident(line(EXPIRED), line(EXPIRED, "beta")),
        {"share of new lines": whole, "among the first": whole, "in several services": whole},
    ),
)  # fmt: skip


def table() -> dict[str, list[str]]:
    """The table's rows: the cause, and the parts of what speaks for it."""
    rows = PAGE.partition("| cause | what speaks for it |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    cells = [row.strip("| ").split(" | ") for row in rows]
    return {cause: told.split(" · ") for cause, told in cells}


def part_of(cause: str, words: str) -> str:
    """The one part with these words, of the one row that begins so."""
    (parts,) = [parts for name, parts in table().items() if name.startswith(cause)]
    (found,) = [part for part in parts if words in part]
    return found


def figures(part: str) -> list[float]:
    return [float(figure) for figure in re.findall(r"[+-]?\d\.\d+", part)]


def made(facts: Facts, kind: str, vocabulary: Vocabulary) -> Elsewhere:
    (found,) = [item for item in hypotheses(facts, vocabulary, None) if item.kind == kind]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.cause}: {', '.join(case.told)}")
def test_what_speaks_for_another_cause_adds_what_the_table_says(case: Case, vocabulary: Vocabulary) -> None:
    added = [float(reason.split()[0]) for reason in made(case.facts, case.kind, vocabulary).reasons]
    said = [value(figures(part_of(case.cause, words))) for words, value in case.told.items()]
    assert sorted(added) == pytest.approx(sorted(said), abs=0.006)  # reasons are told with two decimals


def test_every_figure_of_the_table_is_held_to_the_code() -> None:
    parts = [part for row in table().values() for part in row]
    free = {(part, place) for part in parts for place in range(len(figures(part)))}
    for case in CASES:
        for words, value in case.told.items():
            part = part_of(case.cause, words)
            known = figures(part)
            for place in range(len(known)):
                moved = [figure + (1 if other == place else 0) for other, figure in enumerate(known)]
                free -= {(part, place)} if value(moved) != value(known) else set()
    assert parts
    assert not free


def test_a_score_is_the_start_and_what_was_added(vocabulary: Vocabulary) -> None:
    assert "Every\nother cause starts at -1 and" in PAGE
    assert f"`none of the known changes explains it` scores {FLOOR}:" in PAGE
    for case in CASES:
        found = made(case.facts, case.kind, vocabulary)
        assert found.score == pytest.approx(
            -1 + sum(float(reason.split()[0]) for reason in found.reasons), abs=0.02
        )


def test_the_causes_that_words_tell_are_those_of_the_vocabulary(vocabulary: Vocabulary) -> None:
    (cause,) = [cause for cause in table() if cause.startswith("what words tell: ")]
    strong, _, weak = cause.removeprefix("what words tell: ").partition("; ")
    gains = figures(part_of("what words tell", "share of new lines"))
    for named, gain in zip((strong, weak), gains, strict=False):
        assert sorted(named.split(", ")) == sorted(h.what for h in vocabulary.hypotheses if h.gain == gain)
    assert {h.gain for h in vocabulary.hypotheses} == {*gains[:2]}


@pytest.mark.parametrize(("named", "others", "bad"), [(4, 0, True), (3, 0, False), (6, 4, True), (5, 4, False)])
def test_one_record_is_bad_data_in_three_fifths_of_four_errors_or_more(
    vocabulary: Vocabulary, named: int, others: int, *, bad: bool
) -> None:
    facts = incident(line("invalid order_id=4711", count=named), line("invalid input", count=others))
    assert ("data" in {item.kind for item in hypotheses(facts, vocabulary, None)}) is bad


@pytest.mark.parametrize(
    ("steps", "first_change", "grown"), [(10, None, True), (9, None, False), (10, -9.0, False), (20, -9.0, True)]
)
def test_growth_is_a_ramp_of_ten_points_that_began_before_every_change(
    vocabulary: Vocabulary, steps: int, first_change: float | None, *, grown: bool
) -> None:
    change = None if first_change is None else ONSET + first_change * STEP
    found = hypotheses(incident(grew(Kind.MEMORY, steps)), vocabulary, change)
    assert ("capacity" in {item.kind for item in found}) is grown
