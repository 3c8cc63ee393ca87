"""Changes to the shop: edits of its files, committed to a Git repository, rolled out, and recorded as events."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

SHOP = Path(__file__).parent / "shop"


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement in one file of the shop; the old text stands there exactly once.

    Attributes:
        path: Relative to the repository.
    """

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """A commit, and how it reaches production.

    Attributes:
        kind: `deploy` and `config` restart the service, a running one sees a `flag`, `none` is only committed.
    """

    service: str
    kind: str
    message: str
    edits: tuple[Edit, ...]
    author: str = "dana"


class Repository:
    """The shop's code and configuration in a Git work tree of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, values: Mapping[str, str], rerouted: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Copy the shop, put in what depends on the run (addresses), commit.

        Args:
            values: For the `${name}` in the configuration files.
            rerouted: Other values in the configuration of one service.
        """
        others = rerouted or {}
        self.folder.mkdir()
        shutil.copytree(
            SHOP, self.folder / "shop", ignore=shutil.ignore_patterns("__pycache__", "config", "*.toml")
        )
        shutil.copytree(SHOP / "config", self.folder / "config")
        shutil.copy(SHOP / "flags.toml", self.folder)
        for path in (self.folder / "config").iterdir():
            own = {**values, **others.get(path.stem, {})}
            path.write_text(Template(path.read_text()).substitute(own))
        (self.folder / ".gitignore").write_text("__pycache__/\n")
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._commit("The shop as it runs", "dana")

    def commit(self, change: Change) -> str:
        """Make the edits and commit them; the commit's hash.

        Raises:
            ValueError: A text to be replaced isn't there exactly once.
        """
        for edit in change.edits:
            path = self.folder / edit.path
            text = path.read_text()
            if text.count(edit.old) != 1:
                raise ValueError(f"{edit.path} holds {text.count(edit.old)} times: {edit.old!r}")
            fresh = path.with_suffix(".new")
            fresh.write_text(text.replace(edit.old, edit.new))
            fresh.replace(path)
        self._git("add", "-A")
        return self._commit(change.message, change.author)

    def revert(self, sha: str) -> None:
        """Take a commit back."""
        self._git("revert", "--no-edit", sha)

    def history(self) -> list[dict[str, object]]:
        """Every commit but the first, oldest first, in the form of a bundle's `commits.jsonl`."""
        found: list[dict[str, object]] = []
        for sha in self._git("rev-list", "--reverse", "HEAD").split()[1:]:
            author, at, message = self._git("show", "-s", "--format=%an%x00%aI%x00%s", sha).strip().split("\0")
            found.append(
                {
                    "sha": sha,
                    "author": author,
                    "timestamp": at,
                    "message": message,
                    "files_changed": self._git("show", "--name-only", "--format=", sha).split(),
                    "diff": self._git("show", "--format=", sha),
                }
            )
        return found

    def _commit(self, message: str, author: str) -> str:
        self._git("commit", "-q", "-m", message, author=author)
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str, author: str = "dana") -> str:
        who = {"NAME": author, "EMAIL": f"{author}@shop.example"}
        identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell, no foreign input
            ["git", *words],  # noqa: S607 - where it lies differs between systems
            cwd=self.folder,
            env=os.environ | identity | alone,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"git {words[0]} failed: {done.stderr.strip()[-300:]}")
        return done.stdout
