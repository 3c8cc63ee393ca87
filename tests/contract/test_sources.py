"""What every source must do, whatever it reads. The folder's listing decides which sources there are."""

import importlib
import pkgutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

import rca.sources
from rca.config.settings import ElasticsearchSettings, PrometheusSettings
from rca.errors import SourceError, SourceTimeoutError, SourceUnreachableError
from rca.model.incident import Interval
from rca.sources.base import Harvest, Request, Source
from tests.servers.shop import Shop

Settings = ElasticsearchSettings | PrometheusSettings
Maker = Callable[[Settings], Source]
SECRET = "hunter2-contract"

SETTINGS: dict[str, Settings] = {
    "ElasticsearchSource": ElasticsearchSettings(username="somebody", password=SECRET, timeout_seconds=3),
    "PrometheusSource": PrometheusSettings(username="somebody", password=SECRET, timeout_seconds=3),
}
LIVE = {"ElasticsearchSource": "shop_elasticsearch_8", "PrometheusSource": "prometheus"}


def source_classes() -> list[tuple[str, Maker]]:
    packages = [module.name for module in pkgutil.iter_modules(rca.sources.__path__) if module.ispkg]
    modules = [importlib.import_module(f"rca.sources.{name}") for name in packages]
    return [
        (name, getattr(module, name)) for module in modules for name in module.__all__ if name.endswith("Source")
    ]


LOCAL = {"GitSource"}
"""Sources without a server; what they must do is told by their own tests."""
CLASSES = [(name, make) for name, make in source_classes() if name not in LOCAL]
every_source = pytest.mark.parametrize(("name", "make"), CLASSES, ids=[name for name, _ in CLASSES])


def request_of(shop: Shop, seconds: float = 30.0) -> Request:
    span = Interval(shop.onset - timedelta(minutes=60), shop.onset + timedelta(minutes=20))
    return Request(span, 60, time.monotonic() + seconds)


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """A server whose backlog takes the connection, and that never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Callable[[str, Maker], Source]:
    """A source before a real server that holds known telemetry."""

    def build(name: str, make: Maker) -> Source:
        url = request.getfixturevalue(LIVE[name]).url
        return make(replace(SETTINGS[name], url=url, username=None, password=None))

    return build


def test_there_is_a_source_for_each_of_the_systems() -> None:
    assert {name for name, _ in source_classes()} == {*SETTINGS, *LOCAL}


@every_source
def test_nobody_at_the_address_is_an_error_that_names_it_and_no_secret(
    name: str, make: Maker, closed_url: str, shop: Shop
) -> None:
    source = make(replace(SETTINGS[name], url=closed_url))
    with pytest.raises(SourceUnreachableError) as caught:
        list(source.harvest(request_of(shop)))
    assert closed_url.removeprefix("http://") in caught.value.message
    assert caught.value.hint
    assert SECRET not in caught.value.message + caught.value.hint
    source.close()


@every_source
def test_a_server_that_hangs_is_left_at_the_deadline(name: str, make: Maker, hanging_url: str, shop: Shop) -> None:
    source = make(replace(SETTINGS[name], url=hanging_url))
    began = time.monotonic()
    with pytest.raises(SourceTimeoutError):
        list(source.harvest(request_of(shop, seconds=2)))
    assert time.monotonic() - began < 6
    source.close()


@every_source
def test_checking_never_raises_and_says_what_to_do(name: str, make: Maker, closed_url: str, shop: Shop) -> None:
    source = make(replace(SETTINGS[name], url=closed_url))
    checks = list(source.check(request_of(shop)))
    source.close()
    assert any(check.ok is False and check.hint for check in checks)
    assert {check.source for check in checks} == {source.name}
    assert SECRET not in repr(checks)


@every_source
def test_closing_twice_is_fine(name: str, make: Maker, closed_url: str) -> None:
    source = make(replace(SETTINGS[name], url=closed_url))
    source.close()
    source.close()


@pytest.mark.live
@every_source
def test_a_harvest_comes_in_pieces_that_lie_in_the_span(
    name: str, make: Maker, live: Callable[[str, Maker], Source], shop: Shop
) -> None:
    source = live(name, make)
    request = request_of(shop)
    pieces = list(source.harvest(request))
    source.close()
    assert len(pieces) > 1
    begin, end = request.span.start.timestamp(), request.span.end.timestamp()
    for piece in pieces:
        assert isinstance(piece, Harvest)
        assert piece.what
        assert piece.total == 0 or piece.done <= piece.total
        for times in [frame.times for frame in (piece.metrics, piece.log_counts) if frame is not None]:
            assert all(begin <= time <= end for time in times)
        assert all(begin <= line.at.timestamp() < end for line in piece.logs)
    records = [piece.record for piece in pieces if piece.record]
    assert records
    assert all(record.name == source.name and record.queries for record in records)


@pytest.mark.live
@every_source
def test_asking_again_gives_the_same(
    name: str, make: Maker, live: Callable[[str, Maker], Source], shop: Shop
) -> None:
    def said() -> list[str]:
        source = live(name, make)
        pieces = [
            piece for piece in source.harvest(request_of(shop)) if piece.metrics or piece.logs or piece.spans
        ]
        source.close()
        return sorted(
            repr((p.metrics.keys, p.metrics.values.tolist()) if p.metrics else (p.logs, p.spans)) for p in pieces
        )

    assert said() == said()


@pytest.mark.live
@every_source
def test_nothing_is_made_up_of_an_empty_stretch(
    name: str, make: Maker, live: Callable[[str, Maker], Source], shop: Shop
) -> None:
    source = live(name, make)
    long_ago = shop.start - timedelta(days=90)
    request = Request(Interval(long_ago, long_ago + timedelta(hours=1)), 60, time.monotonic() + 30)
    pieces = list(source.harvest(request))
    source.close()
    assert not any(piece.logs or piece.spans or (piece.metrics and piece.metrics.keys) for piece in pieces)


@pytest.mark.live
@every_source
def test_closing_from_elsewhere_ends_a_harvest(
    name: str, make: Maker, live: Callable[[str, Maker], Source], shop: Shop
) -> None:
    source = live(name, make)
    harvest = source.harvest(request_of(shop))
    next(harvest)
    source.close()
    began = time.monotonic()
    try:
        for _ in harvest:
            pass
    except SourceError:
        pass  # being closed may end it with an error as well
    assert time.monotonic() - began < 10
