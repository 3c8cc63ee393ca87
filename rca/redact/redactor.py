"""Cutting secrets out of text and out of what carries text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import partial
from re import Match, Pattern
from typing import Any

from rca.redact.rules import RULES, SECRET_NAMES, SHAPES, Check, Rule

_MARK = "[redacted:"
_MARKER = re.compile(r"\[redacted:[\w-]*\]")
_SHAPE = bytes.maketrans(b"123456789BCDEFGHIJKLMNOPQRSTUVWXYZ", b"0" * 9 + b"A" * 25)
_ROUNDS = 4
_MAX_DEPTH = 50
_CONTEXT = 60
_GROUPS = ("secret", "a", "b", "c", "d")


class Redactor:
    """Replaces secrets by `[redacted:kind]` and counts them.

    What was replaced is never found again, so redacting twice changes and counts nothing more.

    Attributes:
        counts: How many were cut out so far, by kind.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._rules = RULES
        self._names: dict[str, tuple[str, Pattern[str], Check] | None] = {}

    def text(self, text: str) -> str:
        """The text without what the rules find.

        A cut can uncover another secret's boundary, so it is repeated until nothing more is found.
        """
        return self._text(text, self._rules)

    def likely(self, texts: Iterable[str]) -> "Redactor":
        """A redactor for these texts alone, quicker by the rules of which nothing in them shows a sign.

        It shares the counts of this one.
        """
        low, shape = _signs("\n".join(texts))
        wanted = {hint for rule in self._rules for hint in rule.hints}
        seen = {hint for hint in wanted if hint in (shape if hint in SHAPES else low)}
        narrowed = copy(self)
        narrowed._rules = tuple(  # noqa: SLF001  # a copy of this class
            rule for rule in self._rules if not rule.hints or not seen.isdisjoint(rule.hints)
        )
        return narrowed

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """The same JSON-like value with every text in it redacted; unchanged parts are the same objects.

        Args:
            value: The value.
            name: The field it belongs to; what a telling name (`password`) holds is cut out whole.
            depth: How deep it lies; what is absurdly deep is cut out unseen.
        """
        if isinstance(value, str):
            return self._named(value, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            cut = self._named(str(value), name)
            return value if cut == str(value) else cut
        if not isinstance(value, Mapping | list | tuple):
            return value
        if depth > _MAX_DEPTH:
            self.counts["too_deep"] += 1
            return f"{_MARK}too_deep]"
        if isinstance(value, Mapping):
            return self.mapping(value, depth=depth)
        items = [self.value(item, name, depth + 1) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else type(value)(items)

    def mapping(self, values: Mapping[str, Any], depth: int = 0) -> Mapping[str, Any]:
        """An object with its values redacted; the same one when there was nothing to cut."""
        if not values:
            return values
        redacted = {key: self.value(value, key, depth + 1) for key, value in values.items()}
        return values if all(redacted[key] is value for key, value in values.items()) else redacted

    def _text(self, text: str, rules: Sequence[Rule], label: str = "") -> str:
        first = self._once(text, rules, label)
        if first == text:
            return text
        for _ in range(_ROUNDS):
            text, first = first, self._once(first, RULES, label)
            if first == text:
                break
        return first

    def _once(self, text: str, rules: Sequence[Rule], label: str) -> str:
        low, shape = _signs(text)
        for rule in rules:
            for hint in rule.hints:
                if hint in (shape if hint in SHAPES else low):
                    break
            else:
                if rule.hints:
                    continue
            text = rule.pattern.sub(partial(self._cut, rule, label), text)
        return text

    def _cut(self, rule: Rule, label: str, match: Match[str]) -> str:
        whole = match.group()
        group = next((name for name in _GROUPS if match.groupdict().get(name) is not None), 0)
        secret, at = match.group(group), match.start(group)
        before = f"{label}{match.string[max(0, at - _CONTEXT) : at]}"
        end = at + len(secret)
        if any(mark.start() < end and at < mark.end() for mark in _MARKER.finditer(match.string)):
            return whole
        if rule.unless is not None and rule.unless.search(before):
            return whole
        length = rule.check(secret)
        if not length:
            return whole
        self.counts[rule.kind] += 1
        start = at - match.start()
        return f"{whole[:start]}{_MARK}{rule.kind}]{whole[start + length :]}"

    def _named(self, value: str, name: str) -> str:
        """A field's text: all of it is cut where the name tells that it is a secret."""
        if name not in self._names:
            self._names[name] = next((entry for entry in SECRET_NAMES if entry[1].search(name)), None)
        telling = self._names[name]
        if telling is None:
            return self._text(value, self._rules, f"{name}=" if name else "")
        kind, _, check = telling
        if _MARK in value or not check(value):
            return self.text(value)
        self.counts[kind] += 1
        return f"{_MARK}{kind}]"


def _signs(text: str) -> tuple[str, str]:
    """What hints are looked for in: the text in lower case, and its shape."""
    shape = text.encode("ascii", "replace").translate(_SHAPE).decode("ascii")  # many times quicker than with str
    return text.lower(), shape
