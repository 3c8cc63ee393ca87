"""The words that changes and symptoms are told by: TOML files, to which users add their own."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from rca.changes.own import read
from rca.errors import ConfigError

FILES = ("files", "quantities", "gone", "added", "symptoms", "kinds", "elsewhere")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number may be.

    Attributes:
        words: Matches the words of a line that speaks of it.
        family: `time`, `size`, `cpu` or `count`: how a suffix such as `m` is read.
        less: The kind of change when it falls.
        more: The kind of change when it rises.
        tighter: Which direction leaves less room: `less`, `more`, `both`.
        nominal: A name (a port), not a quantity: its ratio tells nothing.
    """

    name: str
    words: re.Pattern[str]
    family: str
    less: str
    more: str
    tighter: str
    nominal: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What another value of a setting that isn't a number can do.

    Attributes:
        looks: By its name it is about how something looks: switching it does at most so much.
    """

    words: re.Pattern[str]
    kind: str
    potency: float
    looks: bool


@dataclass(frozen=True, slots=True)
class Family:
    """Things of one use, none of which understands what another left.

    Attributes:
        members: Matches the words of one.
    """

    name: str
    members: re.Pattern[str]
    kind: str
    potency: float


@dataclass(frozen=True, slots=True)
class Gone:
    """What a service misses when a line is removed and nothing like it is added.

    Attributes:
        words: Over the split words of the code; None without any.
        patterns: Over the code; None without any.
        unless: Over the added code: it came back in another form.
    """

    kind: str
    potency: float
    words: re.Pattern[str] | None
    patterns: re.Pattern[str] | None
    unless: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Added:
    """What does harm when it is added.

    Attributes:
        where: `any`, `loop` or `async`.
        against: What must have been removed with it, or None.
        beside: What must stand in the hunk with it, or None.
        deeper: Only where it moved into a function.
        pure: Only where the lines replace none.
        languages: Only in these; empty for all.
    """

    kind: str
    potency: float
    patterns: re.Pattern[str]
    unless: re.Pattern[str] | None
    where: str
    against: re.Pattern[str] | None
    beside: re.Pattern[str] | None
    deeper: bool
    pure: bool
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """A kind of metric with its direction, as a symptom's sign.

    Attributes:
        words: Of the metric's name, of which one must occur; None for any name.
    """

    kind: str
    up: bool
    words: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Symptom:
    """One way in which a failure shows; `weight` is how much it tells, 0 to 1."""

    name: str
    weight: float
    logs: re.Pattern[str] | None
    metrics: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class KindOfChange:
    """What a kind of change can do.

    Attributes:
        effects: Symptom to affinity, 0 to 1.
        delayed: Its effect may begin long after the change.
        generic: It can do anything, so that what is seen tells little for it.
        loaded: It leaves less room, and does nothing until more comes in.
    """

    text: str
    effects: Mapping[str, float]
    delayed: bool
    generic: bool
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A cause that is none of the changes, told by its words.

    Attributes:
        gain: What it counts for when all new lines speak of it.
        calm: Calm lines tell of it too.
        least: The share of lines that it is taken to have once one speaks of it.
    """

    kind: str
    what: str
    gain: float
    patterns: re.Pattern[str]
    calm: bool
    least: float


Documents = Callable[[str], Mapping[str, Any]]
"""The document of that name, empty where there is none."""


class Vocabulary:
    """Everything the judgement of changes knows of words.

    Each part is read and compiled when it is first asked for: most are about diffs, which few incidents come with.

    Args:
        documents: Whose entries come first, then the next ones'.
    """

    def __init__(self, *documents: Documents) -> None:
        self._documents = documents

    @cached_property
    def ignored(self) -> re.Pattern[str]:
        """Paths of files whose changes do nothing."""
        return _any(self._rows("files", "ignored"))

    @cached_property
    def shared(self) -> re.Pattern[str]:
        """Paths of files that belong to no single service."""
        return _any(self._rows("files", "shared"))

    @cached_property
    def generic(self) -> frozenset[str]:
        """Folders' names that name no service."""
        return frozenset(self._rows("files", "generic"))

    @cached_property
    def languages(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Each language and the paths of its files."""
        return tuple((name, _any(ends)) for name, ends in self._table("files", "language").items())

    @cached_property
    def comments(self) -> Mapping[str, tuple[str, ...]]:
        """What begins a comment, by language."""
        return {name: tuple(marks) for name, marks in self._table("files", "comments").items()}

    @cached_property
    def skip(self) -> re.Pattern[str]:
        """Lines of code that do nothing."""
        return _any(list(self._table("files", "skip").values()))

    @cached_property
    def keep(self) -> re.Pattern[str]:
        """Lines that would be skipped, but do something after all."""
        return _any(list(self._table("files", "keep").values()))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """What numbers may be."""
        return tuple(
            Quantity(
                row["name"], words_pattern(row["words"]), row["family"], row["less"], row["more"],
                row["tighter"], bool(row.get("nominal", False)),
            )
            for row in self._rows("quantities", "quantity")
        )  # fmt: skip

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Settings that aren't numbers."""
        return tuple(
            Setting(words_pattern(row["words"]), row["kind"], float(row["potency"]), bool(row.get("looks", False)))
            for row in self._rows("quantities", "setting")
        )

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """Things that don't understand what another of them left."""
        return tuple(
            Family(row["name"], words_pattern(row["members"]), row["kind"], float(row["potency"]))
            for row in self._rows("quantities", "family")
        )

    @cached_property
    def gone(self) -> tuple[Gone, ...]:
        """What is missed when it is removed."""
        return tuple(
            Gone(
                row["kind"], float(row["potency"]),
                words_pattern(row["words"]) if row.get("words") else None,
                _maybe(row.get("patterns")), _maybe(row.get("unless")),
            )
            for row in self._rows("gone", "gone")
        )  # fmt: skip

    @cached_property
    def added(self) -> tuple[Added, ...]:
        """What does harm when it is added."""
        return tuple(
            Added(
                row["kind"], float(row["potency"]), _any(row["patterns"]), _maybe(row.get("unless")),
                row["where"], _maybe([row["against"]] if "against" in row else None),
                _maybe([row["beside"]] if "beside" in row else None),
                bool(row.get("deeper", False)), bool(row.get("pure", False)), tuple(row.get("languages", ())),
            )
            for row in self._rows("added", "added")
        )  # fmt: skip

    @cached_property
    def symptoms(self) -> tuple[Symptom, ...]:
        """The ways in which failures show."""
        return tuple(
            Symptom(
                row["name"], float(row["weight"]),
                re.compile("|".join(row["logs"]), re.IGNORECASE) if row.get("logs") else None,
                tuple(_sign(text) for text in row.get("metrics", ())),
            )
            for row in self._rows("symptoms", "symptom")
        )  # fmt: skip

    @cached_property
    def stop(self) -> frozenset[str]:
        """Words that tell nothing."""
        return frozenset(self._rows("symptoms", "stop"))

    @cached_property
    def kinds(self) -> Mapping[str, KindOfChange]:
        """What each kind of change can do."""
        return {
            name: KindOfChange(
                row["text"],
                dict(row["effects"]),
                bool(row.get("delayed", False)),
                bool(row.get("generic", False)),
                bool(row.get("loaded", False)),
            )
            for name, row in self._table("kinds").items()
        }

    @cached_property
    def elsewhere(self) -> dict[str, re.Pattern[str]]:
        """Words of what isn't a change, by name."""
        return {
            name: re.compile("|".join(patterns), re.IGNORECASE)
            for name, patterns in self._table("elsewhere", "patterns").items()
        }

    @cached_property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Causes that are none of the changes."""
        return tuple(
            Hypothesis(
                row["kind"], row["what"], float(row["gain"]), re.compile("|".join(row["patterns"]), re.IGNORECASE),
                bool(row.get("calm", False)), float(row.get("least", 0.0)),
            )
            for row in self._rows("elsewhere", "hypothesis")
        )  # fmt: skip

    def _rows(self, name: str, key: str) -> list[Any]:
        return [row for document in self._documents for row in document(name).get(key, [])]

    def _table(self, name: str, key: str | None = None) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for document in reversed(self._documents):
            part = document(name)
            for entry, value in (part.get(key, {}) if key else part).items():
                known = merged.get(entry)
                merged[entry] = [*value, *known] if isinstance(known, list) else value
        return merged


def load(folder: Path | None = None) -> Vocabulary:
    """The vocabulary that ships, with a user's files of the same names added in front.

    Args:
        folder: May hold `files.toml`, `quantities.toml`, `gone.toml`, `added.toml`, `symptoms.toml`, `kinds.toml`,
            `elsewhere.toml`.

    Raises:
        ConfigError: A file isn't what it should be; with its line and the reason.
    """
    if folder is None:
        return shipped()
    own = read(folder, FILES, _shipped_document)
    vocabulary = Vocabulary(lambda name: own.get(name, {}), _shipped_document)
    try:
        for part in _PARTS:  # now, not when an incident needs it
            getattr(vocabulary, part)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise ConfigError(
            f"the vocabulary in {folder} isn't as it should be: {error!r}",
            hint="Compare its files with those of the same names that ship in rca/changes.",
        ) from error
    return vocabulary


@cache
def shipped() -> Vocabulary:
    """The vocabulary that ships."""
    return Vocabulary(_shipped_document)


_PARTS = tuple(name for name, part in vars(Vocabulary).items() if isinstance(part, cached_property))


@cache
def _shipped_document(name: str) -> Mapping[str, Any]:
    path = resources.files(__package__ or "rca.changes") / f"{name}.toml"
    return tomllib.loads(path.read_text("utf-8"))


def _sign(text: str) -> Sign:
    head, _, words = text.partition(":")
    pattern = re.compile("|".join(re.escape(word) for word in words.split(",")), re.IGNORECASE) if words else None
    return Sign(head[:-1], head.endswith("+"), pattern)


def _any(patterns: list[str]) -> re.Pattern[str]:
    flags = re.MULTILINE
    if any(pattern.startswith("(?i)") for pattern in patterns):
        patterns = [f"(?i:{p.removeprefix('(?i)')})" if p.startswith("(?i)") else p for p in patterns]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)", flags)


def _maybe(patterns: list[str] | None) -> re.Pattern[str] | None:
    return _any(patterns) if patterns else None


def words_pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """A pattern over split words: `rate limit*` finds `rate limiter`."""
    parts = []
    for phrase in phrases:
        stem = phrase.endswith("*")
        body = re.escape(phrase.rstrip("*")).replace("\\ ", " ")
        parts.append(r"\b" + body + (r"\w*" if stem else r"\b"))
    return re.compile("|".join(parts))
