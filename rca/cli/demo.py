"""`rca demo`: the report of a recorded incident, without a server."""

import typer

from rca.cli.base import Run, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "demo")(demo)


def demo(run: Run) -> None:
    """Replay the incident that ships with the tool: what a report looks like, no server needed."""
    from importlib.resources import as_file, files  # noqa: PLC0415 - only when the command runs

    from rca.bundle import read_bundle  # noqa: PLC0415 - as above
    from rca.cli.reporting import emit, make_report  # noqa: PLC0415 - as above

    loaded = run.load()
    with as_file(files("rca") / "demo" / "incident.tar.gz") as path:
        report = make_report(read_bundle(path), loaded, replayed=True)
    emit(report, run)
    run.note("this was a recorded incident; on your own systems: rca doctor, then rca investigate --at now-30m")
