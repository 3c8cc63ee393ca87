"""Made-up incidents as bundles: TOML in, the folder of a bundle out, the same bytes every time."""

import gzip
import hashlib
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HARM = datetime(2026, 6, 20, 14, 0, tzinfo=UTC)
"""When the harm begins: minute 0 of every scenario."""

_NUMBER = r"-?\d+(?:\.\d+)?"
_SERIES = re.compile(
    rf"(flat|step|ramp|spike|wave)\s+({_NUMBER})(?:\s+({_NUMBER}))?(?:\s+@({_NUMBER})(?:\.\.({_NUMBER}))?)?$"
)
_LINE = re.compile(r"(\S+) (INFO|WARN|ERROR) @(-?[\d.]+) every ([\d.]+): (.*)$", re.DOTALL)
_CHAIN = re.compile(r"@(-?[\d.]+)( ok)?: (.*?)(?: = (.*))?$")
_SPAN = re.compile(r"(\S+) (.*) ([\d.]+)$")
_NOISE = 0.05
_COMMITS_BESIDE = 22
_BESIDE = (
    ("docs: clarify env var precedence", "README.md", ""),
    ("chore: update CODEOWNERS", "CODEOWNERS", ""),
    ("ci: cache build in GitHub Actions", ".github/workflows/build.yml", ""),
    ("style: restyle settings banner", "web/src/pages/Settings.css", ""),
    ("test: fuzz the sku parser", "pkg/sku/parse_fuzz_test.go", ""),
    ("refactor: move DTOs into api/types", "api/types/types.go", ""),
    ("refactor: rename internal package observability->telemetry", "internal/telemetry/telemetry.go", ""),
    ("chore: rotate staging tls cert", "deploy/staging/tls.yaml", ""),
    (
        "feat: histogram for cache hits",
        "pkg/cache/metrics.go",
        '+var hits = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cache_hit_seconds"})\n',
    ),
    (
        "feat: add /readyz endpoint",
        "internal/health/ready.go",
        "+func Readyz(w http.ResponseWriter, r *http.Request) {\n+\tw.WriteHeader(http.StatusOK)\n+}\n",
    ),
    (
        "fix: handle empty slice in pagination helper",
        "pkg/paginate/paginate.go",
        "+\tif len(items) == 0 { return nil, nil }\n",
    ),
    (
        "chore: bump otel",
        "go.mod",
        "-\tgo.opentelemetry.io/otel v1.28.0\n+\tgo.opentelemetry.io/otel v1.28.1\n",
    ),
    (
        "fix: correct typo in error message",
        "internal/errors/messages.go",
        '-\t"recieved unexpected status"\n+\t"received unexpected status"\n',
    ),
)
"""Commits that every busy repository has, and that do nothing here: message, path, changed lines."""


@dataclass(frozen=True)
class Scenario:
    """A made-up incident; minutes count from the harm's begin.

    Attributes:
        change: The guilty commit's key, or empty where no change did it.
    """

    name: str
    root: str
    change: str
    text: Mapping[str, Any]

    @property
    def guilty(self) -> str:
        """The guilty commit, or empty."""
        return _sha(self.name, self.change) if self.change else ""


def read_scenarios(name: str) -> list[Scenario]:
    """The scenarios of one file of this folder, in its order."""
    rows = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))["scenario"]
    return [Scenario(row["name"], row["root"], row["change"], row) for row in rows]


def write_scenario(scenario: Scenario, folder: Path) -> Path:
    """Write a scenario as the folder of a bundle, and return that."""
    text = scenario.text
    made = folder / scenario.name
    made.mkdir(parents=True)
    draw = random.Random(scenario.name)  # noqa: S311 - noise of a test, not a secret
    start, end = -float(text.get("before", 120)), float(text.get("after", 12))
    service, metric = text["alert"]
    fired = float(text.get("fired", 5))
    (made / "bundle.json").write_text(json.dumps({
        "format_version": 1, "id": scenario.name, "title": text["title"], "system": "made up",
        "window": {"start": _iso(start), "end": _iso(end)}, "onset": None, "baseline": None,
        "alert": {"service": service, "metric": metric, "fired_at": _iso(fired)},
        "resolution_seconds": 60, "sources": [], "notes": "",
    }))  # fmt: skip
    _write(made / "metrics.csv.gz", _metrics(text["metrics"], start, end, draw))
    _write(made / "logs.jsonl.gz", _logs(text, start, end, draw))
    _write(made / "traces.jsonl.gz", _traces(text.get("spans", []), scenario.name))
    events, commits = _changes(text, scenario.name, start, end, draw)
    (made / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in events))
    (made / "commits.jsonl").write_text("".join(json.dumps(row) + "\n" for row in commits))
    return made


def _iso(minutes: float) -> str:
    return (HARM + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha(*parts: object) -> str:
    return hashlib.sha1("|".join(map(str, parts)).encode()).hexdigest()  # noqa: S324 - a commit's name is one


def _write(path: Path, rows: Iterator[str]) -> None:
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
        packed.write("".join(f"{row}\n" for row in rows).encode())


def _metrics(series: Mapping[str, str], start: float, end: float, draw: random.Random) -> Iterator[str]:
    keys = sorted(series)
    shapes = [_shape(series[key]) for key in keys]
    yield ",".join(["timestamp", *keys])
    for minute in range(int(start), int(end) + 1):
        values = [shape(minute) * (1 + _NOISE * draw.uniform(-1, 1)) for shape in shapes]
        at = int((HARM + timedelta(minutes=minute)).timestamp())
        yield ",".join([str(at), *(f"{value:.4f}" for value in values)])


def _shape(text: str) -> Callable[[int], float]:
    """`flat 3`, `step 3 9 @-1`, `ramp 3 9 @-40..0`, `spike 3 @0` (for one minute), `wave 3 9 @-120..12`."""
    match = _SERIES.match(text)
    assert match is not None, text
    what, low, high = match[1], float(match[2]), float(match[3] or 0)
    begin, until = float(match[4] or 0), float(match[5] or 0)
    if what == "flat":
        return lambda _: low
    if what == "spike":
        return lambda minute: low if minute == begin else 0.0
    if what == "step":
        return lambda minute: low if minute < begin else high
    return lambda minute: low + (high - low) * min(1.0, max(0.0, (minute - begin) / (until - begin)))


def _logs(text: Mapping[str, Any], start: float, end: float, draw: random.Random) -> Iterator[str]:
    services = sorted({key.split("|")[0] for key in text["metrics"]} & set(text["calm_of"]))
    rows = [
        (minute + draw.random(), service, "INFO", draw.choice(text["calm"]))
        for service in services
        for minute in range(int(start), int(end), 4)
    ]
    for told in text["logs"]:
        match = _LINE.match(told)
        assert match is not None, told
        minute, every = float(match[3]), float(match[4])
        while minute < end:
            rows.append((minute, match[1], match[2], match[5].replace("{n}", str(draw.randint(10_000, 99_999)))))
            minute += every * (1 + 0.2 * draw.random())
    for minute, service, level, said in sorted(rows):
        trace = f"{draw.getrandbits(128):032x}"
        line = {"@timestamp": _iso(minute), "service": service, "level": level, "message": said}
        yield json.dumps({**line, "trace_id": trace, "fields": {}})


def _traces(chains: list[str], name: str) -> Iterator[str]:
    for number, chain in enumerate(chains):
        match = _CHAIN.match(chain)
        assert match is not None, chain
        parts = match[3].split(" > ")
        for depth, part in enumerate(parts):
            span = _SPAN.match(part)
            assert span is not None, part
            fields = {"error": match[4]} if match[4] and depth == len(parts) - 1 else {}
            row = {
                "trace_id": _sha(name, number)[:32],
                "span_id": f"s{depth}",
                "parent_id": f"s{depth - 1}" if depth else None,
                "service": span[1],
                "operation": span[2],
                "start": _iso(float(match[1])),
                "duration_ms": float(span[3]),
                "status": "ok" if match[2] else "error",
                "fields": fields,
            }
            yield json.dumps(row)


def _changes(
    text: Mapping[str, Any], name: str, start: float, end: float, draw: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    events, commits = [], []
    for row in text["commit"]:
        sha = _sha(name, row["key"])
        commits.append(_commit(sha, row["at"], row["message"], row["path"], row.get("diff")))
        if "deployed" in row:
            version = "v" + _iso(row["deployed"])[:16].replace(":", "").replace("T", "-")
            details = {"commit": sha, "version": version}
            events.append(_event(row["deployed"], "deploy", row["service"], f"deploy {version}", details))
    for told in text.get("flags", []):
        service, at, flag = told.split()
        details = {"flag": flag, "change": "off->on", "actor": "priya.nair"}
        events.append(_event(float(at), "config", service, f"flag {flag} off->on", details))
    for number in range(_COMMITS_BESIDE):
        message, path, changed = draw.choice(_BESIDE)
        diff = f"@@ {path} @@\n{changed}" if changed else None
        commits.append(_commit(_sha(name, "beside", number), draw.uniform(start, end + 30), message, path, diff))
    return sorted(events, key=lambda row: row["timestamp"]), sorted(commits, key=lambda row: row["timestamp"])


def _commit(sha: str, at: float, message: str, path: str, diff: str | None) -> dict[str, Any]:
    row = {"sha": sha, "author": "wei.zhang", "timestamp": _iso(at), "message": message}
    return {**row, "files_changed": [path], "diff": diff}


def _event(at: float, kind: str, service: str, title: str, details: Mapping[str, str]) -> dict[str, Any]:
    return {"timestamp": _iso(at), "kind": kind, "service": service, "title": title, "details": details}
