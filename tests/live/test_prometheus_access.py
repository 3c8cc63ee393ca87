"""Who may ask a real Prometheus: passwords and certificates."""

import pytest

from rca.config.settings import PrometheusSettings
from rca.errors import SourceAuthError, SourceUnreachableError
from tests.servers.harvest import check, harvest
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.live


def test_basic_auth_and_an_own_authority_are_used(prometheus_tls: Prometheus) -> None:
    settings = PrometheusSettings(
        url=prometheus_tls.url, username=prometheus_tls.username, password=prometheus_tls.password,
        ca_certs=prometheus_tls.ca_certs,
    )  # fmt: skip
    checks = check(settings)
    assert checks["reachable"].ok
    assert checks["credentials"].detail == f"the user {prometheus_tls.username}"


def test_an_unknown_authority_is_refused_with_a_hint(prometheus_tls: Prometheus) -> None:
    with pytest.raises(SourceUnreachableError, match="certificate is not trusted") as raised:
        harvest(PrometheusSettings(url=prometheus_tls.url))
    assert "ca_certs" in raised.value.hint


def test_certificates_go_unchecked_only_when_told_to(prometheus_tls: Prometheus) -> None:
    settings = PrometheusSettings(
        url=prometheus_tls.url,
        username=prometheus_tls.username,
        password=prometheus_tls.password,
        verify_certs=False,
    )
    checks = check(settings)
    assert checks["reachable"].ok
    assert "TLS certificates are not checked" in checks["credentials"].detail


def test_a_wrong_password_is_an_auth_error_without_the_password(prometheus_secured: Prometheus) -> None:
    url = prometheus_secured.url.replace("://", "://somebody:hunter2@")
    with pytest.raises(SourceAuthError, match="401") as raised:
        harvest(PrometheusSettings(url=url))
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"
    checks = check(PrometheusSettings(url=url))
    assert checks["reachable"].ok is False
    assert "hunter2" not in str(checks)
