"""Fields out of foreign JSON: each taken with its type checked, each error with file and line."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rca.errors import BundleError

_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def decode_text(data: bytes, file: str) -> str:
    """The text of a file.

    Raises:
        BundleError: It isn't UTF-8, or holds NUL bytes.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BundleError(f"{file}:{line}: not UTF-8 text (byte {error.start})") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BundleError(f"{file}:{line}: holds a NUL byte, so it isn't text")
    return text


def decode_json(text: str, file: str, line: int = 0) -> Any:
    """The value of one JSON document. `NaN` and infinities, which JSON doesn't know, become null.

    Raises:
        BundleError: It isn't JSON, is nested too deeply, or holds a number of absurd length.
    """
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip()))
        if end != len(text) and text[end:].strip():
            raise BundleError(f"{_at(file, line)}: more than one JSON value")
    except RecursionError:
        raise BundleError(f"{_at(file, line)}: nested too deeply") from None
    except json.JSONDecodeError as error:
        place = _at(file, line or error.lineno)
        raise BundleError(f"{place}: not JSON ({error.msg} at column {error.colno})") from None
    except ValueError as error:
        raise BundleError(f"{_at(file, line)}: not usable JSON ({error})") from None
    return _mended(value) if "\\ud" in text or "\\uD" in text else value


def rows(text: str, file: str) -> Iterator["Fields"]:
    """The objects of a file with one JSON object a line; blank lines are skipped.

    Raises:
        BundleError: A line isn't a JSON object.
    """
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line:
            yield Fields(file, number, decode_json(line, file, number))


def parse_time(value: object) -> datetime:
    """An RFC 3339 time with an offset, in UTC.

    Raises:
        ValueError: It isn't one; the message says what is wrong.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} isn't a time (RFC 3339, such as 2026-01-31T09:30:00Z)")  # noqa: TRY004  # one kind of error for all that a caller must report
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r:.60} isn't a time (RFC 3339, such as 2026-01-31T09:30:00Z)") from None
    if at.tzinfo is None:
        raise ValueError(f"{value!r:.60} has no offset; write 2026-01-31T09:30:00Z or …+02:00")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value!r:.60} is out of range") from None


class Fields:
    """One JSON object and where it stands."""

    __slots__ = ("data", "file", "line")

    def __init__(self, file: str, line: int, data: Any) -> None:
        self.file = file
        self.line = line
        if not isinstance(data, dict):
            raise self.error(f"an object is needed, not {_kind(data)}")
        self.data: dict[str, Any] = data

    def error(self, what: str) -> BundleError:
        """An error that names the place."""
        return BundleError(f"{_at(self.file, self.line)}: {what}")

    def text(self, key: str, default: str = "") -> str:
        """A string; the default when it is absent or null."""
        value = self.data.get(key)
        if isinstance(value, str):
            return value
        if value is None:
            return default
        raise self.error(f"{key!r} must be a string, not {_kind(value)}")

    def required(self, key: str) -> str:
        """A string that isn't empty."""
        value = self.text(key)
        if not value:
            raise self.error(f"{key!r} is missing or empty")
        return value

    def identifier(self, key: str) -> str | None:
        """A string, or a number written as one; None when absent or null."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int):
            return str(value)
        raise self.error(f"{key!r} must be a string, not {_kind(value)}")

    def time(self, key: str) -> datetime:
        """A time that must be there."""
        try:
            return parse_time(self.data.get(key))
        except ValueError as error:
            raise self.error(f"{key!r}: {error}") from None

    def optional_time(self, key: str) -> datetime | None:
        """A time; None when absent, null or empty."""
        return self.time(key) if self.data.get(key) not in (None, "") else None

    def number(self, key: str, default: float | None = None) -> float | None:
        """A finite number; the default when it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"{key!r} must be a number, not {_kind(value)}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(f"{key!r} is out of range")
        return number

    def amount(self, key: str, default: float = 0.0) -> float:
        """A finite number that isn't negative."""
        value = self.number(key, default)
        if value is None or value < 0:
            raise self.error(f"{key!r} must not be negative")
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """An object; empty when absent or null."""
        value = self.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(f"{key!r} must be an object, not {_kind(value)}")
        return value

    def items(self, key: str) -> list[Any]:
        """A list; empty when absent or null."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(f"{key!r} must be a list, not {_kind(value)}")
        return value

    def inner(self, key: str) -> "Fields | None":
        """An object as fields of its own; None when absent or null."""
        return None if self.data.get(key) is None else Fields(self.file, self.line, self.mapping(key))


def _at(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", str: "a string", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def _mended(value: Any) -> Any:
    """The value with half surrogate pairs replaced, which no text encoding can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
