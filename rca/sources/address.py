"""Servers' addresses as people type them, and, in plain words, why nobody answers there."""

from urllib.parse import unquote, urlsplit, urlunsplit

from rca.errors import ConfigError

_SCHEMES = ("http", "https")
_REASONS = (  # what libraries and systems say; the first that occurs counts
    ("NameResolution", "its name is not known"),
    ("Name or service not known", "its name is not known"),
    ("nodename nor servname", "its name is not known"),
    ("Failed to resolve", "its name is not known"),
    ("refused", "connection refused"),
    ("reset", "connection reset"),
    ("timed out", "no connection in time"),
    ("unreachable", "no route to it"),
    ("No route", "no route to it"),
    ("closed", "the connection was closed"),
)
SPEAKS_NO_TLS = "it speaks no TLS"
_TLS_REASONS = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted"),
    ("ngerprint", "its certificate has another fingerprint"),
    ("WRONG_VERSION_NUMBER", SPEAKS_NO_TLS),
    ("RECORD_LAYER_FAILURE", SPEAKS_NO_TLS),
)


def read_address(url: str, whose: str) -> tuple[str, tuple[str, str] | None]:
    """The address without what stands in it of user and password, and these.

    Args:
        url: As it was typed.
        whose: The server's name, for errors.

    Raises:
        ConfigError: It isn't an http or https address; user and password aren't repeated.
    """
    text = url.strip()
    scheme, sign, rest = text.rpartition("://")
    shown = f"{scheme}{sign}{rest.rpartition('@')[2]}"
    if not sign:
        raise ConfigError(
            f"'{shown}' is no address of {whose}: it doesn't say http:// or https://",
            hint=f"Write http://{shown} or https://{shown}.",
        )
    hint = "Write it as https://host:port, path prefix included."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"'{shown}' is no address of {whose}: {_problem(error)}", hint=hint) from None
    if parts.scheme not in _SCHEMES:
        raise ConfigError(f"'{shown}' is no address of {whose}: it is neither http nor https", hint=hint)
    if not host:
        raise ConfigError(f"'{shown}' is no address of {whose}: it names no host", hint=hint)
    host = f"[{host}]" if ":" in host else host
    netloc = f"{host}:{port}" if port is not None else host
    clean = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    if parts.username is None:
        return clean, None
    return clean, (unquote(parts.username), unquote(parts.password or ""))


def _problem(error: ValueError) -> str:
    return "its port is no number from 0 to 65535" if "ort" in str(error) else "it can't be read"


def plain_reason(error: Exception) -> str:
    """Why nobody was reached, without the address: a library's own message may repeat the whole URL."""
    text = str(error)
    return next((reason for sign, reason in _REASONS if sign in text), type(error).__name__)


def tls_reason(error: Exception) -> str:
    """Why a TLS connection could not be made."""
    text = str(error)
    return next((reason for sign, reason in _TLS_REASONS if sign in text), "the handshake failed")


def tls_hint(reason: str, settings: str) -> str:
    """What to do about it.

    Args:
        reason: What `tls_reason` said.
        settings: The configuration's keys for certificates, in words.
    """
    if reason == SPEAKS_NO_TLS:
        return "Write the address with http:// rather than https://, or check the port."
    return f"Give {settings}."
