import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from _pytest.mark import ParameterSet

from rca.changes.facts import Anomaly, Facts, NewLines
from rca.changes.findings import Content
from rca.changes.judge import judge_diff
from rca.changes.vocabulary import Vocabulary, load
from rca.model.incident import Commit, Event, EventKind
from rca.model.signals import Kind
from topology import Edge, ServiceGraph

HERE = Path(__file__).parent
LATER = ("pairs_second", "pairs_third", "pairs_fourth", "pairs_fifth", "pairs_sixth", "pairs_seventh")
ONSET = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GRAPH = ServiceGraph(edges=[Edge("edge", "alpha"), Edge("alpha", "store"), Edge("edge", "beta")])

Judged: TypeAlias = Callable[..., Content]
MakeFacts: TypeAlias = Callable[..., Facts]
MakeCommit: TypeAlias = Callable[..., Commit]
MakeDeploy: TypeAlias = Callable[..., Event]


@dataclass(frozen=True)
class DiffPair:
    name: str
    path: str
    logs: tuple[str, ...]
    metrics: tuple[str, ...]
    guilty: str
    innocent: str
    open: str  # why it is not told apart; empty for one that is


def read_pairs(folder: str) -> list[DiffPair]:
    return [
        DiffPair(
            f"{path.stem}: {row['name']}",
            row["path"],
            tuple(row["logs"]),
            tuple(row["metrics"]),
            row["guilty"],
            row["innocent"],
            row.get("open", ""),
        )
        for path in sorted((HERE / folder).glob("*.toml"))
        for row in tomllib.loads(path.read_text("utf-8"))["pair"]
    ]


def _param(pair: DiffPair, *, held: bool) -> ParameterSet:
    """A pair as a parameter: one that is known not to be told apart fails, and says so when it no longer does."""
    marks = [pytest.mark.xfail(reason=pair.open, strict=True)] if held and pair.open else []
    return pytest.param(pair, id=pair.name, marks=marks)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, *folders in (
        ("first_pair", "pairs"),
        ("later_pair", *LATER),
        ("every_pair", "pairs", *LATER),
    ):
        if fixture in metafunc.fixturenames:
            pairs = [pair for folder in folders for pair in read_pairs(folder)]
            metafunc.parametrize(fixture, [_param(pair, held=fixture == "later_pair") for pair in pairs])


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load()


@pytest.fixture(scope="session")
def judged(vocabulary: Vocabulary) -> Judged:
    def make(diff: str, path: str = "internal/app/main.go") -> Content:
        return judge_diff(diff, (path,), vocabulary)

    return make


@pytest.fixture(scope="session")
def onset() -> datetime:
    return ONSET


@pytest.fixture(scope="session")
def make_facts() -> MakeFacts:
    """An incident of `alpha`, called by `edge`: its lines, and series such as `latency` or `memory ramp`."""

    def make(*logs: str, metrics: tuple[str, ...] = ("errors",), since: datetime = ONSET, **more: object) -> Facts:
        at = ONSET.timestamp()
        anomalies = []
        for text in metrics:
            kind, _, shape = text.partition(" ")
            began = since.timestamp() if shape == "ramp" else at
            up = kind != "availability"
            anomalies.append(Anomaly("alpha", f"{kind}_x", Kind(kind), up, at, began, shape == "ramp", 20.0, 3.0))
        lines = [NewLines("alpha", text, 1.0, at + 5, 20.0) for text in logs]
        lines.append(NewLines("edge", "upstream alpha failed with 500", 1.0, at + 30, 10.0, "alpha"))
        values: dict[str, object] = {
            "start": at - 7200,
            "end": at + 900,
            "onset": at,
            "step": 60.0,
            "shares": {"alpha": 1.0, "edge": 0.4},
            "first_failing": "alpha",
            "anomalies": tuple(anomalies),
            "lines": tuple(lines),
            "graph": GRAPH,
            "baseline_words": frozenset({"handled", "request"}),
            "services": ("alpha", "beta", "edge", "store"),
        }
        return Facts(**(values | more))  # type: ignore[arg-type]  # a fixture's shorthand

    return make


@pytest.fixture(scope="session")
def make_commit() -> MakeCommit:
    def make(
        sha: str, diff: str | None, minutes: float, path: str = "internal/app/main.go", message: str = "Tidy"
    ) -> Commit:
        return Commit(sha * 40, "someone", ONSET - timedelta(minutes=minutes), message, (path,), diff)

    return make


@pytest.fixture(scope="session")
def make_deploy() -> MakeDeploy:
    def make(sha: str, minutes: float, service: str = "alpha") -> Event:
        details = {"commit": sha * 40} if sha else {}
        at = ONSET - timedelta(minutes=minutes)
        return Event(at, EventKind.DEPLOY, service, f"deploy {minutes:g} min before", details)

    return make


@pytest.fixture(scope="module")
def every_pair_of_all() -> list[DiffPair]:
    return [pair for folder in ("pairs", *LATER) for pair in read_pairs(folder)]
