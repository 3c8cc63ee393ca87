"""What the client raises, and what the server says inside an answer, as the tool's own errors.

Nothing here repeats a request's headers, so no credential can reach a message.
"""

import re
from collections.abc import Iterator, Mapping

from rca.errors import SourceAuthError, SourceError, SourceQueryError, SourceTimeoutError, SourceUnreachableError
from rca.sources.address import plain_reason, tls_hint, tls_reason
from rca.sources.elastic.connection import NotElasticsearchError
from rca.sources.elastic.transport import et

_GRANTED_BY = re.compile(r"granted by the (?P<scope>\w+) privileges \[(?P<names>[^\]]+)\]")
_MAX_REASON = 400
_NO_HANDLER = "no handler found for uri"


class TooManyBucketsError(SourceQueryError):
    """The answer would have held more buckets than the server allows; ask for less at once."""


def reasons(error: object) -> Iterator[str]:
    """Every reason in an error's tree, innermost causes last.

    Args:
        error: The value of `error` in an answer: a text, or an object with `reason`, `caused_by`, `failed_shards`.
    """
    if isinstance(error, str):
        yield error
        return
    if not isinstance(error, Mapping):
        return
    if error.get("reason"):
        yield str(error["reason"])
    for shard in error.get("failed_shards") or ():
        yield from reasons(shard.get("reason"))
    yield from reasons(error.get("caused_by"))


def reason_of(error: object) -> str:
    """The most telling reason: the innermost cause, in one line of bounded length."""
    found = [text for text in dict.fromkeys(reasons(error)) if text]
    text = " ".join((found[-1] if found else "no reason given").split())
    return text if len(text) <= _MAX_REASON else text[: _MAX_REASON - 1] + "…"


def types_of(error: object) -> Iterator[str]:
    """Every exception type in an error's tree."""
    if not isinstance(error, Mapping):
        return
    if error.get("type"):
        yield str(error["type"])
    for key in ("root_cause", "failed_shards"):
        for part in error.get(key) or ():
            yield from types_of(part.get("reason") if isinstance(part.get("reason"), Mapping) else part)
    yield from types_of(error.get("caused_by"))


def privilege_hint(reason: str) -> str:
    """Which privilege to ask for, out of the server's own sentence.

    >>> privilege_hint("action [x] is unauthorized, this action is granted by the index privileges [read,all]")
    'Ask for the index privilege `read` for this user.'
    """
    match = _GRANTED_BY.search(reason)
    if match is None:
        return "Ask for the index privileges `read` and `view_index_metadata` on the log indices."
    return f"Ask for the {match['scope']} privilege `{match['names'].split(',')[0]}` for this user."


def from_body(status: int, error: object, asked: str) -> SourceError:
    """An error that the server put into an answer, a whole one or one item of `_msearch`.

    Args:
        status: The HTTP status.
        error: The answer's `error`.
        asked: What was asked for, in words.
    """
    reason = reason_of(error)
    if reason.startswith(_NO_HANDLER):  # it repeats the whole question, and is meant for who wrote the client
        return SourceQueryError(
            f"Elasticsearch knows nothing below this address ({status}) when asked for {asked}",
            hint="Check the path in elasticsearch.url: it is that of a proxy, where there is one, and else none.",
        )
    types = set(types_of(error))
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        return SourceAuthError(
            f"Elasticsearch refused the credentials (401) when asked for {asked}: {reason}",
            hint="Check user and password, API key or token; `rca doctor` shows who the server thinks you are.",
        )
    if status == 403:  # noqa: PLR2004 - HTTP's own number
        return SourceAuthError(
            f"Elasticsearch refused {asked} for lack of a privilege (403): {reason}", hint=privilege_hint(reason)
        )
    if "too_many_buckets_exception" in types:
        return TooManyBucketsError(f"Elasticsearch refused {asked}: {reason}")
    if status in {408, 504}:
        return SourceTimeoutError(f"Elasticsearch ran out of time for {asked} ({status}): {reason}")
    hint = "The cluster is overloaded; try again, or with a shorter window." if status in {429, 503} else ""
    return SourceQueryError(f"Elasticsearch refused {asked} ({status}): {reason}", hint=hint)


def translate(error: Exception, asked: str, where: str) -> SourceError:
    """An exception of the client as one of ours.

    Args:
        error: What the client raised.
        asked: What was asked for, in words.
        where: The server's address, without credentials.
    """
    if isinstance(error, NotElasticsearchError) or _of_another_server(error):
        return SourceQueryError(
            f"What answers at {where} is not Elasticsearch (no X-Elastic-Product header): OpenSearch, or a proxy",
            hint="OpenSearch and Elasticsearch before 7.14 are not supported; check the address, and that a proxy"
            " passes the header on.",
        )
    if isinstance(error, et.ApiError):
        body = error.body
        detail = body.get("error", body) if isinstance(body, Mapping) else str(body or error.message)
        return from_body(error.meta.status, detail, asked)
    if isinstance(error, et.ConnectionTimeout):
        return SourceTimeoutError(
            f"Elasticsearch at {where} did not answer in time when asked for {asked}",
            hint="Raise elasticsearch.timeout_seconds or --time-budget, or take a shorter window.",
        )
    if isinstance(error, et.TlsError):
        reason = tls_reason(error)
        return SourceUnreachableError(
            f"no TLS connection to Elasticsearch at {where}: {reason}",
            hint=tls_hint(reason, "the cluster's own CA (ca_certs) or its certificate's fingerprint"),
        )
    if isinstance(error, et.ConnectionError):
        return SourceUnreachableError(
            f"Elasticsearch at {where} can't be reached: {plain_reason(error)}",
            hint="Check the address and port (9200 is usual), the VPN, and the scheme (http or https).",
        )
    return SourceQueryError(
        f"Elasticsearch at {where} gave an answer that can't be read, asked for {asked}: {error}"
    )


def _of_another_server(error: Exception) -> bool:
    """Whether a server that doesn't call itself Elasticsearch knows no such address."""
    return (
        isinstance(error, et.ApiError)
        and error.meta.status in {404, 405}
        and error.meta.headers.get("x-elastic-product") != "Elasticsearch"
    )
