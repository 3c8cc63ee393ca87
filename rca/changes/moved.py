"""Code that went somewhere else: to a helper that the diff doesn't show, to another call, or into a function."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rca.changes.diff import FileDiff, split_words
from rca.changes.findings import Finding
from rca.changes.texts import snippet
from rca.changes.tokens import Tokens

_CALL = re.compile(r"(?<![\w.])((?:\w+\.)*)(\w+)(?:\[[^\]]*\])?\(")
_OWN = re.compile(r"(?:self|this|\w{1,2})\.")
_NO_CALL = frozenset(
    {
        "if",
        "for",
        "while",
        "switch",
        "return",
        "func",
        "function",
        "def",
        "fn",
        "catch",
        "match",
        "and",
        "or",
        "not",
    }
    | {
        "len",
        "make",
        "append",
        "new",
        "int",
        "str",
        "string",
        "float",
        "bool",
        "list",
        "dict",
        "set",
        "print",
        "panic",
    }
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|(?<![\w.])\d[\w.]*")
_ARGUMENTS = re.compile(r"\((.+)\)")
_CONSTRUCTED = re.compile(r"\b(?:new\s+)?(?:[A-Z]\w*)(?:\.\w+)*|\"[^\"]+\"|'[^']+'")
_ASSIGNED = re.compile(
    r"^(?:(?:export|public|private|protected|static|final|readonly|pub|val|var|let|const)\s+)*"
    r"(?:[\w<>\[\],.?*]+\s+)?(?P<name>\w+)(?:\s*:\s*[\w\[\].<>|& ]+)?\s*(?::=|=(?!=))\s*(?P<value>.+?);?$"
)
_KEPT = re.compile(
    r"\b(?:cache[ds]?|memo\w*|lazy|once|lru|singleton|global|nonlocal)\b|\bis None\b|==\s*(?:null|nil)\b|\?\?="
)
_VALUE = re.compile(r"^[\"']?([\w.-]+)[\"']?\s*[:=]\s*(-?\d[\w.]*|\"[^\"]*\"|'[^']*'|true|false)[,;]?$")
_PROBE = re.compile(r"\b(?:health\w*|ready|readiness|readyz|live|liveness|livez|probe)\b")
_ANSWERS = frozenset({"return", "=>", "->", ":", "{", "}", ";"})
_BRANCHES = frozenset({"if", "match", "switch", "case", "?", "when", "except", "catch", "unless", "&&", "and"})
_BEGINS = re.compile(  # what runs without being called by code that is there already
    r"^@\w|\bfunc init\(|\b(?:main|__main__)\b"
    r"|\b(?:register\w*|subscribe|schedule\w*|cron|add_?listener|on)\("
    r"|\b(?:app|router|mux|server|http)\.\w+\("
    r"|\b(?:extends|implements)\b|\bclass \w+\(\w|\bexport default\b|^\w+\(",
    re.IGNORECASE,
)
_GUARD = re.compile(r"\}?\s*(?:else\s+)?if\b|unless\b")
_BARE = re.compile(r"(?<![\w.\"])[a-z]\w*(?![\w(.\"])")
_NO_OBJECT = frozenset({"err", "nil", "null", "None", "true", "false", "error", "range", "defer", "await"})
_GUARDED = re.compile(r"(?<![\w.\"])([a-z]\w*)\.\w")
_EXIT = re.compile(r"(?:throw|raise|panic)\b\W*(?:new\s+)?(\w+\s*\([^()]*\)|[A-Z]\w+)")
_COLLECTS = frozenset({"push", "append", "add", "put", "extend"})
_GATHERS = frozenset(
    {"map", "filter", "collect", "stream", "toList", "list", "set", "dict", "tuple", "to_list", "to_vec", "iter"}
)
_SUMS = frozenset({"sum", "fold", "reduce", "sumOf"})
_SEARCHES = (
    frozenset(
        {"Contains", "contains", "ContainsFunc", "includes", "some", "any", "anyMatch", "exists", "Any", "sumBy"}
    )
    | frozenset({"mapToInt", "mapToLong", "mapToDouble", "stream", "iter"})
    | _SUMS
)
_FOUND = frozenset({"if", "true", "false", "True", "False", "⟦count~0.0⟧", "long", "int", "double"})
_LOOPS = frozenset(
    {"for", "of", "in", "const", "let", "var", "val", "range", "return", "await", "_", "final", "auto", "new"}
)
_LOOP_NAMES = re.compile(r"\bfor\b\s*\(?\s*(?:const\s+|let\s+|var\s+)?([\w\s,]+?)\s*(?::=|=|:|\bof\b|\bin\b)")
_CHOOSING = frozenset({"if", "else", "elif", "switch", "match", "when", "case", "default", "break", "_"})
_ASKED = re.compile(r"\b(?:switch|match|when)\s*\(\s*([\w.]+)\s*\)|\bif\s*\(?\s*([\w.]+)\s*===?")
_WORD_OR_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'|[A-Za-z_$][\w$]*|\d+")
_HANDED, _LIKE, _MEMBERS = 0.75, 0.55, 4
_AT_LEAST = 3  # tokens of a value that is worth making once


def handed_on(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> str:
    """The helper of the same code to which several statements were handed; empty where nothing says so.

    What the diff doesn't show may do all that the lines did. It is taken for that when the helper's name is its
    owner's (not a library's), it is given what they worked on, no value, loop or operator is new, and the work
    itself went with what guarded it: a guard that goes while the guarded call stays is no such thing.
    """
    if file.config_like or file.language in {"sql", "schema"} or len(old) <= 1 or len(new) > len(old):
        return ""
    before = "\n".join(line.line.code for line in old)
    after = "\n".join(line.line.code for line in new)
    lost = _called(before) - _called(after)
    helpers = {name for owner, name in _CALL.findall(after) if _is_own(owner, name)} - _words(before)
    guards = sum(bool(_GUARD.match(line.line.code)) for line in old)
    if not helpers or (len(lost) <= 1 and guards <= 1):
        return ""
    looped = any(line.line.in_loop for line in new) and not any(line.line.in_loop for line in old)
    if looped or set(_LITERAL.findall(after)) - set(_LITERAL.findall(before)):
        return ""
    opened = _made("\n".join(line.code for line in file.lines if line.sign == " "))
    if any(opened & _words(code) and _called(code) and _called(code) <= lost for code in before.splitlines()):
        return ""  # what was begun above is no longer ended, or dealt with
    worked_on = _worked_on(before, lost) if len(lost) > 1 else set(_GUARDED.findall(before))
    worked_on -= _made(before) | _NO_CALL | _NO_OBJECT
    given = {name for code in after.splitlines() if _called(code) & helpers for name in _NAME.findall(code)}
    if not worked_on or len(worked_on & given) < _HANDED * len(worked_on):
        return ""
    return min(helpers & _called(after), default="")


def _worked_on(code: str, calls: set[str]) -> set[str]:
    """The bare names in the lines that make one of these calls: what they were given, or are made on."""
    lines = [line for line in code.splitlines() if _called(line) & calls]
    return {name for line in lines for name in _BARE.findall(line)}


def given_elsewhere(code: str, added: str) -> bool:
    """Whether what a removed call was given (types, constants, texts) is given to another call now."""
    match = _ARGUMENTS.search(code)
    given = set(_CONSTRUCTED.findall(match[1])) if match else set()
    return bool(given) and any(
        (now := _ARGUMENTS.search(line)) is not None
        and given <= set(_CONSTRUCTED.findall(now[1]))
        and not _outermost(code) & _outermost(line)
        for line in added.splitlines()
    )


def exits_elsewhere(removed: str, added: str) -> bool:
    """Whether every way out that was taken away is there in another form: `orElseThrow(() -> new Lost(id))`."""
    ways = {"".join(way.split()) for way in _EXIT.findall(removed)}
    packed = "".join(added.split())
    return bool(ways) and all(way in packed for way in ways)


def collected(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """A loop that fills a list or a text, as an expression that makes it: the same is done with each element.

    What may go with the loop is what it filled and counted with, and how; what may come is one library's call.
    """
    if file.config_like or file.language in {"sql", "schema"} or len(new) >= len(old):
        return False
    before = {token for line in old for token in line.tokens}
    after = {token for line in new for token in line.tokens}
    if "for" not in before or "for" in after:
        return False
    lost, fresh = _named(before - after), _named(after - before)
    code = "\n".join(line.line.code for line in old)
    own = _made(code) | {name for names in _LOOP_NAMES.findall(code) for name in _NAME.findall(names)}
    if lost <= _LOOPS | own | _FOUND and fresh <= _SEARCHES | _owners(new) and fresh & _SEARCHES:
        return "+=" not in before or bool(fresh & _SUMS)
    if lost & _COLLECTS:
        return lost <= _COLLECTS | _LOOPS | own and fresh <= _GATHERS | _LOOPS
    literals = {token for token in lost if token[0] in "\"'⟦"}
    calls = _CALL.findall("\n".join(line.line.code for line in new))
    library = {name for owner, name in calls if owner}
    owners = {part for owner, _ in calls for part in owner.split(".")}
    return lost - literals <= _LOOPS | own | {"if"} and len(library) == 1 and fresh <= library | owners | _LOOPS


def _owners(lines: Sequence[Tokens]) -> set[str]:
    """What calls are made on: a package, a type."""
    calls = _CALL.findall("\n".join(line.line.code for line in lines))
    code = {name for line in lines for name in re.findall(r"\b([A-Z]\w*)::", line.line.code)}
    return code | {part for owner, _ in calls for part in owner.split(".")}


def chosen_otherwise(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """A row of conditions as a `switch`, or the other way: for the same values, in the same order, the same."""
    if file.config_like or not old or not new:
        return False
    sides = [[token for line in lines for token in line.tokens] for lines in (old, new)]
    if not any({"switch", "match", "when"} & set(side) for side in sides):
        return False
    cases = [_cases("\n".join(line.line.code for line in lines)) for lines in (old, new)]
    if cases[0] == cases[1]:
        return True
    parts = [
        [token for token in side if token[0] in "\"'⟦" or (token.isidentifier() and token not in _CHOOSING)]
        for side in sides
    ]
    asked = [{token for token in side if side.count(token) > 1 and token.isidentifier()} for side in parts]
    bare = [[token for token in side if token not in asked[0] ^ asked[1]] for side in parts]
    return bare[0] == bare[1]


def _cases(code: str) -> list[str]:
    """What is chosen for which value, in order, without what is asked."""
    asked = _ASKED.search(code)
    if asked is not None:
        subject = next(group for group in asked.groups() if group)
        code = re.sub(rf"(?<![\w.]){re.escape(subject)}\s*(?:===?|\))", "", code)
    return [word for word in _WORD_OR_TEXT.findall(code) if word not in _CHOOSING]


def _named(tokens: Iterable[str]) -> set[str]:
    return {token for token in tokens if token[0] not in "(){}[]=:.-<>|&+"}


def made_each_time(file: FileDiff) -> Iterator[Finding]:
    """A value that was made once, outside of every function, and is now made inside of one."""
    if file.config_like or file.language in {"sql", "schema", ""}:
        return
    top = _MEMBERS if file.language == "java" else 0
    added = file.side("+")
    if _KEPT.search("\n".join(line.code for line in added)):
        return
    for line in file.side("-"):
        was = _ASSIGNED.match(line.code)
        if was is None or line.indent > top or not _makes(was["value"]):
            continue
        value = _NAME.findall(was["value"])
        for other in added:
            now = _ASSIGNED.match(other.code)
            made = _NAME.findall(now["value"]) if now is not None and other.indent > top else []
            if made[:1] == value[:1] and len(set(made) & set(value)) >= _LIKE * len(set(value)):
                told = f"made each time, where it was made once: `{snippet(other.code)}`"
                yield Finding("per_request_setup", 0.74, told, file.path)
                return


def fixed_no_more(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> Iterator[Finding]:
    """A fixed answer that now hangs on what a call says."""
    if file.config_like or len(old) != 1 or len(new) <= 1:
        return
    fixed = [token for token in old[0].tokens if token not in _ANSWERS]
    code = "\n".join(line.line.code for line in new)
    tokens = {token for line in new for token in line.tokens}
    if (
        not fixed
        or "(" in old[0].tokens
        or "=" in old[0].tokens
        or not set(fixed) <= tokens
        or not tokens & _BRANCHES
        or not _called(code)
    ):
        return
    told = f"`{snippet(old[0].line.code)}` was certain, and now hangs on `{min(_called(code))}`"
    around = split_words(f"{file.header} {file.path} {' '.join(line.code for line in file.lines)}")
    probe = _PROBE.search(around) is not None
    yield Finding("probe" if probe else "stricter", 0.62 if probe else 0.5, told, file.path)


def swapped_values(old: Sequence[Tokens], new: Sequence[Tokens]) -> str:
    """A name that has the value of another now, in words; empty where none has.

    The same names and the same values, but not the same of each: `SHIPPED = 3` is `LOST = 3` now.
    """
    was, now = _values(old), _values(new)
    if was.keys() != now.keys() or sorted(was.values()) != sorted(now.values()):
        return ""
    return next((f"{name} {was[name]} to {now[name]}" for name in was if was[name] != now[name]), "")


def _values(lines: Sequence[Tokens]) -> dict[str, str]:
    found = (_VALUE.match(line.line.code) for line in lines)
    return {match[1]: match[2] for match in found if match}


def _makes(value: str) -> bool:
    return len(_NAME.findall(value)) >= _AT_LEAST - 1 and re.search(r"\w\s*[({]", value) is not None


def is_own_call(name: str, code: str) -> bool:
    """Whether a call by that name is to a function of the same code rather than to a library's."""
    return any(called == name and _is_own(owner, called) for owner, called in _CALL.findall(code))


def _is_own(owner: str, name: str) -> bool:
    return name not in _NO_CALL and (not owner or _OWN.fullmatch(owner) is not None)


def _called(code: str) -> set[str]:
    return {name for _, name in _CALL.findall(code)} - _NO_CALL


def _outermost(code: str) -> set[str]:
    """What a line calls first, and what is called on that."""
    return set(re.findall(r"(\w+)\(", code.partition("(")[0] + "("))


def _words(code: str) -> set[str]:
    return set(_NAME.findall(code))


def _made(code: str) -> set[str]:
    """Names that lines declare themselves: they went with them."""
    found = set()
    for line in code.splitlines():
        if match := re.match(r"(?:if\s+|for\s+)?((?:\w+\s*,\s*)*\w+)\s*:=", line):
            found |= _words(match[1])
        if match := re.match(r"(?:var|let|const|val)\s+(\w+)", line) or re.match(r"(\w+)\s*=(?!=)", line):
            found.add(match[1])
    return found


def stands_alone(file: FileDiff) -> bool:
    """Whether it is new code, the whole of it, that nothing in it sets going: what would call it isn't shown."""
    if file.config_like or file.language in {"sql", "schema", ""} or file.side(" ") or file.side("-"):
        return False
    return bool(file.side("+")) and not any(_BEGINS.search(line.code) for line in file.lines)
