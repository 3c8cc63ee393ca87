"""Files that people hand over: alerts, events."""

import sys
from pathlib import Path

from rca.errors import UsageError

STDIN = "-"
_MAX_BYTES = 16 * 1024 * 1024  # more is no incident's, and would fill the memory


def read_given(source: str, what: str) -> tuple[bytes, str]:
    """A file that somebody named, or standard input for `-`; and what to call it in an error.

    Args:
        source: The path.
        what: What it should hold, in the plural.

    Raises:
        UsageError: It can't be read, or is larger than one incident's can be.
    """
    shown = "standard input" if source == STDIN else source
    try:
        if source == STDIN:
            data = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}", hint="Check the path.") from error
    if len(data) > _MAX_BYTES:
        raise UsageError(
            f"{shown} is larger than {_MAX_BYTES >> 20} MiB", hint=f"Give the {what} of one incident."
        )
    return data, shown
