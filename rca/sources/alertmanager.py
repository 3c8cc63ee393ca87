"""Alertmanager, asked for the alerts it has now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rca.config.settings import AlertmanagerSettings
from rca.errors import ConfigError
from rca.sources.address import read_address
from rca.sources.prom.session import Bearer, Session

PATH = "/api/v2/alerts"


class _Session(Session):
    """The session of the metric source, for an API that answers with a list."""

    opening = b"["
    speaks = "Alertmanager's API v2"
    prefix = "/alertmanager"


def fetch_alerts(settings: AlertmanagerSettings) -> str:
    """The answer of `GET /api/v2/alerts`, as it came: active, silenced and inhibited alerts.

    Raises:
        ConfigError: The address can't be used, or a certificate's file isn't there.
        SourceError: Nobody answers, we are refused, or something else answers.
    """
    with _session(settings) as session:
        session.deadline = time.monotonic() + settings.timeout_seconds
        return session.request("GET", session.address + PATH).content.decode("utf-8", "replace")


@contextmanager
def _session(settings: AlertmanagerSettings) -> Iterator[_Session]:
    if not settings.url:
        raise ConfigError("no address of Alertmanager", hint="Give --url or RCA_ALERTMANAGER_URL.")
    address, embedded = read_address(settings.url, "Alertmanager")
    if settings.ca_certs is not None and not settings.ca_certs.exists():
        raise ConfigError(f"no certificate authority at {settings.ca_certs}")
    with _Session(address.removesuffix(PATH), settings.timeout_seconds) as session:
        session.headers.update(settings.headers)
        session.verify = str(settings.ca_certs) if settings.ca_certs else settings.verify_certs
        if settings.bearer_token:
            session.auth = Bearer(settings.bearer_token)
        elif settings.username is not None:
            session.auth = (settings.username, settings.password or "")
        elif embedded is not None:
            session.auth = embedded
        yield session
