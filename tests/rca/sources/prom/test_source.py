"""The whole source against servers that fail in ways a real one can't be made to."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response as WebResponse

from rca.config.settings import PrometheusSettings
from rca.errors import SourceAuthError, SourceQueryError, SourceTimeoutError
from rca.model.incident import Interval
from rca.sources.base import Check, Harvest, Request
from rca.sources.prom import PrometheusSource
from rca.sources.prom.doctor import identity

Answer = Callable[[WebRequest], WebResponse | None]
START = 1_770_000_000


def request(seconds: float = 20.0) -> Request:
    span = Interval(datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(START + 600, UTC))
    return Request(span, 30, time.monotonic() + seconds)


def say(data: object, *, status: int = 200, **more: object) -> WebResponse:
    body = {"status": "success", "data": data, **more} if status == 200 else {"error": str(data), **more}
    return WebResponse(json.dumps(body), status, content_type="application/json")


class Fake:
    """A server with the series `up` of one job, that may answer otherwise."""

    def __init__(self, otherwise: Answer = lambda _: None) -> None:
        self.otherwise = otherwise
        self.metrics = ["up"]
        self.labels = ["__name__", "job"]
        self.targets: list[dict[str, object]] = []

    def __call__(self, asked: WebRequest) -> WebResponse:
        if (answer := self.otherwise(asked)) is not None:
            return answer
        path, query = asked.path.removeprefix("/api/v1/"), asked.args.get("query", "")
        values = [[at, "1"] for at in range(START, START + 600, 30)]
        quiet = "ALERTS" in query
        answers: dict[str, object] = {
            "label/__name__/values": self.metrics,
            "labels": self.labels,
            "targets": {"activeTargets": self.targets},
            "status/buildinfo": {"version": "3.0.0", "goVersion": "go1"},
            "query_range": {"result": [] if quiet else [{"metric": {"job": "a"}, "values": values}]},
            "query": {"result": [{"metric": {}, "value": [START, "20"]}]},
        }
        return say({"result": [time.time(), str(time.time())]} if query == "time()" else answers[path])


@contextmanager
def running(httpserver: HTTPServer, fake: Fake, **settings: object) -> Iterator[PrometheusSource]:
    httpserver.clear()
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(fake)
    made = PrometheusSettings(url=httpserver.url_for(""), timeout_seconds=5, **settings)  # type: ignore[arg-type]  # tests name the fields
    source = PrometheusSource(made)
    try:
        yield source
    finally:
        source.close()


def harvest(httpserver: HTTPServer, fake: Fake) -> list[Harvest]:
    with running(httpserver, fake) as source:
        return list(source.harvest(request()))


def check(httpserver: HTTPServer, fake: Fake, **settings: object) -> dict[str, Check]:
    with running(httpserver, fake, **settings) as source:
        return {found.name: found for found in source.check(request())}


def fail_on(word: str, response: Callable[[], WebResponse]) -> Answer:
    return lambda asked: response() if word in asked.full_path else None


def gaps(pieces: list[Harvest]) -> dict[str, str]:
    return {gap.what: gap.why for piece in pieces for gap in piece.gaps}


def test_a_query_that_fails_is_a_gap_and_the_others_are_there(httpserver: HTTPServer) -> None:
    pieces = harvest(httpserver, Fake(fail_on("ALERTS", lambda: say("overloaded", status=503))))
    assert "overloaded" in gaps(pieces)["alerts"]
    assert [key.column for piece in pieces if piece.metrics for key in piece.metrics.keys] == ["a|up"]


def test_look_ups_that_fail_for_one_metric_are_gaps(httpserver: HTTPServer) -> None:
    pieces = harvest(httpserver, Fake(fail_on("/labels", lambda: say("too many", status=422))))
    assert "too many" in gaps(pieces)["the labels of up could not be read"]
    pieces = harvest(httpserver, Fake(fail_on("count+by", lambda: say("too many", status=422))))
    assert "too many" in gaps(pieces)["the services of up could not be listed"]


def test_nothing_but_refusals_are_the_sources_failure(httpserver: HTTPServer) -> None:
    with pytest.raises(SourceAuthError):
        harvest(httpserver, Fake(fail_on("api", lambda: say("who are you", status=401))))
    with pytest.raises(SourceAuthError):
        harvest(httpserver, Fake(fail_on("__name__", lambda: say("not you", status=403))))
    with pytest.raises(SourceQueryError, match="no such thing"):
        harvest(httpserver, Fake(fail_on("__name__", lambda: say("no such thing", status=400))))


def test_an_auth_error_that_comes_late_is_raised_when_nothing_was_answered(httpserver: HTTPServer) -> None:
    def late(asked: WebRequest) -> WebResponse | None:
        refused = "query_range" in asked.path and "count" not in asked.full_path
        return say("expired", status=401) if refused else None

    with pytest.raises(SourceAuthError, match="expired"):
        harvest(httpserver, Fake(late))


def test_a_metric_without_a_label_for_its_service_is_a_gap(httpserver: HTTPServer) -> None:
    fake = Fake()
    fake.labels = ["__name__", "colour"]
    pieces = harvest(httpserver, fake)
    assert "none of the labels" in gaps(pieces)["up: up"]


def test_a_warning_reaches_the_report(httpserver: HTTPServer) -> None:
    def warn(asked: WebRequest) -> WebResponse | None:
        return say({"result": []}, warnings=["store x is down"]) if "ALERTS" in asked.full_path else None

    assert "store x is down" in gaps(harvest(httpserver, Fake(warn)))["parts of alerts"]


def test_pods_are_named_by_pattern_where_their_owners_cannot_be_had(httpserver: HTTPServer) -> None:
    fake = Fake(fail_on("owner_name", lambda: say("too many", status=422)))
    fake.metrics = [
        "container_memory_working_set_bytes",
        "kube_pod_info",
        "kube_pod_owner",
        "kube_replicaset_created",
    ]
    fake.labels = ["pod", "replicaset"]
    assert "too many" in gaps(harvest(httpserver, fake))["the pods' owners"]


def test_bucket_bounds_that_are_no_numbers_are_passed_over(httpserver: HTTPServer) -> None:
    fake = Fake(fail_on("label/le", lambda: say(["+Inf", "?", "1"])))
    fake.metrics = ["http_request_duration_seconds_bucket", "http_request_duration_seconds_count"]
    above = sorted(what for what in gaps(harvest(httpserver, fake)) if "above" in what)
    assert above == ["http_latency_p50 above 1 s", "http_latency_p95 above 1 s", "http_latency_p99 above 1 s"]
    fake.otherwise = fail_on("label/le", lambda: say("no", status=422))
    assert not any("above" in what for what in gaps(harvest(httpserver, fake)))


def test_an_alert_whose_begin_cannot_be_asked_is_there_all_the_same(httpserver: HTTPServer) -> None:
    def alert(asked: WebRequest) -> WebResponse | None:
        query = asked.args.get("query", "")
        if query.startswith("ALERTS{"):
            return say({"result": [{"metric": {"alertname": "Slow"}, "values": [[START + 30, "1"]]}]})
        return say("no", status=422) if query == "ALERTS_FOR_STATE" else None

    pieces = harvest(httpserver, Fake(alert))
    assert [found.labels["alertname"] for piece in pieces for found in piece.alerts] == ["Slow"]
    assert "when alerts began, or their rules" in gaps(pieces)


def test_an_answer_as_long_as_the_limit_is_a_gap(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.sources.prom.lookup.MAX_NAMES", 1)
    assert "over 1 metrics" in gaps(harvest(httpserver, Fake()))["names of metrics"]


def test_more_metrics_than_a_pattern_may_match_are_a_gap(httpserver: HTTPServer) -> None:
    fake = Fake()
    fake.metrics = [f"thing{number}_errors_total" for number in range(50)]
    pieces = harvest(httpserver, fake)
    assert sum(piece.metrics is not None for piece in pieces) == 40
    assert any(what.startswith("10 metrics like") for what in gaps(pieces))


def test_a_server_that_hangs_ends_with_the_time_budget(httpserver: HTTPServer) -> None:
    release = threading.Event()

    def hang(asked: WebRequest) -> WebResponse | None:
        if "up" in asked.args.get("query", ""):
            release.wait(10)
        return None

    begin = time.monotonic()
    with running(httpserver, Fake(hang)) as source:
        pieces = list(source.harvest(request(0.6)))
    spent = time.monotonic() - begin
    release.set()
    assert spent < 3
    assert pieces


def test_a_budget_that_is_spent_is_a_timeout(httpserver: HTTPServer) -> None:
    with running(httpserver, Fake()) as source, pytest.raises(SourceTimeoutError):
        list(source.harvest(request(0)))


def test_closing_ends_a_harvest_with_what_had_come(httpserver: HTTPServer) -> None:
    with running(httpserver, Fake()) as source:
        pieces = source.harvest(request())
        assert next(pieces).what == "what there is"
        source.close()
        begin = time.monotonic()
        list(pieces)
        assert time.monotonic() - begin < 2


def test_doctor_says_what_is_down_and_who_we_are(httpserver: HTTPServer) -> None:
    fake = Fake()
    fake.targets = [
        {"health": "up", "labels": {}},
        {"health": "down", "labels": {"job": "a", "instance": "b"}},
    ]
    checks = check(httpserver, fake, headers={"X-Scope-OrgID": "team", "X-Key": "hunter2"})
    assert checks["targets"].facts == ("a b",)
    assert checks["credentials"].detail == "the header X-Key, X-Scope-OrgID: team"


def test_doctor_tells_a_clock_that_is_off(httpserver: HTTPServer) -> None:
    off = Fake(fail_on("time%28%29", lambda: say({"result": [0, str(time.time() - 8 * 3600)]})))
    found = check(httpserver, off)["clock"]
    assert found.ok is False
    assert "28800 s behind ours" in found.detail


def test_doctor_ends_where_it_cannot_go_on(httpserver: HTTPServer) -> None:
    checks = check(httpserver, Fake(fail_on("__name__", lambda: say("broken", status=422))))
    assert list(checks)[-1] == "queries"
    assert "broken" in checks["queries"].detail
    checks = check(httpserver, Fake(fail_on("vector", lambda: say("broken", status=422))))
    assert checks["retention"].ok is False
    checks = check(httpserver, Fake(fail_on("targets", lambda: say("not here", status=404))))
    assert "can't be listed" in checks["targets"].detail


def test_doctor_says_what_each_pack_reads_be_it_asked_or_not(httpserver: HTTPServer) -> None:
    checks = check(httpserver, Fake())
    assert checks["pack up"].detail == (
        "applies: 1 metric, 1 service by job, scraped every 30 s "
        "(Whether the targets answer: a service that stops answering is a signal)"
    )
    reads = "(MySQL and MariaDB by mysqld_exporter)"
    assert [why for why in checks["other packs"].more if why.startswith("mysql: no ") and why.endswith(reads)]


def test_doctor_says_where_the_data_ends(httpserver: HTTPServer) -> None:
    checks = check(httpserver, Fake(fail_on("vector", lambda: say({"result": []}))))
    assert checks["data at the start"].ok is False
    assert "retention" in checks["data at the start"].hint
    assert checks["data at the end"].ok is False


def test_doctor_does_not_call_a_young_server_broken(httpserver: HTTPServer) -> None:
    def empty_at_first(asked: WebRequest) -> WebResponse | None:
        early = "vector" in asked.full_path and asked.args.get("time") == str(START + 30)
        if early:
            return say({"result": []})
        if "vector" in asked.full_path and asked.path.endswith("query_range"):
            return say({"result": [{"metric": {}, "values": [[START + 240, "1"], [START + 270, "1"]]}]})
        return None

    checks = check(httpserver, Fake(empty_at_first))
    young = checks["data at the start"]
    assert young.ok is None
    assert young.detail == "the window begins at 2026-02-02 02:40:00 UTC, the data at 2026-02-02 02:44:00 UTC"
    assert "younger" in young.hint
    assert checks["data at the end"].ok is True


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (PrometheusSettings(), "nobody in particular: no credentials are set"),
        (
            PrometheusSettings(bearer_token="s3cret", verify_certs=False),
            "a bearer token, TLS certificates are not checked",
        ),
        (PrometheusSettings(username="me", password="s3cret"), "the user me"),
    ],
)  # fmt: skip
def test_who_we_are_is_told_without_a_secret(settings: PrometheusSettings, said: str) -> None:
    assert identity(settings) == said


def test_names_and_labels_of_any_letters_are_passed_over_and_bounds_may_be_floats(httpserver: HTTPServer) -> None:
    fake = Fake(fail_on("label/le", lambda: say(["0.1", "1.0", "+Inf"])))
    fake.metrics = ["http.server.request.duration_bucket", "up", "http_requests_total", "http.requests"]
    fake.labels = ["__name__", "job", "service.name", "k8s.pod.name"]
    pieces = harvest(httpserver, fake)
    found = {key.metric for piece in pieces if piece.metrics for key in piece.metrics.keys}
    assert {"up", "http_requests"} <= found
    assert not any("." in metric for metric in found)


def test_what_doctor_takes_for_an_exporter_is_named(httpserver: HTTPServer) -> None:
    fake = Fake()
    fake.metrics = ["up", "redis_exporter_build_info"]
    checks = check(httpserver, fake)
    assert checks["exporters"].facts == ("a",)
    assert checks["pack up"].facts == ()
