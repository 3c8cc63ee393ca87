"""`rca investigate`: the main job."""

from pathlib import Path
from typing import Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, choose_format, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "investigate")(investigate)


def investigate(
    run: Run,
    *,
    at: options.At = None,
    since: options.Since = None,
    until: options.Until = None,
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
    baseline_since: options.BaselineSince = None,
    baseline_until: options.BaselineUntil = None,
    timezone: options.Timezone = None,
    step: options.Step = None,
    topology: options.TopologyFiles = None,
    time_budget: options.Budget = None,
    no_redact: options.NoRedact = False,
    force: options.Overwrite = False,
    exit_code: options.ExitCodeFlag = False,
) -> None:
    """Collect from Elasticsearch and Prometheus, rank the services, and report what most likely caused it."""
    from rca.cli.alerts import read_alert  # noqa: PLC0415 - only when the command runs
    from rca.cli.collecting import (  # noqa: PLC0415 - as above
        Wanted,
        declared_graph,
        gather,
        keeping,
        window_settings,
    )
    from rca.cli.reporting import emit, make_report, verdict_code  # noqa: PLC0415 - as above
    from rca.window import Asked  # noqa: PLC0415 - as above

    choose_format(run)  # a wrong format must not be found out after a minute of collecting
    settings = window_settings(
        timezone=timezone, step=step, time_budget=time_budget, no_redact=no_redact, topology=topology
    )
    graph = declared_graph(run.load(settings).config) if alert else None
    symptom, alerted_at = read_alert(alert, service, graph=graph, note=run.note)
    asked = Asked(at, since, until, baseline_since, baseline_until)
    collected, loaded = gather(run, Wanted(asked, symptom, alerted_at, settings))
    with keeping(collected.bundle, loaded, save, overwrite=force) as (bundle, kept):
        report = make_report(bundle, loaded, replayed=False)
        emit(report, run)
        if report.alert_context:
            run.note(report.alert_context)
    run.note(f"kept: {kept}\nreplay it offline: rca replay {kept}")
    raise typer.Exit(verdict_code(report, wanted=exit_code, interrupted=collected.interrupted))
