"""Times as text."""

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """A time with its date, in UTC: `2026-11-22 03:11:40 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def rfc3339(at: datetime) -> str:
    """A time for machines, in UTC, always with milliseconds: `2026-11-22T03:11:40.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
