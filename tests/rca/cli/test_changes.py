import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rca.bundle import read_bundle
from rca.changes.vocabulary import load
from rca.cli.changes import read_events
from rca.cli.reporting import analysis_options
from rca.config.settings import ChangesSettings, Config
from rca.errors import UsageError
from rca.model.incident import EventKind
from tests.command import Invoke
from tests.repository import Repository

ONSET = datetime(2026, 11, 22, 2, 50, tzinfo=UTC)  # of the recording
LINE = '{"timestamp": "2026-11-22T02:45:00Z", "service": "cart", "kind": "deploy"}'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository in which cart's timeout was cut minutes before the recording's onset."""
    made = Repository(tmp_path / "shop", ONSET)
    made.commit("Begin", 10, cart__client_dot_py="redis_timeout_seconds = 30\n")
    made.commit("Cut the redis timeout", 4 / 60, cart__client_dot_py="redis_timeout_seconds = 1\n")
    return made


def test_events_are_read_from_lines_and_from_a_list(tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    lines.write_text(f'{LINE}\n\n{LINE[:-1]}, "title": "v2", "commit": "abc1234", "details": {{"by": "ada"}}}}\n')
    bare, full = read_events(lines)
    assert (bare.kind, bare.service, bare.title) == (EventKind.DEPLOY, "cart", "deploy")
    assert (full.title, full.details) == ("v2", {"commit": "abc1234", "by": "ada"})
    listed = tmp_path / "events.json"
    listed.write_text(f"[{LINE}]")
    assert read_events(listed) == (bare,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{LINE}\nnot json", "bad.jsonl:2: not JSON"),
        ('{"timestamp": "2026-11-22T02:45:00", "service": "cart"}', "bad.jsonl:1: 'timestamp'"),
        (f'{LINE}\n{{"timestamp": "2026-11-22T02:45:00Z"}}', "bad.jsonl:2: 'service' is missing"),
        ("[1]", "bad.jsonl[0]: an object is needed"),
        ("\0", "holds a NUL byte"),
    ],
)
def test_bad_events_are_refused_whole_with_line_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_events(path)
    assert complaint in caught.value.message
    assert caught.value.hint


def test_events_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_events(tmp_path / "none.jsonl")
    monkeypatch.setattr("rca.cli.given._MAX_BYTES", 10)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    with pytest.raises(UsageError, match="standard input is larger"):
        read_events(Path("-"))


@pytest.mark.parametrize("command", [("investigate",), ("capture", "-o", "x.zip")])
@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--repo", "."), "is not a Git repository"),
        (("--repo", "nowhere"), "no folder nowhere"),
        (("--events", "none.jsonl"), "none.jsonl can't be read"),
        (("--change-lookback", "-1"), "--change-lookback"),
    ],
)
def test_changes_that_cannot_be_used_are_refused_before_anything_is_asked(
    invoke: Invoke,
    closed_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    flags: tuple[str, ...],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = invoke(*command, "--since", "1h", "--es-url", closed_url, *flags)
    assert outcome.code == 2, outcome.err
    assert complaint in outcome.err
    assert closed_url not in outcome.err


@pytest.mark.parametrize("command", ["investigate", "capture", "doctor", "replay"])
def test_a_branch_of_no_repository_is_refused(
    invoke: Invoke, bundle: Path, tmp_path: Path, closed_url: str, command: str
) -> None:
    words = {
        "investigate": ("--since", "1h", "--es-url", closed_url),
        "capture": ("--since", "1h", "--es-url", closed_url, "-o", tmp_path / "x.zip"),
        "doctor": ("--es-url", closed_url),
        "replay": (bundle,),
    }[command]
    outcome = invoke(command, *words, "--branch", "main")
    assert outcome.code == 2
    assert "--branch main is of no use: no repository is given" in outcome.err
    assert "--repo PATH" in outcome.err


def test_one_standard_input_cannot_hold_the_alert_and_the_events(invoke: Invoke, closed_url: str) -> None:
    outcome = invoke("investigate", "--alert", "-", "--events", "-", "--es-url", closed_url)
    assert outcome.code == 2
    assert "standard input can't hold" in outcome.err


def test_a_repository_does_not_make_up_for_servers_that_are_down(
    invoke: Invoke, closed_url: str, repository: Repository
) -> None:
    outcome = invoke("investigate", "--since", "1h", "--es-url", closed_url, "--repo", repository.path)
    assert outcome.code == 4, outcome.err


def test_a_replay_takes_commits_and_events_that_the_recording_lacks(
    invoke: Invoke, bundle: Path, repository: Repository, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    sha = repository.git("rev-parse", "HEAD")
    old = LINE.replace("2026-11-22", "2024-11-22")
    events.write_text(f'{LINE[:-1]}, "image": "registry.example.com/cart:main-{sha[:9]}"}}\n{old}\n')
    plain = invoke("replay", bundle, "--format", "json")
    outcome = invoke("replay", bundle, "--format", "json", "--repo", repository.path, "--events", events)
    assert outcome.code == 0, outcome.err
    assert "added to the recording: 1 event, 2 commits" in outcome.err
    report = json.loads(outcome.out)
    mine = [one for one in report["triggers"] if one["commit"] == sha]
    assert mine
    assert mine[0]["service"] == "cart"
    assert any(gap["source"] == "events" and "1 of 2" in gap["what"] for gap in report["gaps"])
    known = json.loads(plain.out)["bundle"]["sha256"]
    assert known == read_bundle(bundle).sha256
    assert known != report["bundle"]["sha256"]
    again = invoke("replay", bundle, "--format", "json", "--repo", repository.path, "--events", events)
    assert again.out == outcome.out


def test_a_replay_does_not_depend_on_the_repositories_of_the_configuration(
    invoke: Invoke, bundle: Path, repository: Repository, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[changes]\nrepos = ["{repository.path}"]\n')
    plain = invoke("replay", bundle, "--format", "json")
    assert invoke("replay", bundle, "--format", "json", "--config", file).out == plain.out


def test_the_doctor_looks_at_repositories_and_events(
    invoke: Invoke, closed_url: str, repository: Repository, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(LINE)
    outcome = invoke("doctor", "--es-url", closed_url, "--repo", repository.path, "--events", events)
    assert "ok    git: shop: what is checked out" in outcome.out
    assert "ok    changes: events: 1 in" in outcome.out


@pytest.mark.parametrize("command", ["investigate", "replay", "eval"])
def test_a_vocabulary_that_cannot_be_used_is_refused_with_its_line(
    invoke: Invoke, bundle: Path, closed_url: str, tmp_path: Path, command: str
) -> None:
    (tmp_path / "gone.toml").write_text("[[gone]]\nkind = 'lock_gon'\npotency = 1\n")
    asked = ("--since", "1h", "--es-url", closed_url) if command == "investigate" else (bundle,)
    outcome = invoke(command, *asked, "--vocabulary", tmp_path)
    assert outcome.code == 2
    assert f"{tmp_path / 'gone.toml'}:" in outcome.err
    assert "did you mean 'lock_gone'?" in outcome.err


def test_words_that_were_read_before_collecting_are_not_read_again(tmp_path: Path) -> None:
    config = Config(changes=ChangesSettings(vocabulary=tmp_path / "gone since"))
    read_before = load()
    assert analysis_options(config, read_before).vocabulary is read_before


def test_own_words_find_what_the_shipped_ones_do_not(
    invoke: Invoke, bundle: Path, repository: Repository, tmp_path: Path
) -> None:
    words = tmp_path / "words"
    words.mkdir()
    (words / "gone.toml").write_text('[[gone]]\nkind = "timeout_gone"\npotency = 0.9\nwords = ["raise fence"]\n')
    repository.commit("Tidy", 0.05, cart__fence_dot_py="raise_fence()\nwork()\n")
    repository.commit("Tidy more", 0.04, cart__fence_dot_py="work()\n")
    asked = ("replay", bundle, "--format", "json", "--repo", repository.path)
    plain, own = (json.loads(invoke(*asked, *more).out) for more in ((), ("--vocabulary", words)))
    sha = repository.git("rev-parse", "HEAD")
    score = [next(one["score"] for one in report["triggers"] if one["commit"] == sha) for report in (plain, own)]
    assert score[1] > score[0]
    assert plain["tool"]["config_hash"] != own["tool"]["config_hash"]
