"""Fixtures that hand out real servers; a test that takes one is marked `live` by that.

A server is started when the first test asks for it, shared by all workers of a run, and stopped at the run's end
(its guard stops it even when the run is killed). Where one can't be had its tests skip and say why; with
`RCA_REQUIRE_LIVE=1` they fail instead. With `RCA_TEST_STATE=FOLDER` servers are looked up in, and left to, that
folder: `python -m tests.servers FOLDER` keeps a set running meanwhile.
"""

import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.elasticsearch import Elasticsearch
from tests.servers.fetch import UnavailableError
from tests.servers.prometheus import Prometheus
from tests.servers.shared import SharedServers
from tests.servers.shop import Shop, make_shop
from tests.servers.shop.load import load_shop, shop_history

LIVE_FIXTURES = frozenset(
    {"elasticsearch_8", "elasticsearch_9", "elasticsearch_any", "elasticsearch_secured", "elasticsearch_tls"}
    | {"shop_elasticsearch_8", "shop_elasticsearch_9", "shop_elasticsearch_secured", "shop_elasticsearch_tls"}
    | {"prometheus", "prometheus_secured", "prometheus_tls", "servers"}
)
STATE = "RCA_TEST_STATE"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder where the run's workers agree on their servers."""
    if STATE not in os.environ and not hasattr(config, "workerinput"):
        os.environ[STATE] = tempfile.mkdtemp(prefix="rca-servers-")
        config.add_cleanup(_stop_servers)


def _stop_servers() -> None:
    folder = Path(os.environ.pop(STATE))
    SharedServers(folder, owner=os.getpid()).stop()
    shutil.rmtree(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes a real server, so that `-m live` finds it."""
    for item in items:
        if LIVE_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> "Servers":
    """Every server by name, for tests that choose at run time."""
    owner = os.getppid() if hasattr(request.config, "workerinput") else os.getpid()
    return Servers(SharedServers(Path(os.environ[STATE]), owner=owner, history=shop_history))


class Servers:
    """Hands out the run's servers, or skips the test that asks."""

    def __init__(self, shared: SharedServers) -> None:
        self._shared = shared

    def elasticsearch(self, name: str) -> Elasticsearch:
        """The Elasticsearch of that name."""
        try:
            return self._shared.elasticsearch(name)
        except UnavailableError as error:
            unavailable(error)

    def elasticsearch_with_shop(self, name: str) -> Elasticsearch:
        """The Elasticsearch of that name, with the shop's log lines and spans in it."""
        server = self.elasticsearch(name)
        self._shared.once(f"shop-in-{name}", lambda: load_shop(server))
        return server

    def prometheus(self, name: str) -> Prometheus:
        """The Prometheus of that name."""
        try:
            return self._shared.prometheus(name)
        except UnavailableError as error:
            unavailable(error)


def unavailable(error: UnavailableError) -> NoReturn:
    """Skip with the reason, or fail with it where a live server is required."""
    if os.environ.get("RCA_REQUIRE_LIVE") == "1":
        pytest.fail(f"a live server is required: {error}", pytrace=False)
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def elasticsearch_8(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8, open to everybody."""
    return servers.elasticsearch("elasticsearch_8")


@pytest.fixture(scope="session")
def elasticsearch_9(servers: Servers) -> Elasticsearch:
    """Elasticsearch 9, open to everybody."""
    return servers.elasticsearch("elasticsearch_9")


@pytest.fixture(scope="session", params=["elasticsearch_8", "elasticsearch_9"])
def elasticsearch_any(servers: Servers, request: pytest.FixtureRequest) -> Elasticsearch:
    """Elasticsearch 8, then 9: the test runs twice."""
    return servers.elasticsearch(request.param)


@pytest.fixture(scope="session")
def elasticsearch_secured(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8 that checks passwords."""
    return servers.elasticsearch("elasticsearch_secured")


@pytest.fixture(scope="session")
def elasticsearch_tls(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8 that checks passwords and speaks HTTPS with a certificate of an own authority."""
    return servers.elasticsearch("elasticsearch_tls")


@pytest.fixture(scope="session")
def shop() -> Shop:
    """What is known of the telemetry in the `shop_elasticsearch_…` and `prometheus…` servers."""
    return make_shop()


@pytest.fixture(scope="session")
def shop_elasticsearch_8(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8 with the shop's lines in `logs-shop-default` and its spans in `traces-apm-default`."""
    return servers.elasticsearch_with_shop("elasticsearch_8")


@pytest.fixture(scope="session")
def shop_elasticsearch_9(servers: Servers) -> Elasticsearch:
    """Elasticsearch 9 with the same."""
    return servers.elasticsearch_with_shop("elasticsearch_9")


@pytest.fixture(scope="session")
def shop_elasticsearch_secured(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8 that checks passwords, with the same."""
    return servers.elasticsearch_with_shop("elasticsearch_secured")


@pytest.fixture(scope="session")
def shop_elasticsearch_tls(servers: Servers) -> Elasticsearch:
    """Elasticsearch 8 that checks passwords and speaks HTTPS, with the same."""
    return servers.elasticsearch_with_shop("elasticsearch_tls")


@pytest.fixture(scope="session")
def prometheus(servers: Servers) -> Prometheus:
    """Prometheus with the shop's history, open to everybody."""
    return servers.prometheus("prometheus")


@pytest.fixture(scope="session")
def prometheus_secured(servers: Servers) -> Prometheus:
    """Prometheus with the shop's history that checks passwords."""
    return servers.prometheus("prometheus_secured")


@pytest.fixture(scope="session")
def prometheus_tls(servers: Servers) -> Prometheus:
    """Prometheus with the same, that checks passwords and speaks HTTPS with a certificate of an own authority."""
    return servers.prometheus("prometheus_tls")


@pytest.fixture
def index_name() -> str:
    """A name no other test uses for an index on the shared servers; it begins with `logs-`."""
    return f"logs-test-{uuid.uuid4().hex[:12]}"
