"""What of the diffs of a real repository is read, and what is said of the rest."""

from pathlib import Path

import pytest

from rca.sources.git import diffs as diff_module
from tests.readings import by_message, read
from tests.repository import Repository


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
    assert "the diffs of 1 commit of shop" in rest.told()


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
    assert "the diffs of 1 commit of shop: git failed in shop: unable to read" in found.told()
