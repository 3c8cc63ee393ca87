import json
import os
from pathlib import Path

import pytest

from rca.cli.base import Run
from rca.cli.collecting import progress_display
from rca.sources.collect import Progress
from tests.command import Invoke


@pytest.mark.parametrize("command", [("investigate",), ("capture", "-o", "x.zip"), ("doctor",)])
def test_without_a_source_nothing_can_be_collected(invoke: Invoke, command: tuple[str, ...]) -> None:
    outcome = invoke(*command, "--since", "1h")
    assert outcome.code == 2
    assert "no source is configured" in outcome.err
    assert "rca config init" in outcome.err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ((), "no time was given"),
        (("--at", "2026-11-22 03:10"), "no time zone"),
        (("--at", "now", "--since", "1h"), "twice"),
        (("--since", "now-1h", "--until", "now-2h"), "not after"),
        (("--since", "1h", "--topology", "none.yaml"), "none.yaml"),
        (("--since", "1h", "--alert", "none.json"), "none.json"),
        (("--since", "1h", "--format", "pdf"), "no format 'pdf'"),
    ],
)
def test_flags_that_cannot_be_used_are_refused_before_anything_is_asked(
    invoke: Invoke, closed_url: str, flags: tuple[str, ...], complaint: str
) -> None:
    outcome = invoke("investigate", *flags, "--es-url", closed_url)
    assert outcome.code == 2
    assert complaint in outcome.err
    assert "hint:" in outcome.err
    assert outcome.out == ""


def test_a_topology_from_a_pipe_can_be_read_beside_an_alert(
    invoke: Invoke, closed_url: str, tmp_path: Path
) -> None:
    alert = {"labels": {"alertname": "Slow", "service": "web"}, "annotations": {}}
    file = tmp_path / "alert.json"
    file.write_text(json.dumps([alert | {"startsAt": "2026-11-22T03:10:00Z", "status": {"state": "active"}}]))
    reader, writer = os.pipe()
    os.write(writer, b"services: [{name: web, calls: [db]}]")
    os.close(writer)
    try:
        outcome = invoke("investigate", "--alert", file, "--topology", f"/dev/fd/{reader}", "--es-url", closed_url)
    finally:
        os.close(reader)
    assert outcome.code == 4, outcome.err  # whom to ask is found out only after the files were read


def test_servers_that_are_down_end_with_their_own_exit_code(
    invoke: Invoke, closed_url: str, tmp_path: Path
) -> None:
    target = tmp_path / "incident.zip"
    where = ("--es-url", closed_url, "--prometheus-url", closed_url)
    for command in (("investigate", "--save", target), ("capture", "-o", target), ("topology", "discover")):
        outcome = invoke(*command, "--since", "1h", *where)
        assert outcome.code == 4, outcome.err
        assert closed_url.removeprefix("http://") in outcome.err
    assert not target.exists()


def test_doctor_counts_what_is_broken(invoke: Invoke, closed_url: str) -> None:
    outcome = invoke("doctor", "--prometheus-url", closed_url)
    assert outcome.code == 4
    assert "FAIL" in outcome.out
    assert "checks failed" in outcome.err


def test_capture_needs_a_place_that_is_free(invoke: Invoke, closed_url: str, tmp_path: Path) -> None:
    assert "-o is missing" in invoke("capture", "--since", "1h", "--es-url", closed_url).err
    target = tmp_path / "there.zip"
    target.write_text("precious")
    outcome = invoke("capture", "--since", "1h", "--es-url", closed_url, "-o", target)
    assert outcome.code == 2
    assert "--force" in outcome.err
    assert target.read_text() == "precious"


STEPS = [
    Progress("elasticsearch", "log counts", 1, 3, "working"),
    Progress("elasticsearch", "done", 1, 1, "done"),
    Progress("prometheus", "nobody \x1b[2J answers", 0, 0, "failed"),
]


def test_progress_is_one_plain_line_a_source_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_display(Run()) as show:
        for step in STEPS:
            show(step)
    assert capsys.readouterr().err == "elasticsearch: done\nprometheus: nobody \ufffd[2J answers\n"


def test_progress_is_drawn_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_display(Run(verbose=True, no_color=True)) as show:
        for step in STEPS:
            show(step)
    drawn = capsys.readouterr().err
    assert "✓ elasticsearch" in drawn
    assert "✗ prometheus" in drawn
    assert "\x1b[2J" not in drawn


def test_quiet_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_display(Run(quiet=True)) as show:
        show(STEPS[0])
    assert capsys.readouterr().err == ""
