"""Reading single values of a topology document, with errors that say where they stand."""

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from topology.errors import Path, TopologyError
from topology.graph import NodeKind

_LONGEST_SHOWN = 60

_KIND_ALIASES = {
    "app": NodeKind.SERVICE,
    "broker": NodeKind.QUEUE,
    "datastore": NodeKind.DATABASE,
    "db": NodeKind.DATABASE,
    "ingress": NodeKind.GATEWAY,
    "kafka": NodeKind.QUEUE,
    "node": NodeKind.HOST,
    "proxy": NodeKind.GATEWAY,
    "redis": NodeKind.CACHE,
    "sql": NodeKind.DATABASE,
    "third-party": NodeKind.EXTERNAL,
    "topic": NodeKind.QUEUE,
}


def shorten(word: str) -> str:
    """A word short enough for an error."""
    return word if len(word) <= _LONGEST_SHOWN else word[:_LONGEST_SHOWN] + "…"


def describe(value: object) -> str:
    """What a value is, in the words of somebody who writes YAML."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {shorten(value)!r}"
    words = {type(None): "nothing", dict: "a mapping", list: "a list"}
    return words.get(type(value), shorten(f"{type(value).__name__} {value}"))


def service_name(value: object, path: Path, *, strict: bool = True) -> str:
    """A service's name; `strict` for one that a person wrote, otherwise any text goes, as it is.

    Raises:
        TopologyError: It isn't text (YAML reads `no` and `12` as other things), is empty, or has control codes.
    """
    if not isinstance(value, str):
        hint = "put the name in quotes"
        if isinstance(value, bool):
            hint = f"YAML reads yes, no, on and off as true and false: {hint}"
        if value is None or isinstance(value, Mapping | list):
            hint = ""
        raise TopologyError(f"a service's name is text, and this is {describe(value)}", hint=hint, path=path)
    if not strict:
        return value
    name = value.strip()
    if not name:
        raise TopologyError("a service's name is empty", hint="name the service or remove the entry", path=path)
    if not name.isprintable():
        raise TopologyError(f"the name {shorten(name)!r} has control characters", hint="remove them", path=path)
    return name


def text(value: object, path: Path) -> str:
    """A line of text; nothing is the empty one.

    Raises:
        TopologyError: It is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TopologyError(f"text is needed, and this is {describe(value)}", hint="put it in quotes", path=path)
    return value


def number(value: object, path: Path, *, at_most: float = math.inf) -> float:
    """A finite number from 0 to `at_most`.

    Raises:
        TopologyError: It is something else.
    """
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= at_most
    if not usable or value == math.inf:
        bounds = "0 or more" if at_most == math.inf else f"from 0 to {at_most:g}"
        raise TopologyError(f"a number, {bounds}, is needed, and this is {describe(value)}", path=path)
    try:
        return float(value)  # type: ignore[arg-type]  # `usable` said that it is a number
    except OverflowError:
        raise TopologyError("the number is too large", path=path) from None


def kind(value: object, path: Path) -> NodeKind:
    """A node's kind; nothing is `unknown`.

    Raises:
        TopologyError: There is no such kind.
    """
    word = text(value, path).strip().lower()
    if not word:
        return NodeKind.UNKNOWN
    if word in set(NodeKind):
        return NodeKind(word)
    meant = _KIND_ALIASES.get(word) or next(iter(get_close_matches(word, list(NodeKind), 1)), None)
    hint = f"did you mean {meant}? " if meant else ""
    raise TopologyError(
        f"there is no kind {shorten(word)!r}", hint=f"{hint}kinds are {', '.join(NodeKind)}", path=path
    )


def mapping(value: object, path: Path, *, what: str) -> Mapping[Any, Any]:
    """A mapping; nothing is the empty one.

    Raises:
        TopologyError: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TopologyError(f"{what} is a mapping, and this is {describe(value)}", path=path)
    return value


def sequence(value: object, path: Path, *, what: str) -> list[Any]:
    """A list; nothing is the empty one.

    Raises:
        TopologyError: It is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise TopologyError(f"{what} is a list, and this is {describe(value)}", path=path)
    return value


def only_keys(entry: Mapping[Any, Any], known: Iterable[str], path: Path) -> None:
    """Refuse keys that mean nothing here: a misspelt one would be lost in silence.

    Raises:
        TopologyError: There is such a key; the nearest known one is suggested.
    """
    known = tuple(known)
    for key in entry:
        if key in known:
            continue
        near = get_close_matches(str(key).lower(), [word for word in known if word not in entry], 1)
        hint = f"did you mean {near[0]!r}?" if near else f"keys here are {', '.join(known)}"
        raise TopologyError(f"unknown key {shorten(str(key))!r}", hint=hint, path=(*path, str(key)))


def plain(value: object, path: Path) -> Any:
    """A label's value as JSON has it: text, numbers, truth values, lists, mappings; dates become text.

    Raises:
        TopologyError: It is none of these.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list():
            return [plain(item, (*path, position)) for position, item in enumerate(value)]
        case Mapping():
            return {str(key): plain(item, (*path, str(key))) for key, item in value.items()}
    if hasattr(value, "isoformat"):  # what YAML reads as a date or a time
        return value.isoformat()
    raise TopologyError(f"a label can't be {describe(value)}", hint="put it in quotes", path=path)
