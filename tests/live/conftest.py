"""A real Prometheus with a history in each convention, for the modules that look at it from their sides."""

from collections.abc import Iterator

import pytest

from rca.config.settings import PrometheusSettings
from tests.servers.conventions import convention_history
from tests.servers.fetch import UnavailableError
from tests.servers.fixtures import unavailable
from tests.servers.harvest import Found, harvest
from tests.servers.prometheus import Prometheus, run_prometheus


@pytest.fixture(scope="session")
def conventions() -> Iterator[Prometheus]:
    """Prometheus with a history in each convention."""
    try:
        with run_prometheus(convention_history()) as running:
            yield running
    except UnavailableError as error:
        unavailable(error)


@pytest.fixture(scope="session")
def found(conventions: Prometheus) -> Found:
    """All that the source harvests there."""
    return harvest(PrometheusSettings(url=conventions.url))
