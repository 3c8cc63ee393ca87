"""The client: what comes back, what fails and how, and that no secret is told."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response as WebResponse

from rca.config.settings import PrometheusSettings
from rca.errors import (
    ConfigError,
    SourceAuthError,
    SourceError,
    SourceQueryError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from rca.sources.prom.client import Backend, PromClient, chunks

EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


@contextmanager
def connect(url: str, **settings: object) -> Iterator[PromClient]:
    client = PromClient(PrometheusSettings(url=url, **settings))  # type: ignore[arg-type]  # tests name the fields
    try:
        yield client
    finally:
        client.close()


@given(st.integers(0, 10**9), st.integers(0, 50_000), st.integers(1, 3600), st.integers(1, 11_000))
def test_chunks_hold_every_point_once(first: int, points: int, step: int, most: int) -> None:
    last = first + (points - 1) * step
    cut = list(chunks(first, last, step, max(most, points // 20 + 1)))
    assert sum((end - start) // step + 1 for start, end in cut) == points
    assert all((end - start) % step == 0 for start, end in cut)
    assert all(after[0] == before[1] + step for before, after in pairwise(cut))
    if points:
        assert (cut[0][0], cut[-1][1]) == (first, last)


@pytest.mark.parametrize(
    "settings",
    [
        PrometheusSettings(),
        PrometheusSettings(url="http://h", ca_certs=Path("/no/such/file")),
        PrometheusSettings(url="http://h", client_cert=Path("/no/such/file")),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: PrometheusSettings) -> None:
    with pytest.raises(ConfigError):
        PromClient(settings)


def test_certificates_are_handed_on(tmp_path: Path) -> None:
    file = tmp_path / "pem"
    file.touch()
    with connect("https://h", client_cert=file, ca_certs=file) as client:
        assert (client._session.cert, client._session.verify) == (str(file), str(file))
    with connect("https://h", client_cert=file, client_key=file, verify_certs=False) as client:
        assert (client._session.cert, client._session.verify) == ((str(file), str(file)), False)


def test_a_long_range_is_asked_in_chunks_and_put_together(httpserver: HTTPServer) -> None:
    asked: list[tuple[int, int]] = []

    def answer(request: WebRequest) -> WebResponse:
        start, end, step = (int(request.args[name]) for name in ("start", "end", "step"))
        asked.append((start, end))
        values = [[at, "1"] for at in range(start, end + 1, step)]
        result = [{"metric": {"service": "a"}, "values": values}]
        body = {"status": "success", "warnings": ["half is missing"], "data": {"result": result}}
        return WebResponse(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/prometheus/api/v1/query_range").respond_with_handler(answer)
    with connect(httpserver.url_for("/prometheus")) as client:
        found = client.query_range("up", 0, 25_000 * 15, 15)
    assert len(asked) == 3
    assert [at for at, _ in found.series[0]["values"]] == list(range(0, 25_001 * 15, 15))
    assert found.warnings == ("half is missing",)


def test_the_clock_of_a_server_without_scalars_is_when_it_answered(httpserver: HTTPServer) -> None:
    body = json.dumps({"status": "success", "data": {"result": [{"metric": {}, "value": [970, "970"]}]}})
    httpserver.expect_request("/api/v1/query").respond_with_data(body)
    with connect(httpserver.url_for("")) as client:
        assert client.now() == pytest.approx(time.time(), abs=5)


def test_native_histograms_are_told_and_not_read(httpserver: HTTPServer) -> None:
    sample = {"count": "3", "sum": "4.5", "buckets": [[0, "0.5", "1", "3"]]}
    ranged = [
        {"metric": {"service": "a"}, "histograms": [[0, sample], [15, sample]]},
        {"metric": {"service": "b"}, "histograms": [[0, sample]], "values": [[15, "1"]]},
        {"metric": {"service": "c"}, "values": [[0, "1"]]},
    ]
    instant = [{"metric": {}, "histogram": [15, sample]}, {"metric": {"service": "c"}, "value": [15, "1"]}]
    for path, rows in (("query_range", ranged), ("query", instant)):
        body = {"status": "success", "data": {"result": rows}}
        httpserver.expect_request(f"/api/v1/{path}").respond_with_json(body)
    with connect(httpserver.url_for("")) as client:
        found, single = client.query_range("x", 0, 15, 15), client.query("x", 15)
    assert [row["metric"]["service"] for row in found.series] == ["b", "c"]
    assert found.warnings == ("2 series hold native histograms, not numbers",)
    assert [row["metric"]["service"] for row in single.series] == ["c"]
    assert single.warnings == ("1 series hold native histograms, not numbers",)


def test_remarks_on_a_querys_style_are_no_warnings(httpserver: HTTPServer) -> None:
    remark = 'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count: "x" (1:6)'
    lack = 'PromQL warning: bucket label "le" is missing or has a malformed value of "" for metric name "x"'
    body = {**EMPTY, "warnings": [remark, lack], "infos": [remark]}
    httpserver.expect_request("/api/v1/query").respond_with_json(body)
    with connect(httpserver.url_for("")) as client:
        assert client.query("rate(x[1m])", 1).warnings == (lack,)


def test_who_we_are_goes_with_every_request(httpserver: HTTPServer) -> None:
    httpserver.expect_request(
        "/api/v1/query", headers={"Authorization": "Bearer t0ken", "X-Scope-OrgID": "team"}
    ).respond_with_json(EMPTY)
    with connect(httpserver.url_for(""), bearer_token="t0ken", headers={"X-Scope-OrgID": "team"}) as client:
        assert client.query("up", 1).series == []


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, {"error": f"no handler found for uri [/{'x' * 300}]"}, SourceQueryError, "what Elasticsearch says"),
        (400, {"errorType": "bad_data", "error": 'parse error: unexpected "x"'}, SourceQueryError, "parse error"),
        (422, {"errorType": "execution", "error": "many-to-many matching"}, SourceQueryError, "many-to-many"),
        (503, {"errorType": "timeout", "error": "query timed out"}, SourceTimeoutError, "query timed out"),
        (503, {"error": "too busy"}, SourceQueryError, "too busy"),
        (401, {"error": "no org id"}, SourceAuthError, "no org id"),
        (403, {"error": "forbidden"}, SourceAuthError, "forbidden"),
        (404, None, SourceQueryError, "404"),
        (504, None, SourceTimeoutError, "504"),
        (500, "<html><body>oops", SourceQueryError, "(an HTML page)"),
        (500, [], SourceQueryError, "500"),
    ],
)
def test_a_refusal_keeps_the_servers_own_words(
    httpserver: HTTPServer, status: int, body: object, error: type[SourceError], said: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    httpserver.expect_request("/api/v1/query").respond_with_data(text, status=status)
    url = httpserver.url_for("").replace("://", "://me:hunter2@")
    with connect(url) as client, pytest.raises(error) as raised:
        client.query("up", 1)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert len(httpserver.log) == 1  # asked once: what timed out there is not asked again


@pytest.mark.parametrize(
    "body", ["<html>log in</html>", '{"status": "success"}', '{"data": {"result"', '{"data": 3}']
)
def test_an_answer_that_is_not_prometheus_is_said_so(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/api/v1/query").respond_with_data(body)
    with connect(httpserver.url_for("")) as client, pytest.raises(SourceQueryError, match="Prometheus'"):
        client.query("up", 1)


def test_a_partial_answer_of_a_cluster_is_a_warning(httpserver: HTTPServer) -> None:
    body = '{"status":"success","isPartial":true,"data":{"result":[]}}'
    httpserver.expect_request("/api/v1/query").respond_with_data(body)
    with connect(httpserver.url_for("")) as client:
        assert "partial" in client.query("up", 1).warnings[0]


def test_an_answer_without_end_is_broken_off(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.sources.prom.session.MAX_BYTES", 1000)
    httpserver.expect_request("/api/v1/query").respond_with_data("{" + " " * 5000)
    with connect(httpserver.url_for("")) as client, pytest.raises(SourceQueryError, match="larger than"):
        client.query("up", 1)


@contextmanager
def _dribble(head: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers its head at once, and then a drop at a time for ever."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(head)
                while drop and not done.wait(0.02):
                    try:
                        connection.sendall(drop)
                    except OSError:
                        return
                done.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{"


@pytest.mark.parametrize(("head", "drop"), [(b"", b""), (_HEAD, b" "), (_HEAD, b"")])
def test_a_server_that_hangs_or_dribbles_does_not_hold_us(head: bytes, drop: bytes) -> None:
    begin = time.monotonic()
    with _dribble(head, drop) as url, connect(url, timeout_seconds=0.3) as client:
        with pytest.raises(SourceTimeoutError, match=r"did not answer within 0\.3 s"):
            client.query("up", 1)
        assert time.monotonic() - begin < 2


def test_no_call_begins_after_the_deadline(httpserver: HTTPServer) -> None:
    with connect(httpserver.url_for("")) as client:
        client.until(time.monotonic())
        with pytest.raises(SourceTimeoutError, match="no time was left"):
            client.query("up", 1)
    assert not httpserver.log


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with connect(f"http://127.0.0.1:{port}") as client, pytest.raises(SourceUnreachableError, match="refused"):
        client.query("up", 1)


def _hang_up(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_a_connection_that_is_cut_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_hang_up, args=[listening])
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with connect(url) as client, pytest.raises(SourceUnreachableError, match="nobody answers"):
            client.query("up", 1)
        thread.join()


def test_a_header_that_cannot_be_sent_does_not_tell_its_value() -> None:
    with connect("http://127.0.0.1:9", headers={"X-Key": "hunter2\n"}) as client:
        with pytest.raises(SourceUnreachableError) as raised:
            client.query("up", 1)
        assert "hunter2" not in str(raised.value)
        assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("info", "headers", "expected"),
    [
        ({"version": "2.42.0", "goVersion": "go1"}, {}, Backend("prometheus", "2.42.0")),
        ({"version": "2.9", "application": "Grafana Mimir"}, {}, Backend("mimir", "2.9")),
        ({"version": "1.16", "application": "Cortex"}, {}, Backend("cortex", "1.16")),
        ({"version": "0.34.1", "revision": "x"}, {}, Backend("thanos", "0.34.1")),
        ({"version": "2.24.0"}, {}, Backend("victoriametrics")),
        ({"version": "2.24.0", "goVersion": "x"}, {"X-Server-Hostname": "vm"}, Backend("victoriametrics")),
        ({"version": "3.5.0", "revision": "x", "goVersion": "go1"}, {}, Backend("prometheus", "3.5.0")),
        ({"version": "3.0.0", "application": "Grafana Mimir", "features": {}}, {}, Backend("mimir", "3.0.0")),
        ({}, {"X-Server-Hostname": "vm"}, Backend("victoriametrics")),
        ({}, {}, Backend("unknown")),
    ],
)
def test_the_backend_is_known_by_what_it_says(
    httpserver: HTTPServer, info: dict[str, object], headers: dict[str, str], expected: Backend
) -> None:
    body = json.dumps({"status": "success", "data": info})
    httpserver.expect_request("/api/v1/status/buildinfo").respond_with_data(body, headers=headers)
    httpserver.expect_request("/api/v1/query").respond_with_json(EMPTY)
    with connect(httpserver.url_for("")) as client:
        assert client.backend() == expected
        client.query("up", 1)
    assert ("nocache" in httpserver.log[-1][0].args) == (expected.name == "victoriametrics")


def test_a_backend_without_build_information_is_unknown_and_used_all_the_same(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/status/buildinfo").respond_with_data("not found", status=404)
    with connect(httpserver.url_for("")) as client:
        assert client.backend() == Backend("unknown")
