"""The harness itself: real servers come up, check who asks, answer, and are gone afterwards."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.servers import process
from tests.servers.elasticsearch import PASSWORD, READER, STRANGER, Elasticsearch
from tests.servers.fetch import UnavailableError
from tests.servers.http import Endpoint
from tests.servers.prometheus import Prometheus, run_prometheus


def status_of(server: Endpoint, path: str) -> int:
    try:
        server.request("GET", path)
    except requests.HTTPError as error:
        return error.response.status_code if error.response is not None else 0
    return 200


def put(server: Elasticsearch, index: str, message: str) -> None:
    lines = [{"index": {"_index": index}}, {"@timestamp": "2026-02-03T04:05:06Z", "message": message}]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert not server.request("POST", "/_bulk?refresh=true", data=body)["errors"]


def test_each_elasticsearch_is_the_pinned_release_and_healthy(elasticsearch_any: Elasticsearch) -> None:
    assert elasticsearch_any.request("GET", "/_cluster/health")["status"] in {"green", "yellow"}
    nodes = elasticsearch_any.request("GET", "/_nodes")["nodes"]
    assert [node["version"] for node in nodes.values()] == [elasticsearch_any.version]


def test_each_elasticsearch_finds_what_was_put_into_it(elasticsearch_any: Elasticsearch, index_name: str) -> None:
    put(elasticsearch_any, index_name, "out of memory")
    found = elasticsearch_any.request("POST", f"/{index_name}/_search", json={"query": {"match_all": {}}})
    assert [hit["_source"]["message"] for hit in found["hits"]["hits"]] == ["out of memory"]


def test_a_secured_elasticsearch_refuses_a_wrong_password_and_none(elasticsearch_secured: Elasticsearch) -> None:
    assert status_of(elasticsearch_secured, "/_cluster/health") == 200
    assert status_of(replace(elasticsearch_secured, password="wrong"), "/_cluster/health") == 401
    assert status_of(replace(elasticsearch_secured, username=""), "/_cluster/health") == 401


def test_the_users_of_a_secured_elasticsearch_may_do_what_their_roles_say(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    put(elasticsearch_secured, index_name, "seen by the reader alone")
    reader = replace(elasticsearch_secured, username=READER, password=PASSWORD)
    stranger = replace(elasticsearch_secured, username=STRANGER, password=PASSWORD)
    for path in (f"/{index_name}/_search", f"/{index_name}/_field_caps?fields=*"):
        assert (status_of(reader, path), status_of(stranger, path)) == (200, 403)


def test_an_elasticsearch_with_tls_is_trusted_through_its_authority_alone(
    elasticsearch_tls: Elasticsearch,
) -> None:
    assert elasticsearch_tls.url.startswith("https://")
    assert status_of(elasticsearch_tls, "/_cluster/health") == 200
    with pytest.raises(requests.exceptions.SSLError):
        replace(elasticsearch_tls, ca_certs=None).request("GET", "/_cluster/health")


@pytest.mark.live
def test_a_backfilled_prometheus_answers_for_the_past() -> None:
    start = 1_770_000_000
    samples = [f"jobs_total {10 * i} {start + 15 * i}\n" for i in range(400)]
    with run_prometheus(["# TYPE jobs counter\n", *samples, "# EOF\n"]) as server:
        answer = server.request(
            "GET", "/api/v1/query", params={"query": "rate(jobs_total[2m])", "time": str(start + 3600)}
        )
    assert float(answer["data"]["result"][0]["value"][1]) == pytest.approx(10 / 15)


@pytest.mark.live
def test_a_history_that_is_no_openmetrics_is_refused() -> None:
    before = set(Path(tempfile.gettempdir()).glob("rca-prometheus-*"))
    with pytest.raises(UnavailableError, match="promtool refused"), run_prometheus(["jobs_total 1 1\n"]):
        pytest.fail("it started")
    assert set(Path(tempfile.gettempdir()).glob("rca-prometheus-*")) <= before


def test_a_secured_prometheus_refuses_a_wrong_password_and_none(prometheus_secured: Prometheus) -> None:
    path = "/api/v1/status/buildinfo"
    assert status_of(prometheus_secured, path) == 200
    assert status_of(replace(prometheus_secured, password="wrong"), path) == 401
    assert status_of(replace(prometheus_secured, username=""), path) == 401


def test_a_prometheus_with_tls_is_trusted_through_its_authority_alone(prometheus_tls: Prometheus) -> None:
    assert status_of(prometheus_tls, "/-/ready") == 200
    with pytest.raises(requests.exceptions.SSLError):
        replace(prometheus_tls, ca_certs=None).request("GET", "/-/ready")


def wait_until_gone(path: Path) -> None:
    deadline = time.monotonic() + 20
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not path.exists()


SLEEPERS = ["sh", "-c", "trap '' TERM; sleep 600 & echo $! > child; touch ready; wait; sleep 600"]


def test_a_stopped_server_leaves_no_file_and_no_process_of_its_group_behind() -> None:
    with process.new_folder("sleeper") as folder:
        running = process.start(SLEEPERS, folder, grace_seconds=0.5)
    running.wait_until((folder / "ready").exists, seconds=20, what="sleeper")
    child = Path("/proc") / (folder / "child").read_text().strip()
    assert child.exists()
    running.stop()
    assert not folder.exists()
    wait_until_gone(child)


def test_a_server_ends_when_the_process_that_owns_it_is_killed() -> None:
    idle = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        process.new_folder("sleeper") as folder,
        subprocess.Popen(idle) as owner,  # noqa: S603 - Python itself, fixed words
    ):
        running = process.start(SLEEPERS, folder, owner=owner.pid, grace_seconds=0.5)
        running.wait_until((folder / "ready").exists, seconds=20, what="sleeper")
        owner.send_signal(signal.SIGKILL)
    wait_until_gone(folder)
    running.stop()


def test_a_server_that_ends_by_itself_is_reported_with_its_last_words() -> None:
    with process.new_folder("sleeper") as folder:
        running = process.start(["sh", "-c", "echo no such option; exit 3"], folder)
    with pytest.raises(UnavailableError, match=r"it ended by itself; it last said: no such option"):
        running.wait_until(lambda: False, seconds=20, what="it")
    assert not folder.exists()
