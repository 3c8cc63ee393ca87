"""How git is asked: only reading, within the time, whatever the repository says."""

import os
from pathlib import Path

import pytest

from rca.config.settings import ChangesSettings
from rca.errors import ConfigError
from rca.sources.git import GitSource
from tests.readings import asked, by_message, read
from tests.repository import Repository


@pytest.mark.parametrize("kind", ["nothing", "plain", "inside"])
def test_what_is_no_repository_is_refused_before_anything_is_read(
    kind: str, repo: Repository, tmp_path: Path
) -> None:
    repo.commit("Begin", 1, cart__a_dot_py="a\n")
    (tmp_path / "plain").mkdir()
    path = {"nothing": tmp_path / "nothing", "plain": tmp_path / "plain", "inside": repo.path / "cart"}[kind]
    with pytest.raises(ConfigError) as caught:
        GitSource(ChangesSettings(repos=(path,)))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_without_git_it_says_so(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="git isn't there"):
        GitSource(ChangesSettings(repos=(repo.path,)))


def test_nothing_that_a_repository_configures_is_run_and_nothing_is_written(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("Begin", 30, a_dot_py="1\n", _dot_gitattributes="*.py diff=evil\n")
    repo.commit("Change", 1, a_dot_py="2\n")
    proof = tmp_path / "proof"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {proof}\n")
    script.chmod(0o755)
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "core.pager",
                "gpg.program", "core.sshCommand"):  # fmt: skip
        repo.git("config", key, str(script))
    for key in ("log.showSignature", "diff.noprefix", "diff.mnemonicPrefix", "color.ui"):
        repo.git("config", key, "always" if key == "color.ui" else "true")
    hooks = repo.path / ".git/hooks"
    for name in ("post-checkout", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).parent.mkdir(exist_ok=True)
        (hooks / name).write_text(script.read_text())
        (hooks / name).chmod(0o755)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in repo.path.rglob("*")}
    found = read(repo.path)
    assert "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n" in (by_message(found)["Change"].diff or "")
    assert not proof.exists()
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in repo.path.rglob("*")} == before


def test_time_that_runs_out_is_a_gap(repo: Repository) -> None:
    repo.commit("Begin", 1, a_dot_py="1\n")
    found = read(repo.path, request=asked(seconds=-1.0))
    assert found.commits == ()
    assert "took too long" in found.told()


def test_a_closed_source_asks_no_more(repo: Repository) -> None:
    repo.commit("Begin", 1, a_dot_py="1\n")
    source = GitSource(ChangesSettings(repos=(repo.path,)))
    source.close()
    assert "no longer asked" in next(iter(source.harvest(asked()))).gaps[0].why


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_is_refused_with_what_to_do(repo: Repository) -> None:
    repo.commit("Begin", 1, a_dot_py="1\n")
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(ConfigError) as caught:
        GitSource(ChangesSettings(repos=(repo.path,)))
    assert "somebody else" in caught.value.message
    assert "safe.directory" in caught.value.hint
