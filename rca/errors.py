"""The tree of errors. Each class carries the exit code it ends the command with.

```
RcaError
├── UsageError            2   a flag, an argument or the configuration is wrong
│   ├── ConfigError       2   the configuration file or an environment variable
│   └── WindowError       2   a time or a window that can't be used
├── NoDataError           3   the sources answered, and the window is empty
├── SourceError           4   one source failed; a gap, unless every source failed
│   ├── SourceUnreachableError   nobody answered
│   ├── SourceAuthError          the server refused who we are
│   ├── SourceTimeoutError       no answer within the time budget
│   └── SourceQueryError         the server answered, and refused or broke off the query
├── AllSourcesFailedError 4
├── BundleError           5   a bundle that is truncated, corrupt, foreign or malicious
└── StoreError            2   the store of past incidents can't be read or written
```

An error says what happened, to what, and (in `hint`) what to do next. Neither may hold a credential.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process ends with; documented in README.md."""

    OK = 0
    BUG = 1
    USAGE = 2
    NO_DATA = 3
    SOURCES_FAILED = 4
    BAD_BUNDLE = 5
    INCONCLUSIVE = 10
    GATE_FAILED = 11
    INTERRUPTED = 130


def sentence(text: str) -> str:
    """The text with a capital in front and a stop behind, where they lack.

    >>> sentence("narrow the window")
    'Narrow the window.'
    """
    return text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".?!…" else ".")


class RcaError(Exception):
    """Base of every error that is reported to the user without a traceback.

    Args:
        message: What happened, and to what.
        hint: What to do next; empty when there is nothing useful to say. It is made a sentence.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = sentence(hint)

    @property
    def told(self) -> str:
        """What happened and what to do next as running text, for a gap."""
        return f"{self.message.rstrip('.')}. {self.hint}".rstrip()


class UsageError(RcaError):
    """A flag, an argument or their combination can't be used."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The configuration file or an environment variable is wrong."""


class WindowError(UsageError):
    """A time can't be read, or a window can't be used."""


class StoreError(UsageError):
    """The store of past incidents can't be read or written."""


class NoDataError(RcaError):
    """The sources answered, and nothing lies in the window."""

    exit_code = ExitCode.NO_DATA


class SourceError(RcaError):
    """One source failed. The collector turns it into a gap unless every source failed."""

    exit_code = ExitCode.SOURCES_FAILED


class SourceUnreachableError(SourceError):
    """Nobody answered at the address."""


class SourceAuthError(SourceError):
    """The server refused the credentials, or they lack a privilege."""


class SourceTimeoutError(SourceError):
    """No answer came within the time budget."""


class SourceQueryError(SourceError):
    """The server answered, and refused the query or broke it off."""


class AllSourcesFailedError(RcaError):
    """No source gave anything."""

    exit_code = ExitCode.SOURCES_FAILED


class BundleError(RcaError):
    """A bundle is truncated, corrupt, foreign or malicious; nothing of it was used."""

    exit_code = ExitCode.BAD_BUNDLE
