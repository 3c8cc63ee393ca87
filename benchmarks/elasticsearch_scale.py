"""`rca investigate` over millions of log lines in a real Elasticsearch.

Loads the same incident twice, first with a tenth of the lines. For each, turn about: the raw aggregation `rca`
needs (lines by service, level and time bucket, over the same window with the same buckets), and `rca investigate`
as a process of its own, through a proxy that counts the bytes. Both find the server warm, and its cache of answers
empty: the bound is about work, and an incident is investigated once.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import measure
from benchmarks.many_lines import bulk_bodies
from benchmarks.proxy import Traffic, counting_proxy
from tests.servers.elasticsearch import Elasticsearch, run_elasticsearch
from tests.servers.fetch import ELASTICSEARCH_8, ELASTICSEARCH_9
from tests.servers.shop import SHAPES, Shop, make_shop

SERVICES = 50
STEP_SECONDS = 30
LOADERS = 3
JAVA_OPTIONS = "-Xms2g -Xmx2g"
RATIO_BOUND, EXTRA_SECONDS, MEGABYTES_BOUND, GROWTH_BOUND = 1.3, 1.0, 300.0, 1.1


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured over one index; times are medians."""

    lines: int
    aggregation_seconds: float
    rca_seconds: float
    cpu_seconds: float
    megabytes: float
    received: int
    suspect: str

    @property
    def bound_seconds(self) -> float:
        """What `rca` may take."""
        return RATIO_BOUND * self.aggregation_seconds + EXTRA_SECONDS


def main() -> int:
    """Load, measure, print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--release", choices=("8", "9"), default="8")
    arguments = parser.parse_args()
    shop = make_shop(size=SERVICES)
    release = ELASTICSEARCH_9 if arguments.release == "9" else ELASTICSEARCH_8
    with run_elasticsearch(release, java_options=JAVA_OPTIONS) as server:
        address = urlsplit(server.url)
        with counting_proxy(address.hostname or "", address.port or 0) as traffic:
            small, large = (
                measure_index(server, traffic, shop, lines=lines, runs=arguments.runs)
                for lines in (arguments.lines // 10, arguments.lines)
            )
    print(f"{arguments.lines} lines beside the targets:")
    kept = [
        measure.verdict("rca investigate", large.rca_seconds, large.bound_seconds, unit=" s"),
        measure.verdict("peak memory", large.megabytes, MEGABYTES_BOUND, unit=" MB"),
        measure.verdict("bytes received, large over small", large.received / small.received, GROWTH_BOUND),
    ]
    return 0 if all(kept) else 1


def measure_index(server: Elasticsearch, traffic: Traffic, shop: Shop, *, lines: int, runs: int) -> Figures:
    """Load one index and measure over it."""
    index = f"logs-{lines}"
    began = time.perf_counter()
    load(server, index, shop, lines)
    taken = time.perf_counter() - began
    print(f"{lines} lines loaded in {taken:.0f} s ({lines / taken:.0f} a second)", flush=True)
    with tempfile.TemporaryDirectory() as name:
        investigate(traffic, shop, index, Path(name))  # warms the server and shows the span that is collected
        aggregations, investigations, received = [], [], []
        aggregate(server, index, shop)
        for _ in range(runs):
            forget_answers(server, index)
            aggregations.append(aggregate(server, index, shop))
            forget_answers(server, index)
            traffic.reset()
            investigations.append(investigate(traffic, shop, index, Path(name)))
            received.append(traffic.received)
    suspects = json.loads(investigations[-1].output)["suspects"]
    figures = Figures(
        lines=lines,
        aggregation_seconds=statistics.median(aggregations),
        rca_seconds=measure.median_seconds(investigations),
        cpu_seconds=measure.median_cpu_seconds(investigations),
        megabytes=max(run.megabytes for run in investigations),
        received=int(statistics.median(received)),
        suspect=suspects[0]["service"] if suspects else "nobody",
    )
    print(
        f"  medians of {runs}: aggregation {figures.aggregation_seconds:.2f} s, rca investigate "
        f"{figures.rca_seconds:.2f} s ({figures.cpu_seconds:.2f} s of it its own computing), "
        f"{figures.megabytes:.0f} MB, {figures.received} bytes received, "
        f"first suspect {figures.suspect} (the fault is in {shop.faulty})",
        flush=True,
    )
    return figures


def investigate(traffic: Traffic, shop: Shop, index: str, folder: Path) -> measure.Run:
    """One `rca investigate` over the incident, through the proxy.

    Raises:
        RuntimeError: It failed.
    """
    program = str(Path(sys.executable).with_name("rca"))
    window = ["--since", shop.onset.isoformat(), "--until", shop.end.isoformat(), "--step", str(STEP_SECONDS)]
    environment = {
        "RCA_ES_INDICES": index,
        "RCA_DATA_DIR": str(folder / "data"),
        "RCA_CONFIG": "",
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    command = [program, "investigate", *window, "--es-url", traffic.url, "--format", "json", "--quiet"]
    done = measure.run(command, environment=environment, folder=folder)
    if done.exit_code != 0:
        raise RuntimeError(f"rca investigate ended with {done.exit_code}: {done.errors[-2000:]}")
    return done


def forget_answers(server: Elasticsearch, index: str) -> None:
    """Empty the server's cache of answers, which would spare either side the work from its second run on."""
    server.request("POST", f"/{index}/_cache/clear", params={"request": "true"}, timeout=60.0)


def aggregate(server: Elasticsearch, index: str, shop: Shop) -> float:
    """Seconds of the raw aggregation over what `rca` looks at: an hour of baseline, a guard, the incident.

    It is what `rca.sources.elastic.counts` sends, empty buckets left out.
    """
    begin, end = shop.onset - timedelta(minutes=62), shop.end
    histogram = {"field": "@timestamp", "fixed_interval": f"{STEP_SECONDS}s", "min_doc_count": 1}
    levels = {"terms": {"field": "log.level", "size": 10}, "aggs": {"at": {"date_histogram": histogram}}}
    query = {
        "size": 0,
        "track_total_hits": False,
        "query": {"range": {"@timestamp": {"gte": begin.isoformat(), "lt": end.isoformat()}}},
        "aggs": {"service": {"terms": {"field": "service.name", "size": SERVICES}, "aggs": {"level": levels}}},
    }
    began = time.perf_counter()
    server.request("POST", f"/{index}/_search", json=query, params={"request_cache": "false"}, timeout=600.0)
    return time.perf_counter() - began


def load(server: Elasticsearch, index: str, shop: Shop, lines: int) -> None:
    """Fill an index with that many lines, as fast as this machine allows.

    Raises:
        RuntimeError: The server refused a line.
    """
    settings = {"number_of_replicas": 0, "refresh_interval": -1, "translog.durability": "async"}
    server.request("PUT", f"/{index}", json={"settings": settings, "mappings": SHAPES["ecs"].mapping})

    def send(body: bytes) -> None:
        path = f"/{index}/_bulk?filter_path=errors"
        if server.request("POST", path, data=body, timeout=600.0)["errors"]:
            raise RuntimeError("the server refused a line")

    with ThreadPoolExecutor(LOADERS) as pool:
        waiting = []
        for body in bulk_bodies(shop, lines):
            waiting.append(pool.submit(send, body))
            if len(waiting) > 2 * LOADERS:
                waiting.pop(0).result()
        for one in waiting:
            one.result()
    server.request("POST", f"/{index}/_refresh", timeout=600.0)
    server.request("POST", f"/{index}/_forcemerge?max_num_segments=5", timeout=600.0)


if __name__ == "__main__":
    sys.exit(main())
