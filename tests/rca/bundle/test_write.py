"""What is written reads back the same, whole or not at all."""

import errno
import json
import os
import tarfile
import zipfile
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.bundle import check_target, content_hash, layout, read_bundle, seal, write_bundle
from rca.errors import BundleError, UsageError
from rca.model.incident import (
    Alert,
    Bundle,
    Commit,
    Event,
    EventKind,
    Gap,
    Interval,
    SourceRecord,
    Span,
    Symptom,
    Window,
)
from rca.model.logs import TRACE_COMPLETE, LogCounts, LogLine, in_whole_traces
from rca.model.signals import Bad, Kind, SignalFrame, SignalKey
from rca.redact import redact_bundle
from topology import Edge, Node, NodeKind, Provenance, ServiceGraph

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(hours=1))
FORMS = ["folder", "bundle.tar.gz", "bundle.tgz", "bundle.zip"]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = texts.filter(lambda name: bool(name.strip()))
times = st.integers(0, 3_600_000_000).map(lambda micros: START + timedelta(microseconds=micros))
numbers = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.floats(0, 1e300)
details = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers() | numbers | texts | st.lists(texts), max_size=3
)
maybe_texts = st.none() | texts

keys = st.builds(
    SignalKey,
    names,
    names,
    st.none() | names,
    st.sampled_from(Kind),
    st.sampled_from(Bad),
    texts,
    texts,
    st.none() | names,
    st.booleans(),
)


@st.composite
def frames(draw: st.DrawFn) -> SignalFrame:
    axis = sorted(draw(st.sets(st.integers(0, 10**6) | st.floats(0, 2e9), min_size=1, max_size=4)))
    columns = draw(st.lists(keys, max_size=4))
    cells = st.lists(numbers | st.just(float("nan")), min_size=len(columns), max_size=len(columns))
    values = [draw(cells) for _ in axis]
    shape = (len(axis), len(columns))
    return SignalFrame(np.array(axis, dtype=float), np.array(values, dtype=float).reshape(shape), tuple(columns))


@st.composite
def cubes(draw: st.DrawFn) -> LogCounts:
    size = draw(st.integers(1, 4))
    axis = START.timestamp() + np.arange(0, 60 * size, 60, dtype=np.float64)
    services = tuple(sorted(draw(st.sets(texts, min_size=1, max_size=3))))
    levels = tuple(sorted(draw(st.sets(st.sampled_from(["", "INFO", "WARN", "ERROR"]), min_size=1))))
    cells = st.lists(
        amounts, min_size=size * len(services) * len(levels), max_size=size * len(services) * len(levels)
    )
    counts = np.array(draw(cells)).reshape(size, len(services), len(levels))
    return LogCounts(axis, services, levels, counts)


graphs = st.builds(
    ServiceGraph,
    st.lists(st.builds(Node, names, st.sampled_from(NodeKind), texts, texts, texts), max_size=2),
    st.lists(
        st.builds(
            Edge,
            names,
            names,
            amounts,
            st.none() | st.floats(0, 1),
            st.sets(st.builds(Provenance, names, texts), max_size=2).map(lambda found: tuple(sorted(found))),
        ),
        max_size=3,
    ),
)
bundles = st.builds(
    Bundle,
    id=names,
    window=st.builds(Window, st.just(SPAN), st.none() | times, st.none() | st.just(SPAN)),
    title=texts,
    system=texts,
    symptom=st.none() | st.builds(Symptom, names, st.none() | names, st.none() | times),
    resolution_seconds=amounts,
    sources=st.lists(
        st.builds(SourceRecord, names, names, texts, st.dictionaries(texts, texts, max_size=2), details),
        max_size=2,
    ).map(tuple),
    notes=texts,
    metrics=st.none() | frames(),
    logs=st.lists(
        st.builds(
            LogLine,
            times,
            names,
            texts.map(str.upper),
            st.text(max_size=20).filter(lambda text: text.isprintable()),
            maybe_texts,
            maybe_texts,
            maybe_texts,
            details,
            amounts,
        ),
        max_size=3,
    ).map(tuple),
    log_counts=cubes(),
    graph=graphs,
    events=st.lists(st.builds(Event, times, st.sampled_from(EventKind), texts, texts, details), max_size=2).map(
        tuple
    ),
    alerts=st.lists(
        st.builds(
            Alert,
            st.dictionaries(texts, texts, max_size=2),
            st.dictionaries(texts, texts, max_size=2),
            times,
            st.none() | times,
            texts,
            names,
            texts,
        ),
        max_size=2,
    ).map(tuple),
    spans=st.lists(
        st.builds(Span, texts, texts, maybe_texts, names, texts, times, amounts, st.booleans(), details),
        max_size=2,
    ).map(tuple),
    commits=st.lists(
        st.builds(Commit, texts, texts, times, texts, st.lists(texts, max_size=2).map(tuple), maybe_texts),
        max_size=2,
    ).map(tuple),
    gaps=st.lists(st.builds(Gap, texts, texts, texts), max_size=2).map(tuple),
    redactions=st.dictionaries(names, st.integers(0, 99), max_size=2),
)


def plain(value: Any) -> Any:
    """The value with arrays and objects as comparable data, fields that equality skips included."""
    if isinstance(value, np.ndarray):
        return [repr(cell) for cell in value.ravel().tolist()]
    if isinstance(value, ServiceGraph):
        return ([plain(node) for node in value.nodes()], [plain(edge) for edge in value.edges()])
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to wait for a real disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def listing(path: Path) -> list[str]:
    return sorted(item.name for item in path.iterdir())


def small(**changes: Any) -> Bundle:
    return replace(Bundle("one", Window(SPAN), logs=(LogLine(START, "cart", "INFO", "hello"),)), **changes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bundle=bundles, form=st.sampled_from(FORMS))
def test_what_is_written_reads_back_the_same(tmp_path: Path, bundle: Bundle, form: str) -> None:
    write_bundle(bundle, tmp_path / form, overwrite=True)
    again = read_bundle(tmp_path / form)
    expected = replace(bundle, sha256=content_hash(bundle))
    assert plain(again) == plain(expected)
    assert {*listing(tmp_path)} <= {*FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / form
        write_bundle(small(), path)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        written.append([(file.name, file.read_bytes()) for file in files])
        assert read_bundle(path).sha256 == content_hash(small())
    assert written[0] == written[1]


def test_whole_numbers_and_other_time_zones_hash_as_what_is_read_back(tmp_path: Path) -> None:
    at = START.astimezone(timezone(timedelta(hours=5)))
    bundle = small(
        resolution_seconds=60,
        logs=(LogLine(at, "cart", "warn", "m", weight=2, fields={"t": (1, at)}),),
        spans=(Span("t", "s", None, "cart", "o", at, 5),),
        metrics=SignalFrame(np.zeros(0), np.zeros((0, 0)), ()),
    )
    write_bundle(bundle, tmp_path / "x")
    again = read_bundle(tmp_path / "x")
    assert again.sha256 == content_hash(bundle) == content_hash(again)
    assert again.metrics is None
    assert again.log_counts is not None
    assert again.log_counts.counts.tolist() == [[[2.0]]]


def test_numbers_and_letters_that_files_cannot_carry_are_replaced(tmp_path: Path) -> None:
    line = LogLine(
        START, "cart", "INFO", "half \ud800", fields={"a": [float("nan"), {"b": float("inf"), "c": 1.5}]}
    )
    bundle = small(logs=(line,))
    write_bundle(bundle, tmp_path / "x.zip")
    again = read_bundle(tmp_path / "x.zip")
    assert again.logs[0].message == "half ?"
    assert again.logs[0].fields == {"a": [None, {"b": None, "c": 1.5}]}
    assert again.sha256 == content_hash(bundle)


def test_columns_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    found = (
        SignalKey("a", "p99", peer="b", kind=Kind.LATENCY, bad=Bad.UP, declared=True),
        SignalKey("a", "p99", peer="c", kind=Kind.LATENCY, bad=Bad.UP, declared=True),
        SignalKey("a|b", "c\nd"),
    )
    bundle = small(metrics=SignalFrame(np.array([1.0]), np.array([[1.0, 2.0, 3.0]]), found))
    write_bundle(bundle, tmp_path / "x")
    frame = read_bundle(tmp_path / "x").metrics
    assert frame is not None
    assert frame.keys == found
    assert [key.declared for key in frame.keys] == [True, True, False]


def test_log_buckets_in_which_nobody_wrote_count_as_zero(tmp_path: Path) -> None:
    counts = LogCounts(np.array([0.0, 60, 180, 240]), ("a",), ("INFO",), np.ones((4, 1, 1)))
    bundle = small(log_counts=counts)
    write_bundle(bundle, tmp_path / "x")
    again = read_bundle(tmp_path / "x")
    assert again.log_counts is not None
    assert again.log_counts.counts.ravel().tolist() == [1, 1, 0, 1, 1]
    assert again.sha256 == content_hash(bundle)
    uneven = LogCounts(np.array([0.0, 60, 185]), ("a",), ("INFO",), np.ones((3, 1, 1)))
    write_bundle(small(log_counts=uneven), tmp_path / "y")
    assert plain(read_bundle(tmp_path / "y").log_counts) == plain(uneven)


def test_archives_hold_one_folder_and_no_times_or_owners(tmp_path: Path) -> None:
    write_bundle(small(id="../od d"), tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        found = [(member.name, member.mtime, member.uid, member.mode) for member in tar]
    assert found[0] == ("od-d/bundle.json", 0, 0, 0o644)
    write_bundle(small(id="///"), tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        assert packed.testzip() is None
        assert packed.namelist()[0] == "bundle/bundle.json"


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_overwritten_unless_told(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    write_bundle(small(title="first"), path)
    with pytest.raises(UsageError, match="exists"):
        write_bundle(small(title="second"), path)
    assert read_bundle(path).title == "first"
    write_bundle(small(title="second"), path, overwrite=True)
    assert read_bundle(path).title == "second"


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    write_bundle(small(), home, overwrite=True)
    (home / "thesis.txt").touch()
    with pytest.raises(UsageError, match="something else"):
        write_bundle(small(), home, overwrite=True)
    assert (home / "thesis.txt").exists()
    (tmp_path / "x.zip").mkdir()
    with pytest.raises(UsageError, match="something else"):
        write_bundle(small(), tmp_path / "x.zip", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        write_bundle(small(), tmp_path / "file", overwrite=True)


@pytest.mark.parametrize("name", ["x.tar", "x.7z", "x.gz", "x.json", "x.txt", "x.HTML"])
def test_a_form_that_is_not_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="can't be written as"):
        write_bundle(small(), tmp_path / name)


def test_a_missing_parent_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        write_bundle(small(), tmp_path / "no" / "x.zip")


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there_and_no_remains(
    tmp_path: Path, form: str, step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / form
    write_bundle(small(title="first"), path)

    def fail(*_: Any) -> None:
        raise error

    def fail_into_place(source: Path, target: Path) -> Path:
        if source.name.endswith(".tmp") and target == path and not (path.exists() and path.is_dir()):
            monkeypatch.undo()
            fail()
        return rename(source, target)

    rename = Path.rename

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "rename", fail_into_place)
        monkeypatch.setattr(Path, "replace", fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UsageError
    with pytest.raises(expected) as caught:
        write_bundle(small(title="second"), path, overwrite=True)
    if isinstance(caught.value, UsageError):
        assert "No space left on device" in caught.value.message
    assert listing(tmp_path) == [form]
    assert read_bundle(path).title == "first"


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_BYTES", 100)
    with pytest.raises(BundleError):
        write_bundle(small(notes="x" * 200, logs=(LogLine(START, "a", "INFO", "y" * 200),)), tmp_path / "x")
    assert listing(tmp_path) == []


def test_the_header_lists_every_file_with_hash_and_rows(tmp_path: Path) -> None:
    write_bundle(small(), tmp_path / "x")
    header = json.loads((tmp_path / "x" / "bundle.json").read_text())
    assert sorted(header["files"]) == ["log_counts.csv.gz", "logs.jsonl.gz"]
    assert header["files"]["logs.jsonl.gz"]["rows"] == 1


def test_the_mark_of_whole_traces_survives(tmp_path: Path) -> None:
    marked = LogLine(START, "cart", "INFO", "m", trace_id="t", fields={TRACE_COMPLETE: True}, weight=7.0)
    lone = LogLine(START, "cart", "INFO", "n", trace_id="u", weight=7.0)
    write_bundle(small(logs=(marked, lone)), tmp_path / "x.tar.gz")
    again = redact_bundle(read_bundle(tmp_path / "x.tar.gz"))
    assert in_whole_traces(again.logs) == in_whole_traces((marked, lone)) == [True, False]


def test_a_sealed_bundle_is_written_as_the_bundle_itself(tmp_path: Path) -> None:
    sealed = seal(small(sha256="stale"))
    assert sealed.bundle.sha256 == content_hash(small())
    write_bundle(sealed, tmp_path / "a.zip")
    write_bundle(small(), tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_folder_of_somebody_else_is_refused_as_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(UsageError, match=r"can't write the bundle .*: Permission denied"):
        check_target(tmp_path / "theirs" / "x.zip", overwrite=False)
