"""The entry point: the application and its commands, none of which loads more than it needs to be listed."""

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from rca.cli.base import guarded
from rca.cli.refusal import Telling
from rca.errors import ConfigError

COMMANDS = {
    "demo": "demo",
    "investigate": "investigate",
    "capture": "capture",
    "replay": "replay",
    "explain": "explain",
    "topology": "topology",
    "incidents": "incidents",
    "alerts": "grouping",
    "eval": "eval",
    "redact": "redact",
    "doctor": "doctor",
    "config": "config",
}
"""The module of each command, in the order of the listing."""


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The application with these commands, all by default."""
    app = typer.Typer(
        name="rca",
        cls=Telling,
        help="Name the service that most likely caused an incident, and show why.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for name in names:
        import_module(f"rca.cli.{COMMANDS[name]}").register(app)
    return app


def _version(value: bool) -> None:  # noqa: FBT001 - the form of a callback that typer calls
    if value:
        from rca import __version__  # noqa: PLC0415 - reading the installed metadata takes a while

        sys.stdout.write(f"rca {__version__}\n")
        raise typer.Exit


def root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the commands' defaults from the configuration file's `[commands]` table."""
    del version  # its callback has ended the program when it was given

    def defaults() -> None:
        from rca.config.load import command_defaults, default_path  # noqa: PLC0415 - only when a command runs

        named = _named_config(sys.argv)
        if named or os.environ.get("RCA_CONFIG") or default_path().exists():
            table = command_defaults(named, os.environ)
            if table:
                _refuse_unknown(typer.main.get_command(application()), table, "commands")
            context.default_map = table

    guarded(defaults, verbose=False)


def _refuse_unknown(command: Any, table: Mapping[str, Any], path: str) -> None:
    """Walk the table beside the commands it speaks of.

    Raises:
        ConfigError: It names a command or a flag that doesn't exist.
    """
    commands = getattr(command, "commands", None)
    known = set(commands) if commands is not None else {parameter.name for parameter in command.params}
    for name, value in table.items():
        if name not in known or (commands is not None and not isinstance(value, Mapping)):
            raise ConfigError(
                f"'{path}.{name}' in the configuration file is no {'command' if commands else 'flag'}",
                hint=f"Choose one of: {', '.join(sorted(known))}.",
            )
        if commands is not None:
            _refuse_unknown(commands[name], value, f"{path}.{name}")


def _named_config(arguments: list[str]) -> Path | None:
    """The file named by `--config`, which stands behind the command and so isn't parsed yet."""
    for index, argument in enumerate(arguments):
        if argument.startswith("--config="):
            return Path(argument.partition("=")[2])
        if argument == "--config" and index + 1 < len(arguments):
            return Path(arguments[index + 1])
    return None


def _asked_for(arguments: Sequence[str]) -> Iterable[str]:
    """The command that is run, by itself: to read the others in takes longer than a server's first answer."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _usable_streams() -> None:
    """Make the standard streams usable, however we were started.

    One that was closed goes nowhere. What isn't a terminal gets UTF-8, as the files of `-o` do, so that the same
    report is the same bytes; a terminal that can't show a sign shows another one for it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def run() -> None:
    """Run the command line; a polite kill is treated like Ctrl-C, so that what has come is kept.

    A process of a second or two makes little garbage and many objects that stay: looking through all of them for
    cycles, again and again and once more at the end, would be a sixth of its work. Arrays as small as ours are
    multiplied best by one thread: numpy would start one a processor, and the order of a sum would depend on them.
    """
    _usable_streams()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
    signal.signal(signal.SIGTERM, _interrupt)
    application(_asked_for(sys.argv[1:]))()
