"""What reaches the server: addresses, credentials, certificates; and when asking ends."""

import base64
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from rca.config.settings import ElasticsearchSettings
from rca.errors import ConfigError, SourceQueryError, SourceTimeoutError, SourceUnreachableError
from rca.sources.elastic.client import ElasticClient, Search
from rca.sources.elastic.connection import display_address
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.fetch import UnavailableError

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
SEARCH = Search("log counts", ("logs-*",), {"size": 0})
GOOD = {"status": 200, "timed_out": False, "_shards": {"total": 2, "failed": 0}, "hits": {"total": {"value": 3}}}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    try:
        return make_certificates(tmp_path_factory.mktemp("certificates"))
    except UnavailableError as error:
        pytest.skip(str(error))


def serving(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/_msearch").respond_with_json({"responses": [GOOD]}, headers=PRODUCT)


def tls_server(certificates: Certificates, *, asks_for_certificate: bool) -> HTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca)
    return HTTPServer("localhost", ssl_context=context)


def test_a_hanging_server_ends_with_the_time_budget() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = ElasticClient(ElasticsearchSettings(url=f"http://127.0.0.1:{server.getsockname()[1]}"))
        began = time.monotonic()
        client.budget.deadline = began + 0.4
        with pytest.raises(SourceTimeoutError, match="did not answer in time"):
            client.search([SEARCH])
        assert time.monotonic() - began < 2
        with pytest.raises(SourceTimeoutError, match="budget was spent"):
            client.search([SEARCH])


def test_retries_end_with_the_time_budget(httpserver: HTTPServer) -> None:
    slow = threading.Event()

    def stall(_: Request) -> Response:
        slow.wait(0.3)
        return Response("{}", status=503, content_type="application/json", headers=PRODUCT)

    httpserver.expect_request("/_msearch").respond_with_handler(stall)
    client = ElasticClient(ElasticsearchSettings(url=httpserver.url_for("")))
    began = time.monotonic()
    client.budget.deadline = began + 0.5
    with pytest.raises((SourceTimeoutError, SourceQueryError)):
        client.search([SEARCH])
    assert time.monotonic() - began < 1.5


def test_every_way_to_authenticate_reaches_the_server(httpserver: HTTPServer) -> None:
    serving(httpserver)
    url = httpserver.url_for("")
    ways = [
        ElasticsearchSettings(url=url, username="u", password="p"),
        ElasticsearchSettings(url=url, username="u"),
        ElasticsearchSettings(url=url, api_key="a2V5"),
        ElasticsearchSettings(url=url, bearer_token="tok"),
        ElasticsearchSettings(url=url, headers={"X-Tenant": "blue"}),
        ElasticsearchSettings(url=url.replace("http://", "http://me:secret@")),
    ]
    for way in ways:
        ElasticClient(way).search([SEARCH])
    sent = [request.headers for request, _ in httpserver.log[-len(ways) :]]
    assert [headers.get("Authorization") for headers in sent] == [
        "Basic dTpw",
        "Basic dTo=",
        "ApiKey a2V5",
        "Bearer tok",
        None,
        "Basic bWU6c2VjcmV0",
    ]
    assert sent[4]["X-Tenant"] == "blue"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (ElasticsearchSettings(), "no address"),
        (ElasticsearchSettings(url="localhost"), "doesn.t say http"),
        (
            ElasticsearchSettings(url="http://h:9200", api_key="k", username="u", password="sesame"),
            "can't be used",
        ),
        (ElasticsearchSettings(url="https://h:9200", ca_certs=Path("/none")), "isn't there"),
        (
            ElasticsearchSettings(url="http://h:9200", api_key="k", headers={"Authorization": "sesame"}),
            "can't be used",
        ),
        (ElasticsearchSettings(cloud_id="nonsense"), "can't be used"),
        (ElasticsearchSettings(cloud_id="name:ZXhhbXBsZS5jb20="), "names no Elasticsearch"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: ElasticsearchSettings, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        ElasticClient(given)
    assert "sesame" not in f"{caught.value.message}{caught.value.hint}"


def test_an_address_is_shown_without_its_user() -> None:
    assert display_address(ElasticsearchSettings(url="https://u:p@h:1/es/?k=v")) == "https://h:1/es"
    assert display_address(ElasticsearchSettings(url="https://u:p@h:bad")) == "https://h"
    assert display_address(ElasticsearchSettings(cloud_id="x")) == "the cloud deployment"
    assert display_address(ElasticsearchSettings()) == "(no address)"


def test_the_server_is_asked_in_words_that_8_and_later_understand(httpserver: HTTPServer) -> None:
    serving(httpserver)
    ElasticClient(ElasticsearchSettings(url=httpserver.url_for(""))).search([SEARCH])
    headers = httpserver.log[-1][0].headers
    assert headers["Accept"] == "application/vnd.elasticsearch+json;compatible-with=8"
    assert headers["Content-Type"] == "application/vnd.elasticsearch+x-ndjson;compatible-with=8"


def test_names_of_remote_clusters_and_exclusions_travel_whole(httpserver: HTTPServer) -> None:
    asked: list[str] = []

    def keep(request: Request) -> Response:
        asked.append(request.path)
        return Response('{"indices": [], "fields": {}}', content_type="application/json", headers=PRODUCT)

    httpserver.expect_request("/logs-*,west:logs-*,-logs-a b/_field_caps").respond_with_handler(keep)
    client = ElasticClient(ElasticsearchSettings(url=httpserver.url_for("")))
    client.field_caps(["logs-*", "west:logs-*", "-logs-a b"], ["x"])
    assert asked == ["/logs-*,west:logs-*,-logs-a b/_field_caps"]


def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(certificates: Certificates) -> None:
    with tls_server(certificates, asks_for_certificate=True) as server:
        serving(server)
        bare = ElasticsearchSettings(url=server.url_for(""), ca_certs=certificates.ca)
        with pytest.raises(SourceUnreachableError):
            ElasticClient(bare).search([SEARCH])
        shown = ElasticsearchSettings(
            url=server.url_for(""),
            ca_certs=certificates.ca,
            client_cert=certificates.certificate,
            client_key=certificates.key,
        )
        assert ElasticClient(shown).search([SEARCH])[0].total == 3


def test_a_cloud_id_leads_to_its_deployment_over_tls(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(certificates, asks_for_certificate=False) as server:
        serving(server)
        look_up = socket.getaddrinfo
        sought: list[object] = []

        def nearby(host: Any, *rest: Any, **more: Any) -> Any:
            sought.append(host)
            return look_up("localhost", *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", nearby)
        cloud_id = "mine:" + base64.b64encode(f"cloud.example:{server.port}$abc$def".encode()).decode()
        settings = ElasticsearchSettings(cloud_id=cloud_id, api_key="a2V5", fingerprint=certificates.fingerprint)
        assert ElasticClient(settings).search([SEARCH])[0].total == 3
        headers = server.log[-1][0].headers
    assert sought == ["abc.cloud.example"]
    assert headers["Host"] == f"abc.cloud.example:{server.port}"
    assert headers["Authorization"] == "ApiKey a2V5"


def test_certificates_are_checked_unless_told_not_to(certificates: Certificates) -> None:
    with tls_server(certificates, asks_for_certificate=False) as server:
        serving(server)
        url = server.url_for("")
        with pytest.raises(SourceUnreachableError, match="TLS"):
            ElasticClient(ElasticsearchSettings(url=url)).search([SEARCH])
        with pytest.raises(SourceUnreachableError, match="TLS"):
            ElasticClient(ElasticsearchSettings(url=url, fingerprint="ab" * 32)).search([SEARCH])
        for given in (
            ElasticsearchSettings(url=url, verify_certs=False),
            ElasticsearchSettings(url=url, ca_certs=certificates.ca),
            ElasticsearchSettings(url=url, fingerprint=certificates.fingerprint),
        ):
            assert ElasticClient(given).search([SEARCH])[0].total == 3
