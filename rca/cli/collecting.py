"""From flags to a bundle: the window, the sources, the progress display."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.cli.base import Run, printable
from rca.cli.redact import redacted
from rca.config.load import Loaded, data_dir, default_path
from rca.config.settings import Config
from rca.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from rca.model.incident import Bundle, Event, Symptom
    from rca.sources.base import Source
    from rca.sources.collect import Collected, Progress
    from rca.window import Asked, Plan
    from topology import ServiceGraph


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the flags of `investigate` and `capture` ask for.

    Attributes:
        changes: Read the configured repositories and the file of events, too.
    """

    asked: "Asked"
    symptom: "Symptom | None" = None
    alerted_at: datetime | None = None
    changes: bool = False


def gather(run: Run, config: Config, wanted: Wanted, declared: "ServiceGraph | None") -> "Collected":
    """Collect from the configured sources, redact, and show the progress.

    The bundle has no hash yet: `keeping` gives it one.

    Args:
        run: What the command was told.
        config: The sources, and how they are asked.
        wanted: Of which time, and what else.
        declared: The declared dependency graph, where there is one.

    Raises:
        RcaError: The flags can't be used, or nothing could be collected.
    """
    from rca.sources.collect import collect  # noqa: PLC0415 - heavy, and only for commands that collect
    from rca.window import plan_window  # noqa: PLC0415 - only for commands that collect

    plan = plan_window(wanted.asked, config.window, now=datetime.now(UTC), alerted_at=wanted.alerted_at)
    sources = build_sources(config)
    events: tuple[Event, ...] = ()
    if wanted.changes:
        from rca.cli.changes import given_events, repositories  # noqa: PLC0415 - only for commands that want them

        sources += repositories(config)
        events = given_events(config)
    _announce(run, plan)
    with progress_display(run) as show:
        collected = collect(
            sources,
            plan,
            time_budget_seconds=config.time_budget_seconds,
            declared=declared,
            symptom=wanted.symptom,
            lookback=timedelta(hours=config.changes.lookback_hours),
            events=events,
            on_progress=show,
            meanwhile=_load_what_follows,
        )
    return collected.with_bundle(redacted(collected.bundle, config, run))


def _load_what_follows() -> None:
    """Import, while the servers work, what their answers will need."""
    for name in ("rca.sources.assemble", "rca.bundle", "rca.redact", "rca.analyze", "rca.history", "rca.report"):
        import_module(name)


def build_sources(config: Config) -> list["Source"]:
    """The sources that are configured.

    Raises:
        ConfigError: None is.
    """
    sources: list[Source] = []
    if config.elasticsearch.url or config.elasticsearch.cloud_id:
        from rca.sources.elastic import ElasticsearchSource  # noqa: PLC0415 - its client takes a third of a second

        sources.append(ElasticsearchSource(config.elasticsearch))
    if config.prometheus.url:
        from rca.sources.prom import PrometheusSource  # noqa: PLC0415 - its client is heavy

        sources.append(PrometheusSource(config.prometheus))
    if not sources:
        raise ConfigError(
            "no source is configured",
            hint=f"Give --es-url and --prometheus-url, or write them into {default_path()}: rca config init.",
        )
    return sources


def declared_graph(config: Config) -> "ServiceGraph | None":
    """The union of the declared topology files, or None when there is none.

    Raises:
        UsageError: A file can't be used.
    """
    if not config.topology.files:
        return None
    from topology.declared import TopologyError, load_topology  # noqa: PLC0415 - only for a file
    from topology.merge import merge  # noqa: PLC0415 - as above

    try:
        return merge(*(load_topology(path) for path in config.topology.files)).graph
    except TopologyError as error:
        raise UsageError(error.message, hint=error.hint) from error


@contextmanager
def keeping(
    bundle: "Bundle", loaded: Loaded, target: Path | None, *, note: Callable[[str], None], overwrite: bool
) -> Iterator[tuple["Bundle", Path]]:
    """Write the bundle where it was asked for, or among the kept ones in the user's data directory.

    It is packed beside what the `with` does, and is there when that ends. The `with` gets the bundle with its hash
    and its place. One that nobody asked to keep, and that can't be kept, is but a note.

    Raises:
        UsageError: It can't be written; said after the body, so that a full disk takes nobody's report.
        BundleError: It is larger than what can be read back; as above.
    """
    from rca.bundle import seal, write_bundle  # noqa: PLC0415 - only for commands that write one

    sealed = seal(bundle)
    path = target or data_dir(loaded.config) / "bundles" / f"{bundle.id}-{sealed.bundle.sha256[:8]}.tar.gz"
    with ThreadPoolExecutor(1) as pool:
        if target is None:  # the name holds the content's hash: what is there is the same
            _make_folder(path.parent)
            overwrite = True
        written = pool.submit(write_bundle, sealed, path, overwrite=overwrite)
        yield sealed.bundle, path
    try:
        written.result()
    except UsageError as error:
        if target is not None:
            raise
        note(f"not kept: {error.message}\nname another place: --save BUNDLE, or RCA_DATA_DIR for all of them")


def _make_folder(folder: Path) -> None:
    """Make a folder, where that can be done; where it can't, writing into it says so."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)


def _announce(run: Run, plan: "Plan") -> None:
    span, collected = plan.window.span, plan.span
    run.note(
        f"looking at {span.start:%Y-%m-%d %H:%M} to {span.end:%H:%M} UTC"
        f" (collecting from {collected.start:%H:%M} for the baseline, every {plan.step_seconds} s)"
    )


@contextmanager
def progress_display(run: Run) -> Iterator[Callable[["Progress"], None]]:
    """Bars on a terminal, one line a source elsewhere, nothing when quiet; always on standard error."""
    if run.quiet:
        yield lambda _: None
    elif not sys.stderr.isatty():
        yield _plain_line
    else:
        from rich.console import Console  # noqa: PLC0415 - only where bars are drawn
        from rich.progress import (  # noqa: PLC0415 - as above
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars  # noqa: PLC0415 - as above

        columns = (
            TextColumn("{task.fields[mark]} {task.fields[source]}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", markup=False),
        )
        console = Console(stderr=True, no_color=run.plain or None)
        with Bars(*columns, console=console, transient=not run.verbose) as bars:
            tasks: dict[str, Any] = {}

            def show(step: "Progress") -> None:
                if step.source not in tasks:
                    tasks[step.source] = bars.add_task("", total=None, mark=" ", source=step.source, what="")
                _update(bars, tasks[step.source], step)

            yield show


def _update(bars: Any, task: Any, step: "Progress") -> None:
    marks = {"done": "✓", "failed": "✗", "interrupted": "!"}
    changes: dict[str, Any] = {"mark": marks.get(step.state, " "), "what": printable(step.what)[:60]}
    if step.state == "working":
        changes |= {"completed": step.done, "total": step.total or None}
    bars.update(task, **changes)


def _plain_line(step: "Progress") -> None:
    if step.state != "working":
        sys.stderr.write(printable(f"{step.source}: {step.what}") + "\n")
