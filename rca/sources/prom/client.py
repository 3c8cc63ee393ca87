"""A thin class around `PrometheusConnect`: what the library leaves out is done here.

Own session: time limits on every call and on the whole run, answers of bounded size, no retries (a 503 of
Prometheus is its own time-out: asking again makes it worse), the server's own error text, warnings kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from rca.config.settings import PrometheusSettings
from rca.errors import (
    ConfigError,
    SourceQueryError,
)
from rca.sources.address import read_address
from rca.sources.prom.session import Bearer, Session

MAX_POINTS = 10_000  # the server refuses above 11,000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        series: `{"metric": {label: value}, "values": [[unix seconds, "1.5"], …]}` each, or `value`.
        warnings: What the server said beside it (partial data comes only here), in order, each once.
    """

    series: Sequence[Mapping[str, Any]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backend:
    """What answers: `prometheus`, `mimir`, `thanos`, `victoriametrics`, `cortex` or `unknown`."""

    name: str
    version: str = ""


def chunks(first: int, last: int, step: int, most: int = MAX_POINTS) -> Iterator[tuple[int, int]]:
    """Cut a range of points into ranges of at most `most` points, without a point in two of them.

    Args:
        first: The first point, unix seconds.
        last: The last point, included when it lies on the grid.
        step: Seconds between points.
        most: Points a chunk.
    """
    start = first
    while start <= last:
        end = min(last, start + (most - 1) * step)
        yield start, end
        start = end + step


class PromClient:
    """Prometheus' HTTP API, as far as the source needs it. Methods may be called from several threads.

    Args:
        settings: Where and as whom; `url` must be given.

    Raises:
        ConfigError: The address can't be used, or a certificate's file isn't there.
    """

    def __init__(self, settings: PrometheusSettings) -> None:
        if not settings.url:
            raise ConfigError("no address of Prometheus", hint="Give --prometheus-url or RCA_PROMETHEUS_URL.")
        self.address, embedded = read_address(settings.url, "Prometheus")
        self._session = Session(self.address, settings.timeout_seconds)
        self._session.headers.update(settings.headers)
        self._session.verify = _verify(settings)
        self._session.cert = _client_cert(settings)
        if settings.bearer_token:
            self._session.auth = Bearer(settings.bearer_token)
        elif settings.username is not None:
            self._session.auth = (settings.username, settings.password or "")
        elif embedded is not None:
            self._session.auth = embedded
        self._api = PrometheusConnect(url=self.address, session=self._session, retry=Retry(total=0))
        self._session.mount(
            self.address, HTTPAdapter(max_retries=Retry(total=0), pool_maxsize=max(settings.concurrency, 1) + 2)
        )
        self._extra: dict[str, str] = {}

    def until(self, deadline: float) -> None:
        """No call runs past this `time.monotonic()`."""
        self._session.deadline = deadline

    def close(self) -> None:
        """Free connections; a call that is under way ends by its own limit."""
        self._session.close()

    def query(self, promql: str, at: int) -> Answer:
        """An instant query at a unix second."""
        with self._reading():
            rows = self._api.custom_query(promql, params={"time": str(at), **self._extra})
            numbers = [row for row in rows if "value" in row]
            return Answer(numbers, (*self._session.warnings(), *_not_numbers(len(rows) - len(numbers))))

    def now(self) -> float:
        """The server's own clock, unix seconds."""
        with self._reading():
            result = self._api.custom_query("time()")
            if not isinstance(result[0], dict):
                return float(result[1])
            # VictoriaMetrics knows no scalars, and its now is that of half a minute ago: take when it answered.
            return parsedate_to_datetime(self._session.server_headers["Date"]).timestamp()

    def query_range(self, promql: str, first: int, last: int, step: int) -> Answer:
        """A range query, in as many chunks as the server's limit on points needs."""
        merged: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        warnings: dict[str, None] = {}
        histograms: set[tuple[tuple[str, str], ...]] = set()
        with self._reading():
            for start, end in chunks(first, last, step):
                rows = self._api.custom_query_range(
                    promql,
                    datetime.fromtimestamp(start, UTC),
                    datetime.fromtimestamp(end, UTC),
                    str(step),
                    dict(self._extra),
                )
                warnings.update(dict.fromkeys(self._session.warnings()))
                for row in rows:
                    key = tuple(sorted(row["metric"].items()))
                    if "histograms" in row:
                        histograms.add(key)
                    if not row.get("values"):
                        continue
                    known = merged.setdefault(key, {"metric": row["metric"], "values": []})
                    known["values"].extend(row["values"])
        return Answer(list(merged.values()), (*warnings, *_not_numbers(len(histograms))))

    def label_names(self, match: Sequence[str], start: int, end: int) -> list[str]:
        """The label names that series of these selectors have."""
        with self._reading():
            return list(self._api.get_label_names({"match[]": list(match), "start": start, "end": end}) or ())

    def label_values(self, label: str, match: Sequence[str], start: int, end: int, limit: int) -> list[str]:
        """A label's values among the series of these selectors; a server that knows `limit` keeps to it."""
        params = {"match[]": list(match), "start": start, "end": end, "limit": limit}
        with self._reading():
            return list(self._api.get_label_values(label, params) or ())

    def targets(self) -> list[dict[str, Any]]:
        """The active targets, as they are now."""
        with self._reading():
            return list(self._api.get_targets(state="active").get("activeTargets") or ())

    def data(self, path: str) -> Any:
        """The `data` of another endpoint of the API, `status/buildinfo` say."""
        with self._reading():
            return self._session.request("GET", f"{self.address}/api/v1/{path}").json().get("data")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """An answer that is JSON, but not of the API's form, is the server's failure and not ours."""
        try:
            yield
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise SourceQueryError(
                f"{self.address} answers in a form that isn't Prometheus'", hint="Is it the right address?"
            ) from None

    def backend(self) -> Backend:
        """Find out what answers, and keep to its ways from then on.

        Raises:
            SourceError: It can't be reached, or refuses us. Not knowing the endpoint is no error.
        """
        try:
            info = self.data("status/buildinfo") or {}
        except SourceQueryError:
            info = {}
        found = _backend(info if isinstance(info, dict) else {}, self._session.server_headers)
        if found.name == "victoriametrics":
            self._extra["nocache"] = "1"  # else it shifts the timestamps to its cache's grid
        return found


def _not_numbers(series: int) -> tuple[str, ...]:
    """Say that an answer held native histograms: a query must make numbers of them to be read."""
    return (f"{series} series hold native histograms, not numbers",) if series else ()


def _backend(info: Mapping[str, Any], headers: Mapping[str, str]) -> Backend:
    version = str(info.get("version") or "")
    application = str(info.get("application") or "").lower()
    for name in ("mimir", "cortex", "thanos"):
        if name in application:
            return Backend(name, version)
    if "X-Server-Hostname" in headers or set(info) == {"version"}:
        return Backend("victoriametrics", "")  # it states a Prometheus version that it is compatible with
    if version.startswith("0."):
        return Backend("thanos", version)
    return Backend("prometheus", version) if version else Backend("unknown")


def _verify(settings: PrometheusSettings) -> bool | str:
    if not settings.verify_certs:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user chose it; doctor repeats it
        return False
    if settings.ca_certs is None:
        return True
    if not settings.ca_certs.exists():
        raise ConfigError(f"no certificate authority at {settings.ca_certs}")
    return str(settings.ca_certs)


def _client_cert(settings: PrometheusSettings) -> str | tuple[str, str] | None:
    if settings.client_cert is None:
        return None
    for path in (settings.client_cert, settings.client_key):
        if path is not None and not path.exists():
            raise ConfigError(f"no client certificate or key at {path}")
    if settings.client_key is None:
        return str(settings.client_cert)
    return str(settings.client_cert), str(settings.client_key)
