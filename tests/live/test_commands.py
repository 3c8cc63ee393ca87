"""The main job end to end, on real servers with known telemetry."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rca.bundle import read_bundle
from tests.command import Invoke, Outcome
from tests.repository import Repository
from tests.servers.elasticsearch import PASSWORD, READER, Elasticsearch
from tests.servers.prometheus import Prometheus
from tests.servers.shop import Shop

Flags = tuple[str, ...]


def flags_for(elasticsearch: Elasticsearch | None, prometheus: Prometheus | None) -> Flags:
    urls = {"--es-url": elasticsearch, "--prometheus-url": prometheus}
    return tuple(word for flag, server in urls.items() if server for word in (flag, server.url))


def around(shop: Shop) -> Flags:
    return ("--at", (shop.onset + timedelta(minutes=2)).isoformat())


def report_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    report: dict[str, Any] = json.loads(outcome.out)
    return report


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """A server that accepts and never answers: no real one can be made to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


def test_investigate_names_the_faulty_service_and_where_it_spread(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    where = flags_for(shop_elasticsearch_8, prometheus)
    report = report_of(invoke("investigate", *around(shop), *where, "--format", "json"))
    assert report["suspects"][0]["service"] == shop.faulty
    assert not report["verdict"]["abstained"]
    assert set(shop.affected) <= set(report["impact"])
    assert {suspect["service"] for suspect in report["suspects"]} == set(shop.services)


def test_commits_and_events_that_people_hand_over_go_into_the_bundle_and_the_report(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus, tmp_path: Path
) -> None:
    made = Repository(tmp_path / "code", shop.onset)
    made.commit_files("Begin", 20, {f"{shop.faulty}/settings.py": "pool_size = 20\n"})
    sha = made.commit_files(
        "Halve the pool, password=hunter2hunter2", 0.1, {f"{shop.faulty}/settings.py": "pool_size = 2\n"}
    )
    deployed = (shop.onset - timedelta(minutes=2)).isoformat()
    event = json.dumps({"timestamp": deployed, "kind": "deploy", "service": shop.faulty, "image": f"x:{sha[:8]}"})
    where = flags_for(shop_elasticsearch_8, prometheus)
    given = ("--repo", str(made.path), "--events", "-", "--save", str(tmp_path / "kept.zip"))
    outcome = invoke("investigate", *around(shop), *where, *given, "--format", "json", stdin=event)
    report = report_of(outcome)
    assert {one["commit"] for one in report["triggers"]} >= {sha}
    bundle = read_bundle(tmp_path / "kept.zip")
    assert [commit.sha for commit in bundle.commits][-1] == sha
    assert "hunter2hunter2" not in bundle.commits[-1].message
    assert bundle.commits[-1].repository == "code"
    assert {record.name for record in bundle.sources} == {"elasticsearch", "prometheus", "git"}
    replayed = report_of(invoke("replay", tmp_path / "kept.zip", "--format", "json"))
    assert replayed["triggers"] == report["triggers"]


@pytest.mark.parametrize("server", ["shop_elasticsearch_8", "shop_elasticsearch_9"])
def test_capture_then_replay_says_what_investigate_says(
    invoke: Invoke, shop: Shop, server: str, prometheus: Prometheus, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where = flags_for(request.getfixturevalue(server), prometheus)
    since = (shop.onset - timedelta(minutes=20)).isoformat()
    until = (shop.onset + timedelta(minutes=15)).isoformat()
    path = tmp_path / "incident.tar.gz"
    assert invoke("capture", "--since", since, "--until", until, *where, "-o", path).code == 0
    live = report_of(invoke("investigate", "--since", since, "--until", until, *where, "--format", "json"))
    replayed = report_of(invoke("replay", path, "--format", "json"))
    assert (live.pop("replayed"), replayed.pop("replayed")) == (False, True)
    assert live == replayed
    assert live["suspects"][0]["service"] == shop.faulty, "the onset was found in the data"


def test_investigate_keeps_a_bundle_that_replays(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus, own_home: Path
) -> None:
    outcome = invoke(
        "investigate", *around(shop), *flags_for(shop_elasticsearch_8, prometheus), "--format", "json"
    )
    (kept,) = own_home.rglob("*.tar.gz")
    assert str(kept) in outcome.err
    replayed = report_of(invoke("replay", kept, "--format", "json"))
    assert {**json.loads(outcome.out), "replayed": True} == replayed


def test_a_graph_is_discovered_from_metrics_spans_and_lines(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    window = ("--since", shop.start.isoformat(), "--until", shop.end.isoformat())
    where = flags_for(shop_elasticsearch_8, prometheus)
    graph = json.loads(invoke("topology", "discover", *window, *where, "--format", "json").out)
    found = {(edge["caller"], edge["callee"]) for edge in graph["edges"]}
    assert set(shop.edges) <= found
    assert not found - set(shop.edges), "no edge is made up"


def test_the_server_really_checks_the_password(
    invoke: Invoke, shop: Shop, shop_elasticsearch_secured: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--es-url", shop_elasticsearch_secured.url)
    monkeypatch.setenv("RCA_ES_USERNAME", READER)
    monkeypatch.setenv("RCA_ES_PASSWORD", PASSWORD)
    assert invoke("investigate", *around(shop), *where, "--format", "json").code == 0
    monkeypatch.setenv("RCA_ES_PASSWORD", "hunter2-wrong")
    outcome = invoke("investigate", *around(shop), *where)
    assert outcome.code == 4
    assert "401" in outcome.err
    assert READER in outcome.err
    assert "hunter2-wrong" not in outcome.err + outcome.out
    assert outcome.out == ""


def test_a_wrong_password_for_one_source_is_a_gap_in_the_report(
    invoke: Invoke,
    shop: Shop,
    shop_elasticsearch_secured: Elasticsearch,
    prometheus: Prometheus,
    monkeypatch: pytest.MonkeyPatch,
    own_home: Path,
) -> None:
    monkeypatch.setenv("RCA_ES_USERNAME", READER)
    monkeypatch.setenv("RCA_ES_PASSWORD", "hunter2-wrong")
    where = flags_for(shop_elasticsearch_secured, prometheus)
    outcome = invoke("investigate", *around(shop), *where, "--format", "json")
    report = report_of(outcome)
    assert report["suspects"][0]["service"] == shop.faulty
    assert [gap["source"] for gap in report["gaps"] if gap["what"] == "the whole source"] == ["elasticsearch"]
    (kept,) = own_home.rglob("*.tar.gz")
    with tarfile.open(kept) as archive:
        files = [archive.extractfile(member) for member in archive.getmembers() if member.isfile()]
        texts = [file.read() for file in files if file]
    assert not any(b"hunter2-wrong" in (gzip.decompress(t) if t[:2] == b"\x1f\x8b" else t) for t in texts)
    assert "hunter2-wrong" not in outcome.out + outcome.err


def test_tls_with_an_own_authority_and_with_a_fingerprint(
    invoke: Invoke, shop: Shop, shop_elasticsearch_tls: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = shop_elasticsearch_tls
    monkeypatch.setenv("RCA_ES_USERNAME", server.username)
    monkeypatch.setenv("RCA_ES_PASSWORD", server.password)
    where = ("--es-url", server.url, "--format", "json")
    outcome = invoke("investigate", *around(shop), *where)
    assert outcome.code == 4, "its authority is unknown here"
    assert "certificate" in outcome.err.lower()
    monkeypatch.setenv("RCA_ES_CA_CERTS", str(server.ca_certs))
    assert invoke("investigate", *around(shop), *where).code == 0
    monkeypatch.delenv("RCA_ES_CA_CERTS")
    monkeypatch.setenv("RCA_ES_FINGERPRINT", server.fingerprint)
    assert invoke("investigate", *around(shop), *where).code == 0


@pytest.mark.live
def test_every_source_down_is_exit_code_4_with_each_reason(invoke: Invoke, closed_port: int) -> None:
    url = f"http://user:hunter2@127.0.0.1:{closed_port}"
    outcome = invoke("investigate", "--since", "1h", "--es-url", url, "--prometheus-url", url)
    assert outcome.code == 4
    assert "elasticsearch" in outcome.err
    assert "prometheus" in outcome.err
    assert f"127.0.0.1:{closed_port}" in outcome.err
    assert "hunter2" not in outcome.err
    assert "Traceback" not in outcome.err


def test_half_of_the_sources_gone_still_makes_a_report(
    invoke: Invoke, shop: Shop, prometheus: Prometheus, closed_port: int
) -> None:
    where = ("--es-url", f"http://127.0.0.1:{closed_port}", "--prometheus-url", prometheus.url)
    report = report_of(invoke("investigate", *around(shop), *where, "--format", "json"))
    assert report["suspects"][0]["service"] == shop.faulty
    assert ("elasticsearch", "the whole source") in {(gap["source"], gap["what"]) for gap in report["gaps"]}


def test_a_hanging_server_ends_within_the_time_budget(
    invoke: Invoke, shop: Shop, prometheus: Prometheus, hanging_url: str
) -> None:
    where = ("--es-url", hanging_url, "--prometheus-url", prometheus.url, "--time-budget", "8")
    began = time.monotonic()
    report = report_of(invoke("investigate", *around(shop), *where, "--format", "json"))
    assert time.monotonic() - began < 20
    assert report["suspects"][0]["service"] == shop.faulty
    assert "elasticsearch" in {gap["source"] for gap in report["gaps"]}


@pytest.mark.live
def test_only_a_hanging_server_is_exit_code_4(invoke: Invoke, hanging_url: str) -> None:
    began = time.monotonic()
    outcome = invoke("investigate", "--since", "1h", "--es-url", hanging_url, "--time-budget", "3")
    assert outcome.code == 4
    assert time.monotonic() - began < 12


def test_an_empty_window_is_exit_code_3(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    window = ("--since", (shop.start - timedelta(days=40)).isoformat(), "--until")
    until = (shop.start - timedelta(days=39, hours=22)).isoformat()
    outcome = invoke("investigate", *window, until, *flags_for(shop_elasticsearch_8, prometheus))
    assert outcome.code == 3
    assert "doctor" in outcome.err
    assert outcome.out == ""


def test_ctrl_c_gives_what_there_is(shop: Shop, prometheus: Prometheus, hanging_url: str, tmp_path: Path) -> None:
    # A test run in the background has Ctrl-C switched off, and its children inherit that: it is switched on again.
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    start += "from rca.cli.main import run; run()"
    words = [sys.executable, "-c", start, "investigate", *around(shop), "--format", "json", "--time-budget", "50"]
    words += ["--es-url", hanging_url, "--prometheus-url", prometheus.url]
    home = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    with subprocess.Popen(  # noqa: S603 - this interpreter, fixed words
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **home}
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        for line in running.stderr:
            if line.startswith("prometheus: done"):
                break
        running.send_signal(signal.SIGINT)
        report = json.loads(running.stdout.read())
        assert running.wait(30) == 130
    assert report["suspects"][0]["service"] == shop.faulty
    assert "interrupted with Ctrl-C" in {gap["why"] for gap in report["gaps"]}


def test_doctor_finds_fields_packs_and_services(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    window = ("--since", shop.start.isoformat(), "--until", shop.end.isoformat())
    outcome = invoke("doctor", *window, *flags_for(shop_elasticsearch_8, prometheus))
    assert outcome.code == 0, outcome.out
    for word in ("service.name", "otel_http", "istio", *shop.services[:3], "scraped every 15 s"):
        assert word in outcome.out


def test_doctor_ends_well_on_servers_that_are_younger_than_the_window(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    window = ("--since", (shop.start - timedelta(hours=1)).isoformat(), "--until", shop.end.isoformat())
    outcome = invoke("doctor", *window, *flags_for(shop_elasticsearch_8, prometheus))
    assert outcome.code == 0, outcome.out
    assert "note  prometheus: data at the start: the window begins at" in outcome.out
    assert "nothing is broken" in outcome.err


def test_doctor_says_what_is_broken_and_what_to_do(
    invoke: Invoke, shop_elasticsearch_secured: Elasticsearch, closed_port: int
) -> None:
    where = ("--es-url", shop_elasticsearch_secured.url, "--prometheus-url", f"http://127.0.0.1:{closed_port}")
    outcome = invoke("doctor", *where, "--format", "json")
    assert outcome.code == 4
    broken = [check for check in json.loads(outcome.out) if check["ok"] is False]
    assert {check["source"] for check in broken} == {"elasticsearch", "prometheus"}
    assert all(check["hint"] for check in broken)


def test_a_baseline_can_be_placed_after_the_incident(
    invoke: Invoke, shop: Shop, shop_elasticsearch_8: Elasticsearch, prometheus: Prometheus
) -> None:
    where = flags_for(shop_elasticsearch_8, prometheus)
    window = ("--since", shop.onset.isoformat(), "--until", (shop.onset + timedelta(minutes=10)).isoformat())
    baseline = (shop.start + timedelta(minutes=5), shop.start + timedelta(minutes=45))
    placed = ("--baseline-since", baseline[0].isoformat(), "--baseline-until", baseline[1].isoformat())
    report = report_of(invoke("investigate", *window, *placed, *where, "--format", "json"))
    assert report["suspects"][0]["service"] == shop.faulty
    assert report["window"]["baseline"]["start"] == baseline[0].strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_secrets_in_log_lines_are_cut_out_by_default(
    invoke: Invoke, elasticsearch_any: Elasticsearch, index_name: str, tmp_path: Path, shop: Shop
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    lines = [
        {
            "@timestamp": (shop.onset + timedelta(seconds=n)).isoformat(),
            "service": {"name": "vault"},
            "log": {"level": "ERROR"},
            "message": f"login of jane.doe@example.org with password=hunter2 and {secret} failed",
        }
        for n in range(30)
    ]
    bulk = "".join(f'{{"create":{{}}}}\n{json.dumps(line)}\n' for line in lines)
    index = index_name.replace("logs-", "secrets-")  # logs-* are the shop's own, for whatever test comes next
    elasticsearch_any.request("POST", f"/{index}/_bulk?refresh=true", data=bulk.encode())
    config = tmp_path / "c.toml"
    config.write_text(f"[elasticsearch]\nindices = ['{index}']\nspan_indices = []\n")
    where = ("--config", str(config), "--es-url", elasticsearch_any.url)
    for flag, kept in ((), False), (("--no-redact",), True):
        path = tmp_path / f"bundle{len(flag)}"
        outcome = invoke("capture", *around(shop), *where, *flag, "-o", path)
        assert outcome.code == 0, outcome.err
        text = gzip.decompress((path / "logs.jsonl.gz").read_bytes())
        assert (secret.encode() in text) is kept
        assert (b"jane.doe@example.org" in text) is kept
        assert ("redacted:" in outcome.err) is not kept
