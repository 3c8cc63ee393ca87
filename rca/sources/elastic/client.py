"""The connection: authentication, TLS, time limits, and searches that come back as answers with their gaps.

Everything is asked through `_msearch`: one round trip for many searches, a failure of one leaves the others, and
long lists of indices travel in the body, where no limit on an address's length applies.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import elasticsearch as es
from elastic_transport import Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT

from rca.config.settings import ElasticsearchSettings
from rca.errors import ConfigError, SourceError, SourceTimeoutError
from rca.model.incident import Gap
from rca.sources.elastic import failures

NAME = "elasticsearch"
_RETRIES = 2
_SERVER_SHARE = 0.9
"""Share of a request's time after which the server itself breaks off, so that its partial answer still arrives."""

logging.getLogger("elastic_transport").addHandler(logging.NullHandler())  # its retries aren't the user's business


@dataclass(frozen=True, slots=True)
class Search:
    """One search.

    Attributes:
        purpose: What it is for, in words; errors and gaps say it.
        indices: Names and patterns, exclusions (`-name`) last.
        body: The query DSL.
    """

    purpose: str
    indices: tuple[str, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one search.

    Attributes:
        error: The server refused this search; `body` is then empty.
        gaps: What is missing from it although it was answered.
    """

    body: Mapping[str, Any]
    error: SourceError | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def aggregations(self) -> Mapping[str, Any]:
        """The aggregations, empty when no shard answered."""
        return self.body.get("aggregations") or {}

    @property
    def hits(self) -> Sequence[Mapping[str, Any]]:
        """The documents that travelled."""
        return (self.body.get("hits") or {}).get("hits") or ()

    @property
    def total(self) -> int:
        """How many documents matched."""
        total = (self.body.get("hits") or {}).get("total") or 0
        return int(total["value"]) if isinstance(total, Mapping) else int(total)

    @property
    def shards(self) -> int:
        """How many shards were asked; 0 when no index matched."""
        return int((self.body.get("_shards") or {}).get("total", 0))


@dataclass(slots=True)
class Budget:
    """The moment, by `time.monotonic()`, when all asking ends."""

    deadline: float = field(default=float("inf"))

    @property
    def left(self) -> float:
        """Seconds that remain; negative when it is over."""
        return self.deadline - time.monotonic()


class ElasticClient:
    """A thin layer over the official client, which keeps its own retries.

    Args:
        settings: How to reach the server.

    Raises:
        ConfigError: The settings can't be used, or contradict each other.
    """

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self.budget = Budget()
        self.where = display_address(settings)
        self._timeout = settings.timeout_seconds
        try:
            self._client = es.Elasticsearch(**_arguments(settings), node_class=_node_class(self.budget))
        except (ValueError, TypeError, OSError) as error:
            raise ConfigError(
                f"The settings for Elasticsearch can't be used: {error}",
                hint="An address reads https://host:9200; only one way to authenticate can be given.",
            ) from None

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        """Ask several searches in one round trip.

        Returns:
            One answer a search, in order. A refused search is an answer with `error`.

        Raises:
            SourceError: The server can't be reached, refused everything, or didn't answer in time.
        """
        if not searches:
            return []
        asked = ", ".join(dict.fromkeys(search.purpose for search in searches))
        client, seconds = self._bounded(asked)
        limit = f"{max(1, int(seconds * _SERVER_SHARE * 1000))}ms"
        lines: list[Mapping[str, Any]] = []
        for search in searches:
            header = {"index": list(search.indices), "ignore_unavailable": True, "allow_no_indices": True}
            lines += [header, {"timeout": limit, **search.body}]
        try:
            answer = client.msearch(searches=lines)
        except (es.ApiError, es.TransportError) as error:
            raise failures.translate(error, asked, self.where) from error
        return [_read(search, body) for search, body in zip(searches, answer["responses"], strict=True)]

    def one(self, search: Search) -> Answer:
        """Ask one search.

        Raises:
            SourceError: The server can't be reached, or refused it.
        """
        answer = self.search([search])[0]
        if answer.error is not None:
            raise answer.error
        return answer

    def field_caps(self, indices: Sequence[str], fields: Sequence[str]) -> Mapping[str, Any]:
        """What the fields are, index by index.

        Raises:
            SourceError: The server can't be reached, or refused it.
        """
        asked = "the fields of the indices"
        client, _ = self._bounded(asked)
        try:
            answer = client.field_caps(
                index=list(indices), fields=list(fields), ignore_unavailable=True, allow_no_indices=True
            )
        except (es.ApiError, es.TransportError) as error:
            raise failures.translate(error, asked, self.where) from error
        return dict(answer)

    def whoami(self) -> Mapping[str, Any]:
        """Who the server thinks we are; empty where it has no security.

        Raises:
            SourceError: The server can't be reached, or refused the credentials.
        """
        asked = "who we are"
        client, _ = self._bounded(asked)
        try:
            answer = client.options(ignore_status=(400, 404, 405, 500)).security.authenticate()
        except (es.ApiError, es.TransportError) as error:
            raise failures.translate(error, asked, self.where) from error
        return dict(answer)

    def version(self) -> str:
        """The server's version as far as it may be known without any privilege; else empty."""
        client, _ = self._bounded("its version")
        for ask in (lambda: client.info().body["version"]["number"], lambda: _node_versions(client)):
            try:
                return str(ask())
            except (es.ApiError, KeyError, TypeError):
                continue
            except es.TransportError:
                break
        return ""

    def close(self) -> None:
        """Free the connections."""
        self._client.close()

    def _bounded(self, asked: str) -> tuple[es.Elasticsearch, float]:
        left = min(self._timeout, self.budget.left)
        if left <= 0:
            raise SourceTimeoutError(f"The time budget was spent before Elasticsearch was asked for {asked}")
        return self._client.options(request_timeout=left), left


def display_address(settings: ElasticsearchSettings) -> str:
    """The server's address for messages: no user, no password, no query."""
    if settings.url is None:
        return "the cloud deployment" if settings.cloud_id else "(no address)"
    parts = urlsplit(settings.url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def _arguments(settings: ElasticsearchSettings) -> dict[str, Any]:
    """The official client's arguments."""
    if not settings.url and not settings.cloud_id:
        raise ConfigError("No address of Elasticsearch is known", hint="Give --es-url or elasticsearch.url.")
    arguments: dict[str, Any] = {
        "hosts": settings.url,
        "cloud_id": settings.cloud_id if not settings.url else None,
        "api_key": settings.api_key,
        "bearer_auth": settings.bearer_token,
        "http_compress": True,
        "max_retries": _RETRIES,
    }
    if settings.username is not None:
        arguments["basic_auth"] = (settings.username, settings.password or "")
    if settings.headers:
        arguments["headers"] = dict(settings.headers)
    if display_address(settings).startswith("http://"):
        return arguments
    for file in (settings.ca_certs, settings.client_cert, settings.client_key):
        if file is not None and not file.is_file():
            raise ConfigError(
                f"The certificate file {file} isn't there", hint="See elasticsearch.ca_certs and others."
            )
    optional = {
        "ca_certs": settings.ca_certs and str(settings.ca_certs),
        "ssl_assert_fingerprint": settings.fingerprint,
        "client_cert": settings.client_cert and str(settings.client_cert),
        "client_key": settings.client_key and str(settings.client_key),
    }
    arguments |= {name: value for name, value in optional.items() if value}
    if not settings.verify_certs:
        arguments |= {"verify_certs": False, "ssl_show_warn": False}
    return arguments


def _node_class(budget: Budget) -> type[Urllib3HttpNode]:
    """A node whose every attempt ends by the deadline, and that drops the server's notices of deprecations."""

    class BoundedNode(Urllib3HttpNode):
        def perform_request(self, *args: Any, **kwargs: Any) -> Any:
            given = kwargs.get("request_timeout", DEFAULT)
            left = budget.left
            if left <= 0:
                raise es.ConnectionTimeout("The time budget is spent")
            if left != float("inf"):
                kwargs["request_timeout"] = left if given in (DEFAULT, None) else min(float(given), left)
            response = super().perform_request(*args, **kwargs)
            headers = {name: value for name, value in response.meta.headers.items() if name.lower() != "warning"}
            meta = response.meta
            quiet = type(meta)(
                meta.status, meta.http_version, type(meta.headers)(headers), meta.duration, meta.node
            )
            return type(response)(quiet, response.body)

    return BoundedNode


def _node_versions(client: es.Elasticsearch) -> str:
    nodes = client.nodes.info(filter_path="nodes.*.version").body["nodes"]
    return ", ".join(sorted({node["version"] for node in nodes.values()}))


def _read(search: Search, body: Mapping[str, Any]) -> Answer:
    if "error" in body:
        return Answer({}, failures.from_body(int(body.get("status", 400)), body["error"], search.purpose))
    refused = _refused_by_shards(search, body)
    return Answer({}, refused) if refused else Answer(body, gaps=tuple(_gaps(search, body)))


def _refused_by_shards(search: Search, body: Mapping[str, Any]) -> SourceError | None:
    """An answer without a single good shard is no answer; too many buckets in one shard neither."""
    shards = body.get("_shards") or {}
    broken = shards.get("failures") or ()
    for failure in broken:
        error = failures.from_body(int(failure.get("status", 400)), failure.get("reason"), search.purpose)
        nothing_left = shards.get("failed", 0) >= shards.get("total", 0)
        if nothing_left or isinstance(error, failures.TooManyBucketsError):
            return error
    return None


def _gaps(search: Search, body: Mapping[str, Any]) -> list[Gap]:
    """What an answer says it left out."""
    gaps = []
    if body.get("timed_out"):
        gaps.append(
            Gap(
                NAME,
                f"{search.purpose}: partial",
                "the server broke off in time; raise elasticsearch.timeout_seconds",
            )
        )
    shards = body.get("_shards") or {}
    if shards.get("failed"):
        causes = {failures.reason_of(failure.get("reason")) for failure in shards.get("failures") or ()}
        gaps.append(
            Gap(
                NAME,
                f"{search.purpose}: {shards['failed']} of {shards['total']} shards failed",
                "; ".join(sorted(causes)) or "the server gave no reason; see GET _cat/shards",
            )
        )
    skipped = (body.get("_clusters") or {}).get("skipped")
    if skipped:
        gaps.append(
            Gap(
                NAME, f"{search.purpose}: {skipped} remote clusters skipped", "not reachable; see GET _remote/info"
            )
        )
    return gaps
