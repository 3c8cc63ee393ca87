"""The same words, and yet not the same: what a change of form alone does."""

import re
from collections.abc import Iterator, Sequence

from rca.changes.diff import FileDiff, Line
from rca.changes.findings import Finding
from rca.changes.texts import snippet
from rca.changes.tokens import Tokens

_MOVED_PARENTHESES = _TURNED = _COLUMNS = 0.62
_LAID_OVER = _SHADOWED = 0.64
_ARGUMENTS = _BY_SHELL = _ONCE = 0.6
_UNQUOTED = 0.56
_PRECEDENCE = {
    **dict.fromkeys(("||", "or", "??"), 1),
    **dict.fromkeys(("&&", "and"), 2),
    **dict.fromkeys(("==", "!=", "===", "!==", "<", "<=", ">", ">="), 4),
    **dict.fromkeys(("|", "^"), 5),
    "&": 6,
    **dict.fromkeys(("<<", ">>"), 7),
    **dict.fromkeys(("+", "-"), 8),
    **dict.fromkeys(("*", "/", "%"), 9),
}
_UNARY, _LOOSEST = 10, 0
_PARENTHESES = frozenset("()")
_ASSOCIATIVE = frozenset({"+", "*", "||", "&&", "and", "or", "|", "&"})
_KEYWORDS = frozenset(
    {"return", "if", "while", "for", "switch", "in", "and", "or", "not", "await", "yield", "else"}
)
_ANY_ORDER = frozenset(
    {"max", "min", "hypot", "gcd", "lcm", "equals", "deepequal", "all", "any", "union", "and", "or", "xor", "set"}
    | {"anyof", "allof", "oneof", "setof", "gather", "swap", "distance"}
)
_CALL = re.compile(r"([A-Za-z_]\w*)\(")
_DEFINES = re.compile(
    r"^(?:(?:pub|public|private|protected|static|async|export|override|final)\s+)*(?:def|func|fn|fun|function)\b"
)
_KEYWORD_ARGUMENT = re.compile(r"^\w+\s*(?:=(?!=)|:(?!:))")
_SWITCH = re.compile(r"\b(\w+)\s*[=:]\s*([Tt]rue|[Ff]alse)\b")
_COLUMN_LIST = re.compile(r"\b(?:INDEX|PRIMARY\s+KEY|UNIQUE|PARTITION\s+BY|CLUSTER)\b", re.IGNORECASE)
_LISTED = re.compile(r"\(([\w\s,]+)\)")
_SPREAD = re.compile(r"^(?:\.\.\.|\*\*)\w")
_LITERAL = re.compile(r"\{([^{}]*)\}")
_DECLARED = re.compile(r"^(?:if |switch |for )?(?P<names>\w+(?:,\s*\w+)*)\s*:=")
_ASSIGNED = re.compile(r"^(?:if |switch |for )?(?P<names>\w+(?:,\s*\w+)*)\s*=(?!=)")
_QUOTED = re.compile(r"^-?\s*[\w.-]+:\s*([\"'])(.+)\1$")
_PLAIN = re.compile(r"^-?\s*[\w.-]+:\s*(\S+)$")
_NO_TEXT = re.compile(
    r"[-+]?(?:0x[\da-f]+|0o?[0-7]+|\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?)|true|false|yes|no|on|off|null|~|[\d]+(?::\d+)+",
    re.IGNORECASE,
)
_EXEC = re.compile(r"^(ENTRYPOINT|CMD)\s*(\[?)")
_COMPREHENSION = re.compile(r"^(\w+)\s*=\s*([\[(]).*\bfor\b.*[\])]$")


def of_form(
    file: FileDiff, pairs: Sequence[tuple[Tokens, Tokens]], old: Sequence[Tokens], new: Sequence[Tokens]
) -> Iterator[Finding]:
    """What differs though hardly a word does.

    Args:
        file: Where it is.
        pairs: Removed lines with the added ones that took their place.
        old: All removed lines.
        new: All added lines.
    """
    for before, after in pairs:
        of_line = _of_settings if file.config_like or file.language in {"sql", "schema"} else _of_code
        for kind, potency, told in of_line(file, before, after):
            yield Finding(kind, potency, f"{told} in `{snippet(after.line.code)}`", file.path)
    if file.language == "go" and (name := _shadowed(file, old, new)):
        yield Finding("update_gone", _SHADOWED, f"`{name}` is another variable in that block now", file.path)
    if file.language == "python" and (name := _used_up(file)):
        yield Finding("guard_gone", _ONCE, f"`{name}` can be gone through only once now", file.path)


def _of_settings(file: FileDiff, before: Tokens, after: Tokens) -> Iterator[tuple[str, float, str]]:
    """Kind of change, potency and words for a line of settings or of SQL."""
    was, now = before.line.code, after.line.code
    form = _EXEC.match(was), _EXEC.match(now)
    if file.language == "docker" and form[0] and form[1] and form[0][1] == form[1][1] and form[0][2] > form[1][2]:
        yield "flush_gone", _BY_SHELL, "a shell starts it, which passes no signals on,"
    if file.language == "config" and (value := _unquoted(was, now)):
        yield "type", _UNQUOTED, f"the text {value} is no text any more"
    if file.language == "sql" and any(_COLUMN_LIST.search(line.code) for line in file.lines):
        lists = [[_parts(text) for text in _LISTED.findall(code)] for code in (was, now)]
        if any(a != b and sorted(a) == sorted(b) for a, b in zip(*lists, strict=False)):
            yield "index_gone", _COLUMNS, "columns in another order"


def _of_code(_file: FileDiff, before: Tokens, after: Tokens) -> Iterator[tuple[str, float, str]]:
    """Kind of change, potency and words for a line of code."""
    was, now = before.line.code, after.line.code
    if _laid_over(was, now):
        yield "order", _LAID_OVER, "what is laid over what changed"
    if _regrouped(before.tokens, after.tokens):
        yield "operator", _MOVED_PARENTHESES, "grouped otherwise"
    if _filled_otherwise(before.tokens, after.tokens):
        yield "key", _ARGUMENTS, "a text is filled in another order"
    if name := _turned(was, now):
        yield "toggle", _TURNED, f"`{name}` is the other way round"
    if not _DEFINES.match(now) and (name := _arguments_swapped(was, now)):
        yield "operator", _ARGUMENTS, f"`{name}` is given its arguments in another order"


def _unquoted(was: str, now: str) -> str:
    """A value that was a text by its quotes alone, and is a number, a truth or nothing without them."""
    quoted, plain = _QUOTED.match(was), _PLAIN.match(now)
    if quoted is None or plain is None or quoted[2] != plain[1]:
        return ""
    return plain[1] if _NO_TEXT.fullmatch(plain[1]) else ""


def _laid_over(was: str, now: str) -> bool:
    """Whether what is spread into an object stands on the other side of the fields that are set by hand."""
    for literals in zip(_LITERAL.findall(was), _LITERAL.findall(now), strict=False):
        before, after = (_parts(text) for text in literals)
        spread = [[bool(_SPREAD.match(part)) for part in parts] for parts in (before, after)]
        if sorted(before) == sorted(after) and spread[0] != spread[1]:
            return True
    return False


def _regrouped(was: Sequence[str], now: Sequence[str]) -> bool:
    """Whether the same words stand in other parentheses, those left out that change nothing."""
    bare = [[part for part in side if part not in _PARENTHESES] for side in (was, now)]
    if bare[0] != bare[1]:
        return False
    return was != now and not _PRECEDENCE.keys().isdisjoint(was) and _needed(was) != _needed(now)


def _needed(tokens: Sequence[str]) -> list[str]:
    """The tokens without the parentheses that group what belongs together anyway."""
    stack: list[int] = []
    idle: set[int] = set()
    for i, part in enumerate(tokens):
        if part == "(":
            stack.append(i)
        elif part == ")" and stack:
            begin = stack.pop()
            if not _is_call(tokens, begin) and _is_idle(tokens, begin, i):
                idle |= {begin, i}
    return [token for i, token in enumerate(tokens) if i not in idle]


def _is_call(tokens: Sequence[str], begin: int) -> bool:
    if begin == 0:
        return False
    before = tokens[begin - 1]
    return (before[0].isalnum() or before[0] in "_)]>") and before not in _KEYWORDS and before not in _PRECEDENCE


def _is_idle(tokens: Sequence[str], begin: int, end: int) -> bool:
    left = tokens[begin - 1] if begin else ""
    right = tokens[end + 1] if end + 1 < len(tokens) else ""
    if right in {".", "[", "=>", "->"} or left in {"!", "not"}:
        return right in {"=>", "->"} or end == begin + 2
    inside = _weakest(tokens[begin + 1 : end])
    for near, same_is_idle in ((left, left in _ASSOCIATIVE), (right, True)):
        weight = _PRECEDENCE.get(near, _LOOSEST)
        if inside < weight or (inside == weight and weight and not same_is_idle):
            return False
    return True


def _weakest(tokens: Sequence[str]) -> int:
    """How strongly the parts of an expression hold together."""
    depth, weakest = 0, _UNARY
    for i, part in enumerate(tokens):
        depth += (part in {"(", "["}) - (part in {")", "]"})
        if depth == 0 and i and part in _PRECEDENCE:
            weakest = min(weakest, _PRECEDENCE[part])
    return weakest


def _filled_otherwise(was: Sequence[str], now: Sequence[str]) -> bool:
    """Whether the same text with several holes is filled with the same in another order."""
    holes = [[token for token in side if token.count("{}") > 1] for side in (was, now)]
    return bool(holes[0]) and holes[0] == holes[1] and list(was) != list(now) and sorted(was) == sorted(now)


def _turned(was: str, now: str) -> str:
    """An argument by name that is true where it was false; empty without one."""
    before, after = (dict(_SWITCH.findall(code)) for code in (was, now))
    return next((name for name in sorted(before) if after.get(name, before[name]) != before[name]), "")


def _arguments_swapped(was: str, now: str) -> str:
    """A call that is given the same in another order; empty where none is, or where the order means nothing."""
    before, after = _calls(was), _calls(now)
    if [name for name, _ in before] != [name for name, _ in after]:
        return ""
    for (name, given), (_, gives) in zip(before, after, strict=True):
        if given == gives or sorted(given) != sorted(gives) or name.lower() in _ANY_ORDER:
            continue
        if not any(_KEYWORD_ARGUMENT.match(part) for part in given):
            return name
    return ""


def _calls(code: str) -> list[tuple[str, list[str]]]:
    """Calls with what they are given, in order of their names."""
    found = []
    for match in _CALL.finditer(code):
        depth, end = 1, match.end()
        while end < len(code) and depth:
            depth += (code[end] in "([{") - (code[end] in ")]}")
            end += 1
        if not depth:
            found.append((match[1], _parts(code[match.end() : end - 1])))
    return found


def _parts(text: str) -> list[str]:
    """What commas separate, outside of brackets."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    return [" ".join(part.split()) for part in (*parts, text[begin:]) if part.strip()]


def _shadowed(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> str:
    """A variable of the outside that was set in a block, where one of the same name is declared now; or empty."""
    assigned = {name for line in old for name in _names(_ASSIGNED, line.line)}
    for line in new:
        for name in sorted(_names(_DECLARED, line.line) & assigned - {"_"}):
            named = re.compile(rf"(?<![\w.]){name}\b")
            after = file.lines[file.lines.index(line.line) + 1 :]
            used = any(
                other.sign == " " and other.indent < line.line.indent and named.search(other.code)
                for other in after
            )
            if used or re.search(rf"\)\s*\([^)]*\b{name}\b", file.header):
                return name
    return ""


def _names(pattern: re.Pattern[str], line: Line) -> set[str]:
    match = pattern.match(line.code)
    return set(match["names"].replace(",", " ").split()) if match else set()


def _used_up(file: FileDiff) -> str:
    """A list that became a generator and is gone through twice; or empty."""
    lists = {m[1] for line in file.side("-") if (m := _COMPREHENSION.match(line.code)) and m[2] == "["}
    for line in file.side("+"):
        match = _COMPREHENSION.match(line.code)
        if match and match[2] == "(" and match[1] in lists:
            code = "\n".join(other.code for other in file.lines if other.sign != "-" and other is not line)
            if len(re.findall(rf"(?<![\w.]){match[1]}\b", code)) > 1:
                return str(match[1])
    return ""
