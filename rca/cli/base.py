"""What every command shares: its common options, and the one place where an error becomes an exit code."""

import errno
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rca.errors import ExitCode, RcaError, UsageError

if TYPE_CHECKING:
    from rca.config.load import Loaded

_COMMON = "Everywhere"
_COLOURLESS = {"dumb", "unknown"}  # terminals
_NOT_OURS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENAMETOOLONG}
"""What goes wrong with the machine rather than with us."""


@dataclass(frozen=True, slots=True)
class Run:
    """The options that every command has."""

    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="terminal|markdown|json|html",
            envvar="RCA_FORMAT",
            help="How to write the result; -o decides by its ending.",
            rich_help_panel=_COMMON,
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            envvar="RCA_OUTPUT",
            help="Write to this file instead of standard output.",
            rich_help_panel=_COMMON,
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Configuration file. (env var: RCA_CONFIG)", rich_help_panel=_COMMON
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="A profile of that file. (env var: RCA_PROFILE)", rich_help_panel=_COMMON),
    ] = None
    es_url: Annotated[
        str | None,
        typer.Option("--es-url", help="Elasticsearch's address. (env var: RCA_ES_URL)", rich_help_panel=_COMMON),
    ] = None
    prometheus_url: Annotated[
        str | None,
        typer.Option(
            "--prometheus-url",
            help="Prometheus' address, path prefix included. (env var: RCA_PROMETHEUS_URL)",
            rich_help_panel=_COMMON,
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", envvar="RCA_QUIET", help="No progress and no notes.", rich_help_panel=_COMMON
        ),
    ] = False
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            envvar="RCA_VERBOSE",
            help="Say more; show tracebacks.",
            rich_help_panel=_COMMON,
        ),
    ] = False
    no_color: Annotated[
        bool,
        typer.Option(
            "--no-color",
            envvar="RCA_NO_COLOR",
            help="No colours; NO_COLOR is heeded too.",
            rich_help_panel=_COMMON,
        ),
    ] = False

    @property
    def plain(self) -> bool:
        """Whether to write without colours: told so, by any NO_COLOR (no-color.org), or to a terminal without."""
        return self.no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in _COLOURLESS

    def load(self, flags: Mapping[str, Any] | None = None) -> "Loaded":
        """Read the configuration, with this run's flags on top.

        Raises:
            ConfigError: It can't be used.
        """
        from rca.config.load import load_config  # noqa: PLC0415 - only when a command runs

        own = {"elasticsearch.url": self.es_url, "prometheus.url": self.prometheus_url}
        return load_config(path=self.config, profile=self.profile, flags={**own, **(flags or {})})

    def note(self, text: str) -> None:
        """Say something beside the result: on standard error, and not when quiet."""
        if not self.quiet:
            sys.stderr.write(printable(text) + "\n")


def printable(text: str) -> str:
    """The text with control characters made harmless, for messages that quote what servers said."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def command(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command: the common options are added, and errors become exit codes.

    The function takes `run: Run` first, then its own options. One that is a dataclass stands for a flag for each
    of its fields (`rca.cli.options`).
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        groups = {one.name: one.annotation for one in own if is_dataclass(one.annotation)}
        flags = [flag for one in own for flag in (_flags(groups[one.name]) if one.name in groups else [one])]
        flags = [flag.replace(kind=inspect.Parameter.KEYWORD_ONLY) for flag in [*flags, *_flags(Run)]]

        @wraps(function)
        def wrapper(**values: Any) -> None:
            made = {name: _filled(group, values) for name, group in {"run": Run, **groups}.items()}
            run = made.pop("run")
            guarded(lambda: function(run, **made, **values), verbose=run.verbose)

        wrapper.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined] # typer reads it
        wrapper.__annotations__ = {flag.name: flag.annotation for flag in flags}
        app.command(name, **settings)(wrapper)
        return function

    return register


def _flags(group: Any) -> list[inspect.Parameter]:
    """A parameter for each field of a dataclass."""
    return [
        inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=entry.default, annotation=entry.type)
        for entry in fields(group)
    ]


def _filled(group: Any, values: dict[str, Any]) -> Any:
    """The dataclass, with its fields taken out of the values."""
    return group(**{entry.name: values.pop(entry.name) for entry in fields(group)})


def guarded(action: Callable[[], None], *, verbose: bool) -> None:
    """Run a command's body; turn what it raises into a message and an exit code.

    Raises:
        typer.Exit: With the code, when the body failed.
    """
    try:
        action()
        sys.stdout.flush()
    except RcaError as error:
        say(error, verbose=verbose)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        _hush()  # the reader of our output went away (`| head`): not an error
        raise typer.Exit(ExitCode.OK) from None
    except (typer.Exit, typer.Abort):
        raise
    except OSError as error:
        if error.errno not in _NOT_OURS:
            _say_bug(error, verbose=verbose)
            raise typer.Exit(ExitCode.BUG) from None
        say(_refused_by_system(error), verbose=verbose)
        _hush()
        raise typer.Exit(ExitCode.USAGE) from None
    except Exception as error:  # noqa: BLE001 - the last resort, so that nobody reads a traceback at 3 a.m.
        _say_bug(error, verbose=verbose)
        raise typer.Exit(ExitCode.BUG) from None


def _hush() -> None:
    """Send what is still to be written nowhere, so that the interpreter doesn't fail over it at its end."""
    with suppress(OSError):  # standard output may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused_by_system(error: OSError) -> UsageError:
    """What the operating system won't let us do, wherever that came up."""
    where = f"{error.filename}" if error.filename else "standard output"
    first = "Check who may use it" if error.errno in {errno.EACCES, errno.EPERM} else "Free some space"
    hint = f"{first}, or name another place (-o, RCA_DATA_DIR)."
    return UsageError(f"{where} can't be used: {error.strerror}", hint=hint)


def say(error: RcaError, *, verbose: bool) -> None:
    """Tell an error on standard error: what happened, and what to do next."""
    if verbose:
        traceback.print_exc()
    sys.stderr.write(printable(f"error: {error.message}") + "\n")
    if error.hint:
        sys.stderr.write(printable(f"hint: {error.hint}") + "\n")


def _say_bug(error: Exception, *, verbose: bool) -> None:
    if verbose:
        traceback.print_exc()
    sys.stderr.write(printable(f"error: this is a bug in rca: {type(error).__name__}: {error}") + "\n")
    sys.stderr.write("hint: run it again with --verbose and report the traceback, with the bundle if you can.\n")


def choose_format(run: Run) -> str:
    """The format that was asked for: by `--format`, else by the ending of `-o`, else the terminal's.

    Raises:
        UsageError: There is no such format, the file's ending names none, or there is no such folder.
    """
    if run.output is not None and not run.output.parent.is_dir():
        raise UsageError(
            f"{run.output} can't be written: there is no folder {run.output.parent}",
            hint="Make it, or choose another place with -o.",
        )
    from rca.report import format_for, formats  # noqa: PLC0415 - only when a command runs

    if run.format is not None:
        if run.format not in formats():
            raise UsageError(
                f"there is no format '{run.format}'", hint=f"Choose one of {', '.join(sorted(formats()))}."
            )
        return run.format
    if run.output is None:
        return "terminal"
    return format_for(run.output)
