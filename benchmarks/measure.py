"""Time a command with its peak memory."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


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
    """Run a command to its end; its output passes through files, so that it never waits for a reader."""
    out, err = folder / "out", folder / "err"
    with out.open("wb") as output, err.open("wb") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the benchmark's own command line, no shell
            command, env={**os.environ, **environment}, stdout=output, stderr=errors, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss * 1024 / 1e6, process.returncode, out.read_text(), err.read_text())


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
