import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rca.errors import AllSourcesFailedError, NoDataError, SourceAuthError, SourceError, SourceUnreachableError
from rca.model.incident import Commit, Event, EventKind, Gap, Interval, SourceRecord, Symptom, Window
from rca.model.logs import LogLine
from rca.model.signals import SignalFrame, SignalKey
from rca.sources import collect as collecting
from rca.sources.base import Check, Harvest, Request
from rca.sources.collect import Progress, collect
from rca.window import Plan
from topology import Edge, Provenance, ServiceGraph

START = datetime(2026, 11, 22, 2, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(hours=1))
PLAN = Plan(Window(SPAN), SPAN, 60)


@dataclass
class Scripted:
    """A source that does what a test says."""

    name: str
    pieces: list[Harvest] = field(default_factory=list)
    error: BaseException | None = None
    hang: threading.Event | None = None
    before: Callable[[], None] = lambda: None
    closed: int = 0
    measures: bool = True

    def harvest(self, request: Request) -> Iterator[Harvest]:
        assert request.deadline > time.monotonic()
        yield from self.pieces
        self.before()
        if self.hang is not None:
            self.hang.wait(30)
        if self.error is not None:
            raise self.error

    def check(self, request: Request) -> Iterator[Check]:
        yield Check(self.name, "nothing", ok=None, detail=str(request.step_seconds))

    def close(self) -> None:
        self.closed += 1


def metrics(service: str, value: float = 1.0) -> Harvest:
    frame = SignalFrame(np.array([START.timestamp()]), np.array([[value]]), (SignalKey(service, "latency"),))
    return Harvest("series", 1, 1, metrics=frame, record=SourceRecord("prometheus", "prometheus", "2.42"))


def lines(*messages: str) -> Harvest:
    logs = tuple(LogLine(START + timedelta(seconds=n), "cart", "INFO", text) for n, text in enumerate(messages))
    return Harvest("lines", 1, 2, logs=logs, record=SourceRecord("elasticsearch", "elasticsearch", "9.2.0"))


def test_what_all_sources_answered_is_one_bundle() -> None:
    sources = [
        Scripted("prometheus", [metrics("cart"), metrics("bill")]),
        Scripted("elasticsearch", [lines("a", "b")]),
    ]
    bundle = collect(sources, PLAN, time_budget_seconds=5, symptom=Symptom("cart")).bundle
    assert bundle.metrics is not None
    assert bundle.metrics.services == ("bill", "cart")
    assert [line.message for line in bundle.logs] == ["a", "b"]
    assert [record.name for record in bundle.sources] == ["elasticsearch", "prometheus"]
    assert bundle.id == "incident-20261122T020000Z"
    assert bundle.title.startswith("cart: incident of 2026-11-22")
    assert bundle.resolution_seconds == 60
    assert bundle.gaps == ()
    assert [source.closed for source in sources] == [1, 1]


def test_the_order_of_arrival_does_not_show() -> None:
    event = [Event(START + timedelta(minutes=n), EventKind.DEPLOY, "cart", f"v{n}") for n in (2, 1)]
    pieces = [Harvest(events=(one,)) for one in event] + [lines("b"), lines("a")]
    there = collect([Scripted("es", pieces)], PLAN, time_budget_seconds=5).bundle
    back = collect([Scripted("es", pieces[::-1])], PLAN, time_budget_seconds=5).bundle
    assert there.events == back.events == tuple(event[::-1])
    assert there.logs == back.logs


def test_a_source_that_failed_is_a_gap_with_its_reason() -> None:
    broken = Scripted("elasticsearch", error=SourceAuthError("refused: 401", hint="check the password"))
    bundle = collect([broken, Scripted("prometheus", [metrics("cart")])], PLAN, time_budget_seconds=5).bundle
    assert bundle.gaps == (Gap("elasticsearch", "the whole source", "refused: 401. Check the password."),)


def test_a_source_that_broke_off_keeps_what_it_gave() -> None:
    broken = Scripted("elasticsearch", [lines("a")], error=SourceError("connection reset"))
    bundle = collect([broken], PLAN, time_budget_seconds=5).bundle
    assert len(bundle.logs) == 1
    assert bundle.gaps == (Gap("elasticsearch", "the rest of its answers", "connection reset."),)


def test_every_source_failing_is_an_error_that_names_each_reason() -> None:
    sources = [
        Scripted("a", error=SourceUnreachableError("nobody at x")),
        Scripted("b", error=SourceError("broke")),
    ]
    with pytest.raises(AllSourcesFailedError, match=r"\n  a: nobody at x\.\n  b: broke\.$"):
        collect(sources, PLAN, time_budget_seconds=5)


def test_an_empty_window_is_an_error_that_quotes_the_gaps() -> None:
    empty = Scripted("elasticsearch", [Harvest(gaps=(Gap("elasticsearch", "logs", "no index matched"),))])
    with pytest.raises(NoDataError, match="no index matched") as caught:
        collect([empty], PLAN, time_budget_seconds=5)
    assert "doctor" in caught.value.hint


def test_a_source_that_is_silent_beside_another_is_a_gap() -> None:
    bundle = collect(
        [Scripted("es"), Scripted("prometheus", [metrics("cart")])], PLAN, time_budget_seconds=5
    ).bundle
    assert [(gap.source, gap.what) for gap in bundle.gaps] == [("es", "the whole window")]


def test_a_source_that_hangs_ends_with_the_budget_and_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_GRACE_SECONDS", 0.1)
    hang = threading.Event()
    sources = [Scripted("prometheus", [metrics("cart")]), Scripted("elasticsearch", hang=hang)]
    began = time.monotonic()
    bundle = collect(sources, PLAN, time_budget_seconds=0.3).bundle
    hang.set()
    assert time.monotonic() - began < 3
    assert [(gap.source, "time budget" in gap.why) for gap in bundle.gaps] == [("elasticsearch", True)]


def test_ctrl_c_keeps_what_had_come() -> None:
    hang = threading.Event()
    source = Scripted("elasticsearch", [lines("a")], hang=hang)

    def press(step: Progress) -> None:
        if step.state == "working":
            raise KeyboardInterrupt

    collected = collect([source], PLAN, time_budget_seconds=20, on_progress=press)
    hang.set()
    assert collected.interrupted
    assert len(collected.bundle.logs) == 1
    assert [gap.why for gap in collected.bundle.gaps] == ["interrupted with Ctrl-C"]
    assert source.closed == 1


def test_ctrl_c_before_anything_came_is_just_ctrl_c() -> None:
    hang = threading.Event()
    sources = [Scripted("elasticsearch", error=SourceError("down")), Scripted("prometheus", hang=hang)]

    def press(step: Progress) -> None:
        if step.state == "failed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(sources, PLAN, time_budget_seconds=20, on_progress=press)
    hang.set()


def test_a_bug_in_a_source_is_not_taken_for_missing_data() -> None:
    with pytest.raises(ZeroDivisionError):
        collect([Scripted("es", [lines("a")], error=ZeroDivisionError())], PLAN, time_budget_seconds=5)


def test_the_progress_of_each_source_is_told() -> None:
    steps: list[Progress] = []
    broken = Scripted("prometheus", error=SourceError("down"))
    collect(
        [Scripted("elasticsearch", [lines("a")]), broken], PLAN, time_budget_seconds=5, on_progress=steps.append
    )
    told = {(step.source, step.state, step.what) for step in steps}
    assert told == {
        ("elasticsearch", "working", "lines"),
        ("elasticsearch", "done", "done"),
        ("prometheus", "failed", "down"),
    }


def test_declared_and_learnt_graphs_are_united() -> None:
    declared = ServiceGraph(edges=[Edge("gate", "cart", provenance=(Provenance("declared"),))])
    learnt = ServiceGraph(edges=[Edge("cart", "redis", provenance=(Provenance("spans"),))])
    source = Scripted("es", [lines("a"), Harvest(graph=learnt)])
    graph = collect([source], PLAN, time_budget_seconds=5, declared=declared).bundle.graph
    assert {(edge.caller, edge.callee) for edge in graph.edges()} == {("gate", "cart"), ("cart", "redis")}


def test_what_is_to_be_done_meanwhile_is_done_while_the_sources_work() -> None:
    done = threading.Event()
    waiting = Scripted("elasticsearch", [lines("a")], before=lambda: None, hang=done)
    collected = collect([waiting], PLAN, time_budget_seconds=20, meanwhile=done.set)
    assert [line.message for line in collected.bundle.logs] == ["a"]


def test_given_events_and_commits_are_put_in_order_and_told_once() -> None:
    def event(minutes: float, title: str = "v2") -> Event:
        return Event(START + timedelta(minutes=minutes), EventKind.DEPLOY, "cart", title)

    commit = Commit("b" * 40, "ada", START, "m")
    pieces = [
        Harvest(commits=(commit, Commit("a" * 40, "ada", START, "m")), events=(event(1),)),
        Harvest(commits=(commit,)),
    ]
    collected = collect(
        [Scripted("git", pieces, measures=False), Scripted("elasticsearch", [lines("a")])],
        PLAN,
        time_budget_seconds=5,
        lookback=timedelta(hours=2),
        events=[event(1), event(-119, "early"), event(-121, "too early"), event(60, "too late")],
    )
    bundle = collected.bundle
    assert [one.title for one in bundle.events] == ["early", "v2"]
    assert [one.sha[0] for one in bundle.commits] == ["a", "b"]
    gaps = [gap for gap in bundle.gaps if gap.source == "events"]
    assert [gap.what for gap in gaps] == ["2 of 4 given events"]
    assert not [gap for gap in bundle.gaps if gap.source == "git"]  # it says itself what it lacks


def test_commits_alone_are_no_incident() -> None:
    landed = Scripted("git", [Harvest(commits=(Commit("b" * 40, "ada", START, "m"),))], measures=False)
    failed = Scripted("elasticsearch", error=SourceUnreachableError("nobody answered"))
    with pytest.raises(AllSourcesFailedError):
        collect([landed, failed], PLAN, time_budget_seconds=5)
    with pytest.raises(NoDataError):
        collect([landed, Scripted("elasticsearch")], PLAN, time_budget_seconds=5)
