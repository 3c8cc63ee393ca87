"""Faults that a real server can't be made to show, and the client's arguments."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from rca.config.settings import ElasticsearchSettings
from rca.errors import (
    SourceAuthError,
    SourceQueryError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from rca.sources.elastic.client import Answer, ElasticClient, Search
from rca.sources.elastic.failures import TooManyBucketsError, privilege_hint, reason_of

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
SEARCH = Search("log counts", ("logs-*",), {"size": 0})
GOOD = {"status": 200, "timed_out": False, "_shards": {"total": 2, "failed": 0}, "hits": {"total": {"value": 3}}}


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[ElasticClient]:
    made = ElasticClient(ElasticsearchSettings(url=httpserver.url_for(""), timeout_seconds=2))
    yield made
    made.close()


def answer_with(httpserver: HTTPServer, *responses: Any, status: int = 200, headers: Any = None) -> None:
    httpserver.expect_request("/_msearch").respond_with_json(
        {"responses": list(responses)}, status=status, headers=PRODUCT | (headers or {})
    )


def asked(client: ElasticClient) -> Answer:
    return client.search([SEARCH])[0]


def test_a_good_answer_is_read(httpserver: HTTPServer, client: ElasticClient) -> None:
    answer_with(httpserver, GOOD)
    answer = asked(client)
    assert (answer.total, answer.shards, answer.gaps, answer.error) == (3, 2, (), None)
    assert (list(answer.hits), dict(answer.aggregations)) == ([], {})
    assert Answer({"hits": {"total": 4}}).total == 4
    assert client.search([]) == []


def test_failed_shards_timeouts_and_skipped_clusters_are_gaps(
    httpserver: HTTPServer, client: ElasticClient
) -> None:
    failure = {"status": 500, "reason": {"type": "io_exception", "reason": "disk broken"}}
    shards = {"total": 5, "failed": 2, "failures": [failure]}
    answer_with(httpserver, GOOD | {"timed_out": True, "_shards": shards, "_clusters": {"skipped": 1}})
    said = [f"{gap.what}: {gap.why}" for gap in asked(client).gaps]
    assert "partial" in said[0]
    assert said[1] == "log counts: 2 of 5 shards failed: disk broken"
    assert "1 remote clusters skipped" in said[2]


def test_shards_that_fail_without_a_reason_are_a_gap_too(httpserver: HTTPServer, client: ElasticClient) -> None:
    answer_with(httpserver, GOOD | {"_shards": {"total": 5, "failed": 2}})
    assert "no reason" in asked(client).gaps[0].why


def test_an_answer_without_a_good_shard_is_refused_with_the_servers_reason(
    httpserver: HTTPServer, client: ElasticClient
) -> None:
    failure = {
        "reason": {"type": "x", "reason": "outer", "caused_by": {"type": "y", "reason": "Fielddata is disabled"}}
    }
    answer_with(httpserver, GOOD | {"_shards": {"total": 1, "failed": 1, "failures": [failure]}})
    with pytest.raises(SourceQueryError, match="Fielddata is disabled"):
        client.one(SEARCH)


def test_too_many_buckets_is_told_from_other_refusals(httpserver: HTTPServer, client: ElasticClient) -> None:
    cause = {
        "type": "too_many_buckets_exception",
        "reason": "Trying to create too many buckets",
        "max_buckets": 10,
    }
    error = {"type": "search_phase_execution_exception", "reason": "", "root_cause": [], "caused_by": cause}
    in_a_shard = {"total": 9, "failed": 1, "failures": [{"shard": 0, "reason": cause}]}
    answer_with(
        httpserver,
        {"status": 503, "error": error},
        GOOD | {"_shards": in_a_shard},
        {"status": 400, "error": {"type": "p", "reason": "", "failed_shards": [{"reason": cause}]}},
        {"status": 400, "error": "a text"},
    )
    answers = client.search([SEARCH] * 4)
    assert [type(answer.error) for answer in answers] == [TooManyBucketsError] * 3 + [SourceQueryError]


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, SourceAuthError, "API key"),
        (403, SourceAuthError, "index privilege `read`"),
        (408, SourceTimeoutError, ""),
        (400, SourceQueryError, ""),
    ],
)
def test_each_refusal_has_its_error_with_the_servers_own_reason(
    httpserver: HTTPServer, client: ElasticClient, status: int, kind: type[Exception], hint: str
) -> None:
    reason = "action [x] is unauthorized, this action is granted by the index privileges [read,all]"
    body = {"error": {"type": "security_exception", "reason": reason, "root_cause": []}, "status": status}
    httpserver.expect_request("/_msearch").respond_with_json(body, status=status, headers=PRODUCT)
    with pytest.raises(kind, match="unauthorized") as caught:
        client.search([SEARCH])
    assert hint in getattr(caught.value, "hint", "")


def test_an_overloaded_server_is_asked_again_and_then_named(httpserver: HTTPServer, client: ElasticClient) -> None:
    httpserver.expect_request("/_msearch").respond_with_data("<html>", status=429, content_type="text/html")
    with pytest.raises(SourceQueryError, match="429") as caught:
        client.search([SEARCH])
    assert "overloaded" in caught.value.hint
    assert len(httpserver.log) == 3


def test_what_is_not_elasticsearch_is_said_to_be_so(httpserver: HTTPServer, client: ElasticClient) -> None:
    httpserver.expect_request("/_msearch").respond_with_json({"responses": [GOOD]})
    with pytest.raises(SourceQueryError, match="is not Elasticsearch") as caught:
        client.search([SEARCH])
    assert "OpenSearch" in caught.value.hint


def test_another_server_that_knows_no_such_path_is_not_elasticsearch_either(
    httpserver: HTTPServer, client: ElasticClient
) -> None:
    httpserver.expect_request("/_msearch").respond_with_data("404 page not found", status=404)
    with pytest.raises(SourceQueryError, match="is not Elasticsearch"):
        client.search([SEARCH])


def test_a_proxy_that_knows_no_users_and_says_so_in_its_own_form_is_understood(
    httpserver: HTTPServer, client: ElasticClient
) -> None:
    httpserver.expect_request("/_security/_authenticate").respond_with_data("404 page not found", status=404)
    assert client.whoami() == {}


def test_a_path_that_does_not_belong_into_the_address_is_told_in_a_sentence(
    httpserver: HTTPServer, client: ElasticClient
) -> None:
    said = {"error": f"no handler found for uri [/_msearch?{'x' * 500}] and method [POST]"}
    httpserver.expect_request("/_msearch").respond_with_json(said, status=400, headers=PRODUCT)
    with pytest.raises(SourceQueryError, match="knows nothing below this address") as caught:
        client.search([SEARCH])
    assert "xxx" not in caught.value.message
    assert "elasticsearch.url" in caught.value.hint


def test_an_answer_that_is_no_json_is_an_error(httpserver: HTTPServer, client: ElasticClient) -> None:
    httpserver.expect_request("/_msearch").respond_with_data("{", content_type="application/json", headers=PRODUCT)
    with pytest.raises(SourceQueryError, match="can't be read"):
        client.search([SEARCH])


def test_a_notice_of_the_server_is_no_warning_here(httpserver: HTTPServer, client: ElasticClient) -> None:
    answer_with(httpserver, GOOD, headers={"Warning": '299 Elasticsearch-8 "security is off"'})
    assert asked(client).total == 3


def test_nobody_at_the_address_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client = ElasticClient(ElasticsearchSettings(url=f"http://127.0.0.1:{port}"))
    for ask in (lambda: client.search([SEARCH]), lambda: client.field_caps(["a"], ["b"]), client.whoami):
        with pytest.raises(SourceUnreachableError, match="refused") as caught:
            ask()
        assert "object at" not in caught.value.message
    assert client.version() == ""


def test_the_server_breaks_off_before_we_do(httpserver: HTTPServer, client: ElasticClient) -> None:
    bodies: list[bytes] = []

    def keep(request: Request) -> Response:
        bodies.append(request.get_data())
        return Response(json.dumps({"responses": [GOOD]}), content_type="application/json", headers=PRODUCT)

    httpserver.expect_request("/_msearch").respond_with_handler(keep)
    client.search([SEARCH])
    assert len(bodies) == 1


def test_a_reason_is_the_innermost_short_and_on_one_line() -> None:
    assert reason_of({"reason": "a", "caused_by": {"reason": "b\nc"}}) == "b c"
    assert len(reason_of("x" * 900)) == 400
    assert reason_of(None) == "no reason given"
    assert "view_index_metadata" in privilege_hint("something else")
