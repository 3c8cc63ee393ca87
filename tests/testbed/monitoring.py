"""What watches the shop: the indices for its logs and changes, Prometheus' configuration, the alerts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.testbed.debian import Programs
from tests.testbed.layout import NODE, SERVICES, TLS

if TYPE_CHECKING:
    from tests.testbed.stand import Stand

SCRAPE_SECONDS: Final = 2
EXPORTERS: Final = ("redis_exporter", "postgres_exporter", "node_exporter")
ONE_THREAD: Final = ("env", "GOMAXPROCS=1")  # what watches the shop shouldn't starve it
KEYWORD: Final = {"type": "keyword", "ignore_above": 512}
LOG_MAPPING: Final[dict[str, Any]] = {
    "dynamic": True,
    "dynamic_templates": [{"words": {"match_mapping_type": "string", "mapping": KEYWORD}}],
    "properties": {
        "@timestamp": {"type": "date"},
        "message": {"type": "text", "index_options": "docs", "norms": False},
        "error": {"properties": {"message": {"type": "text"}, "stack_trace": {"type": "text", "index": False}}},
    },
}
SMALL: Final = {"index": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"}}
ALERTS: Final = (
    (
        "HighErrorRatio",
        (
            'sum by (service) (rate(http_requests_total{status=~"5.."}[10s])) '
            "/ sum by (service) (rate(http_requests_total[10s])) > 0.1"
        ),
        "{{ $labels.service }} fails more than a tenth of its requests",
    ),
    (
        "HighLatency",
        "histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket[10s]))) > 0.8",
        "the 95th percentile of {{ $labels.service }} is above 0.8 s",
    ),
    ("TargetDown", "up == 0", "{{ $labels.service }} doesn't answer the scrape"),
    ("RedisDown", "redis_up == 0", "redis doesn't answer"),
    ("DatabaseDown", "pg_up == 0", "the database doesn't answer"),
    (
        "Backlog",
        "max by (service) (queue_messages) > 15",
        "{{ $labels.service }} doesn't keep up with its queue",
    ),
    (
        "MessagesFail",
        "sum by (service) (rate(message_processing_failures_total[10s])) > 0.1",
        "{{ $labels.service }} puts messages aside",
    ),
)


def create_indices(stand: "Stand") -> None:
    """Make the run's indices with the mapping an agent's template would give them."""
    for index in (stand.log_index, stand.event_index, stand.span_index):
        stand.elasticsearch.request("PUT", f"/{index}", json={"mappings": LOG_MAPPING, "settings": SMALL})


def exporter_commands(programs: Programs, ports: Mapping[str, int]) -> dict[str, list[str | Path]]:
    """Words that start each exporter, by its name."""
    database = f"postgresql://shop@127.0.0.1:{ports['postgres']}/shop?sslmode=disable"
    collectors = ("cpu", "loadavg", "meminfo", "netstat", "diskstats")
    commands: dict[str, list[str | Path]] = {
        "redis_exporter": [
            *programs.redis_exporter.command,
            f"--redis.addr=redis://127.0.0.1:{ports['redis']}",
            "--connection-timeout=1s",
        ],
        "postgres_exporter": [f"DATA_SOURCE_NAME={database}", *programs.postgres_exporter.command],
        "node_exporter": [
            *programs.node_exporter.command,
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in collectors),
        ],
    }
    return {
        name: [*ONE_THREAD, *command, f"--web.listen-address=127.0.0.1:{ports[name]}"]
        for name, command in commands.items()
    }


def prometheus_command(program: Path, root: Path, ports: Mapping[str, int]) -> list[str | Path]:
    """Words that start the Prometheus which `write_configuration` configures."""
    return [
        *(*ONE_THREAD, program, f"--config.file={root / 'prometheus.yml'}"),
        *("--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{ports['prometheus']}"),
    ]


def write_configuration(root: Path, ports: dict[str, int]) -> None:
    """Write `prometheus.yml` and the alerts' rules; JSON is YAML."""
    jobs = []
    for scheme, members in (("http", [s for s in SERVICES if s not in TLS]), ("https", list(TLS))):
        targets = [_target(ports[service], service=service, instance=f"{service}-0") for service in members]
        jobs.append(
            {
                "job_name": f"shop-{scheme}",
                "scheme": scheme,
                "tls_config": {"insecure_skip_verify": True},
                "static_configs": targets,
            }
        )
    for store in ("redis", "postgres"):
        target = _target(ports[f"{store}_exporter"], service=store, instance=f"{store}-0")
        jobs.append({"job_name": store, "static_configs": [target]})
    jobs.append(
        {"job_name": "node", "static_configs": [_target(ports["node_exporter"], node=NODE, instance=NODE)]}
    )
    interval = {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": "1500ms"} | {
        "evaluation_interval": "2s"
    }
    document = {"global": interval, "rule_files": [str(root / "alerts.yml")], "scrape_configs": jobs}
    (root / "prometheus.yml").write_text(json.dumps(document))
    rules = [
        {
            "alert": name,
            "expr": query,
            "for": "4s",
            "labels": {"severity": "page"},
            "annotations": {"summary": summary},
        }
        for name, query, summary in ALERTS
    ]
    (root / "alerts.yml").write_text(json.dumps({"groups": [{"name": "shop", "rules": rules}]}))


def _target(port: int, **labels: str) -> dict[str, Any]:
    return {"targets": [f"127.0.0.1:{port}"], "labels": labels}
