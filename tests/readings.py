"""What the Git source reads of repositories, put together for tests."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rca.config.settings import ChangesSettings
from rca.model.incident import Commit, Gap, Interval
from rca.sources.base import Request
from rca.sources.git import GitSource

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Read:
    """All pieces together."""

    commits: tuple[Commit, ...]
    gaps: tuple[Gap, ...]
    details: Any

    def told(self) -> str:
        """Every gap in a line."""
        return "\n".join(f"{gap.what}: {gap.why}" for gap in self.gaps)


def asked(hours: float = 3.0, lookback: float = 24.0, seconds: float = 30.0) -> Request:
    """The last hours, and the one to come."""
    span = Interval(NOW - timedelta(hours=hours), NOW + timedelta(hours=1))
    return Request(span, 60, time.monotonic() + seconds, timedelta(hours=lookback))


def read(*paths: Path, request: Request | None = None, **settings: Any) -> Read:
    """Everything that comes of some repositories."""
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
    """The commits by what they say."""
    return {commit.message: commit for commit in found.commits}
