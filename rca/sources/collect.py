"""All sources at once -> one bundle, with a gap for whatever didn't come.

Each source runs in a thread of its own and hands its pieces over a queue, so that what has come is kept when one
hangs, when the time budget ends, or on Ctrl-C. The order in which pieces arrive never shows in the bundle.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rca.errors import AllSourcesFailedError, NoDataError, SourceError
from rca.model.incident import Bundle, Event, Gap, Interval, Symptom
from rca.model.times import moment
from rca.sources.base import Harvest, Request, Source
from rca.window import Plan
from topology import ServiceGraph

_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of collecting, for the display.

    Attributes:
        state: `working`, `done`, `failed`, `interrupted`.
    """

    source: str
    what: str
    done: int
    total: int
    state: str


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What came of collecting.

    Attributes:
        interrupted: Ctrl-C ended it; the bundle holds what had come.
    """

    bundle: Bundle
    interrupted: bool

    def with_bundle(self, bundle: Bundle) -> "Collected":
        """The same, with another bundle."""
        return Collected(bundle, self.interrupted)


@dataclass(slots=True)
class _Tray:
    """What one source has handed over so far."""

    measures: bool = True
    pieces: list[Harvest] = field(default_factory=list)
    error: SourceError | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class _Message:
    source: str
    piece: Harvest | None = None
    error: BaseException | None = None


def collect(
    sources: Sequence[Source],
    plan: Plan,
    *,
    time_budget_seconds: float,
    declared: ServiceGraph | None = None,
    symptom: Symptom | None = None,
    lookback: timedelta = timedelta(0),
    events: Sequence[Event] = (),
    on_progress: Callable[[Progress], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Collected:
    """Ask every source in parallel and make a bundle of the answers.

    Args:
        sources: Each with a name of its own.
        plan: The window, what to collect for it, and the step.
        time_budget_seconds: Everything ends by then; a source that is still working becomes a gap.
        declared: The dependency graph as people wrote it down.
        symptom: What was reported.
        lookback: How long before what is collected a change of state may lie.
        events: Changes of state that were given by hand; those outside the window become a gap.
        on_progress: Called from the calling thread for each piece.
        meanwhile: Called once, in the calling thread, when the sources have begun.

    Returns:
        The bundle; after Ctrl-C it holds what had come, with a gap that says so.

    Raises:
        AllSourcesFailedError: No source gave anything.
        NoDataError: They answered, and nothing lies in the window.
    """
    request = Request(plan.span, plan.step_seconds, time.monotonic() + time_budget_seconds, lookback)
    trays = {source.name: _Tray(source.measures) for source in sources}
    interrupted = False
    messages = _start(sources, request)
    try:
        meanwhile()
        for message in _receive(messages, trays, request.deadline):
            _take(message, trays[message.source], on_progress)
    except KeyboardInterrupt:
        interrupted = True
    for source in sources:
        source.close()
    gaps = _unfinished(trays, interrupted=interrupted, budget=time_budget_seconds)
    _refuse_if_empty(trays, gaps, interrupted=interrupted)
    from rca.sources.assemble import assemble, with_changes  # noqa: PLC0415 - numpy: no first request awaits it

    kept, left_out = within(events, request.changes)
    pieces = [piece for name in sorted(trays) for piece in trays[name].pieces]
    bundle = assemble(pieces, plan, [*gaps, *left_out], declared, symptom)
    return Collected(with_changes(bundle, kept, ()), interrupted)


def within(events: Sequence[Event], span: Interval) -> tuple[list[Event], list[Gap]]:
    """Events of a stretch of time, and a gap for those outside."""
    kept = [event for event in events if span.start <= event.at < span.end]
    left = len(events) - len(kept)
    why = (
        f"before {moment(span.start)} or after {moment(span.end)};"
        " --change-lookback widens it, and check the time zone"
    )
    return kept, [Gap("events", f"{left} of {len(events)} given events", why)] if left else []


def _start(sources: Sequence[Source], request: Request) -> "queue.SimpleQueue[_Message]":
    messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
    for source in sources:
        threading.Thread(target=_work, args=(source, request, messages), name=source.name, daemon=True).start()
    return messages


def _work(source: Source, request: Request, messages: "queue.SimpleQueue[_Message]") -> None:
    try:
        for piece in source.harvest(request):
            messages.put(_Message(source.name, piece=piece))
    except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises what isn't a SourceError
        messages.put(_Message(source.name, error=error))
    else:
        messages.put(_Message(source.name))


def _receive(
    messages: "queue.SimpleQueue[_Message]", trays: dict[str, _Tray], deadline: float
) -> Iterator[_Message]:
    """Yield messages until every source has ended, or shortly after the deadline."""
    while not all(tray.finished for tray in trays.values()):
        left = deadline + _GRACE_SECONDS - time.monotonic()
        if left <= 0:
            return
        try:
            yield messages.get(timeout=min(left, 0.5))  # short waits: Ctrl-C must get through on every platform
        except queue.Empty:
            continue


def _take(message: _Message, tray: _Tray, on_progress: Callable[[Progress], None]) -> None:
    if message.piece is not None:
        piece = message.piece
        tray.pieces.append(piece)
        on_progress(Progress(message.source, piece.what, piece.done, piece.total, "working"))
        return
    tray.finished = True
    if message.error is None:
        on_progress(Progress(message.source, "done", 1, 1, "done"))
        return
    if not isinstance(message.error, SourceError):
        raise message.error
    tray.error = message.error
    on_progress(Progress(message.source, message.error.message, 0, 0, "failed"))


def _unfinished(trays: dict[str, _Tray], *, interrupted: bool, budget: float) -> list[Gap]:
    gaps = []
    for name, tray in trays.items():
        if tray.error is not None:
            what = "the whole source" if not tray.pieces else "the rest of its answers"
            gaps.append(Gap(name, what, tray.error.told))
        elif interrupted and not tray.finished:
            gaps.append(Gap(name, "what had not come by then", "interrupted with Ctrl-C"))
        elif not tray.finished:
            why = f"no answer within the time budget of {budget:g} s; raise --time-budget or shorten the window"
            gaps.append(Gap(name, "what had not come by then", why))
        elif tray.measures and not any(_has_data(piece) for piece in tray.pieces):
            gaps.append(
                Gap(name, "the whole window", "it answered, and holds nothing there; 'rca doctor' says more")
            )
    return gaps


def _refuse_if_empty(trays: dict[str, _Tray], gaps: Sequence[Gap], *, interrupted: bool) -> None:
    if any(_has_data(piece) for tray in trays.values() for piece in tray.pieces):
        return
    if interrupted:
        raise KeyboardInterrupt
    reasons = "".join(f"\n  {gap.source}: {gap.why}" for gap in gaps)
    if all(tray.error is not None or not tray.finished for tray in trays.values() if tray.measures):
        raise AllSourcesFailedError(
            f"no source gave anything{reasons}", hint="Run 'rca doctor' to see what is reachable and as whom."
        )
    noted = "".join(
        f"\n  {gap.source}: {gap.what}: {gap.why}"
        for tray in trays.values()
        for p in tray.pieces
        for gap in p.gaps
    )
    raise NoDataError(
        f"the sources answered, and there is nothing in the window{reasons}{noted}",
        hint="Check the times and the time zone, then 'rca doctor': it names the newest data there is.",
    )


def _has_data(piece: Harvest) -> bool:
    return bool(
        (piece.metrics is not None and piece.metrics.keys)
        or piece.logs
        or (piece.log_counts is not None and piece.log_counts.services)
        or piece.spans
    )
