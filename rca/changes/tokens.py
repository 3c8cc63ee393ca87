"""Tokens of a line, comparable between the old and the new way of writing it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeAlias

from rca.changes.diff import FileDiff, Line
from rca.changes.values import canonical, quantity_of, unit_in
from rca.changes.vocabulary import Quantity, Vocabulary

_CODE = re.compile(
    r"⟦[^⟧]*⟧|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[A-Za-z_$@][\w$]*"
    r"|:=|===|!==|==|!=|<=|>=|=>|->|&&|\|\||\+\+|--|\+=|-=|\*=|<<|>>|\?\.|\?\?|::|<-|\.\.\.|[^\s\w]"
)
_CONFIG = re.compile(r"⟦[^⟧]*⟧|[^\s,\"'\[\]{}()=;⟦⟧]+")
_FLIPPED = re.compile(r"([\w.]+(?:\(\))?|⟦[^⟧]*⟧)\s*(>=|>)\s*([\w.]+(?:\(\))?|⟦[^⟧]*⟧)(?=[\s;)&|:]|$)")
_ALIAS = re.compile(r"\b[A-Za-z]\w{0,2}\.(?=\w)|\s+AS\s+[A-Za-z]\w{0,2}\b", re.IGNORECASE)
_FORMATTED = re.compile(r"\b[fFrRbBu]{1,2}(?=[\"'])")  # a prefix of a Python string
_TEMPLATE = re.compile(r"`(?:\\.|[^`\\])*`")
_PYTHON_TEMPLATE = re.compile(r"\b[rR]?[fF][rR]?(?:\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)')")
_FILLED_SCRIPT, _FILLED_PYTHON = re.compile(r"\$\{([^{}]*)\}"), re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")
_FORMAT_CALL = re.compile(r"(\"(?:[^\"{}]|\{\})*\"|'(?:[^'{}]|\{\})*')\.format\(([^()]*)\)")
_BRACKETED = re.compile(r"\[[\"'](\w+)[\"']\]")
_NOISE = frozenset(",;")
_CONTEXT = 4


Segment: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


def differences(old: Sequence[str], new: Sequence[str]) -> list[Segment]:
    """Where two lists of tokens differ: what was there and what is there now, in order."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = tuple(old[head : len(old) - tail]), tuple(new[head : len(new) - tail])
    if not a or not b or len(a) == len(b) == 1:
        return [(a, b)] if a or b else []
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [(a[i:j], b[k:m]) for step, i, j, k, m in steps if step != "equal"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A line's tokens, and what its numbers are."""

    line: Line
    tokens: tuple[str, ...]
    quantity: Quantity | None


def runs(lines: Sequence[Tokens]) -> list[tuple[list[Tokens], list[Tokens]]]:
    """The removed and the added lines of each run of changed lines, in order."""
    found: dict[int, tuple[list[Tokens], list[Tokens]]] = {}
    for line in lines:
        if line.line.block >= 0:
            found.setdefault(line.line.block, ([], []))[line.line.sign == "+"].append(line)
    return list(found.values())


def tokenize(file: FileDiff, vocabulary: Vocabulary) -> tuple[Tokens, ...]:
    """Every line of a file that can do harm, in order, with its tokens."""
    made: list[Tokens] = []
    recent: list[str] = []
    before: list[Line] = []
    around = file.header.lower()
    for line in file.lines:
        if not line.code:
            continue
        quantity = quantity_of(line.words, vocabulary)
        if quantity is None and any(ch.isdigit() for ch in line.code):
            for words in (*_enclosing(line, before), *reversed(recent[-_CONTEXT:]), around):
                quantity = quantity or quantity_of(words, vocabulary)
        if line.sign != "-":
            recent.append(line.words)
            before.append(line)
        made.append(Tokens(line, _tokens(line.code, line.words, file, quantity), quantity))
    return tuple(made)


def _enclosing(line: Line, before: Sequence[Line]) -> Iterator[str]:
    """The words of the lines that a line stands under, by indentation, the nearest first, however far above."""
    indent = line.indent
    for other in reversed(before):
        if other.indent < indent:
            indent = other.indent
            yield other.words


def _tokens(code: str, words: str, file: FileDiff, quantity: Quantity | None) -> tuple[str, ...]:
    family = quantity.family if quantity else "count"
    text = canonical(code, family, unit_in(words) if family == "time" else "")
    if file.config_like:
        return tuple(token for token in _CONFIG.findall(text) if token not in {"-", ":"})
    if file.language == "sql":
        text = _ALIAS.sub("", text)
        return tuple(
            token if token[0] in "'\"⟦" else token.upper() for token in _CODE.findall(text) if token not in _NOISE
        )
    text = _filled(text, file.language)
    if file.language == "script":
        text = _BRACKETED.sub(r".\1", text)
    text = _FLIPPED.sub(lambda match: f"{match[3]} {'<=' if match[2] == '>=' else '<'} {match[1]}", text)
    return tuple(_quotes(token) for token in _CODE.findall(text) if token not in _NOISE)


def _filled(text: str, language: str) -> str:
    """A text with holes as the text and what fills it: `"a{}b" x` of `f"a{x}b"`, a template's likewise."""
    if language == "script" and "${" in text:
        return _TEMPLATE.sub(lambda match: _apart(match[0][1:-1], _FILLED_SCRIPT), text)
    if language == "python" and ".format(" in text:
        text = _FORMAT_CALL.sub(r"\1 \2", text)
    if language == "python" and _FORMATTED.search(text):
        text = _PYTHON_TEMPLATE.sub(lambda match: _apart(match[1] or match[2] or "", _FILLED_PYTHON), text)
        return _FORMATTED.sub("", text)
    return text


def _apart(body: str, holes: re.Pattern[str]) -> str:
    return " ".join([f'"{holes.sub("{}", body)}"', *(match[1] for match in holes.finditer(body))])


def _quotes(token: str) -> str:
    if token[0] in "'`" and len(token) > 1 and '"' not in token:
        return f'"{token[1:-1]}"'
    return token
