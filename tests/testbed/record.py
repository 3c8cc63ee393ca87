"""Record runs into labelled bundles."""

import csv
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.servers.elasticsearch import run_elasticsearch
from tests.servers.fetch import ELASTICSEARCH_8
from tests.testbed.design import Design, draw
from tests.testbed.faults import all_faults
from tests.testbed.run import Outcome, carry_out, rca
from tests.testbed.stand import Stand

COLUMNS = (
    *("case", "root_cause_service", "root_cause_type", "root_cause_change"),
    *("first_failure", "blast_radius", "remediation", "fault", "seed"),
)


def every_design() -> list[Design]:
    """One design for each fault and each of its targets."""
    return [draw(fault, seed) for fault in all_faults().values() for seed in range(1, len(fault.targets) + 1)]


def record(
    designs: Iterable[Design], target: Path, *, workers: int, say: Callable[[str], None]
) -> list[tuple[str, str]]:
    """Carry out designs, some at a time, each captured into the folder; those that failed, and why."""
    target.mkdir(parents=True, exist_ok=True)
    waiting: queue.SimpleQueue[Design] = queue.SimpleQueue()
    for design in designs:
        waiting.put(design)
    failed: list[tuple[str, str]] = []
    lock = threading.Lock()
    with ExitStack() as stack:
        elasticsearch = stack.enter_context(run_elasticsearch(ELASTICSEARCH_8))

        def work() -> None:
            while True:
                try:
                    design = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    carry_out(
                        design,
                        elasticsearch=elasticsearch,
                        look=lambda stand, outcome: _capture(stand, outcome, target, lock),
                        say=say,
                    )
                except Exception as error:  # noqa: BLE001 - the other runs go on; it is reported at the end
                    say(f"{design.name}: not recorded: {error!r}")
                    failed.append((design.name, repr(error)))

        threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return failed


def _capture(stand: Stand, outcome: Outcome, folder: Path, lock: threading.Lock) -> None:
    """Have `rca capture` collect the incident; then write its label beside it."""
    bundle = folder / f"{outcome.design.name}.tar.gz"
    done = rca(
        stand, "capture", "--at", outcome.onset.isoformat(), "--title", "the shop", "-o", str(bundle), "--force"
    )
    if done.returncode != 0:
        raise RuntimeError(f"rca capture ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    with lock:
        write_label(folder / "labels.csv", outcome.label)


def write_label(path: Path, label: dict[str, str]) -> None:
    """Put a row into `labels.csv`, in the place of an older one of that case."""
    rows: dict[str, dict[str, str]] = {}
    if path.exists():
        with path.open(newline="") as file:
            rows = {row["case"]: row for row in csv.DictReader(file)}
    rows[label["case"]] = label
    fresh = path.with_suffix(".new")
    with fresh.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[case] for case in sorted(rows))
    fresh.replace(path)


__all__: Sequence[str] = ("every_design", "record", "write_label")
