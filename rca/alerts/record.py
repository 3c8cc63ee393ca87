"""Foreign JSON: one object and where it stands, each field taken with its type checked."""

from datetime import UTC, datetime
from typing import Any

from rca.errors import UsageError

_NANOSECONDS, _MICROSECONDS, _MILLISECONDS = 1e17, 1e14, 1e11  # from here on, a unix time is in that unit
_NEVER = 1  # the year by which Go writes "no time"
_HINT = "Give it as its sender writes it; docs/alerts.md shows each format."


class Record:
    """One JSON object.

    Args:
        place: Where it stands, for errors: `alerts.json[3].alerts[0]`.
        data: The value.

    Raises:
        UsageError: It isn't an object.
    """

    __slots__ = ("data", "place")

    def __init__(self, place: str, data: Any) -> None:
        self.place = place
        if not isinstance(data, dict):
            raise self.error("an object is needed")
        self.data: dict[str, Any] = data

    def error(self, what: str) -> UsageError:
        """An error that names the place."""
        return UsageError(f"{self.place}: {what}", hint=_HINT)

    def text(self, key: str) -> str:
        """A string, or a number written as one; empty when absent or null."""
        value = self.data.get(key)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.error(f"'{key}' must be a string")
        return str(value)

    def needed(self, key: str) -> str:
        """A string that isn't empty."""
        value = self.text(key)
        if not value:
            raise self.error(f"'{key}' is missing")
        return value

    def inner(self, key: str) -> "Record":
        """An object; an empty one when absent or null."""
        value = self.data.get(key)
        return Record(f"{self.place}.{key}", {} if value is None else value)

    def records(self, key: str) -> list["Record"]:
        """A list of objects; empty when absent or null."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(f"'{key}' must be a list")
        return [Record(f"{self.place}.{key}[{index}]", item) for index, item in enumerate(value)]

    def words(self, key: str) -> dict[str, str]:
        """An object whose values become strings, in its own order; nested values are left out."""
        found = self.inner(key).data
        return {str(name): _word(item) for name, item in found.items() if isinstance(item, str | int | float)}

    def time(self, key: str) -> datetime:
        """A time that must be there.

        RFC 3339 with an offset, or a unix time whose unit (s, ms, us, ns) its size tells.
        """
        value = self.data.get(key)
        try:
            return _instant(value)
        except (ValueError, OverflowError, OSError):
            raise self.error(
                f"'{key}' is missing" if value is None else f"'{key}' is no time with an offset: {value!r:.60}"
            ) from None

    def maybe_time(self, key: str) -> datetime | None:
        """A time; None when absent, null, empty or in the year 1."""
        if self.data.get(key) in (None, ""):
            return None
        at = self.time(key)
        return None if at.year == _NEVER else at


def _word(value: str | float) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError("naive")
        return at.astimezone(UTC) if at.year > _NEVER else at.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no time")  # noqa: TRY004  # one kind of error for the caller
    scale = (
        1e9 if value >= _NANOSECONDS else 1e6 if value >= _MICROSECONDS else 1e3 if value >= _MILLISECONDS else 1
    )
    return datetime.fromtimestamp(value / scale, UTC)
