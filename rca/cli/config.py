"""`rca config`: a commented configuration file, and what is in force."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from rca.cli.base import Run, command
from rca.errors import UsageError

_OTHER_FORMATS = {".json", ".yaml", ".yml", ".ini", ".xml"}


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The configuration file: make one, see what is in force.", no_args_is_help=True)
    command(group, "init")(init)
    command(group, "show")(show)
    command(group, "path")(where)
    app.add_typer(group, name="config")


def init(
    run: Run,
    *,
    force: Annotated[
        bool, typer.Option("--force", envvar="RCA_FORCE", help="Replace the file that is there.")
    ] = False,
) -> None:
    """Write a commented configuration file; it asks for nothing and overwrites nothing."""
    from importlib.resources import files  # noqa: PLC0415 - only when the command runs

    from rca.cli.reporting import write_atomically  # noqa: PLC0415 - as above
    from rca.config.load import default_path  # noqa: PLC0415 - as above

    path = run.output or run.config or default_path()
    if path.suffix.lower() in _OTHER_FORMATS:
        raise UsageError(
            f"a configuration file is TOML, and {path.name} promises another", hint="End it in .toml."
        )
    if path.exists() and not force:
        raise UsageError(f"{path} exists", hint="Edit it, choose another with -o, or replace it with --force.")
    _make_folder(path.parent)
    write_atomically(path, (files("rca.config") / "template.toml").read_text(encoding="utf-8"), private=True)
    sys.stdout.write(f"{path}\n")
    run.note("edit it, then see what comes back: rca doctor")


def show(run: Run) -> None:
    """Show every setting that is in force, and where its value came from; secrets are withheld."""
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from rca.cli.tables import PLAIN, choose_format  # noqa: PLC0415 - as above

    name = choose_format(run, "config show", PLAIN)
    rows = list(run.load().shown())
    if name == "json":
        document = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        emit_text(json.dumps(document, indent=2), run)
        return
    wide = max(len(key) for key, _, _ in rows)
    emit_text("\n".join(f"{key:<{wide}}  {value}  [{origin}]" for key, value, origin in rows), run)


def where(run: Run) -> None:
    """Print where the configuration file is, or would be."""
    from rca.config.load import default_path  # noqa: PLC0415 - only when the command runs

    path = run.load().path or default_path()
    sys.stdout.write(f"{path}\n")
    if not path.exists():
        run.note("it does not exist yet; make it: rca config init")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} can't be made: {error.strerror}", hint="Choose another place with -o."
        ) from error
