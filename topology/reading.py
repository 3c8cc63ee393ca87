"""YAML and JSON from files that may be wrong, huge or hostile."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from topology.errors import Path, TopologyError

if TYPE_CHECKING:
    import yaml

LineOf = Callable[[Path], int | None]
"""Gives the line (from 1) of a place in a document, where it is known."""

MAX_VALUES = 200_000
"""More values than this, aliases counted as often as they are used, is a bomb and no topology."""

_MAX_DEPTH = 40


def read_json(content: str, name: str) -> tuple[Any, LineOf]:
    """Read JSON, refusing repeated keys, NaN and infinities.

    Raises:
        TopologyError: It isn't such JSON.
    """
    try:
        document = json.loads(content, object_pairs_hook=_object, parse_constant=_constant)
    except TopologyError as error:
        raise error.located(name) from None
    except json.JSONDecodeError as error:
        what = f"is not JSON: {error.msg}, column {error.colno}"
        hint = "Check the quotes, commas and brackets there."
        raise TopologyError(what, hint=hint, name=name, line=error.lineno) from error
    except RecursionError as error:
        raise TopologyError("is nested too deeply", name=name) from error
    except ValueError as error:  # an integer with thousands of digits
        raise TopologyError(f"has a value that can't be used: {error}", name=name) from error
    return document, lambda _path: None


def read_yaml(content: str, name: str) -> tuple[Any, LineOf]:
    """Read YAML by the safe loader, refusing repeated keys, recursion and aliases that multiply.

    Raises:
        TopologyError: It isn't such YAML.
    """
    import yaml  # noqa: PLC0415 - heavy, and needed only where a file is read

    try:
        loader = yaml.SafeLoader(content)  # the C loader ends the process where brackets nest 100,000 deep
        root = loader.get_single_node()
        if root is None:
            return None, lambda _path: None
        lines = {path: node.start_mark.line + 1 for path, node in _walk(root)}
        document = loader.construct_document(root)
    except TopologyError as error:
        raise error.located(name, error.line) from None
    except yaml.YAMLError as error:
        raise _yaml_error(error, name) from error
    except RecursionError as error:
        raise TopologyError("is nested too deeply", name=name) from error
    except ValueError as error:  # a date that doesn't exist, an integer with thousands of digits
        hint = "put it in quotes"
        raise TopologyError(f"has a value that can't be used: {error}", hint=hint, name=name) from error

    def line_of(path: Path) -> int | None:
        while path and path not in lines:
            path = path[:-1]
        return lines[path] if path else None

    return document, line_of


def _yaml_error(error: "yaml.YAMLError", name: str) -> TopologyError:
    """What the parser says, on one line and with the line's number."""
    mark = getattr(error, "problem_mark", None)
    said = [getattr(error, part, None) for part in ("context", "problem", "reason")]
    what = ", ".join(part for part in said if isinstance(part, str))
    hint = "check the indentation and the quotes there"
    return TopologyError(f"is not YAML: {what}", hint=hint, name=name, line=mark.line + 1 if mark else None)


def _walk(root: "yaml.Node") -> Iterator[tuple[Path, "yaml.Node"]]:
    """Every value and its place, an aliased one as often as it is used.

    Raises:
        TopologyError: A key repeats in a mapping, or the values are too many or too deep (which a value that holds
            itself always is).
    """
    count = 0
    todo: list[tuple[Path, yaml.Node]] = [((), root)]
    while todo:
        path, node = todo.pop()
        yield path, node
        count += 1
        line = node.start_mark.line + 1
        if count > MAX_VALUES or len(path) > _MAX_DEPTH:
            raise TopologyError(
                "is nested too deeply or has too many values", hint="write it without aliases", line=line
            )
        todo += _children(path, node)


def _children(path: Path, node: "yaml.Node") -> list[tuple[Path, "yaml.Node"]]:
    import yaml  # noqa: PLC0415 - as above

    if isinstance(node, yaml.SequenceNode):
        return [((*path, position), item) for position, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return []
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        word = str(key.value)
        if word in found:
            line = key.start_mark.line + 1
            raise TopologyError(f"{word!r} is there twice", hint="keep one of them", path=path, line=line)
        found[word] = value
    return [((*path, word), value) for word, value in found.items()]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise TopologyError(f"{key!r} is there twice in one object", hint="keep one of them")
        found[key] = value
    return found


def _constant(word: str) -> NoReturn:
    raise TopologyError(f"has {word}, which is no number", hint="remove it")
