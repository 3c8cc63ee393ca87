"""What a bundle's files are called, and how large they may be."""

from typing import Final

FORMAT_VERSION: Final = 1

HEADER: Final = "bundle.json"
METRICS: Final = "metrics.csv"
SERIES: Final = "series.json"
LOGS: Final = "logs.jsonl"
LOG_COUNTS: Final = "log_counts.csv"
TOPOLOGY: Final = "topology.json"
EVENTS: Final = "events.jsonl"
ALERTS: Final = "alerts.json"
TRACES: Final = "traces.jsonl"
COMMITS: Final = "commits.jsonl"

OPTIONAL: Final = (METRICS, SERIES, LOGS, LOG_COUNTS, TOPOLOGY, EVENTS, ALERTS, TRACES, COMMITS)
"""Every file beside the header; each may also be stored as `<name>.gz`."""

PACKED: Final = frozenset({METRICS, LOGS, LOG_COUNTS, TRACES})
"""The files that are written as `<name>.gz`."""

MEBIBYTE: Final = 1 << 20
MAX_BYTES: Final = 256 * MEBIBYTE
"""Upper bound on all that is unpacked of one bundle, and on the bytes of each file as stored."""
MAX_ENTRIES: Final = 1_000
"""Upper bound on the entries of an archive or a folder."""
MAX_RATIO: Final = 250
"""How many bytes one packed byte may become, for what unpacks to more than `RATIO_FROM` bytes."""
RATIO_FROM: Final = 32 * MEBIBYTE
MAX_CELLS: Final = 20_000_000
"""Upper bound on the values of a metrics frame or a cube of log counts."""

WHAT_A_BUNDLE_IS: Final = (
    "A bundle is a folder, a .tar.gz or a .zip with a bundle.json in it, as `rca capture` writes it."
)


def plain(name: str) -> str:
    """The name of a file without its `.gz`."""
    return name.removesuffix(".gz")


def stored(name: str) -> str:
    """The name under which this tool writes a file."""
    return f"{name}.gz" if name in PACKED else name
