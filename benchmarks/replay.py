"""How long `rca replay` takes over a large bundle: 46 services, 920 series, 10,000 log lines."""

import argparse
import sys
import tempfile
from datetime import timedelta
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import measure
from rca.bundle import write_bundle
from rca.model.incident import Bundle, Interval, Window
from rca.model.logs import LogLine
from rca.model.signals import SignalFrame, SignalKey
from tests.servers.shop import log_records, make_shop

SERVICES, SERIES_EACH, LINES = 46, 20, 10_000
BOUND_SECONDS = 2.0


def main() -> int:
    """Write the bundle, replay it, print; 1 when the bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--bundle", type=Path, help="another bundle than the made-up one")
    arguments = parser.parse_args()
    program = str(Path(sys.executable).with_name("rca"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = arguments.bundle or make_bundle(folder / "large.tar.gz")
        command = [program, "replay", str(bundle), "--format", "json", "--quiet"]
        environment = {"RCA_DATA_DIR": str(folder / "data"), "RCA_CONFIG": ""}
        taken = []
        for _ in range(arguments.runs):
            taken.append(measure.run(command, environment=environment, folder=folder))
            if taken[-1].exit_code != 0:
                sys.exit(f"rca replay ended with {taken[-1].exit_code}: {taken[-1].errors}")
    cpu, megabytes = measure.median_cpu_seconds(taken), max(one.megabytes for one in taken)
    print(f"rca replay: {cpu:.2f} s of computing, {megabytes:.0f} MB (medians of {arguments.runs})")
    return 0 if measure.verdict("rca replay", measure.median_seconds(taken), BOUND_SECONDS, unit=" s") else 1


def make_bundle(path: Path) -> Path:
    """A bundle of that size, from the made-up shop's lines and random series of which one service's turn bad."""
    shop = make_shop(size=SERVICES)
    lines = [
        LogLine(record.at, record.service, record.level, record.message, record.trace_id)
        for record in islice(log_records(shop), LINES)
    ]
    start, end = lines[0].at, lines[-1].at + timedelta(seconds=1)
    times = np.arange(start.timestamp(), end.timestamp(), max(1.0, (end - start).total_seconds() / 40))
    rng = np.random.default_rng(shop.seed)
    keys = [SignalKey(name, f"metric_{i}") for name in sorted(shop.services) for i in range(SERIES_EACH)]
    values = rng.gamma(9.0, 1.0, (len(times), len(keys)))
    faulty = np.array([key.service == shop.faulty for key in keys])
    values[len(times) * 3 // 4 :, faulty] *= 3
    window = Window(Interval(start, end), onset=start + (end - start) * 0.75)
    frame = SignalFrame(times, values, tuple(keys))
    write_bundle(Bundle("large", window, metrics=frame, logs=tuple(lines)), path)
    return path


if __name__ == "__main__":
    sys.exit(main())
