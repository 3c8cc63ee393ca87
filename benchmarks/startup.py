"""How long `rca --help` takes beside an empty Typer application with two commands, in the same run."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import measure

BOUND = 1.5
EMPTY = '''\
import typer

app = typer.Typer(help="Nothing.")


@app.command()
def one() -> None:
    """Do nothing."""


@app.command()
def two() -> None:
    """Do nothing."""


app()
'''


def main() -> int:
    """Time both, turn about, and print the ratio of the medians; 1 when it is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs: int = parser.parse_args().runs
    program = Path(sys.executable).with_name("rca")
    rca = str(program) if program.exists() else shutil.which("rca")
    if rca is None:
        sys.exit("rca is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.write_text(EMPTY)
        commands = {"empty": [sys.executable, str(script), "--help"], "rca": [rca, "--help"]}
        taken: dict[str, list[measure.Run]] = {"empty": [], "rca": []}
        for number in range(runs + 1):
            for which, command in commands.items():
                one = measure.run(command, environment={}, folder=folder)
                if one.exit_code != 0:
                    sys.exit(f"{which} ended with {one.exit_code}: {one.errors}")
                if number > 0:  # the first only warms the caches
                    taken[which].append(one)
    empty, ours = (measure.median_seconds(taken[which]) for which in ("empty", "rca"))
    print(f"an empty Typer application: {empty:.3f} s, rca --help: {ours:.3f} s (medians of {runs})")
    return 0 if measure.verdict("ratio", ours / empty, BOUND) else 1


if __name__ == "__main__":
    sys.exit(main())
