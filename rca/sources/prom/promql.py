"""PromQL text: escaping, matchers, and the placeholders of a pack's templates.

A template writes every selector as `name{matchers,$F}`. The placeholders:

| placeholder | becomes |
|---|---|
| `$w` | the rate window, `240s` |
| `$S` | the labels that name the service (with its namespace, instance and peer where there are any) |
| `$F` | matchers: in the harvest "the service's label is there", in a report's query the service's own |
| `$m` | the metric's name that matched a pattern of `requires` |
"""

import re
from collections.abc import Iterable, Mapping

LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_SPACE, _DELETE, _NO_BREAK_SPACE = 0x20, 0x7F, 0xA0
_SURROGATES = (0xD800, 0xDFFF)
_PLACEHOLDER = re.compile(r"\$([wSFm])\b")
_ANY_PLACEHOLDER = re.compile(r"\$(?!\d|\{\d)(\w*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_:$][a-zA-Z0-9_:$]*)\s*\{([^{}]*)\}")
_BARE_RANGE = re.compile(r"[a-zA-Z0-9_:]\s*\[")
_RE2_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_EMPTY_MATCHERS = re.compile(r"(?<=[{,])\s*,|,\s*(?=\})")


def quote(value: str) -> str:
    r"""A PromQL string literal that stands for exactly this text.

    Args:
        value: Any text; quotes, backslashes, newlines and braces included.

    Returns:
        The literal with its double quotes. Control characters are written as `\u00XX`; a lone surrogate, which
        no server can hold, becomes U+FFFD.
    """
    out = ['"']
    for char in value:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif code < _SPACE or _DELETE <= code < _NO_BREAK_SPACE or code in (0x2028, 0x2029):
            out.append(f"\\u{code:04x}")
        elif _SURROGATES[0] <= code <= _SURROGATES[1]:
            out.append("\ufffd")
        else:
            out.append(char)
    return "".join([*out, '"'])


def matcher(label: str, values: Iterable[str]) -> str:
    """A matcher for a label that has one of these values.

    Raises:
        ValueError: The label's name isn't one, or there is no value.
    """
    if not LABEL_NAME.fullmatch(label):
        raise ValueError(f"{label!r} is not a label's name")
    distinct = sorted(set(values))
    if not distinct:
        raise ValueError(f"no value to match {label} with")
    if len(distinct) == 1:
        return f"{label}={quote(distinct[0])}"
    pattern = "|".join(_RE2_SPECIAL.sub(r"\\\1", value) for value in distinct)
    return f"{label}=~{quote(pattern)}"


def matchers(wanted: Mapping[str, Iterable[str]]) -> str:
    """Matchers for several labels, in the labels' order of the mapping."""
    return ",".join(matcher(label, values) for label, values in wanted.items())


def render(template: str, *, window: int, by: Iterable[str] = (), where: str = "", metric: str = "") -> str:
    """Fill a template's placeholders; white space is folded so that the query fits one line.

    Args:
        template: A pack's query.
        window: The rate window, whole seconds.
        by: What `$S` becomes.
        where: What `$F` becomes; a comma left over is taken out.
        metric: What `$m` becomes.
    """
    values = {"w": f"{window}s", "S": ", ".join(by), "F": "\0", "m": metric}
    query = _PLACEHOLDER.sub(lambda found: values[found[1]], " ".join(template.split()))
    if not where:
        query = _EMPTY_MATCHERS.sub("", query.replace("\0", ""))
    return query.replace("\0", where)


def selectors(template: str) -> tuple[str, ...]:
    """The metric names of a template's selectors, in order, each once."""
    blank = _STRING.sub('""', template)
    return tuple(dict.fromkeys(name for name, _ in _SELECTOR.findall(blank)))


def faults(template: str) -> list[str]:
    """What is wrong with a template's placeholders and selectors; empty when nothing is.

    It checks what the templates' own rules ask; whether the rest is PromQL, only a server can say.
    """
    blank = _STRING.sub('""', template)
    found = [
        f"unknown placeholder ${name}"
        for name in _ANY_PLACEHOLDER.findall(blank)
        if name not in ("w", "S", "F", "m")
    ]
    if not _SELECTOR.search(blank):
        found.append("no selector: write each as name{…,$F}")
    found += [f"the selector of {name} lacks $F" for name, inner in _SELECTOR.findall(blank) if "$F" not in inner]
    if _BARE_RANGE.search(blank):
        found.append("a range without a selector before it: write name{$F}[$w]")
    for opening, closing in ("()", "{}", "[]"):
        if blank.count(opening) != blank.count(closing):
            found.append(f"unbalanced {opening}{closing}")
    if blank.count('"') % 2:
        found.append("an unclosed quote")
    return found
