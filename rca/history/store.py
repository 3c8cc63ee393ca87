"""The store of past incidents: one SQLite file in the user's data directory."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from rca.errors import StoreError
from rca.history.fingerprint import Fingerprint

SCHEMA = 1
_TABLE = """
CREATE TABLE incidents (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  at TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  bundle_sha256 TEXT NOT NULL UNIQUE,
  cause TEXT NOT NULL,
  resolution TEXT NOT NULL,
  confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
  summary TEXT NOT NULL,
  fingerprint TEXT NOT NULL
)
"""
_COLUMNS = "id, title, at, bundle_id, bundle_sha256, cause, resolution, confirmed, summary, fingerprint"


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident that was kept.

    Attributes:
        cause: The service held responsible: by people when confirmed, else by the ranking; empty when unknown.
        resolution: What fixed it, in a person's words.
    """

    id: str
    title: str
    at: datetime
    bundle_id: str
    bundle_sha256: str
    cause: str
    resolution: str
    confirmed: bool
    summary: str
    fingerprint: Fingerprint

    def to_document(self) -> dict[str, Any]:
        """A JSON document for export and for `--format json`."""
        return {
            "id": self.id,
            "title": self.title,
            "at": self.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "bundle_id": self.bundle_id,
            "bundle_sha256": self.bundle_sha256,
            "cause": self.cause,
            "resolution": self.resolution,
            "confirmed": self.confirmed,
            "summary": self.summary,
            "fingerprint": self.fingerprint.to_document(),
        }

    @staticmethod
    def from_document(document: Any) -> "PastIncident":
        """Read what `to_document` wrote.

        Raises:
            StoreError: It isn't one.
        """
        try:
            at = datetime.fromisoformat(document["at"])
            texts = [document[name] for name in _TEXTS]
            confirmed = document["confirmed"]
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"this is not an exported incident: {type(error).__name__} {error}",
                hint="Give a file that 'rca incidents export' wrote.",
            ) from error
        if (
            at.tzinfo is None
            or not all(isinstance(text, str) for text in texts)
            or not isinstance(confirmed, bool)
        ):
            raise StoreError(
                "this is not an exported incident: a field has the wrong type",
                hint="Give a file that 'rca incidents export' wrote.",
            )
        values: dict[str, Any] = dict(zip(_TEXTS, texts, strict=True))
        print_ = Fingerprint.from_document(document["fingerprint"])
        return PastIncident(**values, at=at, confirmed=confirmed, fingerprint=print_)


_TEXTS = ("id", "title", "bundle_id", "bundle_sha256", "cause", "resolution", "summary")


class IncidentStore:
    """Past incidents on disk. Every change is one transaction: it is kept whole or not at all.

    Args:
        path: The file; made on the first write.

    Raises:
        StoreError: It can't be opened, or was made by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def all(self) -> list[PastIncident]:
        """Every incident, the newest first."""
        if not self._is_there():
            return []
        with self._session() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM incidents").fetchall()  # noqa: S608 - a constant
        return sorted((_incident(row) for row in rows), key=lambda past: (-past.at.timestamp(), past.id))

    def get(self, name: str) -> PastIncident:
        """The incident of that id, or of an unambiguous beginning of it.

        Raises:
            StoreError: There is none, or several.
        """
        found = [past for past in self.all() if past.id == name] or [
            past for past in self.all() if past.id.startswith(name)
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise StoreError(f"there is no incident '{name}'", hint="See 'rca incidents list'.")
        raise StoreError(
            f"'{name}' is the beginning of {len(found)} incidents: {', '.join(past.id for past in found[:5])}",
            hint="Write more of it.",
        )

    def search(self, text: str) -> list[PastIncident]:
        """The incidents that hold every word of the text, anywhere, the newest first."""
        words = text.lower().split()
        return [past for past in self.all() if all(word in _haystack(past) for word in words)]

    def put(self, incidents: Sequence[PastIncident], *, replace_existing: bool = False) -> None:
        """Keep incidents: all of them, or, when one is refused, none.

        Raises:
            StoreError: One is there already and `replace_existing` is false, or the file can't be written.
        """
        with self._session() as connection:
            for past in incidents:
                there = connection.execute(
                    "SELECT id FROM incidents WHERE id = ? OR bundle_sha256 = ?", (past.id, past.bundle_sha256)
                ).fetchall()
                if there and not replace_existing:
                    raise StoreError(
                        f"this incident is kept already, as {there[0][0]}",
                        hint=f"See it: rca incidents show {there[0][0]}; replace it with --force.",
                    )
                connection.executemany("DELETE FROM incidents WHERE id = ?", there)
                connection.execute(
                    f"INSERT INTO incidents ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - a constant
                    _row(past),
                )

    def confirm(self, name: str, *, cause: str | None, resolution: str | None) -> PastIncident:
        """Record what people found out.

        Raises:
            StoreError: There is no such incident, or it has no cause yet and none was given.
        """
        past = self.get(name)
        blamed = cause or past.cause
        if not blamed:
            raise StoreError(
                f"incident {past.id} has no cause yet", hint="Say which service it was: --service NAME."
            )
        seen = past.fingerprint.profiles  # without one that was blamed before and shows nothing
        hit = {name: share for name, share in past.fingerprint.hit.items() if name in seen or name != past.cause}
        print_ = replace(past.fingerprint, cause=blamed, hit={**hit, blamed: 1.0})
        changed = replace(
            past,
            cause=blamed,
            resolution=past.resolution if resolution is None else resolution,
            confirmed=True,
            fingerprint=print_,
        )
        self.put([changed], replace_existing=True)
        return changed

    def forget(self, name: str) -> PastIncident:
        """Remove an incident.

        Raises:
            StoreError: There is no such incident.
        """
        past = self.get(name)
        with self._session() as connection:
            connection.execute("DELETE FROM incidents WHERE id = ?", (past.id,))
        return past

    @contextmanager
    def _session(self) -> Iterator[sqlite3.Connection]:
        """A transaction; whatever SQLite complains of is said with the file's name."""
        try:
            if self._connection is None:
                self._connection = _open(self._path)
            with self._connection as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _is_there(self) -> bool:
        try:
            return self._path.exists()
        except OSError as error:  # a folder on the way is somebody else's
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreError:
        told = error.strerror if isinstance(error, OSError) else error
        return StoreError(
            f"the store of past incidents, {self._path}, can't be used: {told}",
            hint="Check its permissions and the disk; or move it away to begin a new one.",
        )


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=10)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        connection.close()
        raise StoreError(
            f"{path} was made by a newer version of rca (schema {version}, this one knows {SCHEMA})",
            hint="Upgrade rca.",
        )
    if version == 0:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            # another process may have made it between the look and the lock
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
    return connection


def _row(past: PastIncident) -> tuple[Any, ...]:
    document = past.to_document()
    document["confirmed"] = int(past.confirmed)
    document["fingerprint"] = json.dumps(document["fingerprint"], sort_keys=True)
    return tuple(document[name.strip()] for name in _COLUMNS.split(","))


def _incident(row: Sequence[Any]) -> PastIncident:
    document = dict(zip((name.strip() for name in _COLUMNS.split(",")), row, strict=True))
    document["confirmed"] = bool(document["confirmed"])
    document["fingerprint"] = json.loads(document["fingerprint"])
    return PastIncident.from_document(document)


def _haystack(past: PastIncident) -> str:
    parts = (past.id, past.title, past.cause, past.resolution, past.summary, past.bundle_id)
    return " ".join([*parts, *sorted(past.fingerprint.words), *sorted(past.fingerprint.hit)]).lower()
