"""Time a command with its peak memory."""

import os
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command.

    Attributes:
        cpu_seconds: What it computed itself, whatever else the machine was doing.
        megabytes: Its peak resident memory, in units of 1,000,000 bytes.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    exit_code: int
    output: str
    errors: str


def run(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> Run:
    """Run a command to its end; its output passes through files, so that it never waits for a reader.

    Python may keep its bytecode, whatever is set here: an installed program isn't compiled anew at each start.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    out, err = folder / "out", folder / "err"
    with out.open("wb") as output, err.open("wb") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the benchmark's own command line, no shell
            command, env={**inherited, **environment}, stdout=output, stderr=errors, stdin=subprocess.DEVNULL
        )
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    megabytes = peak.kilobytes() * 1024 / 1e6
    return Run(seconds, cpu, megabytes, process.returncode, out.read_text(), err.read_text())


class _Peak:
    """The most memory that a process held, looked at while it runs.

    What the system says at its end, `ru_maxrss`, is at least what the process that started it held.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._most = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def kilobytes(self) -> int:
        """The peak, once the process has ended."""
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while True:
            try:
                found = re.search(r"^VmHWM:\s+(\d+) kB", self._status.read_text(), re.MULTILINE)
            except (FileNotFoundError, ProcessLookupError):
                return
            if found is None:
                return  # it has ended and waits to be noticed
            self._most = max(self._most, int(found[1]))
            time.sleep(_LOOK_SECONDS)


def median_seconds(runs: Sequence[Run]) -> float:
    """The median of their times."""
    return statistics.median(one.seconds for one in runs)


def median_cpu_seconds(runs: Sequence[Run]) -> float:
    """The median of what they computed."""
    return statistics.median(one.cpu_seconds for one in runs)


def verdict(what: str, value: float, bound: float, *, unit: str = "") -> bool:
    """Print a figure beside its bound; whether it keeps it."""
    kept = value <= bound
    print(f"  {'ok  ' if kept else 'MISS'} {what}: {value:.2f}{unit} (at most {bound:.2f}{unit})")
    return kept
