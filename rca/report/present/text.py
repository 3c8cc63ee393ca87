"""Text from the outside, made harmless: what can't be seen, or would act on the reader's screen, is spelt out."""

import re
import unicodedata
from collections.abc import Callable, Iterable

ELLIPSIS = "…"
_PERCENT = re.compile(r"(?<=\d) (?=%)")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks by category that nevertheless paint nothing (Hangul fillers, Khmer inherent vowels, a blank
# braille cell, variation selectors): two names that differ only by one of them would look the same.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_MARKS_KEPT = 3  # combining marks on one letter; more than that climbs over the neighbouring lines


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """The text with everything that isn't plainly printable spelt out.

    Control characters and invisible ones (bidirectional overrides, zero-width, unassigned, lone surrogates) become
    `⟨U+202E⟩`, in signs that nearly every font has; tabs and odd spaces become a space.

    Args:
        text: Anything.
        keep_newlines: Leave line feeds alone, for a block of text (a query).
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        marks = marks + 1 if unicodedata.combining(char) else 0
        out.append(char if char == "\n" and keep_newlines else _shown(char, crowded=marks > _MARKS_KEPT))
    return "".join(out)


def _shown(char: str, *, crowded: bool) -> str:
    if char == "\t" or unicodedata.category(char) == "Zs":
        return " "
    if crowded or char in _BLANK or unicodedata.category(char) in _UNSEEN_CATEGORIES:
        return f"⟨U+{ord(char):04X}⟩"
    return char


def visible_line(text: str) -> str:
    """`visible`, on one line: runs of white space, line feeds included, become one space."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip(" "))


def shorten(text: str, limit: int, *, cells: Callable[[str], int] = len) -> str:
    """The text cut in its middle to at most `limit` cells: names differ at both ends.

    Args:
        text: What to shorten.
        limit: How wide it may be, at least 1.
        cells: Measures a text's width; characters by default.
    """
    if cells(text) <= limit:
        return text
    room = max(limit - 1, 0)
    head, tail = _fitting(text, room - room // 2, cells), _fitting(text[::-1], room // 2, cells)[::-1]
    return f"{head}{ELLIPSIS}{tail}"


def _fitting(text: str, room: int, cells: Callable[[str], int]) -> str:
    taken, used = 0, 0
    for char in text:
        used += cells(char)
        if used > room:
            break
        taken += 1
    return text[:taken]


def cut(text: str, limit: int) -> str:
    """The text cut at its end to at most `limit` characters, for sentences."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def listed(names: Iterable[str], *, most: int) -> str:
    """The first names, comma separated, and how many more there are.

    >>> listed(["web", "api", "db"], most=2)
    'web, api and 1 more'
    """
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def unbroken(text: str, space: str = "\u00a0") -> str:
    """The text with a percent sign kept on its number's line: the space between them is one that doesn't break.

    >>> unbroken("98.3 % of calls", "_")
    '98.3_% of calls'
    """
    return _PERCENT.sub(space, text)


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
