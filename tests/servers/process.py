"""Start a guarded server in a folder of its own, wait until it answers, stop it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import guard
from tests.servers.fetch import UnavailableError

POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A guarded server.

    Attributes:
        guard_pid: The process that ends it and removes its folder.
        folder: Its configuration, data and output.
    """

    guard_pid: int
    folder: Path

    @property
    def output(self) -> str:
        """What the server has written so far."""
        try:
            return (self.folder / "output").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Poll until the server is ready; stop it when it ended or never was.

        Raises:
            UnavailableError: It ended by itself, or it wasn't ready in time.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            ended = (self.folder / "ended").exists()
            if ended or time.monotonic() > deadline:
                said = " / ".join(self.output.strip().splitlines()[-5:])
                self.stop()
                how = "ended by itself" if ended else f"was not ready within {seconds:.0f} s"
                raise UnavailableError(f"{what} {how}; it last said: {said}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server, wait until it is gone with all it started, remove its folder. May be called twice."""
        try:
            os.kill(self.guard_pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + STOP_SECONDS
        while self.folder.exists() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        try:
            os.waitpid(self.guard_pid, 0)
        except ChildProcessError:
            return  # another process started it, and reaps it


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """A temporary folder for one server; it stays when the body succeeds, since the server's guard removes it."""
    folder = Path(tempfile.mkdtemp(prefix=f"rca-{name}-"))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def start(
    command: Sequence[str | Path],
    folder: Path,
    *,
    owner: int | None = None,
    user: str | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> ServerProcess:
    """Start a command under a guard.

    Args:
        folder: From `new_folder`; it is removed with the server.
        owner: The process whose end also ends the server; this one by default.
        user: Whom to run it as.
        grace_seconds: How long it may take to end before it is killed.
    """
    # `-P` keeps this package's folder, whose modules are named after the servers, off the guard's import path.
    words = [sys.executable, "-P", guard.__file__, str(owner or os.getpid()), str(folder), str(grace_seconds)]
    process = subprocess.Popen(  # noqa: S603 - the harness's own command line, no shell
        [*words, user or "", *map(str, command)], stdin=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + STOP_SECONDS
    while not (folder / "output").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)  # from then on the guard answers to SIGTERM
    process.returncode = 0  # the guard outlives this object; `stop` reaps it
    return ServerProcess(process.pid, folder)
