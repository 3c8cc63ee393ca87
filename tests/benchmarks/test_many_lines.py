"""The benchmark's many lines: as many as asked for, and of each kind as large a share as the shop has."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from benchmarks.many_lines import BATCH_LINES, bulk_bodies
from tests.servers.shop import LogRecord, Shop, log_records, make_shop

LINES = 65_000
Document = dict[str, Any]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return make_shop()


@pytest.fixture(scope="module")
def records(shop: Shop) -> list[LogRecord]:
    return list(log_records(shop))


@pytest.fixture(scope="module")
def bodies(shop: Shop) -> list[bytes]:
    return list(bulk_bodies(shop, LINES))


@pytest.fixture(scope="module")
def written(bodies: Sequence[bytes]) -> list[Document]:
    rows = [json.loads(row) for body in bodies for row in body.splitlines()]
    assert rows[::2] == [{"index": {}}] * (len(rows) // 2)
    return rows[1::2]


def at(document: Document) -> datetime:
    return datetime.fromisoformat(document["@timestamp"])


def kind(service: str, level: str, *, late: bool) -> tuple[str, str, bool]:
    return service, level.upper(), late


def test_as_many_lines_come_as_asked_for_in_order_of_time(shop: Shop, written: list[Document]) -> None:
    assert len(written) == LINES
    times = [at(document) for document in written]
    assert times == sorted(times)
    assert shop.start <= times[0]


def test_bodies_have_a_size_that_a_server_takes(bodies: list[bytes]) -> None:
    assert [body.count(b"\n") // 2 for body in bodies] == [BATCH_LINES] * 6 + [5_000]


def test_each_kind_of_line_keeps_its_share_and_its_side_of_the_onset(
    shop: Shop, records: list[LogRecord], written: list[Document]
) -> None:
    own = Counter(kind(x.service, x.level, late=x.at >= shop.onset) for x in records)
    found = Counter(kind(x["service"]["name"], x["log"]["level"], late=at(x) >= shop.onset) for x in written)
    assert sum(found.values()) > len(records)  # each line several times, or this says nothing
    for name, count in own.items():
        if count >= 50:  # of fewer, those of the last, partial round are too many or too few
            assert found[name] / LINES == pytest.approx(count / len(records), rel=0.25), name
    few = {name for name in found if own[name] < 5}
    assert sum(found[name] for name in few) < 0.01 * LINES


def test_the_lines_of_a_request_stay_together_under_an_id_of_their_own(
    records: list[LogRecord], written: list[Document]
) -> None:
    def shapes(lines: dict[str, list[tuple[datetime, str]]]) -> Counter[tuple[Any, ...]]:
        return Counter(
            tuple(sorted((round((time - min(mine)[0]).total_seconds(), 3), name) for time, name in mine))
            for mine in lines.values()
        )

    own, copies = defaultdict(list), defaultdict(list)
    for record in records:
        if record.trace_id:
            milliseconds = record.at.replace(microsecond=record.at.microsecond // 1000 * 1000)
            own[record.trace_id].append((milliseconds, record.service))
    for document in written:
        if trace := document.get("trace", {}).get("id"):
            copies[trace].append((at(document), document["service"]["name"]))
    assert len(copies) > len(own)
    assert not set(copies) & set(own)
    unlike = shapes(copies).keys() - shapes(own).keys()  # one request may be cut off by the last line
    assert len(unlike) <= 1


def test_the_same_shop_gives_the_same_bytes(shop: Shop, bodies: list[bytes]) -> None:
    assert next(bulk_bodies(shop, LINES)) == bodies[0]
