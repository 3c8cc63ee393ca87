"""The grid of points, and the crew that asks."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.errors import SourceError, SourceQueryError, SourceTimeoutError
from rca.model.incident import Interval
from rca.sources.base import Request
from rca.sources.prom.work import Crew, Grid


@given(st.floats(0, 2e9), st.floats(0.001, 500), st.integers(1, 7200))
def test_every_point_lies_in_the_window_on_a_multiple_of_the_step(start: float, steps: float, step: int) -> None:
    begin = datetime.fromtimestamp(start, UTC)
    span = Interval(begin, begin + timedelta(seconds=steps * step))
    grid = Grid.of(Request(span, step, 0.0))
    assert grid.first % step == 0
    assert grid.first >= span.start.timestamp()
    if grid.count > 1:
        assert grid.last < span.end.timestamp() <= grid.last + step
    coarse = grid.coarse(12)
    assert coarse.count <= 12
    assert set(coarse.times) <= set(grid.times)
    assert grid.last - coarse.last < coarse.step


def test_failures_are_values_and_the_others_go_on() -> None:
    crew = Crew(2, time.monotonic() + 5)

    def ask(number: int) -> int:
        if number == 1:
            raise SourceQueryError("no")
        return number * 2

    answers = dict(crew.each(ask, [0, 1, 2]))
    crew.close()
    assert (answers[0], answers[2]) == (0, 4)
    assert isinstance(answers[1], SourceError)


def test_a_bug_is_raised() -> None:
    crew = Crew(1, time.monotonic() + 5)
    with pytest.raises(ZeroDivisionError):
        list(crew.each(lambda number: 1 // number, [0]))
    crew.close()


def test_never_more_than_its_size_ask_at_once() -> None:
    crew = Crew(3, time.monotonic() + 5)
    now, most, lock = 0, 0, threading.Lock()
    gate = threading.Barrier(3)

    def ask(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait(5)
        with lock:
            now -= 1

    assert len(list(crew.each(ask, range(9)))) == 9
    crew.close()
    assert most == 3


def test_what_is_not_answered_in_time_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.sources.prom.work._GRACE", 0.05)
    crew, release = Crew(1, time.monotonic()), threading.Event()
    ((item, answer),) = crew.each(lambda _: release.wait(5), ["slow"])
    release.set()
    crew.close()
    assert item == "slow"
    assert isinstance(answer, SourceTimeoutError)


def test_a_closed_crew_asks_nothing_more() -> None:
    crew = Crew(1, time.monotonic() + 5)
    answers = crew.each(lambda number: number, [1, 2, 3])
    assert next(answers)[0] in {1, 2, 3}
    crew.close()
    crew.close()
    assert list(answers) == []
    assert list(crew.each(lambda number: number, [1])) == []
