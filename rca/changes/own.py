"""A user's own vocabulary files, held to the form of those that ship: no word in them is silently ignored."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rca.errors import ConfigError

_PATTERNS = frozenset({"ignored", "shared", "language", "skip", "patterns", "unless", "against", "logs"})
_SHARES = frozenset({"potency", "weight", "least", "effects"})
_AT_LINE = re.compile(r"\(at line (\d+)")
_KINDS = "kinds"
_NAMES_KIND = ("kind", "less", "more")


def read(
    folder: Path, files: Sequence[str], shipped: Callable[[str], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The documents of a folder, by their names.

    Args:
        folder: Holds some of the files.
        files: Their names, without `.toml`.
        shipped: The document of that name that ships, to whose form the user's is held.

    Raises:
        ConfigError: There is none, or one isn't as it should be; with file, line and reason.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"there is no folder {folder} with a vocabulary",
            hint="Name the folder with --vocabulary (set elsewhere? rca config show); see docs/changes.md.",
        )
    found: dict[str, _File] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stem not in files:
            raise _File(path, "", {}).error(f"no vocabulary file has this name; {_meant(path.stem, files)}")
        found[path.stem] = _open(path)
    if not found:
        raise ConfigError(f"{folder} holds no vocabulary file", hint=f"They are {', '.join(files)}, each .toml.")
    for name, file in found.items():
        _check(file, name, shipped(name))
    _check_names(found, shipped)
    return {name: file.document for name, file in found.items()}


class _File:
    """One file, and where in it things stand."""

    def __init__(self, path: Path, text: str, document: dict[str, Any]) -> None:
        self.path = path
        self.document = document
        self._lines = text.split("\n")

    def error(self, what: str, *places: str) -> ConfigError:
        """An error that names the file, and the line that is found by following some patterns in turn."""
        line = 0
        for place in places:
            rest = range(line, len(self._lines))
            line = next((n + 1 for n in rest if re.match(place, self._lines[n])), line)
        where = f"{self.path}:{line}" if line else f"{self.path}"
        return ConfigError(
            f"{where}: {what}", hint="Compare it with the vocabulary's description, docs/changes.md."
        )


def _open(path: Path) -> _File:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}", hint="Check it, or take it away.") from error
    try:
        return _File(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        match = _AT_LINE.search(str(error))
        line = int(match[1]) if match else len(text.splitlines())  # else it says "at end of document"
        raise ConfigError(
            f"{path}:{line}: not valid TOML: {error}", hint="Mend that line, then try again."
        ) from error


def _check(file: _File, name: str, model: Mapping[str, Any]) -> None:
    """Hold a document to the form of the one that ships."""
    if name == _KINDS:
        for kind, row in file.document.items():
            _check_row(file, kind, row, list(model.values()), (_header(kind),))
        return
    for key, value in file.document.items():
        place = rf"\s*(?:\[{{1,2}}\s*)?\"?{re.escape(key)}\"?\s*[=\].]"
        if key not in model:
            raise file.error(f"unknown key '{key}'; {_meant(key, list(model))}", place)
        example = model[key]
        if isinstance(example, list) and example and isinstance(example[0], dict):
            if not isinstance(value, list):
                raise file.error(f"write [[{key}]], a table for each", place)
            for number, row in enumerate(value):
                _check_row(file, key, row, example, _headers(key, number))
        else:
            _check_value(file, key, value, [example], (place,))


def _check_row(
    file: _File, key: str, row: Any, examples: Sequence[Mapping[str, Any]], at: tuple[str, ...]
) -> None:
    """Hold a table to those that ship: what all of them have is needed, what none of them has is a mistake."""
    if not isinstance(row, dict):
        raise file.error(f"'{key}' must be a table", *at)
    known = list(dict.fromkeys(column for example in examples for column in example))
    for column, value in row.items():
        place = (*at, _key(column))
        if column not in known:
            raise file.error(f"unknown key '{column}'; {_meant(column, known)}", *place)
        _check_value(file, column, value, [one[column] for one in examples if column in one], place)
    for column in known:
        if column not in row and all(column in example for example in examples):
            raise file.error(f"'{column}' is missing in '{key}'", *at)


def _check_value(file: _File, key: str, value: Any, examples: Sequence[Any], at: tuple[str, ...]) -> None:
    if not any(_alike(value, example) for example in examples):
        raise file.error(f"'{key}' must be {_described(examples[0])}", *at)
    for part in _parts(value):
        if key in _SHARES and isinstance(part, int | float) and not 0 <= part <= 1:
            raise file.error(f"'{key}' must lie between 0 and 1, not at {part}", *at)
        if key in _PATTERNS and isinstance(part, str):
            try:
                re.compile(part)
            except re.error as error:
                raise file.error(f"'{part}' is no regular expression: {error}", *at) from error


def _check_names(found: Mapping[str, _File], shipped: Callable[[str], Mapping[str, Any]]) -> None:
    """Kinds and symptoms that are named somewhere must be described somewhere."""
    own = {name: file.document for name, file in found.items()}
    kinds = [*shipped(_KINDS), *own.get(_KINDS, {})]
    rows = [*shipped("symptoms")["symptom"], *own.get("symptoms", {}).get("symptom", [])]
    symptoms = [row["name"] for row in rows]
    for name in ("quantities", "gone", "added"):
        for key, table in own.get(name, {}).items():
            for number, row in enumerate(table):
                unknown = [row[column] for column in _NAMES_KIND if row.get(column, kinds[0]) not in kinds]
                if unknown:
                    what = f"no kind is called '{unknown[0]}'; {_meant(unknown[0], kinds)}"
                    raise found[name].error(what, *_headers(key, number), rf".*=\s*\"{re.escape(unknown[0])}\"")
    for kind, row in own.get(_KINDS, {}).items():
        for symptom in row["effects"]:
            if symptom not in symptoms:
                raise found[_KINDS].error(
                    f"no symptom is called '{symptom}'; {_meant(symptom, symptoms)}",
                    _header(kind),
                    _key("effects"),
                )


def _headers(key: str, number: int) -> tuple[str, ...]:
    """Patterns that lead to the table of that number in a list of them."""
    return (rf"\s*\[\[\s*{re.escape(key)}\s*\]\]",) * (number + 1)


def _header(name: str) -> str:
    return rf"\s*\[\s*\"?{re.escape(name)}\"?\s*\]"


def _key(name: str) -> str:
    return rf"\s*\"?{re.escape(name)}\"?\s*="


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _parts(item)
    else:
        yield value


def _alike(value: Any, example: Any) -> bool:
    """Whether a value has the type of another one, through lists and tables."""
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(example, bool) and isinstance(value, bool)
    if isinstance(example, int | float):
        return isinstance(value, int | float)
    if isinstance(example, list):
        return isinstance(value, list) and all(_alike(item, example[0]) for item in value)
    if isinstance(example, dict):
        first = next(iter(example.values()))
        return isinstance(value, dict) and all(_alike(item, first) for item in value.values())
    return isinstance(value, str)


def _described(example: Any) -> str:
    if isinstance(example, list):
        return "a list of texts"
    if isinstance(example, dict):
        return "a table"
    return {bool: "true or false", str: "a text"}.get(type(example), "a number")


def _meant(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(known)[:20])}"
