"""What a reader must take, mend or refuse."""

import gzip
import hashlib
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rca.bundle import read_bundle
from rca.errors import BundleError
from rca.model.incident import EventKind
from rca.model.signals import Bad, Kind
from topology import Edge

MakeFolder = Callable[..., Path]
T = 1769850000  # 2026-01-31T09:00:00Z

LOG = '{"@timestamp": "2026-01-31T09:00:01Z", "service": "cart", "level": "error", "message": "no"}\n'


def test_a_bundle_with_only_a_header_is_read(folder: MakeFolder) -> None:
    bundle = read_bundle(folder())
    assert bundle.id == "one"
    assert bundle.window.onset == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert (bundle.metrics, bundle.logs, bundle.log_counts, bundle.gaps) == (None, (), None, ())
    assert len(bundle.sha256) == 64


def test_every_part_is_read(folder: MakeFolder) -> None:
    path = folder(
        {
            "metrics.csv": f"timestamp,AWS::X/a b|p99,db|conns|pod|1\n{T},1,\n{T + 60},2,3e1\n",
            "series.json": '{"db|conns|pod|1": {"unit": "1", "kind": "availability", "query": "up"}}',
            "logs.jsonl.gz": gzip.compress(LOG.encode(), mtime=0),
            "log_counts.csv": f"timestamp,service,level,count\n{T},cart,error,4\n{T},cart,ERROR,3\n",
            "topology.json": '{"edges": [["cart", "db"]]}',
            "events.jsonl": '{"timestamp": "2026-01-31T09:00:00Z", "kind": "flag", "service": "a", "title": "t"}',
            "alerts.json": '[{"labels": {"a": 1}, "annotations": {}, "startsAt": "2026-01-31T09:00:00Z",'
            ' "endsAt": "0001-01-01T00:00:00Z", "status": {"state": "suppressed"}}]',
            "traces.jsonl": '{"trace_id": 7, "span_id": "s", "parent_id": null, "service": "a", "operation": "o",'
            ' "start": "2026-01-31T09:00:00Z", "duration_ms": 5, "status": "ERROR"}',
            "commits.jsonl": '{"sha": "a", "author": "j", "timestamp": "2026-01-31T09:00:00Z", "message": "m",'
            ' "files_changed": ["x"], "diff": null}',
        },
        {"alert": {"service": "cart", "metric": "p99", "fired_at": "2026-01-31T09:31:00Z"}},
    )
    bundle = read_bundle(path)
    assert bundle.metrics is not None
    odd, declared = bundle.metrics.keys
    assert (odd.service, odd.metric, odd.instance, odd.kind, odd.declared) == (
        "AWS::X/a b",
        "p99",
        None,
        Kind.OTHER,
        False,
    )
    assert (declared.instance, declared.kind, declared.bad) == ("pod|1", Kind.AVAILABILITY, Bad.DOWN)
    assert declared.declared
    assert declared.query == "up"
    assert math.isnan(bundle.metrics.values[0, 1])
    assert bundle.logs[0].level == "ERROR"
    assert bundle.log_counts is not None
    assert bundle.log_counts.counts.tolist() == [[[7.0]]]
    assert bundle.graph.edge("cart", "db") == Edge("cart", "db")
    assert bundle.events[0].kind is EventKind.OTHER
    assert bundle.alerts[0].ends_at is None
    assert (bundle.alerts[0].labels, bundle.alerts[0].state) == ({"a": "1"}, "suppressed")
    assert bundle.spans[0].error
    assert bundle.spans[0].trace_id == "7"
    assert bundle.commits[0].diff is None
    assert bundle.symptom is not None
    assert bundle.symptom.fired_at == datetime(2026, 1, 31, 9, 31, tzinfo=UTC)
    assert bundle.gaps == ()


def test_unsorted_and_repeated_rows_are_mended_and_said(folder: MakeFolder) -> None:
    rows = f"{T + 60},3,inf\n{T},1,NaN\n{T + 60},4,\n{T + 60},,9\n"
    bundle = read_bundle(folder({"metrics.csv": f"timestamp,a|x,a|y\n{rows}"}))
    assert bundle.metrics is not None
    assert bundle.metrics.times.tolist() == [T, T + 60]
    assert np.array_equal(bundle.metrics.values, np.array([[1, np.nan], [4, 9]]), equal_nan=True)
    assert [gap.what for gap in bundle.gaps] == ["metrics", "order of the metrics", "repeated metrics"]


def test_one_row_is_enough_and_none_is_a_gap(folder: MakeFolder) -> None:
    path = folder({"metrics.csv": f"timestamp,a|x\r\n{T},1\r\n"})
    assert read_bundle(path).metrics is not None
    (path / "metrics.csv").write_text("timestamp,a|x\n")
    bundle = read_bundle(path)
    assert bundle.metrics is None
    assert bundle.gaps[0].why == "metrics.csv has no rows"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first column must be 'timestamp'"),
        ("time,a|x\n", "first column"),
        ("timestamp,a|x,a|x\n", "metrics.csv:1:3: the column 'a|x' occurs twice"),
        ("timestamp,cpu\n", "metrics.csv:1:2: the column 'cpu' isn't named"),
        ("timestamp,|cpu\n", "isn't named service|metric"),
        (f"timestamp,a|x\n{T},1\n{T + 1},oops\n", "metrics.csv:3:2: 'oops' in 'a|x'"),
        (f"timestamp,a|x\n{T},1_000\n", "metrics.csv:2:2: '1_000'"),
        (f"timestamp,a|x\n{T},\u0661\n", "metrics.csv:2:2"),
        (f"timestamp,a|x\n{T},1,2\n", "metrics.csv:2: 3 cells"),
        ("timestamp,a|x\nx,1\n", "metrics.csv:2:1: 'x' isn't a time"),
        ("timestamp,a|x\n,1\n", "metrics.csv:2:1"),
        ("timestamp,a|x\nnan,1\n", "metrics.csv:2:1"),
        (f"timestamp,a|x\n{T}000,1\n", "isn't a time in unix seconds"),
        ('timestamp,"a|x\n', "not CSV"),
        ("timestamp,a|x\n1,\0\n", "metrics.csv:2: holds a NUL byte"),
    ],
)
def test_metrics_that_cannot_be_read_are_refused_with_their_place(
    folder: MakeFolder, text: str, said: str
) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(folder({"metrics.csv": text}))
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('{"a|x": {"bad": "sideways"}}', "must be up, down or both"),
        ('{"a|x": 3}', "an object is needed"),
        ("[]", "an object is needed, not a list"),
        ('{"a|x": {"unit": 3}}', "'unit' must be a string"),
    ],
)
def test_a_series_description_that_cannot_be_used_is_refused(folder: MakeFolder, entry: str, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        read_bundle(folder({"metrics.csv": f"timestamp,a|x\n{T},1\n", "series.json": entry}))


def test_what_a_newer_version_adds_is_ignored_with_a_note(folder: MakeFolder) -> None:
    path = folder(
        {
            "metrics.csv": f"timestamp,a|x\n{T},1\n",
            "series.json": '{"a|x": {"kind": "quantum", "shape": 1}, "b|y": {"unit": "s"}}',
            "logs.jsonl": LOG.replace('"service"', '"color": 1, "service"'),
            "topology.json": '{"edges": [], "zones": []}',
            "profile.bin": b"\0\1",
            ".DS_Store": b"",
        },
        {"mood": "calm"},
    )
    bundle = read_bundle(path)
    told = " / ".join(f"{gap.what}: {gap.why}" for gap in bundle.gaps)
    for word in ("mood", "profile.bin", "color", "quantum", "shape", "b|y", "zones"):
        assert word in told
    assert "DS_Store" not in told
    assert bundle.metrics is not None
    assert not bundle.metrics.keys[0].declared


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"format_version": 2}, "newer version"),
        ({"format_version": None}, "no usable format_version"),
        ({"format_version": True}, "no usable format_version"),
        ({"window": None}, "'window' is missing"),
        ({"window": {"start": "2026-01-31T10:00:00Z", "end": "2026-01-31T09:00:00Z"}}, "before it begins"),
        ({"window": {"start": "2026-01-31T10:00:00", "end": "2026-01-31T11:00:00Z"}}, "no offset"),
        ({"window": {"start": 5, "end": "2026-01-31T11:00:00Z"}}, "isn't a time"),
        ({"window": {"start": "0001-01-01T00:00:00+14:00", "end": "2026-01-31T11:00:00Z"}}, "out of range"),
        ({"onset": "2026-01-31T11:00:00Z"}, "outside of the window"),
        ({"onset": "yesterday"}, "isn't a time"),
        ({"baseline": {"start": "2026-01-31T10:00:00Z", "end": "2026-01-31T09:00:00Z"}}, "the baseline ends"),
        ({"alert": {"metric": "x"}}, "'service' is missing"),
        ({"sources": {}}, "'sources' must be a list"),
        ({"title": 5}, "'title' must be a string"),
        ({"id": []}, "'id' must be a string"),
        ({"resolution_seconds": -1}, "must not be negative"),
        ({"resolution_seconds": 10**400}, "out of range"),
        ({"resolution_seconds": "60"}, "must be a number"),
        ({"gaps": [None]}, "an object is needed, not null"),
        ({"files": {"logs.jsonl.gz": {"rows": 1}}}, "logs.jsonl.gz is missing"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(folder: MakeFolder, header: dict[str, Any], said: str) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(folder(header=header))
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("logs.jsonl", LOG + "{oops\n", "logs.jsonl:2: not JSON"),
        ("logs.jsonl", LOG + "\n[1]\n", "logs.jsonl:3: an object is needed"),
        ("logs.jsonl", LOG + "{} {}\n", "logs.jsonl:2: more than one JSON value"),
        ("logs.jsonl", "[" * 100_000, "logs.jsonl:1: nested too deeply"),
        ("logs.jsonl", '{"weight": ' + "9" * 5000 + "}", "logs.jsonl:1: not usable JSON"),
        ("logs.jsonl", LOG.replace("Z", ""), "'@timestamp': '2026-01-31T09:00:01' has no offset"),
        ("logs.jsonl", LOG.replace('"cart"', '""'), "'service' is missing or empty"),
        ("logs.jsonl", LOG.replace('"no"', "5"), "'message' must be a string, not a number"),
        ("logs.jsonl", LOG.replace('"no"', '"no", "weight": -1'), "must not be negative"),
        ("logs.jsonl", LOG.replace('"no"', '"no", "fields": []'), "'fields' must be an object, not a list"),
        ("logs.jsonl", LOG.encode() + b"\xff\n", "logs.jsonl:2: not UTF-8"),
        ("alerts.json", "{}", "a list of alerts is needed"),
        ("topology.json", '{"edges": [["a"]]}', "topology.json"),
        ("log_counts.csv", "timestamp,service,level\n", "the columns must be"),
        ("log_counts.csv", f"timestamp,service,level,count\n{T},a,INFO,-1\n", "log_counts.csv:2:4: '-1'"),
        ("log_counts.csv", f"timestamp,service,level,count\n{T},a,INFO,x\n", "isn't a count"),
        ("log_counts.csv", f"timestamp,service,level,count\n{T},a,INFO\n", "3 cells"),
        ("log_counts.csv", 'timestamp,service,level,count\n"', "not CSV"),
        ("metrics.csv.gz", b"timestamp", "aren't gzip"),
        ("metrics.csv.gz", b"", "empty, not gzip"),
        ("metrics.csv.gz", gzip.compress(b"timestamp,a|x\n", mtime=0)[:-4], "truncated"),
        ("metrics.csv.gz", gzip.compress(b"timestamp,a|x\n", mtime=0) + b"more", "followed by 4 bytes"),
        ("metrics.csv.gz", gzip.compress(b"timestamp,a|x\n", mtime=0)[:-8] + b"\0" * 8, "corrupt gzip"),
    ],
)
def test_a_file_that_cannot_be_read_refuses_the_whole_bundle(
    folder: MakeFolder, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(folder({name: content}))
    assert said in caught.value.message


def test_hashes_and_rows_are_checked(folder: MakeFolder) -> None:
    right = {"sha256": hashlib.sha256(LOG.encode()).hexdigest().upper(), "rows": 1}
    path = folder({"logs.jsonl": LOG}, {"files": {"logs.jsonl": right, "unknown.bin": {"sha256": "0"}}})
    assert len(read_bundle(path).logs) == 1
    header = json.loads((path / "bundle.json").read_text())
    for change, said in (({"sha256": "0" * 64}, "isn't the file that was recorded"), ({"rows": 2}, "has 1 rows")):
        header["files"]["logs.jsonl"] = right | change
        (path / "bundle.json").write_text(json.dumps(header))
        with pytest.raises(BundleError, match=said):
            read_bundle(path)


def test_rows_of_a_table_with_quoted_line_breaks_are_counted_as_rows(folder: MakeFolder) -> None:
    text = f'timestamp,service,level,count\n{T},"a\nb",INFO,1\n'
    bundle = read_bundle(folder({"log_counts.csv": text}, {"files": {"log_counts.csv": {"rows": 1}}}))
    assert bundle.log_counts is not None
    assert bundle.log_counts.services == ("a\nb",)


def test_both_forms_of_a_file_are_refused(folder: MakeFolder) -> None:
    with pytest.raises(BundleError, match=r"both logs\.jsonl and logs\.jsonl\.gz"):
        read_bundle(folder({"logs.jsonl": LOG, "logs.jsonl.gz": gzip.compress(LOG.encode(), mtime=0)}))


def test_counts_are_derived_from_the_lines_of_the_window_by_weight(folder: MakeFolder) -> None:
    lines = [
        ("2026-01-31T09:00:01Z", "cart", "INFO", 2),
        ("2026-01-31T09:00:59Z", "cart", "INFO", 3),
        ("2026-01-31T09:03:00Z", "db", "ERROR", 1),
        ("2026-01-31T09:02:00Z", "db", "", 1),
        ("2026-01-31T01:00:00Z", "db", "ERROR", 9),
    ]
    text = "\n".join(
        json.dumps({"@timestamp": at, "service": who, "level": level, "message": "m", "weight": weight})
        for at, who, level, weight in lines
    )
    bundle = read_bundle(folder({"logs.jsonl": text}))
    counts = bundle.log_counts
    assert counts is not None
    assert counts.times.tolist() == [T, T + 60, T + 120, T + 180]
    assert (counts.services, counts.levels) == (("cart", "db"), ("", "ERROR", "INFO"))
    assert counts.counts[0, 0, 2] == 5
    assert counts.counts[3, 1, 1] == 1
    assert counts.counts.sum() == 7
    assert bundle.gaps[0].what == "1 of 5 log lines"


def test_lines_that_all_lie_outside_of_the_window_give_no_counts(folder: MakeFolder) -> None:
    bundle = read_bundle(folder({"logs.jsonl": LOG.replace("T09", "T01")}))
    assert bundle.log_counts is None
    assert len(bundle.logs) == 1


def test_half_a_surrogate_pair_and_numbers_that_json_lacks_are_mended(folder: MakeFolder) -> None:
    line = LOG.replace('"no"', r'"\ud83d\ude00 \ud800", "fields": {"a": [NaN, "\udfff"]}')
    bundle = read_bundle(folder({"logs.jsonl": line}))
    assert bundle.logs[0].message == "\U0001f600 \ufffd"
    assert bundle.logs[0].fields == {"a": [None, "\ufffd"]}


def test_log_counts_of_an_absurd_size_are_refused(folder: MakeFolder) -> None:
    rows = "\n".join(f"{T + n * n},s{n},l{n},1" for n in range(300))
    with pytest.raises(BundleError, match="more than"):
        read_bundle(folder({"log_counts.csv": f"timestamp,service,level,count\n{rows}\n"}))


def test_empty_log_counts_are_none(folder: MakeFolder) -> None:
    assert read_bundle(folder({"log_counts.csv": "timestamp,service,level,count\n\n"})).log_counts is None
