"""What can't be had says why; whether that skips or fails is the environment's choice."""

from pathlib import Path

import pytest

from tests.servers import fetch, fixtures
from tests.servers.shared import SharedServers


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an empty cache and no program to fill it with."""
    monkeypatch.setenv("RCA_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("bare_machine")
def test_a_machine_without_the_clients_says_what_is_missing() -> None:
    with pytest.raises(fetch.UnavailableError, match="maven is missing"):
        fetch.fetch_elasticsearch(fetch.ELASTICSEARCH_8)
    with pytest.raises(fetch.UnavailableError, match="no prometheus and promtool on PATH, and no apt-get"):
        fetch.fetch_prometheus()
    with pytest.raises(fetch.UnavailableError, match="no Java 99 or later"):
        fetch.find_java(99)
    assert not list((fetch.cache_folder()).glob("[!.]*"))


def test_the_oldest_java_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").touch()
    (tmp_path / "release").write_text('IMPLEMENTOR="Somebody"\nJAVA_VERSION="999.0.1"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert fetch.find_java(998) == tmp_path


@pytest.mark.usefixtures("bare_machine")
def test_a_server_that_could_not_be_had_is_not_tried_again_by_the_next_process(tmp_path: Path) -> None:
    first = SharedServers(tmp_path, owner=1)
    with pytest.raises(fetch.UnavailableError, match="no prometheus") as raised:
        first.prometheus("prometheus")
    (note,) = tmp_path.glob("*.json")
    note.write_text(note.read_text().replace("no prometheus", "told before: no prometheus"))
    with pytest.raises(fetch.UnavailableError, match=f"told before: {raised.value}"):
        SharedServers(tmp_path, owner=1).prometheus("prometheus")


def test_an_unavailable_server_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RCA_REQUIRE_LIVE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Java"):
        fixtures.unavailable(fetch.UnavailableError("no Java"))


def test_an_unavailable_server_fails_where_one_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCA_REQUIRE_LIVE", "1")
    with pytest.raises(pytest.fail.Exception, match="no Java"):
        fixtures.unavailable(fetch.UnavailableError("no Java"))


def test_something_shared_is_done_once(tmp_path: Path) -> None:
    done: list[int] = []
    for number in range(3):
        SharedServers(tmp_path, owner=1).once("loading", lambda: done.append(number))  # noqa: B023 - called at once
    assert done == [0]
