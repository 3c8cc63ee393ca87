import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rca.errors import StoreError
from rca.history import IncidentStore, PastIncident, fingerprint
from rca.model.report import Report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "incidents.sqlite"


def kept(report: Report, **changes: object) -> PastIncident:
    values = {
        "id": f"{report.bundle_id}-x",
        "title": report.bundle_title,
        "at": report.span.start,
        "bundle_id": report.bundle_id,
        "bundle_sha256": report.bundle_sha256,
        "cause": "cart",
        "resolution": "raised the pool",
        "confirmed": False,
        "summary": report.verdict.summary,
        "fingerprint": fingerprint(report),
    }
    return PastIncident(**{**values, **changes})  # type: ignore[arg-type] # a table of fields


def test_an_incident_is_kept_and_read_back_the_same(path: Path, make_report: Callable[..., Report]) -> None:
    past = kept(make_report(), title="“odd” 'title' \N{SNOWMAN}")
    with IncidentStore(path) as store:
        store.put([past])
    with IncidentStore(path) as store:
        assert store.all() == [past]
        assert store.get(past.id) == store.get("incident") == past


def test_reading_makes_no_file(path: Path) -> None:
    with IncidentStore(path) as store:
        assert store.all() == []
    assert not path.exists()


def test_the_newest_incident_is_listed_first(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report(day=day, sha=str(day) * 64)) for day in (2, 3, 1)])
        assert [past.bundle_id for past in store.all()] == ["incident-3", "incident-2", "incident-1"]


def test_the_same_incident_is_not_kept_twice_unless_told(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report())])
        with pytest.raises(StoreError, match="kept already, as incident-1-x"):
            store.put([kept(make_report(), id="another")])
        store.put([kept(make_report(), id="another")], replace_existing=True)
        assert [past.id for past in store.all()] == ["another"]


def test_of_several_incidents_all_are_kept_or_none(path: Path, make_report: Callable[..., Report]) -> None:
    one, two = kept(make_report(sha="1" * 64, day=1)), kept(make_report(sha="2" * 64, day=2))
    with IncidentStore(path) as store:
        store.put([two])
        with pytest.raises(StoreError):
            store.put([one, two])
        assert store.all() == [two]


def test_search_wants_every_word_wherever_it_stands(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report())])
        assert store.search("POOL gateway")
        assert store.search("exhausted raised")
        assert not store.search("pool oom")


def test_confirming_records_the_cause_and_what_fixed_it(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report(), cause="")])
        with pytest.raises(StoreError, match="no cause yet"):
            store.confirm("incident-1", cause=None, resolution="restarted")
        confirmed = store.confirm("incident-1", cause="checkout", resolution="rolled back")
        assert store.all() == [confirmed]
    assert (confirmed.cause, confirmed.resolution, confirmed.confirmed) == ("checkout", "rolled back", True)
    assert confirmed.fingerprint.cause == "checkout"


def test_a_service_that_was_blamed_by_mistake_leaves_no_trace(
    path: Path, make_report: Callable[..., Report]
) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report())])
        before = store.all()[0].fingerprint
        store.confirm("incident-1", cause="chekout", resolution=None)
        assert store.confirm("incident-1", cause=before.cause, resolution=None).fingerprint == before


def test_confirming_again_keeps_the_resolution(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report())])
        assert store.confirm("incident-1", cause=None, resolution=None).resolution == "raised the pool"


def test_forgetting_removes_one(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report())])
        store.forget("incident-1-x")
        assert store.all() == []
        with pytest.raises(StoreError, match="no incident"):
            store.forget("incident-1-x")


def test_an_ambiguous_beginning_is_refused(path: Path, make_report: Callable[..., Report]) -> None:
    with IncidentStore(path) as store:
        store.put([kept(make_report(day=day, sha=str(day) * 64)) for day in (1, 2)])
        with pytest.raises(StoreError, match="the beginning of 2"):
            store.get("incident")


def test_a_file_that_is_no_store_is_refused_and_left_alone(path: Path, make_report: Callable[..., Report]) -> None:
    path.parent.mkdir()
    path.write_text("not a database, but somebody's notes " * 50)
    before = path.read_bytes()
    with IncidentStore(path) as store, pytest.raises(StoreError, match="can't be used"):
        store.put([kept(make_report())])
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with IncidentStore(path) as store, pytest.raises(StoreError, match="newer version"):
        store.all()


def test_an_exported_document_reads_back(make_report: Callable[..., Report]) -> None:
    past = kept(make_report())
    assert PastIncident.from_document(json.loads(json.dumps(past.to_document()))) == past


@pytest.mark.parametrize(
    "change",
    [{"at": "yesterday"}, {"at": "2026-11-01T00:00:00"}, {"title": 5}, {"confirmed": "yes"}, {"id": None}],
)
def test_a_broken_document_is_refused(make_report: Callable[..., Report], change: dict[str, object]) -> None:
    with pytest.raises(StoreError):
        PastIncident.from_document({**kept(make_report()).to_document(), **change})
    with pytest.raises(StoreError):
        PastIncident.from_document("not even a table")


def _put(path: Path, past: PastIncident) -> None:
    with IncidentStore(path) as store:
        store.put([past])


def test_processes_that_begin_a_store_at_once_all_get_in(path: Path, make_report: Callable[..., Report]) -> None:
    context = multiprocessing.get_context("spawn")
    incidents = [kept(make_report(day=day, sha=str(day) * 64), id=f"i{day}") for day in range(1, 5)]
    workers = [context.Process(target=_put, args=(path, past)) for past in incidents]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    with IncidentStore(path) as store:
        assert {past.id for past in store.all()} == {"i1", "i2", "i3", "i4"}
