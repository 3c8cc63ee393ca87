"""`rca capture`: collect only."""

from typing import Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, command
from rca.errors import ExitCode, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "capture")(capture)


def capture(
    run: Run,
    *,
    moments: options.Moments,
    service: options.Service = None,
    collecting: options.Collecting,
    changes: options.Changes,
    title: Annotated[
        str | None, typer.Option("--title", envvar="RCA_TITLE", help="What the incident is called.")
    ] = None,
    force: options.Overwrite = False,
) -> None:
    """Collect an incident into a bundle, to be replayed, shared or kept."""
    from dataclasses import replace  # noqa: PLC0415 - only when the command runs

    from rca.bundle import check_target  # noqa: PLC0415 - as above
    from rca.cli.alerts import read_alert  # noqa: PLC0415 - as above
    from rca.cli.changes import check_branch  # noqa: PLC0415 - as above
    from rca.cli.collecting import Wanted, declared_graph, gather, keeping  # noqa: PLC0415 - as above

    if run.output is None:
        raise UsageError("-o is missing", hint="Say where to: -o incident.tar.gz (or a folder, or .zip).")
    check_target(run.output, overwrite=force)  # before a minute is spent on collecting
    symptom, _ = read_alert(None, service)
    loaded = run.load({**collecting.settings(), **changes.settings()})
    check_branch(changes, loaded.config.changes.repos)
    wanted = Wanted(moments.asked(), symptom, changes=True)
    collected = gather(run, loaded.config, wanted, declared_graph(loaded.config))
    bundle = replace(collected.bundle, title=title) if title else collected.bundle
    with keeping(bundle, loaded, run.output, note=run.note, overwrite=force) as (bundle, kept):
        for gap in bundle.gaps:
            run.note(f"gap: {gap.source}: {gap.what}: {gap.why}")
    run.note(f"captured: {kept}")
    raise typer.Exit(ExitCode.INTERRUPTED if collected.interrupted else ExitCode.OK)
