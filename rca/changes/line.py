"""What is asked of one line: what it calls, what it turns into another type, how it is told."""

import re
from collections.abc import Sequence

from rca.changes.diff import FileDiff, split_words
from rca.changes.texts import cut
from rca.changes.tokens import Tokens
from rca.changes.values import Value, value_of

HELPER = 0.24
"""Potency of a call to a function of the same code, which isn't shown."""
MODIFIERS = frozenset(
    {"public", "private", "protected", "internal", "export", "pub", "final", "const", "readonly"}
    | {"var", "let", "val", "auto", "mut"}
)
"""Words that say who may see or change a name, not what is done."""
OPERATORS = frozenset(
    {
        "<",
        "<=",
        ">",
        ">=",
        "==",
        "!=",
        "===",
        "!==",
        "&&",
        "||",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "is",
        "not",
        "and",
        "or",
        "<<",
        ">>",
        "??",
    }
)
_COLLECTIONS = re.compile(r"list|set|dict|map|array", re.IGNORECASE)
TYPES = re.compile(
    r"(?:u?int(?:8|16|32|64)?|integer|smallint|bigint|float(?:32|64)?|double|decimal|bigdecimal|long|short|byte|bool(?:ean)?"
    r"|str|string|text|varchar|char|number|date|datetime|timestamp|list|set|dict|map|array|any|uuid|numeric|real|json)",
    re.IGNORECASE,
)
_PARSES = re.compile(r"^(?:parse|to|as)_?(?=[A-Za-z])")


def values(tokens: Sequence[str]) -> list[Value]:
    """The numbers among tokens."""
    return [value for token in tokens if (value := value_of(token)) is not None]


def converts(name: str, at: Tokens) -> bool:
    """Whether a name is a type, or a parser of one, that something is turned into here."""
    return (
        TYPES.fullmatch(_PARSES.sub("", name)) is not None
        and not _COLLECTIONS.fullmatch(name)
        and is_called(name, at)
    )


def is_called(name: str, at: Tokens) -> bool:
    """Whether a line calls something by that name."""
    place = at.tokens.index(name) if name in at.tokens else -1
    return place >= 0 and at.tokens[place + 1 : place + 2] == ("(",)


def is_path(file: FileDiff, token: str) -> bool:
    """The end of an address: whether it ends in a slash says what is called."""
    return file.config_like and token[:1] == "/"


def is_text(token: str) -> bool:
    """Whether a token is a text in quotes."""
    return token[:1] in {'"', "'", "`"}


def about(line: Tokens) -> str:
    """A line in its first words."""
    words = split_words(line.line.code).split()
    return f"`{cut(' '.join(words[:4]))}`"
