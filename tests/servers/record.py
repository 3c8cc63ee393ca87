"""`python -m tests.servers.record FOLDER`: record the shop's incidents with the tool itself, from real servers.

Each scenario's telemetry is loaded into an Elasticsearch and a Prometheus of its own, `rca capture` records it,
and `labels.csv` beside the bundles says what was wrong.
"""

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.servers.elasticsearch import run_elasticsearch
from tests.servers.fetch import ELASTICSEARCH_8
from tests.servers.prometheus import run_prometheus
from tests.servers.shop import (
    Fault,
    Shop,
    load_logs,
    load_spans,
    log_records,
    make_shop,
    openmetrics,
    span_records,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One recording: what is wrong, and what the person on call knew when it was captured."""

    name: str
    title: str
    fault: Fault
    faulty: str
    seed: int


SCENARIOS = (
    Scenario("payments-slow", "Customers see errors at the gateway", Fault.SLOW, "payments", 7),
    Scenario("cart-deploy", "Checkouts fail after lunch", Fault.DEPLOY, "cart", 11),
    Scenario("search-cpu", "Search is slow", Fault.CPU, "search", 13),
    Scenario("orders-down", "Nothing can be ordered", Fault.DOWN, "orders", 19),
    Scenario("nothing", "A colleague thought that something was odd", Fault.NONE, "payments", 17),
)
_ENVIRONMENT = {"RCA_ES_SAMPLE_LINES": "1200", "RCA_WINDOW_BASELINE_MINUTES": "40"}


def record(scenario: Scenario, folder: Path) -> Shop:
    """Load one scenario and capture it into the folder."""
    shop = make_shop(fault=scenario.fault, faulty=scenario.faulty, seed=scenario.seed)
    with run_elasticsearch(ELASTICSEARCH_8) as elasticsearch, run_prometheus(openmetrics(shop)) as prometheus:
        load_logs(elasticsearch, log_records(shop))
        load_spans(elasticsearch, span_records(shop))
        told = (shop.onset + timedelta(minutes=2)).isoformat()
        words = ["capture", "--at", told, "--service", shop.symptom, "--title", scenario.title, "--step", "30"]
        words += ["--es-url", elasticsearch.url, "--prometheus-url", prometheus.url, "--force", "--quiet"]
        words += ["-o", str(folder / f"{scenario.name}.tar.gz")]
        subprocess.run(  # noqa: S603 - this interpreter, fixed words
            [sys.executable, "-m", "rca", *words], check=True, env={**os.environ, **_ENVIRONMENT}
        )
    return shop


def main(folder: Path) -> None:
    """Record every scenario, and write the labels."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for scenario in SCENARIOS:
        shop = record(scenario, folder)
        fault = shop.fault is not Fault.NONE
        rows.append([scenario.name, shop.faulty if fault else "", str(shop.fault) if fault else "normal"])
        sys.stderr.write(f"recorded {scenario.name}\n")
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "root_cause_service", "root_cause_type"])
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
