import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from rca.config.settings import AlertmanagerSettings
from rca.errors import ConfigError, SourceAuthError, SourceQueryError, SourceUnreachableError
from rca.sources.alertmanager import PATH, fetch_alerts

ALERTS = [{"labels": {"alertname": "Slöw"}, "startsAt": "2026-11-22T03:10:00Z"}]


def settings(server: HTTPServer, prefix: str = "", **more: object) -> AlertmanagerSettings:
    return AlertmanagerSettings(url=server.url_for(prefix), timeout_seconds=5, **more)  # type: ignore[arg-type] # by name


@pytest.mark.parametrize("prefix", ["", "/", PATH])
def test_the_answer_comes_as_it_is(httpserver: HTTPServer, prefix: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(
        json.dumps(ALERTS, ensure_ascii=False), content_type="text/plain"
    )
    assert json.loads(fetch_alerts(settings(httpserver, prefix))) == ALERTS


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"bearer_token": "t0k"}, "Bearer t0k"),
        ({"username": "me", "password": "pw"}, "Basic bWU6cHc="),
        ({"username": "me"}, "Basic bWU6"),
        ({}, None),
    ],
)
def test_credentials_travel_in_the_header(
    httpserver: HTTPServer, more: dict[str, str], expected: str | None
) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def answer(request: Request) -> Response:
        seen.append((request.headers.get("Authorization"), request.headers.get("X-Scope-OrgID")))
        return Response("[]")

    httpserver.expect_request("/team" + PATH).respond_with_handler(answer)
    assert fetch_alerts(settings(httpserver, "/team", headers={"X-Scope-OrgID": "a"}, **more)) == "[]"
    assert seen == [(expected, "a")]


def test_credentials_in_the_address_are_used_and_never_said(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("no", status=401)
    url = httpserver.url_for("").replace("//", "//me:hunter2@")
    with pytest.raises(SourceAuthError) as caught:
        fetch_alerts(AlertmanagerSettings(url=url))
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert httpserver.log[0][0].authorization is not None


def test_what_is_no_alertmanager_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("<html>login</html>")
    with pytest.raises(SourceQueryError, match="other than Alertmanager's API v2"):
        fetch_alerts(settings(httpserver))


def test_a_path_that_is_not_there_hints_at_where_mimir_has_its_alertmanager(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v2/alerts").respond_with_data("404 page not found", status=404)
    with pytest.raises(SourceQueryError, match="404") as caught:
        fetch_alerts(AlertmanagerSettings(url=httpserver.url_for("")))
    assert "/alertmanager" in caught.value.hint


def test_addresses_and_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no address of Alertmanager"):
        fetch_alerts(AlertmanagerSettings())
    with pytest.raises(ConfigError, match="no address of Alertmanager"):
        fetch_alerts(AlertmanagerSettings(url="alertmanager:9093"))
    with pytest.raises(ConfigError, match="no certificate authority"):
        fetch_alerts(AlertmanagerSettings(url="http://localhost:1", ca_certs=tmp_path / "none.pem"))
    with pytest.raises(SourceUnreachableError):
        fetch_alerts(AlertmanagerSettings(url="http://127.0.0.1:1", timeout_seconds=2))
