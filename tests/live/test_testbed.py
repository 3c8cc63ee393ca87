"""The testbed, live: from load to verdict, and nothing left behind however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.elasticsearch import Elasticsearch
from tests.servers.fetch import UnavailableError
from tests.servers.fixtures import unavailable
from tests.testbed.debian import fetch_programs
from tests.testbed.design import Timing, draw
from tests.testbed.faults import all_faults
from tests.testbed.run import Outcome, carry_out, rca
from tests.testbed.stand import Stand

ROOT = Path(__file__).parents[2]
SHORT = Timing(warm_up=5.0, before=16.0, after=12.0, step=2)
# Starts a stand that uses a server given to it, says where it is, and waits to be ended.
HOLD = """
import signal, sys, time
from tests.servers.elasticsearch import Elasticsearch
from tests.testbed.stand import Stand
signal.signal(signal.SIGINT, signal.default_int_handler)  # off where the tests run in the background
with Stand(sys.argv[2], elasticsearch=Elasticsearch(sys.argv[1])) as stand:
    print(stand.root, *stand.ports.values(), flush=True)
    time.sleep(300)
"""


@pytest.fixture(autouse=True, scope="module")
def programs() -> None:
    """Skip, with the reason, where Redis, PostgreSQL or an exporter can't be had."""
    try:
        fetch_programs()
    except UnavailableError as error:
        unavailable(error)


def processes_of(root: Path) -> list[str]:
    """Command lines that name a run's folder, and processes that work in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")  # noqa: PTH115 - what it says, of a folder that may be gone
        except OSError:
            continue
        if str(root) in line or place.startswith(str(root)):
            found.append(f"{entry.name} {line}")
    return found


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def assert_nothing_is_left(root: Path, ports: list[int], *, seconds: float = 60.0) -> None:
    """Poll, with a bound, until no process, port, mount or file of a run is there."""
    deadline = time.monotonic() + seconds
    left: list[Any] = ["not looked yet"]
    while left and time.monotonic() < deadline:
        left = [*processes_of(root), *filter(is_open, ports), *([root] if root.exists() else [])]
        time.sleep(0.2 if left else 0.0)
    assert not left
    assert str(root) not in Path("/proc/mounts").read_text()


def held(elasticsearch: Elasticsearch, name: str) -> tuple["subprocess.Popen[str]", Path, list[int]]:
    """A stand in a process of its own; where it is."""
    parent = subprocess.Popen(  # noqa: S603 - this test's own program
        [sys.executable, "-c", HOLD, elasticsearch.url, name], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    root, *ports = parent.stdout.readline().split()
    return parent, Path(root), [int(port) for port in ports]


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGINT], ids=lambda which: which.name)
def test_nothing_is_left_of_a_run_whose_parent_is_killed_or_interrupted(
    elasticsearch_8: Elasticsearch, which: signal.Signals
) -> None:
    parent, root, ports = held(elasticsearch_8, f"killed-by-{which.name.lower()}")
    try:
        assert processes_of(root)
        parent.send_signal(which)
        parent.wait(60)
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    assert_nothing_is_left(root, ports)


def test_nothing_is_left_of_a_run_that_fails_half_way(
    elasticsearch_8: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def fail(stand: Stand, *_programs: object) -> None:
        seen.append(stand.root)
        assert processes_of(stand.root)
        raise UnavailableError("made to fail")

    monkeypatch.setattr(Stand, "_start_monitoring", fail)
    with pytest.raises(UnavailableError, match="made to fail"), Stand("half", elasticsearch=elasticsearch_8):
        pass
    assert_nothing_is_left(seen[0], [])


@pytest.mark.parametrize("fault", ["deploy-errors"])
def test_from_load_to_verdict_the_broken_service_is_the_first_suspect_while_it_still_fails(
    elasticsearch_8: Elasticsearch, fault: str
) -> None:
    reports: list[dict[str, Any]] = []
    roots: list[tuple[Path, list[int]]] = []

    def look(stand: Stand, outcome: Outcome) -> None:
        done = rca(
            stand, "investigate", "--at", outcome.onset.isoformat(), "--format", "json", "--quiet", timing=SHORT
        )
        assert done.returncode == 0, done.stderr
        assert list((stand.root / "rca").rglob("*.tar.gz"))
        reports.append(json.loads(done.stdout))
        roots.append((stand.root, list(stand.ports.values())))

    said: list[str] = []
    say: Callable[[str], None] = said.append
    outcome = carry_out(
        draw(all_faults()[fault], 1), elasticsearch=elasticsearch_8, look=look, say=say, timing=SHORT
    )
    (report,) = reports
    assert report["suspects"][0]["service"] in outcome.label["root_cause_service"].split(";")
    deploys = [trigger["commit"] for trigger in report["triggers"] if trigger["kind"] == "deploy"]
    assert deploys[0] == outcome.sha
    assert any("deploy" in line for line in said)
    assert_nothing_is_left(*roots[0])
