"""The analysis beside BARO's published scorer, from its own package in an environment of its own.

The package (`fse-baro`) pulls in scikit-learn and pandas; it is installed into a virtual environment that is kept
in `--environment`, and runs there over the same series. Its time is that of `robust_scorer` alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from benchmarks.analysis import LOGGING, ONSET_ROW, SMALL, STEP, make_bundle, seconds
from rca.evaluate.baselines import baro
from rca.model.incident import Bundle

PACKAGE = "fse-baro==0.2.2"
_PUBLISHED = """
import json, statistics, sys, time
import pandas as pd
from baro.root_cause_analysis import robust_scorer
data, onset = pd.read_csv(sys.argv[1]), float(sys.argv[2])
taken = []
for _ in range(int(sys.argv[3])):
    began = time.process_time()
    ranks = robust_scorer(data, inject_time=onset)["ranks"]
    taken.append(time.process_time() - began)
print(json.dumps({"seconds": statistics.median(taken), "ranks": ranks}))
"""


def python_of(folder: Path) -> Path:
    """The interpreter of an environment with the package, made when it isn't there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PACKAGE], check=True)  # noqa: S603 - a fixed command
    return python


def published(python: Path, bundle: Bundle, runs: int) -> tuple[float, list[str]]:
    """Seconds of the published scorer over a bundle's series, and its order of services."""
    frame = bundle.metrics
    assert frame is not None
    columns = [f"{key.service}|{key.metric}" for key in frame.keys]
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "data.csv"
        table = np.column_stack([frame.times, frame.values])
        np.savetxt(file, table, delimiter=",", header=",".join(["time", *columns]), comments="", fmt="%.17g")
        onset = frame.times[0] + ONSET_ROW * STEP
        command = [str(python), "-c", _PUBLISHED, str(file), str(onset), str(runs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed command
    said = json.loads(done.stdout)
    return said["seconds"], list(dict.fromkeys(column.split("|")[0] for column in said["ranks"]))


def main() -> int:
    """Time both over the same series; 1 when our version of the scorer orders services in another way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, default=Path(".venv/baro"))
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    python = python_of(arguments.environment)
    same = True
    for size in (LOGGING, SMALL):
        bundle = make_bundle(size)
        theirs, order = published(python, bundle, arguments.runs)
        ours = seconds(bundle, arguments.runs)
        assert bundle.metrics is not None
        assert bundle.window.onset is not None
        agrees = list(baro(bundle.metrics, bundle.window.onset.timestamp())) == order
        same &= agrees
        print(f"{size} services: rca {ours:.3f} s, BARO's scorer {theirs:.3f} s, ratio {ours / theirs:.2f}")
        print(f"  our version of the scorer {'agrees with' if agrees else 'DIFFERS from'} the published one")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
