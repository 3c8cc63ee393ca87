"""Running many queries at once, within a bound of time, and the grid of points they are asked at."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rca.errors import SourceError, SourceTimeoutError
from rca.model.signals import FloatArray
from rca.sources.base import Request

T = TypeVar("T")
R = TypeVar("R")
_GRACE = 1.0
_POLL = 0.1  # how soon a crew that was closed from elsewhere notices


@dataclass(frozen=True, slots=True)
class Grid:
    """The points in time at which everything is asked: whole seconds, multiples of the step.

    Attributes:
        first: The first point, unix seconds.
        step: Seconds between points.
        count: Points.
    """

    first: int
    step: int
    count: int

    @classmethod
    def of(cls, request: Request) -> "Grid":
        """The points within the request's half-open span; at least one."""
        step = max(1, int(request.step_seconds))
        first = math.ceil(request.span.start.timestamp() / step) * step
        end = request.span.end.timestamp()
        return cls(first, step, max(1, math.ceil((end - first) / step)))

    @property
    def last(self) -> int:
        """The last point."""
        return self.first + (self.count - 1) * self.step

    @property
    def times(self) -> FloatArray:
        """Shape `(count,)`, unix seconds."""
        return self.first + self.step * np.arange(self.count, dtype=np.float64)

    def coarse(self, points: int) -> "Grid":
        """The same stretch in fewer points, its first and about its last among them."""
        stride = max(1, math.ceil((self.count - 1) / max(1, points - 1)))
        return Grid(self.first, self.step * stride, (self.count - 1) // stride + 1)


class Crew:
    """A few threads that ask for us.

    Args:
        size: Calls at once.
        deadline: `time.monotonic()` at which nothing more is waited for.
    """

    def __init__(self, size: int, deadline: float) -> None:
        self._pool = ThreadPoolExecutor(max(1, size), thread_name_prefix="prometheus")
        self._deadline = deadline
        self._closed = threading.Event()

    def each(self, ask: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R | SourceError]]:
        """Call for every item, at most `size` at once; pairs come as they are answered.

        A `SourceError` is a value here: the others go on. Any other exception is a bug and is raised.
        """
        waiting: dict[Future[R], T] = {}
        for item in items:
            if self._closed.is_set():
                return
            waiting[self._pool.submit(ask, item)] = item
        try:
            while waiting and not self._closed.is_set():
                done, _ = wait(waiting, timeout=min(_POLL, self._left()), return_when=FIRST_COMPLETED)
                if not done and self._left() <= 0:
                    late = SourceTimeoutError("not answered within the time budget")
                    yield from ((item, late) for item in waiting.values())
                    return
                for future in [each for each in waiting if each in done and not self._closed.is_set()]:
                    outcome = _outcome(future)
                    yield waiting.pop(future), outcome
        finally:
            for future in waiting:
                future.cancel()

    def _left(self) -> float:
        return max(0.0, self._deadline + _GRACE - time.monotonic())

    def close(self) -> None:
        """Start nothing more; what is under way ends by its own limit."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future[R]) -> R | SourceError:
    try:
        return future.result()
    except SourceError as error:
        return error
