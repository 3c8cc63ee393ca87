"""Repositories made by the real git, for tests."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Repository:
    """A repository made by the real git, commit by commit."""

    def __init__(self, path: Path, now: datetime | None = None) -> None:
        self.path = path
        self.now = now or datetime.now(UTC).replace(microsecond=0)
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.com")

    def git(self, *arguments: str, at: datetime | None = None) -> str:
        stamp = {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()} if at else {}
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(self.path.parent), **stamp}
        done = subprocess.run(  # noqa: S603 - the tests' own words
            ["git", *arguments],  # noqa: S607 - whichever git is there
            cwd=self.path, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, message: str, hours: float, **files: str | bytes | None) -> str:
        """Write files (`__` is a slash, `_dot_` a dot; None removes one), and commit them so long ago."""
        named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()}
        return self.commit_files(message, hours, named)

    def commit_files(self, message: str, hours: float, files: dict[str, str | bytes | None]) -> str:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, at=self.now - timedelta(hours=hours))
        return self.git("rev-parse", "HEAD")
