import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from rca.config.settings import PrometheusSettings
from rca.errors import SourceQueryError
from rca.model.incident import Interval
from rca.sources.base import Request
from rca.sources.prom.firings import past_alerts

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
NAMED = {"__name__": "ALERTS"}
LABELS = {"alertname": "Slow", "service": "cart"}


def request() -> Request:
    return Request(Interval(START, START + timedelta(minutes=10)), 60, time.monotonic() + 10)


def answering(firing: list[int], warnings: tuple[str, ...] = ()) -> Callable[[Asked], Response]:
    """A server whose alert fires at these minutes, since half a minute before."""

    def answer(asked: Asked) -> Response:
        if asked.path.endswith("buildinfo"):
            return Response(json.dumps({"status": "success", "data": {"version": "2.42.0"}}))
        if asked.path.endswith("rules"):
            return Response(json.dumps({"status": "success", "data": {"groups": []}}))
        began = "ALERTS_FOR_STATE" in asked.args["query"]
        value = str(START.timestamp() + 60 * (firing or [0])[0] - 30) if began else "1"
        points = [[START.timestamp() + 60 * minute, value] for minute in firing]
        series = [{"metric": NAMED | LABELS, "values": points}] if points else []
        data = {"resultType": "matrix", "result": series}
        return Response(json.dumps({"status": "success", "data": data, "warnings": list(warnings)}))

    return answer


def test_past_alerts_come_with_their_beginning_and_end(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answering([2, 3]))
    httpserver.expect_request("/api/v1/status/buildinfo").respond_with_handler(answering([]))
    httpserver.expect_request("/api/v1/rules").respond_with_handler(answering([]))
    (alert,) = past_alerts(PrometheusSettings(url=httpserver.url_for("")), request()).alerts
    assert alert.labels == LABELS
    assert (alert.starts_at, alert.state) == (START + timedelta(minutes=1, seconds=30), "resolved")
    assert alert.ends_at == START + timedelta(minutes=4)


@pytest.mark.parametrize(("minutes", "gaps"), [([], 1), ([2], 2)])
def test_what_the_server_could_not_say_is_a_gap(httpserver: HTTPServer, minutes: list[int], gaps: int) -> None:
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answering(minutes, ("store x is down",)))
    httpserver.expect_request("/api/v1/rules").respond_with_data("no", status=500)
    piece = past_alerts(PrometheusSettings(url=httpserver.url_for("")), request())
    assert len(piece.alerts) == len(minutes)
    assert len(piece.gaps) == gaps
    assert "store x is down" in piece.gaps[0].why


def test_a_server_that_refuses_the_query_fails_the_whole(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/query_range").respond_with_data("bad", status=400)
    with pytest.raises(SourceQueryError):
        past_alerts(PrometheusSettings(url=httpserver.url_for("")), request())
