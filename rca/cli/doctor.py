"""`rca doctor`: why nothing comes back, in one command."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from rca.cli import options
from rca.cli.base import Run, command, printable
from rca.errors import ExitCode, sentence

if TYPE_CHECKING:
    from rca.config.settings import Config
    from rca.sources.base import Check


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(run: Run, *, recent: options.Recent, changes: options.Changes) -> None:
    """Check the sources: reachable, as whom, which fields, packs and services were found, what is missing."""
    from rca.cli.changes import check_branch, read_events, repositories  # noqa: PLC0415 - only when the command runs
    from rca.cli.collecting import build_sources, declared_graph  # noqa: PLC0415 - as above
    from rca.cli.reporting import emit_text, own_words  # noqa: PLC0415 - as above
    from rca.cli.tables import PLAIN, choose_format  # noqa: PLC0415 - as above
    from rca.sources.base import Check, Request  # noqa: PLC0415 - as above
    from rca.window import plan_window  # noqa: PLC0415 - as above

    name = choose_format(run, "doctor", PLAIN)
    as_they_come = name == "terminal" and run.output is None  # a hanging server is seen where it hangs
    loaded = run.load({**recent.settings(), **changes.settings()})
    config = loaded.config
    check_branch(changes, config.changes.repos)
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
    checks += _not_configured(config)
    sources = [*build_sources(config), *repositories(config)]
    if as_they_come:
        _show(checks, verbose=run.verbose)
    for source in sources:
        for check in source.check(request):
            checks.append(check)
            if as_they_come:
                _show([check], verbose=run.verbose)
        source.close()
    if not as_they_come:
        plain = _lines(checks, verbose=run.verbose)
        emit_text(json.dumps(list(map(_document, checks)), indent=2) if name == "json" else plain, run)
    run.note(_result(checks))
    raise typer.Exit(ExitCode.SOURCES_FAILED if any(check.ok is False for check in checks) else ExitCode.OK)


def _result(checks: "Sequence[Check]") -> str:
    """All of it in a line; it is well only where no note asks for anything either."""
    broken = sum(check.ok is False for check in checks)
    advice = sum(check.ok is not False and bool(check.hint) for check in checks)
    if broken:
        return f"{broken} of {len(checks)} checks failed"
    return f"nothing is broken; look at the {advice} marked with >" if advice else "all is well"


def _not_configured(config: "Config") -> "Iterator[Check]":
    """What an investigation would have to do without."""
    from rca.sources.base import Check  # noqa: PLC0415 - only when the command runs

    if not (config.elasticsearch.url or config.elasticsearch.cloud_id):
        yield Check(
            "elasticsearch", "address", None, "none is configured: no logs, no spans", hint="See --es-url."
        )
    if not config.prometheus.url:
        yield Check("prometheus", "address", None, "none is configured: no metrics", hint="See --prometheus-url.")


def _show(checks: "Sequence[Check]", *, verbose: bool) -> None:
    sys.stdout.write(_lines(checks, verbose=verbose) + "\n")
    sys.stdout.flush()


def _lines(checks: "Sequence[Check]", *, verbose: bool) -> str:
    marks = {True: "ok  ", False: "FAIL", None: "note"}
    told = []
    for check in checks:
        lines = [f"{marks[check.ok]}  {check.source}: {check.name}: {check.detail}"]
        lines += [f"        {fact}" for fact in (*check.facts, *(check.more if verbose else ()))]
        lines += [] if verbose or not check.more else ["        why: --verbose"]
        lines += [f"      > {sentence(check.hint)}"] if check.hint else []
        told.append(printable("\n".join(lines)))
    return "\n".join(told)


def _document(check: "Check") -> dict[str, object]:
    return {
        "source": check.source,
        "name": check.name,
        "ok": check.ok,
        "detail": check.detail,
        "hint": check.hint,
        "facts": [*check.facts, *check.more],
    }
