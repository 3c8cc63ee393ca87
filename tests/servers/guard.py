"""Run a server for somebody, and see to it that nothing of it is left, even when that somebody is killed.

Started as `guard.py OWNER FOLDER GRACE USER COMMAND…` (USER may be empty). It ends the command's whole process
group and removes the folder when it is asked to stop (SIGTERM) or when the process OWNER is gone. What the command
wrote is in `FOLDER/output`; once the command ended by itself, `FOLDER/ended` holds its exit code.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

POLL_SECONDS = 0.1


def main(arguments: list[str]) -> int:
    """Guard until asked to stop or orphaned."""
    owner, folder, grace_seconds = int(arguments[0]), Path(arguments[1]), float(arguments[2])
    user, command = arguments[3] or None, arguments[4:]
    asked = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to answer
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - the harness's own command line, no shell
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        while not asked and _alive(owner):
            if server.poll() is not None and not (folder / "ended").exists():
                with suppress(FileNotFoundError):  # whoever owns the run has removed all of it meanwhile
                    (folder / "ended").write_text(str(server.returncode))
            time.sleep(POLL_SECONDS)
        _end(server, grace_seconds)
    return 0 if _remove(folder) else 1


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(folder: Path) -> bool:
    """Remove the folder, in which a process that is just being killed may still write."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        time.sleep(POLL_SECONDS)
    return False


def _end(server: "subprocess.Popen[bytes]", grace_seconds: float) -> None:
    """SIGTERM, then SIGKILL, to everything the server started."""
    _signal_group(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(grace_seconds)
    _signal_group(server.pid, signal.SIGKILL)
    server.wait()


def _signal_group(group: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, which)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
