"""What of a real repository reaches a bundle."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rca.bundle import read_bundle, write_bundle
from rca.config.settings import ChangesSettings
from rca.errors import ConfigError
from rca.model.incident import Bundle, Commit, Gap, Interval, Window
from rca.redact import redact_bundle
from rca.sources.base import Request
from rca.sources.git import GitSource
from rca.sources.git import diffs as diff_module
from rca.sources.git import source as source_module
from tests.repository import Repository

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Read:
    commits: tuple[Commit, ...]
    gaps: tuple[Gap, ...]
    details: Any

    def told(self) -> str:
        return "\n".join(f"{gap.what}: {gap.why}" for gap in self.gaps)


def asked(hours: float = 3.0, lookback: float = 24.0, seconds: float = 30.0) -> Request:
    span = Interval(NOW - timedelta(hours=hours), NOW + timedelta(hours=1))
    return Request(span, 60, time.monotonic() + seconds, timedelta(hours=lookback))


def read(*paths: Path, request: Request | None = None, **settings: Any) -> Read:
    source = GitSource(ChangesSettings(repos=paths, **settings))
    pieces = list(source.harvest(request or asked()))
    source.close()
    record = pieces[-1].record
    assert record is not None
    assert [piece.done for piece in pieces] == list(range(1, len(paths) + 1))
    return Read(
        tuple(commit for piece in pieces for commit in piece.commits),
        tuple(gap for piece in pieces for gap in piece.gaps),
        record.details,
    )


def by_message(found: Read) -> dict[str, Commit]:
    return {commit.message: commit for commit in found.commits}


def test_commits_of_the_window_and_the_look_back_come_with_their_diffs(repo: Repository) -> None:
    repo.commit("Begin", 100, cart__main_dot_go="package cart\n")
    sha = repo.commit(
        "Wait less\n\nFive seconds were too long.", 20, cart__main_dot_go="package cart\n// timeout\n"
    )
    repo.commit("Later", 1, readme_dot_md="x\n")
    found = read(repo.path)
    assert [commit.message.split("\n")[0] for commit in found.commits] == ["Later", "Wait less"]
    commit = found.commits[1]
    assert (commit.sha, commit.author, commit.repository) == (sha, "Ada", "shop")
    assert commit.at == repo.now - timedelta(hours=20)
    assert commit.message.endswith("too long.")
    assert commit.files_changed == ("cart/main.go",)
    assert commit.diff == (
        "diff --git a/cart/main.go b/cart/main.go\n--- a/cart/main.go\n+++ b/cart/main.go\n"
        "@@ -1 +1,2 @@\n package cart\n+// timeout\n"
    )
    assert found.gaps == ()
    assert found.details["shop"]["commits"] == 2


def test_a_merge_is_one_change_that_landed_when_it_was_merged(repo: Repository) -> None:
    repo.commit("Begin", 100, main_dot_py="a = 1\n")
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("On the side", 90, cart__a_dot_py="timeout = 5\n")
    repo.commit("On the side again", 80, cart__a_dot_py="timeout = 1\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("Meanwhile", 5, main_dot_py="a = 2\n")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic", at=repo.now - timedelta(hours=2))
    found = by_message(read(repo.path))
    assert set(found) == {"Merge topic", "Meanwhile"}
    assert found["Merge topic"].files_changed == ("cart/a.py",)
    assert "+timeout = 1" in (found["Merge topic"].diff or "")
    assert "a = 2" not in (found["Merge topic"].diff or "")


def test_names_that_git_quotes_and_renames_are_told_as_they_are(repo: Repository) -> None:
    odd = 'say "hi"\tü.py'
    repo.commit_files(
        "Begin", 30, {odd: "a = 1\n", "with space.py": "b = 1\n" * 9, "a/b.py": "c\n", "z.py": "z\n"}
    )
    repo.git("mv", "with space.py", "moved here.py")
    repo.git("mv", "a/b.py", "a/c.py")
    files: dict[str, str | bytes | None] = {
        odd: "a = 2\n",
        "moved here.py": "b = 1\n" * 8 + "b = 2\n",
        "z.py": None,
    }
    repo.commit_files("Odd", 1, files)
    found = by_message(read(repo.path))["Odd"]
    assert set(found.files_changed) == {odd, "with space.py", "moved here.py", "a/b.py", "a/c.py", "z.py"}
    diff = found.diff or ""
    assert f"--- a/{odd}\n+++ b/{odd}\n" in diff
    assert "rename from with space.py\nrename to moved here.py\n--- a/with space.py\n+++ b/moved here.py\n" in diff
    assert "diff --git a/a/b.py b/a/c.py\nsimilarity index 100%\nrename from a/b.py\nrename to a/c.py\n" in diff
    assert "deleted file mode 100644\n--- a/z.py\n+++ /dev/null\n" in diff


def test_binary_files_are_named_and_their_diffs_left_out(repo: Repository) -> None:
    repo.commit("Begin", 100, readme_dot_md="x\n")
    repo.commit("Picture", 1, logo_dot_png=b"\x89PNG\0\1", code_dot_py="x = 1\n")
    found = read(repo.path)
    assert found.commits[0].files_changed == ("code.py", "logo.png")
    assert "logo.png" not in (found.commits[0].diff or "")
    assert "+x = 1" in (found.commits[0].diff or "")
    assert "1 binary files of shop" in found.told()


def test_a_file_of_which_only_the_mode_is_another_one_has_no_diff(repo: Repository) -> None:
    repo.commit("Begin", 30, run_dot_sh="x\n")
    (repo.path / "run.sh").chmod(0o755)
    repo.commit("Let it run", 1)
    (commit,) = read(repo.path).commits
    assert (commit.files_changed, commit.diff) == (("run.sh",), "")


def test_an_empty_window_is_a_gap_that_names_the_newest_commit(repo: Repository) -> None:
    repo.commit("Old", 500, a_dot_py="a\n")
    found = read(repo.path)
    assert found.commits == ()
    assert "none landed" in found.told()
    assert f"{repo.now - timedelta(hours=500):%Y-%m-%d %H:%M}" in found.told()


def test_a_repository_without_a_commit_and_a_branch_that_is_not_there_are_gaps(repo: Repository) -> None:
    assert "there is no commit at what is checked out" in read(repo.path).told()
    repo.commit("Begin", 1, a_dot_py="a\n")
    assert "branch nope" in read(repo.path, branch="nope").told()
    assert "branch --upload-pack=x" in read(repo.path, branch="--upload-pack=x").told()


def test_another_branch_can_be_named(repo: Repository) -> None:
    repo.commit("Begin", 1, a_dot_py="a\n")
    repo.git("checkout", "--quiet", "-b", "release")
    repo.commit("Released", 0.5, a_dot_py="b\n")
    repo.git("checkout", "--quiet", "main")
    assert set(by_message(read(repo.path, branch="release"))) == {"Begin", "Released"}
    assert set(by_message(read(repo.path))) == {"Begin"}


def test_a_shallow_clone_says_where_its_history_ends_and_tells_no_false_diff(
    repo: Repository, tmp_path: Path
) -> None:
    repo.commit("Begin", 20, a_dot_py="a\n", b_dot_py="b\n")
    repo.commit("Second", 10, a_dot_py="aa\n")
    repo.commit("Third", 5, a_dot_py="aaa\n")
    repo.git("clone", "--quiet", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    found = read(tmp_path / "shallow")
    commits = by_message(found)
    assert set(commits) == {"Second", "Third"}
    assert commits["Second"].diff is None  # its parent isn't there: the whole tree would look new
    assert "+aaa" in (commits["Third"].diff or "")
    assert "shallow clone" in found.told()


def test_the_first_commit_of_all_tells_no_diff_since_the_whole_system_would_look_new(repo: Repository) -> None:
    first = repo.commit("The system as it runs", 3, cart__main_dot_go="package cart\n", pay_dot_py="charge()\n")
    repo.commit("Wait less", 2, cart__main_dot_go="package cart\n// timeout\n")
    found = read(repo.path)
    commits = by_message(found)
    assert commits["The system as it runs"].diff is None
    assert commits["The system as it runs"].files_changed == ("cart/main.go", "pay.py")
    assert "+// timeout" in (commits["Wait less"].diff or "")
    (gap,) = found.gaps
    assert gap.what == f"what {first[:10]} of shop changed"
    assert "first commit" in gap.why


def test_a_commit_with_a_wrong_clock_is_placed_by_the_order_of_the_history(repo: Repository) -> None:
    repo.commit("Older", 30, a_dot_py="0\n")
    repo.commit("Begin", 10, a_dot_py="1\n")
    repo.commit("Lost its battery", 400_000, a_dot_py="2\n")
    repo.commit("Then", 4, a_dot_py="3\n")
    repo.commit("From the future", -5_000, a_dot_py="4\n")
    repo.commit("Now", 1, a_dot_py="5\n")
    found = read(repo.path)
    at = {commit.message: (repo.now - commit.at) / timedelta(hours=1) for commit in found.commits}
    assert at == {"Begin": 10, "Lost its battery": 10, "Then": 4, "From the future": 4, "Now": 1}
    assert "the clocks of 2 commits of shop" in found.told()


def test_long_diffs_are_cut_and_said(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Begin", 30, a_dot_py="a\n")
    locked = "".join(f"line {number}\n" for number in range(5_000))
    repo.commit("Lock", 2, aa__package_dot_lock=locked, zz__code_dot_py="timeout = 1\n")
    repo.commit("Minified", 1, app_dot_js="x" * 500_000 + "\n")
    found = read(repo.path)
    commits = by_message(found)
    lock = commits["Lock"].diff or ""
    assert "line 100\n" in lock
    assert "line 4999" not in lock
    assert "+timeout = 1" in lock  # what comes after a long file is still read
    assert len(commits["Minified"].diff or "") < 3_000
    assert "parts of the diffs of 2 commits of shop" in found.told()
    monkeypatch.setattr(diff_module, "TOTAL_BYTES", 1_000)
    rest = read(repo.path)
    assert by_message(rest)["Lock"].diff is None
    assert "the diffs of 1 commits of shop" in rest.told()


def test_more_commits_than_are_read_are_said(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        repo.commit(f"n{number}", 4 - number, a_dot_py=f"{number}\n")
    monkeypatch.setattr(source_module, "MOST_COMMITS", 3)
    found = read(repo.path)
    assert set(by_message(found)) == {"n1", "n2", "n3"}
    assert "1 older commits of shop" in found.told()


def test_what_people_wrote_down_of_paths_goes_with_the_commits_they_concern(
    make_repo: Callable[[str], Repository],
) -> None:
    shop, cart = make_repo("shop"), make_repo("shop-cart")
    shop.commit("Bill", 1, libs__billing__a_dot_py="1\n")
    shop.commit("Else", 0.5, else_dot_py="1\n")
    cart.commit("Cart", 1, src__a_dot_py="1\n")
    services = {"libs/billing/": "payments", "shop-cart": "cart", "./never": "x", "shop/libs": "ours"}
    commits = by_message(read(shop.path, cart.path, services=services))
    assert commits["Bill"].owners == (("libs", "ours"), ("libs/billing", "payments"))
    assert commits["Else"].owners == ()
    assert commits["Cart"].owners == (("", "cart"),)


def test_two_repositories_of_one_name_are_told_apart(make_repo: Callable[[str], Repository]) -> None:
    one, two = make_repo("a/shop"), make_repo("b/shop")
    one.commit("One", 1, a_dot_py="1\n")
    two.commit("Two", 1, a_dot_py="1\n")
    assert set(read(one.path, two.path).details) == {"shop", "shop (2)"}


def test_tags_go_with_their_commit(repo: Repository) -> None:
    repo.commit("Release", 1, a_dot_py="1\n")
    repo.git("tag", "v1.4.2")
    repo.git("tag", "--annotate", "-m", "note", "stable", at=repo.now)
    assert set(read(repo.path).commits[0].tags) == {"v1.4.2", "stable"}


def test_a_bare_repository_and_the_git_folder_itself_are_read(repo: Repository, tmp_path: Path) -> None:
    repo.commit("Begin", 1, a_dot_py="a\n")
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "shop-mirror.git"))
    bare = read(tmp_path / "shop-mirror.git")
    assert bare.commits[0].repository == "shop-mirror"
    assert read(repo.path / ".git").commits[0].repository == "shop"


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


def test_missing_objects_of_a_partial_clone_are_a_gap_and_are_not_fetched(
    repo: Repository, tmp_path: Path
) -> None:
    repo.commit("Begin", 30, a_dot_py="1\n")
    repo.commit("Change", 2, a_dot_py="2\n")
    repo.commit("Again", 1, a_dot_py="3\n")
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    repo.git("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{repo.path}", str(partial))
    objects = sorted(path.name for path in (partial / "objects").rglob("*"))
    found = read(partial)
    assert "diffs of 2 commits of partial" in found.told()
    assert [commit.files_changed for commit in found.commits] == [("a.py",)] * 2
    assert sorted(path.name for path in (partial / "objects").rglob("*")) == objects


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


def test_what_was_read_survives_a_bundle_with_its_secrets_cut_out(repo: Repository, tmp_path: Path) -> None:
    repo.commit("Begin", 30, a_dot_py="1\n")
    secret = "AKIA" + "IOSFODNN7EXAMPLF"
    repo.commit("Log in", 1, a_dot_py=f"aws_access_key_id = '{secret}'\n\0".replace("\0", "\x01"))
    commits = read(repo.path, services={"a.py": "cart"}).commits
    bundle = redact_bundle(
        Bundle(
            "x",
            Window(Interval(repo.now - timedelta(hours=3), repo.now)),
            commits=tuple(sorted(commits, key=lambda c: c.at)),
        )
    )
    write_bundle(bundle, tmp_path / "b.zip")
    back = read_bundle(tmp_path / "b.zip")
    assert back.commits == bundle.commits
    assert back.commits[-1].owners == (("a.py", "cart"),)
    assert back.commits[-1].repository == "shop"
    assert secret not in (back.commits[-1].diff or "")
    assert "[redacted:" in (back.commits[-1].diff or "")


def test_the_doctor_names_branch_and_newest_commit(repo: Repository, tmp_path: Path) -> None:
    sha = repo.commit("Begin", 1, a_dot_py="1\n")
    repo.commit("More", 0.5, a_dot_py="2\n")
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    source = GitSource(ChangesSettings(repos=(repo.path, tmp_path / "shallow")))
    first, second = source.check(asked())
    assert first.ok
    assert "2 commits since" in first.detail
    assert sha[:10] not in first.detail
    assert second.facts == ("a shallow clone",)
    none = GitSource(ChangesSettings(repos=(repo.path,), branch="nope"))
    (lost,) = none.check(asked())
    assert (lost.ok, lost.hint) == (False, "See --branch.")
    none.close()
    (late,) = none.check(asked())
    assert not late.ok


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_is_refused_with_what_to_do(repo: Repository) -> None:
    repo.commit("Begin", 1, a_dot_py="1\n")
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(ConfigError) as caught:
        GitSource(ChangesSettings(repos=(repo.path,)))
    assert "somebody else" in caught.value.message
    assert "safe.directory" in caught.value.hint


def test_diffs_that_had_come_are_kept_when_git_breaks_off(repo: Repository) -> None:
    repo.commit("Begin", 30, a_dot_py="1\n")
    repo.commit("First", 3, a_dot_py="2\n")
    repo.commit("Second", 2, b_dot_py="3\n")
    repo.commit("Third", 1, b_dot_py="4\n")
    lost = repo.git("rev-parse", "HEAD~2:a.py")
    (repo.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    found = read(repo.path)
    assert {name: commit.diff is not None for name, commit in by_message(found).items()} == {
        "Third": True, "Second": True, "First": False,
    }  # fmt: skip
    assert "the diffs of 1 commits of shop: git failed in shop: unable to read" in found.told()
