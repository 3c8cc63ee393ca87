"""Queries laid out so that a person can read them and a console still takes them: white space means nothing."""

import re
from collections.abc import Iterator
from itertools import pairwise

_STEP = "  "
# Operators between two operands, the loosest binding first: a query is parted at those.
_OPERATORS = tuple(
    re.compile(rf" (?:{each}) ", re.IGNORECASE)
    for each in ("or", "and|unless", r"[<>]=?|==|!=", r"[-+]", r"[*/%]", r"\^")
)
_QUOTES = "\"'`"


def laid_out(query: str, width: int) -> str:
    """A query on several lines where it doesn't fit one: a line for each operand, and for what a call is made of.

    Args:
        query: In any language whose white space outside of quotes means nothing.
        width: How wide a line may be; longer ones remain where nothing can be parted.
    """
    text = query.strip()
    return text if "\n" in text else "\n".join(line.rstrip() for line in _lines(text, width, ""))


def _lines(text: str, width: int, indent: str) -> Iterator[str]:
    if len(indent) + len(text) <= width:
        yield indent + text
        return
    if cuts := _cuts(text):
        for start, end in pairwise([0, *cuts, len(text)]):
            yield from _lines(text[start:end].strip(), width, indent)
        return
    group = _widest_group(text)
    if group is None:
        yield indent + text
        return
    opening, closing = group
    yield indent + text[: opening + 1].strip()
    yield from _lines(text[opening + 1 : closing].strip(), width, indent + _STEP)
    yield from _lines(text[closing:].strip(), width, indent)


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Every character outside of quotes, with its place and how many parentheses are open after it."""
    depth, quote, escaped = 0, "", False
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote and not escaped else quote
            escaped = char == "\\" and not escaped
            continue
        if char in _QUOTES:
            quote = char
        depth += (char in "([{") - (char in ")]}")
        yield place, char, depth


def _cuts(text: str) -> list[int]:
    """Where the loosest operators outside of quotes and parentheses begin."""
    outside = {place for place, _, depth in _scan(text) if depth == 0}
    for operator in _OPERATORS:
        found = [match.start() + 1 for match in operator.finditer(text) if match.start() in outside]
        if found:
            return found
    return []


def _widest_group(text: str) -> tuple[int, int] | None:
    """The longest outermost pair of parentheses: where it opens and closes; None without a pair worth parting."""
    opened, best = -1, None
    for place, char, depth in _scan(text):
        if char == "(" and depth == 1:
            opened = place
        elif char == ")" and depth == 0 and opened >= 0:
            if best is None or place - opened > best[1] - best[0]:
                best = (opened, place)
            opened = -1
    return best if best and best[1] - best[0] > 1 else None
