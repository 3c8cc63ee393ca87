"""`rca replay`: the same analysis over a bundle, without a network."""

import typer

from rca.cli import options
from rca.cli.base import Run, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "replay")(replay)


def replay(
    run: Run,
    bundle: options.BundlePath,
    *,
    changes: options.Changes,
    vocabulary: options.Vocabulary = None,
    exit_code: options.ExitCodeFlag = False,
) -> None:
    """Analyse a recorded bundle: the same bundle and configuration give the same bytes."""
    from rca.bundle import read_bundle  # noqa: PLC0415 - only when the command runs
    from rca.cli.changes import with_given_changes  # noqa: PLC0415 - as above
    from rca.cli.reporting import emit, make_report, verdict_code  # noqa: PLC0415 - as above

    loaded = run.load({**changes.settings(), "changes.vocabulary": vocabulary})
    recorded = with_given_changes(run, read_bundle(bundle), loaded.config, changes)
    report = make_report(recorded, loaded, replayed=True)
    emit(report, run)
    raise typer.Exit(verdict_code(report, wanted=exit_code))
