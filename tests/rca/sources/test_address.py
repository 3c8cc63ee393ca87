import pytest

from rca.errors import ConfigError
from rca.sources.address import SPEAKS_NO_TLS, plain_reason, read_address, tls_hint, tls_reason


@pytest.mark.parametrize(
    ("url", "clean", "auth"),
    [
        ("http://h:9090/", "http://h:9090", None),
        (" https://u:p%40ss@h/prometheus/?x=1 ", "https://h/prometheus", ("u", "p@ss")),
        ("http://u@[::1]:1", "http://[::1]:1", ("u", "")),
    ],
)
def test_credentials_are_taken_out_of_an_address(url: str, clean: str, auth: tuple[str, str] | None) -> None:
    assert read_address(url, "Prometheus") == (clean, auth)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("h:9090", "'h:9090' is no address of Prometheus: it doesn't say http"),
        ("u:secret@h", "'h' is no address"),
        ("ftp://u:secret@h", "'ftp://h' is no address of Prometheus: it is neither http nor https"),
        ("http://", "names no host"),
        ("http://u:secret@h:port", "its port is no number"),
        ("http://h:99999", "its port is no number"),
        ("http://[u:secret@", "it can't be read"),
    ],
)
def test_a_wrong_address_is_refused_with_what_is_wrong_and_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_address(url, "Prometheus")
    assert complaint in raised.value.message
    assert "http" in raised.value.hint
    assert "secret" not in raised.value.told


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("HTTPConnection(host='h'): [Errno 111] Connection refused", "connection refused"),
        ("Failed to resolve 'h' ([Errno -2] Name or service not known)", "its name is not known"),
        (
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))",
            "the connection was closed",
        ),
        ("whatever http://u:secret@h/", "OSError"),
    ],
)
def test_why_nobody_was_reached_is_told_without_the_librarys_words(said: str, reason: str) -> None:
    assert plain_reason(OSError(said)) == reason


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted() -> None:
    plain = tls_reason(OSError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"))
    assert plain == SPEAKS_NO_TLS
    assert "http://" in tls_hint(plain, "a CA")
    strange = tls_reason(OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))
    assert strange == "its certificate is not trusted"
    assert tls_hint(strange, "a CA") == "Give a CA."
    assert tls_reason(OSError("else")) == "the handshake failed"
