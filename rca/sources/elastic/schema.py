"""Log schemas: which field plays which role, and what its values mean. Each is one TOML file.

A schema file holds `priority` (lower is preferred), `[roles]` with candidate fields by role, best first,
`[levels]` with words for levels, and `[scales.FIELD]` for levels that are numbers; for indices of
changes, `[events]` with candidate fields by role, and `[event_kinds]` with what a value of the kind's field means.
All schemas are merged into one `Schema`: logs arrive mixed, so each document is read by the best candidate that it
has.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from rca.errors import ConfigError
from rca.model.incident import EventKind

_USERS_PRIORITY = 0
_SEE = "docs/packs.md has the form of a log schema."
_KEYS = {"priority", "roles", "levels", "scales", "events", "event_kinds"}


class Role(StrEnum):
    """What a field is to us."""

    TIMESTAMP = "timestamp"
    SERVICE = "service"
    LEVEL = "level"
    MESSAGE = "message"
    TRACE = "trace"
    SPAN = "span"
    INSTANCE = "instance"
    ERROR = "error"
    ERROR_TYPE = "error_type"
    STACK = "stack"
    PEER = "peer"


class EventRole(StrEnum):
    """What a field of a recorded change is to us."""

    TIMESTAMP = "timestamp"
    SERVICE = "service"
    KIND = "kind"
    TITLE = "title"
    COMMIT = "commit"
    DETAILS = "details"


@dataclass(frozen=True, slots=True)
class Schema:
    """Every known schema, merged.

    Attributes:
        roles: Candidate fields by role, best first.
        levels: Words for levels in lower case, to the level's name.
        scales: By field, bounds in ascending order and the level that begins at each.
        events: Candidate fields of recorded changes by role, best first.
        event_kinds: Values of their kind's field in lower case, to the kind of change.
    """

    roles: Mapping[Role, tuple[str, ...]]
    levels: Mapping[str, str]
    scales: Mapping[str, tuple[tuple[float, str], ...]]
    events: Mapping[EventRole, tuple[str, ...]] = field(default_factory=dict)
    event_kinds: Mapping[str, EventKind] = field(default_factory=dict)

    def candidates(self, role: Role) -> tuple[str, ...]:
        """The fields that may play a role, best first."""
        return self.roles.get(role, ())

    def level(self, field: str, value: object) -> str:
        """A raw value of a level field as one of our level names.

        Args:
            field: The field it comes from; numbers mean different things in different fields.
            value: A text or a number, as the document or a bucket's key has it.

        Returns:
            An upper-case name; empty for an empty value.
        """
        text = str(value).strip()
        number = _number(text)
        scale = self.scales.get(field.removesuffix(".keyword"))
        if number is not None and scale:
            position = bisect_right([bound for bound, _ in scale], number)
            return scale[position - 1][1] if position else scale[0][1]
        return self.levels.get(text.casefold(), text.upper())


def load_schemas(folder: Path | None = None) -> Schema:
    """The schemas that ship with the tool, and the user's own before them.

    Raises:
        ConfigError: The folder isn't there, or a file of it can't be used.
    """
    shipped = sorted(_toml_files(resources.files("rca") / "schemas"), key=lambda item: item.name)
    files: list[tuple[int, Traversable]] = [(1, file) for file in shipped]
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"the folder of log schemas {folder} isn't there", hint="See elasticsearch.schemas.")
        files += [(0, file) for file in sorted(folder.glob("*.toml"))]
    parsed = [(origin, file.name, _parse(file)) for origin, file in files]
    parsed.sort(key=lambda item: (item[0], item[2].get("priority", _USERS_PRIORITY), item[1]))
    return merge(content for _, _, content in parsed)


def merge(contents: Iterable[Mapping[str, Any]]) -> Schema:
    """Schemas, the most preferred first, as one: earlier ones win."""
    roles: dict[Role, dict[str, None]] = {}
    levels: dict[str, str] = {}
    scales: dict[str, tuple[tuple[float, str], ...]] = {}
    events: dict[EventRole, dict[str, None]] = {}
    kinds: dict[str, EventKind] = {}
    for content in contents:
        for role, fields in content.get("events", {}).items():
            events.setdefault(EventRole(role), {}).update(dict.fromkeys(fields))
        for word, kind in content.get("event_kinds", {}).items():
            kinds.setdefault(word.casefold(), EventKind(kind))
        for role, fields in content.get("roles", {}).items():
            roles.setdefault(Role(role), {}).update(dict.fromkeys(fields))
        for word, level in content.get("levels", {}).items():
            levels.setdefault(word.casefold(), level.upper())
        for name, scale in content.get("scales", {}).items():
            bounds = tuple(sorted((float(bound), level.upper()) for bound, level in scale.items()))
            scales.setdefault(name, bounds)
    return Schema(
        {role: tuple(fields) for role, fields in roles.items()},
        levels,
        scales,
        {role: tuple(fields) for role, fields in events.items()},
        kinds,
    )


def _toml_files(folder: Traversable) -> Iterable[Traversable]:
    return (item for item in folder.iterdir() if item.name.endswith(".toml"))


def _parse(file: Traversable) -> dict[str, Any]:
    """One file's content, checked.

    Raises:
        ConfigError: It isn't TOML, or holds what no schema holds.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"the log schema {file} can't be read: {error}", hint=_SEE) from None
    problem = _problem(content)
    if problem:
        raise ConfigError(f"the log schema {file} can't be used: {problem}", hint=_SEE)
    return content


def _problem(content: Mapping[str, Any]) -> str:
    """What is wrong with a schema; empty when nothing is."""
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        return f"unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}"
    if not isinstance(content.get("priority", 0), int):
        return "priority isn't a whole number"
    for key in sorted(_KEYS - {"priority"}):
        if not isinstance(content.get(key, {}), dict):
            return f"{key} isn't a table"
    if not all(isinstance(level, str) for level in content.get("levels", {}).values()):
        return "a level isn't a text"
    problems = (
        *map(partial(_role_problem, Role), *_columns(content, "roles")),
        *map(partial(_role_problem, EventRole), *_columns(content, "events")),
        *(
            f"{kind!r} is no kind of change; known are {', '.join(EventKind)}"
            for kind in content.get("event_kinds", {}).values()
            if kind not in list(EventKind)
        ),
        *map(_scale_problem, *_columns(content, "scales")),
    )
    return next(filter(None, problems), "")


def _columns(content: Mapping[str, Any], key: str) -> tuple[list[str], list[Any]]:
    table = content.get(key, {})
    return list(table), list(table.values())


def _role_problem(roles: type[StrEnum], role: str, fields: object) -> str:
    if role not in list(roles):
        return f"unknown role {role!r}; known are {', '.join(roles)}"
    if not isinstance(fields, list) or not all(isinstance(field, str) and field for field in fields):
        return f"role {role!r} isn't a list of field names"
    return ""


def _scale_problem(field: str, scale: object) -> str:
    usable = isinstance(scale, dict) and all(
        _number(bound) is not None and isinstance(level, str) for bound, level in scale.items()
    )
    return "" if usable else f"the scale of {field!r} isn't a table of numbers to levels"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
