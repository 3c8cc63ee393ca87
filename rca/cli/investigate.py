"""`rca investigate`: the main job."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, choose_format, command
from rca.cli.given import STDIN
from rca.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "investigate")(investigate)


def investigate(
    run: Run,
    *,
    moments: options.Moments,
    alert: Annotated[
        str | None,
        typer.Option(
            "--alert",
            metavar="FILE|-",
            envvar="RCA_ALERT",
            help="Start from an alert, in any format of docs/alerts.md.",
        ),
    ] = None,
    service: options.Service = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="BUNDLE", envvar="RCA_SAVE", help="Keep the bundle here: a folder, .tar.gz or .zip."
        ),
    ] = None,
    collecting: options.Collecting,
    changes: options.Changes,
    vocabulary: options.Vocabulary = None,
    force: options.Overwrite = False,
    exit_code: options.ExitCodeFlag = False,
) -> None:
    """Collect from Elasticsearch and Prometheus, rank the services, and report what most likely caused it."""
    from rca.cli.alerts import read_alert  # noqa: PLC0415 - only when the command runs
    from rca.cli.changes import check_branch  # noqa: PLC0415 - as above
    from rca.cli.collecting import Wanted, declared_graph, gather, keeping  # noqa: PLC0415 - as above
    from rca.cli.reporting import emit, make_report, own_words, verdict_code  # noqa: PLC0415 - as above

    choose_format(run)  # what can't be written must not be found out after a minute of collecting
    if save is not None:
        from rca.bundle import check_target  # noqa: PLC0415 - numpy: else the first question waits for it

        check_target(save, overwrite=force)
    settings = {**collecting.settings(), **changes.settings(), "changes.vocabulary": vocabulary}
    loaded = run.load(settings)
    config = loaded.config
    check_branch(changes, config.changes.repos)
    words = own_words(config)  # as above
    if alert == STDIN and str(config.changes.events) == STDIN:
        raise UsageError("standard input can't hold the alert and the events", hint="Put one into a file.")
    declared = declared_graph(config)
    symptom, alerted_at = read_alert(alert, service, graph=declared, note=run.note)
    collected = gather(run, config, Wanted(moments.asked(), symptom, alerted_at, changes=True), declared)
    with keeping(collected.bundle, loaded, save, note=run.note, overwrite=force) as (bundle, kept):
        report = make_report(bundle, loaded, replayed=False, words=words)
        emit(report, run)
        if report.alert_context and run.output is not None:  # the report itself tells it, and nobody sees that now
            run.note(report.alert_context)
    if os.access(kept, os.F_OK):
        run.note(f"kept: {kept}\nreplay it offline: rca replay {kept}")
    raise typer.Exit(verdict_code(report, wanted=exit_code, interrupted=collected.interrupted))
