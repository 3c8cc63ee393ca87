"""What of a real repository reaches a bundle."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from rca.bundle import read_bundle, write_bundle
from rca.config.settings import ChangesSettings
from rca.model.incident import Bundle, Interval, Window
from rca.redact import redact_bundle
from rca.sources.git import GitSource
from rca.sources.git import source as source_module
from tests.readings import asked, by_message, read
from tests.repository import Repository


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


def test_more_commits_than_are_read_are_said(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        repo.commit(f"n{number}", 4 - number, a_dot_py=f"{number}\n")
    monkeypatch.setattr(source_module, "MOST_COMMITS", 3)
    found = read(repo.path)
    assert set(by_message(found)) == {"n1", "n2", "n3"}
    assert "1 older commit of shop" in found.told()


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
