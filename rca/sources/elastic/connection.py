"""HTTP to an Elasticsearch: address, authentication, TLS, retries, the time budget.

It stands on `elastic-transport`, the library below the official client. Importing the client itself takes longer
than most servers take to answer: an asynchronous half, and a method for each of hundreds of requests. Five
are needed.
"""

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from rca.config.settings import ElasticsearchSettings
from rca.errors import ConfigError
from rca.sources.address import read_address
from rca.sources.elastic.transport import client_utils, et

_RETRIES = 2
_JSON: Final = "application/vnd.elasticsearch+json"
_NDJSON: Final = "application/vnd.elasticsearch+x-ndjson"
_COMPATIBLE: Final = "compatible-with=8"
"""Servers from 8 on understand it, and 9 and later answer it as 8 would."""
_SERIALIZERS: Final = {_JSON: et.JsonSerializer(), _NDJSON: et.NdjsonSerializer()}

logging.getLogger("elastic_transport").addHandler(logging.NullHandler())  # its retries aren't the user's business


class NotElasticsearchError(Exception):
    """A good answer without the header by which Elasticsearch says what it is."""


@dataclass(slots=True)
class Budget:
    """The moment, by `time.monotonic()`, when all asking ends."""

    deadline: float = field(default=float("inf"))

    @property
    def left(self) -> float:
        """Seconds that remain; negative when it is over."""
        return self.deadline - time.monotonic()


class Connection:
    """One server, or the proxy or load balancer before several; threads may share it.

    Args:
        settings: How to reach it.
        budget: No attempt lasts longer.

    Raises:
        ConfigError: The settings can't be used, or contradict each other.
    """

    def __init__(self, settings: ElasticsearchSettings, budget: Budget) -> None:
        try:
            self._transport = et.Transport(
                [_node(settings)], _node_class(budget), serializers=_SERIALIZERS, max_retries=_RETRIES
            )
        except (ValueError, TypeError, OSError) as error:
            raise ConfigError(
                f"the settings for Elasticsearch can't be used: {error}", hint="See them all: rca config show."
            ) from None

    def ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
        accepted: Collection[int] = (),
    ) -> Any:
        """One request, and again when the server is overloaded or the connection breaks.

        Args:
            method: Of HTTP.
            path: Below the address; what is put into it must be quoted.
            seconds: How long an attempt may take.
            parameters: Of the address.
            body: A mapping to send as JSON, or a sequence of them to send as lines of it.
            accepted: Statuses of failure whose answer is wanted too.

        Returns:
            The JSON of the answer.

        Raises:
            elastic_transport.ApiError: The server refused, with its status and its words.
            elastic_transport.TransportError: No answer came, or none that can be read.
            NotElasticsearchError: Something else answered.
        """
        headers = {"accept": f"{_JSON};{_COMPATIBLE}"}
        if body is not None:
            headers["content-type"] = f"{_JSON if isinstance(body, Mapping) else _NDJSON};{_COMPATIBLE}"
        meta, answer = self._transport.perform_request(
            method,
            f"{path}?{urlencode(parameters)}" if parameters else path,
            headers=headers,
            body=body,
            request_timeout=seconds,
        )
        good = 200 <= meta.status < 300  # noqa: PLR2004 - HTTP's own numbers
        if not good and meta.status not in accepted:
            raise et.ApiError(str(meta.status), meta=meta, body=answer)
        if good and meta.headers.get("x-elastic-product") != "Elasticsearch":
            raise NotElasticsearchError
        return answer

    def close(self) -> None:
        """Free the connections."""
        self._transport.close()


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


def _node(settings: ElasticsearchSettings) -> et.NodeConfig:
    """Where to connect and how.

    Raises:
        ConfigError: There is no address, or a certificate's file isn't there.
        ValueError: The address can't be read, or several ways to authenticate are given.
    """
    if settings.url:
        read_address(settings.url, "Elasticsearch")
        node = client_utils.url_to_node_config(settings.url.strip(), use_default_ports_for_scheme=True)
    elif settings.cloud_id:
        node = _cloud_node(settings.cloud_id)
    else:
        raise ConfigError("no address of Elasticsearch is known", hint="Give --es-url or elasticsearch.url.")
    headers = et.HttpHeaders(node.headers)  # with what the address itself says of user and password
    headers.update(settings.headers)
    headers.update(_authorization(settings))
    secure = _tls(settings) if node.scheme == "https" else {}
    return node.replace(headers=headers, http_compress=True, **secure)


def _cloud_node(cloud_id: str) -> et.NodeConfig:
    address = client_utils.parse_cloud_id(cloud_id).es_address
    if address is None:
        raise ValueError("the cloud id names no Elasticsearch")
    return et.NodeConfig("https", *address)


def _authorization(settings: ElasticsearchSettings) -> dict[str, str]:
    """The header; empty where nothing is configured."""
    ways = []
    if settings.api_key:
        ways.append(f"ApiKey {settings.api_key}")
    if settings.bearer_token:
        ways.append(f"Bearer {settings.bearer_token}")
    if settings.username is not None:
        ways.append(client_utils.basic_auth_to_header((settings.username, settings.password or "")))
    if len(ways) + ("authorization" in et.HttpHeaders(settings.headers)) > 1:
        raise ValueError("several of user, API key, bearer token and an Authorization header are given")
    return {"authorization": ways[0]} if ways else {}


def _tls(settings: ElasticsearchSettings) -> dict[str, Any]:
    for file in (settings.ca_certs, settings.client_cert, settings.client_key):
        if file is not None and not file.is_file():
            raise ConfigError(
                f"the certificate file {file} isn't there",
                hint="Check elasticsearch.ca_certs, client_cert and client_key.",
            )
    optional = {
        "ca_certs": settings.ca_certs and str(settings.ca_certs),
        "ssl_assert_fingerprint": settings.fingerprint,
        "client_cert": settings.client_cert and str(settings.client_cert),
        "client_key": settings.client_key and str(settings.client_key),
    }
    given: dict[str, Any] = {name: value for name, value in optional.items() if value}
    return given if settings.verify_certs else given | {"verify_certs": False, "ssl_show_warn": False}


def _node_class(budget: Budget) -> type[et.Urllib3HttpNode]:
    """A node whose every attempt ends by the deadline."""

    class BoundedNode(et.Urllib3HttpNode):
        def perform_request(self, *args: Any, **kwargs: Any) -> Any:
            given = kwargs.get("request_timeout", client_utils.DEFAULT)
            left = budget.left
            if left <= 0:
                raise et.ConnectionTimeout("The time budget is spent")
            if left != float("inf"):
                kwargs["request_timeout"] = (
                    left if given in (client_utils.DEFAULT, None) else min(float(given), left)
                )
            return super().perform_request(*args, **kwargs)

    return BoundedNode
