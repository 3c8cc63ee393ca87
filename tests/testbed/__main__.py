"""`python -m tests.testbed list | run FAULT | record [FAULT…]`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.servers.fetch import UnavailableError
from tests.testbed.design import draw
from tests.testbed.faults import all_faults
from tests.testbed.record import every_design, record
from tests.testbed.run import Outcome, carry_out, environment, rca
from tests.testbed.stand import Stand


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the faults, and where each can strike")
    run = commands.add_parser("run", help="break the system, and have rca look at it")
    run.add_argument("fault", choices=sorted(all_faults()))
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--hold", action="store_true", help="let it fail until Ctrl-C, to look at it by hand")
    several = commands.add_parser("record", help="record labelled bundles")
    several.add_argument("cases", nargs="*", help="names of cases or faults")
    several.add_argument("--all", action="store_true")
    several.add_argument("-o", "--output", type=Path, default=Path("fixtures/testbed"))
    several.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if asked.command == "list":
            return _list()
        if asked.command == "run":
            return _run(asked.fault, asked.seed, hold=asked.hold)
        return _record(asked.cases, asked.output, asked.workers, everything=asked.all)
    except UnavailableError as error:
        say(f"the testbed can't be had here: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


def say(text: str) -> None:
    """A line of progress."""
    os.write(2, f"{text}\n".encode())


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _list() -> int:
    for name, fault in all_faults().items():
        where = f" ({', '.join(fault.targets)})" if len(fault.targets) > 1 else ""
        sys.stdout.write(f"{name}{where}: {fault.summary}\n")
    return 0


def _run(name: str, seed: int, *, hold: bool) -> int:
    code = 0

    def look(stand: Stand, outcome: Outcome) -> None:
        nonlocal code
        done = rca(stand, "investigate", "--at", outcome.onset.isoformat())
        sys.stdout.write(done.stdout)
        say(done.stderr.strip())
        code = done.returncode
        truth = outcome.label
        say(f"broken was: {truth['root_cause_service'] or 'nothing'} ({truth['root_cause_type']})")
        if hold:
            say("it fails on until Ctrl-C; to look at it:")
            say(" ".join(f"{key}={value}" for key, value in environment(stand).items()))
            signal.pause()

    carry_out(draw(all_faults()[name], seed), elasticsearch=None, look=look, say=say)
    return code


def _record(cases: list[str], output: Path, workers: int, *, everything: bool) -> int:
    designs = [
        design for design in every_design() if everything or design.name in cases or design.fault.name in cases
    ]
    if not designs:
        say("nothing to record: name cases, or say --all; `list` shows the faults")
        return 2
    failed = record(designs, output, workers=workers, say=say)
    for case, why in failed:
        say(f"failed: {case}: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
