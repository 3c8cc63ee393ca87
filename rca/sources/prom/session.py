"""An HTTP session: every call ends in time, every answer is of bounded size, every failure is one of ours."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

from rca.errors import SourceAuthError, SourceError, SourceQueryError, SourceTimeoutError, SourceUnreachableError
from rca.sources.address import plain_reason, tls_hint, tls_reason

MAX_BYTES = 64 * 2**20
OVERLOADED = 503
_TEXT_LIMIT = 400
_CLOSE_TO_DEADLINE = 0.05
_OF_ELASTICSEARCH = "no handler found for uri"


class Bearer(requests.auth.AuthBase):
    """A token of its own kind, so that requests neither looks into ~/.netrc nor sends it to another host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Session(requests.Session):
    """A session in which every call ends in time and every failure is one of ours.

    Attributes:
        opening: How the JSON of this API begins.
        speaks: Whose API it is, for messages.
        prefix: The path under which Mimir serves this API, for hints.
    """

    opening = b"{"
    speaks = "Prometheus' API"
    prefix = "/prometheus"

    def __init__(self, address: str, timeout: float) -> None:
        super().__init__()
        self.address = address
        self.deadline = float("inf")
        self.server_headers: Mapping[str, str] = {}
        self._limit = timeout
        self._seen = threading.local()
        self.max_redirects = 3

    def warnings(self) -> tuple[str, ...]:
        """What the last answer of this thread warned of."""
        return getattr(self._seen, "warnings", ())

    def request(self, method: str | bytes, url: str | bytes, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # the base names them
        """As the base, but it returns only an answered 200 with JSON in it.

        Raises:
            SourceError: Anything else.
        """
        self._seen.warnings = ()
        kwargs.setdefault("verify", self.verify)  # else REQUESTS_CA_BUNDLE of the environment wins over ours
        left = min(self._limit, self.deadline - time.monotonic())
        if left < _CLOSE_TO_DEADLINE:
            raise SourceTimeoutError(
                f"no time was left to ask {self.address}", hint="allow more with --time-budget"
            )
        end = time.monotonic() + left
        try:  # what the libraries say may repeat the address or a header: it goes no further
            response = super().request(method, url, **{**kwargs, "timeout": left, "stream": True})
            body = _read(response, end)
        except requests.exceptions.SSLError as error:
            reason = tls_reason(error)
            raise SourceUnreachableError(
                f"no trusted TLS connection to {self.address}: {reason}",
                hint=tls_hint(reason, "the authority's certificate with ca_certs"),
            ) from None
        except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
            raise SourceTimeoutError(
                f"{self.address} did not answer within {left:.1f} s",
                hint="narrow the window or raise timeout_seconds",
            ) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if time.monotonic() >= end:
                raise SourceTimeoutError(f"{self.address} did not answer within {left:.1f} s") from None
            raise SourceUnreachableError(
                f"nobody answers at {self.address}: {plain_reason(error)}",
                hint="check the address and port, that the server runs, and the scheme (http or https)",
            ) from None
        self.server_headers = response.headers
        return self._checked(response, body)

    def _checked(self, response: requests.Response, body: bytes) -> requests.Response:
        response._content = body  # noqa: SLF001 - read above, with limits that requests does not have
        if response.status_code != requests.codes.ok:
            raise _refusal(self.address, response.status_code, body, self.prefix)
        if body.lstrip()[:1] != self.opening:
            raise SourceQueryError(
                f"{self.address} answers with something other than {self.speaks}",
                hint=f"a login page or a missing path prefix? Mimir's is {self.prefix}",
            )
        if self.opening == b"{" and (b'"warnings"' in body or b'"isPartial":true' in body):
            whole = json.loads(body)
            # Some versions send remarks on a query's style among the warnings: nothing is missing for them.
            said = [str(text) for text in whole.get("warnings") or () if not str(text).startswith("PromQL info")]
            if whole.get("isPartial"):
                said.append("the answer is partial: not every storage node answered")
            self._seen.warnings = tuple(dict.fromkeys(said))
        return response


def _read(response: requests.Response, end: float) -> bytes:
    """The body, within its limits of time and size; a server that dribbles doesn't hold us."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(1 << 16, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            response.close()
            raise SourceQueryError(
                f"an answer was larger than {MAX_BYTES >> 20} MiB and was broken off", hint="narrow the window"
            )
        if time.monotonic() > end:
            response.close()
            raise TimeoutError
    return b"".join(parts)


def _refusal(address: str, status: int, body: bytes, prefix: str) -> SourceError:
    """The error for an answer other than 200, with the server's own words."""
    kind, text = "", body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, dict):
        kind = str(data.get("errorType") or "")
        text = str(data.get("error") or data.get("message") or text)
    text = " ".join(text.split())
    elsewhere = _OF_ELASTICSEARCH in text
    if elsewhere or text.startswith("<"):
        text = "(what Elasticsearch says)" if elsewhere else "(an HTML page)"
    said = f"{address} answered {status}: {text[:_TEXT_LIMIT]}" if text else f"{address} answered {status}"
    if "no org id" in text:
        return SourceAuthError(said, hint='name the tenant: headers = {"X-Scope-OrgID" = "…"}')
    if status in (401, 403, 407):
        return SourceAuthError(said, hint="check username and password, bearer_token or headers (X-Scope-OrgID)")
    if status in (408, 504) or kind == "timeout" or (status == OVERLOADED and "timed out" in text):
        return SourceTimeoutError(said, hint="the server gave up on the query: narrow the window")
    if elsewhere or status == requests.codes.not_found:
        return SourceQueryError(
            said, hint=f"another server's address, or a missing path prefix? Mimir's is {prefix}"
        )
    if status in (429, OVERLOADED):
        return SourceQueryError(said, hint="the server is overloaded: lower concurrency, or try again later")
    return SourceQueryError(said)
