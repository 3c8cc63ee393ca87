"""The connection: authentication, TLS, time limits, and searches that come back as answers with their gaps.

Everything is asked through `_msearch`: one round trip for many searches, a failure of one leaves the others, and
long lists of indices travel in the body, where no limit on an address's length applies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rca.config.settings import ElasticsearchSettings
from rca.errors import SourceError, SourceTimeoutError
from rca.model.incident import Gap
from rca.sources.elastic import failures
from rca.sources.elastic.connection import Budget, Connection, NotElasticsearchError, display_address
from rca.sources.elastic.transport import et

NAME = "elasticsearch"
_SERVER_SHARE = 0.9
"""Share of a request's time after which the server itself breaks off, so that its partial answer still arrives."""

_UNWANTED = "aggregations.**.key_as_string"
"""Each bucket's time a second time, as a text."""

_FOUND_OR_NOT = {"ignore_unavailable": "true", "allow_no_indices": "true"}


@dataclass(frozen=True, slots=True)
class Search:
    """One search.

    Attributes:
        purpose: What it is for, in words; errors and gaps say it.
        indices: Names and patterns, exclusions (`-name`) last.
        body: The query DSL.
        unwanted: The part of the answer that needn't travel, as `filter_path` spells it; the same for all searches
            of a round trip.
    """

    purpose: str
    indices: tuple[str, ...]
    body: Mapping[str, Any]
    unwanted: str = _UNWANTED


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


class ElasticClient:
    """What is asked of Elasticsearch, in the tool's own words and errors.

    Args:
        settings: How to reach the server.

    Raises:
        ConfigError: The settings can't be used, or contradict each other.
    """

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self.budget = Budget()
        self.where = display_address(settings)
        self._timeout = settings.timeout_seconds
        self._connection = Connection(settings, self.budget)

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
        seconds = self._bounded(asked)
        limit = f"{max(1, int(seconds * _SERVER_SHARE * 1000))}ms"
        lines: list[Mapping[str, Any]] = []
        for search in searches:
            header = {"index": list(search.indices), "ignore_unavailable": True, "allow_no_indices": True}
            lines += [header, {"timeout": limit, **search.body}]
        (unwanted,) = {search.unwanted for search in searches}
        less = {"filter_path": f"-responses.{unwanted}"}
        answer = self._ask(
            asked,
            lambda: self._connection.ask("POST", "/_msearch", seconds=seconds, parameters=less, body=lines),
        )
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
        seconds = self._bounded(asked)
        path = f"/{quote(','.join(indices), safe=',*')}/_field_caps"
        parameters = {"fields": ",".join(fields), **_FOUND_OR_NOT}
        answer = self._ask(
            asked, lambda: self._connection.ask("GET", path, seconds=seconds, parameters=parameters)
        )
        return dict(answer)

    def whoami(self) -> Mapping[str, Any]:
        """Who the server thinks we are; empty where it has no security.

        Raises:
            SourceError: The server can't be reached, or refused the credentials.
        """
        asked = "who we are"
        seconds = self._bounded(asked)
        path, no_security = "/_security/_authenticate", (400, 404, 405, 500)
        answer = self._ask(asked, lambda: self._connection.ask("GET", path, seconds=seconds, accepted=no_security))
        return dict(answer) if isinstance(answer, Mapping) else {}  # a proxy says no in a form of its own

    def version(self) -> str:
        """The server's version as far as it may be known without any privilege; else empty."""
        seconds = self._bounded("its version")
        try:
            return str(self._connection.ask("GET", "/", seconds=seconds)["version"]["number"])
        except (et.ApiError, NotElasticsearchError, KeyError, TypeError):
            pass
        except et.TransportError:
            return ""
        path, parameters = "/_nodes", {"filter_path": "nodes.*.version"}
        try:
            nodes = self._connection.ask("GET", path, seconds=seconds, parameters=parameters)["nodes"]
            return ", ".join(sorted({node["version"] for node in nodes.values()}))
        except (et.ApiError, et.TransportError, NotElasticsearchError, KeyError, TypeError):
            return ""

    def close(self) -> None:
        """Free the connections."""
        self._connection.close()

    def _ask(self, asked: str, request: Callable[[], Any]) -> Any:
        try:
            return request()
        except (et.ApiError, et.TransportError, NotElasticsearchError) as error:
            raise failures.translate(error, asked, self.where) from error

    def _bounded(self, asked: str) -> float:
        """Seconds that a request may take."""
        left = min(self._timeout, self.budget.left)
        if left <= 0:
            raise SourceTimeoutError(f"the time budget was spent before Elasticsearch was asked for {asked}")
        return left


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
