"""What the command line's own parser refuses, told as every other error is: what happened, and what to do next."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from rca.cli.base import say
from rca.errors import ExitCode, UsageError

# What every refusal of the parser descends from, whether typer brings its own click or uses the library.
_Refused: type[Exception] = typer.BadParameter.__bases__[0]
_PLAINER = (
    ("is not a valid int range", "is not a whole number"),
    ("is not a valid float range", "is not a number"),
    ("is not in the range x>=", "is less than "),
)


class Telling(TyperGroup):
    """The application's commands; what can't be parsed ends with our words and a hint."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and end the process with the exit code."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.Abort:
            code = ExitCode.INTERRUPTED
        except _Refused as refused:
            code = ExitCode.USAGE
            if type(refused).__name__ != "NoArgsIsHelpError":  # the help has been shown
                say(told(refused), verbose=False)
        sys.exit(code or ExitCode.OK)


def told(refused: Any) -> UsageError:
    """A refusal of the parser in our words, with the nearest name where one was misspelt."""
    near = list(getattr(refused, "possibilities", None) or ())
    text = refused.message if near else refused.format_message()
    text, _, meant = text.partition(" Did you mean ")
    for theirs, ours in _PLAINER:
        text = text.replace(theirs, ours)
    path = refused.ctx.command_path if refused.ctx else "rca"
    if near or meant:
        known = f"Did you mean {near[0] if near else meant.rstrip('?')}? All there are: {path} --help"
    else:
        known = f"See what it takes: {path} --help"
    return UsageError(text[:1].lower() + text[1:].rstrip("."), hint=known)
