"""Running `git` so that it only reads: no hook, no fetch, no pager, no foreign program, no lock, no prompt.

A repository's own configuration may name programs (external diffs, text conversion, signature checks, a file
system monitor) and remotes to fetch missing objects from. None of that may run because somebody looks at
a history.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rca.errors import ConfigError, SourceError, SourceTimeoutError

NAME = "git"
LONGEST_LINE = 2_000  # bytes; minified code tells nobody anything
_OPEN_SECONDS = 10.0
_KEPT_VARIABLES = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}
_SAFE = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.attributesFile={os.devnull}"),
    *("-c", "core.quotePath=false"),
    *("-c", "diff.suppressBlankEmpty=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
)


class GitFailedError(SourceError):
    """Git ended with an error."""


class Git:
    """One repository.

    Args:
        path: Its top folder, its `.git`, or a bare repository.

    Attributes:
        name: What it is called: its folder's name.
        shallow: Older history was left out when it was cloned.

    Raises:
        ConfigError: It isn't one, or `git` isn't there.
    """

    def __init__(self, path: Path) -> None:
        self._program = shutil.which("git") or ""
        if not self._program:
            raise ConfigError("the program git isn't there", hint="Install it, or leave --repo out.")
        if not path.is_dir():
            raise ConfigError(
                f"there is no folder {path}",
                hint="Name a local Git repository with --repo (set elsewhere? rca config show).",
            )
        self._path = path.resolve()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False
        folder = self._path.parent if self._path.name == ".git" else self._path
        self.name = folder.name.removesuffix(".git") or "repository"
        asked = ("rev-parse", "--is-shallow-repository")
        try:
            answer = self.text(asked, deadline=time.monotonic() + _OPEN_SECONDS)
        except SourceError as error:
            if error.hint:
                raise ConfigError(error.message, hint=error.hint) from error
            raise ConfigError(
                f"{path} is not a Git repository",
                hint="Name its top folder (that with .git in it) or a bare repository, not a folder inside.",
            ) from error
        self.shallow = answer.strip() == "true"

    def resolve(self, branch: str, *, deadline: float) -> str:
        """The commit that a branch, or what is checked out, stands at; empty where there is none."""
        name = branch or "HEAD"
        if name.startswith("-"):
            return ""
        try:
            return self.text(("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"), deadline=deadline).strip()
        except GitFailedError:
            return ""

    def text(self, arguments: Sequence[str], *, deadline: float, given: str = "") -> str:
        """All that a command prints; bytes that are no UTF-8 are replaced.

        Raises:
            SourceError: It failed, or isn't done by the deadline.
        """
        with self.output(arguments, deadline=deadline, given=given) as stream:
            data = stream.read()
        return data.decode("utf-8", "replace")

    @contextmanager
    def output(self, arguments: Sequence[str], *, deadline: float, given: str = "") -> Iterator[IO[bytes]]:
        """What a command prints, as it comes. Leaving early ends the command.

        Args:
            arguments: Of `git`.
            deadline: By `time.monotonic()`; the command is ended then.
            given: What it reads from standard input.

        Raises:
            SourceError: It failed, or wasn't done by the deadline.
        """
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as entered:
            entered.write(given.encode())
            entered.seek(0)
            process = self._start(arguments, entered, said)
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            late = threading.Event()
            watch = threading.Timer(max(0.0, deadline - time.monotonic()), _end, (process, late))
            watch.daemon = True
            watch.start()
            try:
                yield process.stdout
                left_early = bool(process.stdout.read(1))
                if not left_early:  # its output has ended, and it is about to
                    process.wait()
            finally:
                watch.cancel()
                process.kill()
                process.stdout.close()
                code = process.wait()
                with self._lock:
                    self._running.discard(process)
            if late.is_set():
                raise SourceTimeoutError(
                    f"git took too long in {self.name}", hint="Raise --time-budget, or leave --repo out."
                )
            if code and not left_early:
                said.seek(0)
                raise _failed(self.name, said.read().decode("utf-8", "replace"))

    def close(self) -> None:
        """End what still runs, and start nothing more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _start(self, arguments: Sequence[str], entered: IO[bytes], said: IO[bytes]) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._closed:
                raise SourceError(f"git was no longer asked about {self.name}")
            process = subprocess.Popen(  # noqa: S603 - no shell; the arguments are ours
                [self._program, *_SAFE, "-C", str(self._path), *arguments],
                stdin=entered,
                stdout=subprocess.PIPE,
                stderr=said,
                env=_environment(self._path.parent),
            )
            self._running.add(process)
            return process


def _environment(ceiling: Path) -> dict[str, str]:
    """Ours, without what would lead git elsewhere; it doesn't look for a repository further up."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT_VARIABLES}
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CEILING_DIRECTORIES": str(ceiling),
    }


def _end(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _failed(name: str, said: str) -> GitFailedError:
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    reason = (lines or ["it gave no reason"])[0].partition(": ")[2] or "it gave no reason"
    if "dubious ownership" in said:
        return GitFailedError(
            f"git refuses the repository {name}, as it belongs to somebody else",
            hint="If you trust it: git config --global --add safe.directory PATH.",
        )
    return GitFailedError(f"git failed in {name}: {reason[:300]}")
