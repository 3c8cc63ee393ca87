"""`rca doctor`: why nothing comes back, in one command."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from rca.cli import options
from rca.cli.base import Run, command, printable
from rca.errors import ExitCode, sentence

if TYPE_CHECKING:
    from rca.sources.base import Check


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(run: Run, *, recent: options.Recent, changes: options.Changes) -> None:
    """Check the sources: reachable, as whom, which fields, packs and services were found, what is missing."""
    from rca.cli.changes import read_events, repositories  # noqa: PLC0415 - only when the command runs
    from rca.cli.collecting import build_sources, declared_graph  # noqa: PLC0415 - as above
    from rca.cli.reporting import own_words  # noqa: PLC0415 - as above
    from rca.sources.base import Check, Request  # noqa: PLC0415 - as above
    from rca.window import plan_window  # noqa: PLC0415 - as above

    loaded = run.load({**recent.settings(), **changes.settings()})
    config = loaded.config
    plan = plan_window(recent.asked(), config.window, now=datetime.now(UTC))
    request = Request(
        plan.window.span,
        plan.step_seconds,
        time.monotonic() + config.time_budget_seconds,
        timedelta(hours=config.changes.lookback_hours),
    )
    file = str(loaded.path) if loaded.path else "none (rca config init makes one)"
    checks = [Check("configuration", "file", None, file)]
    declared = declared_graph(config)
    if declared is not None:
        checks.append(Check("topology", "declared", ok=True, detail=f"{len(declared)} services"))
    if config.changes.events is not None:
        found, told = read_events(config.changes.events), f"{config.changes.events}"
        checks.append(Check("changes", "events", ok=True, detail=f"{len(found)} in {told}"))
    if own_words(config) is not None:
        checks.append(Check("changes", "vocabulary", ok=True, detail=f"your own in {config.changes.vocabulary}"))
    _show(run, checks)
    for source in [*build_sources(config), *repositories(config)]:
        for check in source.check(request):
            checks.append(check)
            _show(run, [check])
        source.close()
    if run.format == "json":
        sys.stdout.write(json.dumps([_document(check) for check in checks], indent=2) + "\n")
    broken = [check for check in checks if check.ok is False]
    run.note(f"{len(broken)} of {len(checks)} checks failed" if broken else "all is well")
    raise typer.Exit(ExitCode.SOURCES_FAILED if broken else ExitCode.OK)


def _show(run: Run, checks: "list[Check]") -> None:
    """Print checks as they come, so that a hanging server is seen where it hangs."""
    if run.format == "json":
        return
    marks = {True: "ok  ", False: "FAIL", None: "note"}
    for check in checks:
        lines = [f"{marks[check.ok]}  {check.source}: {check.name}: {check.detail}"]
        lines += [f"        {fact}" for fact in check.facts]
        lines += [f"      > {sentence(check.hint)}"] if check.hint else []
        sys.stdout.write(printable("\n".join(lines)) + "\n")
    sys.stdout.flush()


def _document(check: "Check") -> dict[str, object]:
    return {
        "source": check.source,
        "name": check.name,
        "ok": check.ok,
        "detail": check.detail,
        "hint": check.hint,
        "facts": list(check.facts),
    }
