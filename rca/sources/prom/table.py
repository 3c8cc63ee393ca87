"""A TOML table that is read key by key, with every complaint saying where it is."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from rca.errors import ConfigError
from rca.sources.prom.promql import LABEL_NAME, faults

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Table:
    """A TOML table that is read key by key; what is wrong is said with the place it is at.

    Every method raises `ConfigError` when the value isn't of its kind.
    """

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._left = dict(data)
        self.where = where

    def error(self, what: str) -> ConfigError:
        """The complaint, with the place it is about."""
        return ConfigError(f"{self.where}: {what}", hint="docs/packs.md has the format")

    def take(self, key: str) -> Any:
        """A key's value, which counts as read."""
        return self._left.pop(key, None)

    def has(self, key: str) -> bool:
        """Whether a key is there and not yet read."""
        return key in self._left

    def finish(self) -> None:
        """Refuse what nobody read: a misspelt key must not pass silently."""
        if self._left:
            raise self.error(f"unknown key {min(self._left)!r}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank; required without a default."""
        value = self.take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{key} must be a text" + (" and is missing" if value is None else ""))
        return value

    def name(self) -> str:
        """The `name`, which from then on says where a complaint is about."""
        value = self.text("name")
        if not _NAME.fullmatch(value):
            raise self.error(f"the name {value!r} must be lower case letters, digits and _")
        self.where = f"{self.where}: {value}"
        return value

    def number(self, key: str, default: float) -> float:
        """A number, zero or above."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.error(f"{key} must be a number, zero or above")
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false; false when missing."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(f"{key} must be true or false")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when missing."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(f"{key} must be a list of texts")
        return tuple(value)

    def labels(self, key: str) -> tuple[str, ...]:
        """A list of labels' names."""
        found = self.texts(key)
        for label in found:
            if not LABEL_NAME.fullmatch(label):
                raise self.error(f"{key}: {label!r} is not a label's name")
        return found

    def patterns(self, key: str) -> tuple[str, ...]:
        """A list of metric names or patterns that a server understands too (RE2)."""
        found = self.texts(key)
        for pattern in found:
            try:
                re.compile(pattern)
            except re.error as error:
                raise self.error(f"{key}: {pattern!r} is not a pattern: {error}") from error
            if "(?" in pattern.replace("(?:", "") or re.search(r"\\\d", pattern):
                raise self.error(f"{key}: {pattern!r} looks around or back, which a server's RE2 cannot")
            if pattern.startswith((".*", ".+")) and not re.search(r"[a-z]{4}", pattern):
                raise self.error(f"{key}: {pattern!r} would match nearly every metric")
        return found

    def choice(self, key: str, choices: type[StrEnum], default: Any) -> Any:
        """One of the values of an enumeration."""
        value = self.take(key)
        if value is None:
            return default
        try:
            return choices(value)
        except ValueError:
            raise self.error(f"{key} is {value!r}, not one of {', '.join(choices)}") from None

    def template(self, key: str, default: str | None = None) -> str:
        """A query's template, or a selector's."""
        query = self.text(key, default)
        for fault in faults(query) if query else ():
            raise self.error(f"{key}: {fault}")
        return query

    def tables(self, key: str) -> list["Table"]:
        """An array of tables."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"{key} must be tables: [[{key}]]")
        return [Table(item, f"{self.where}, {key} {number}") for number, item in enumerate(value, 1)]
