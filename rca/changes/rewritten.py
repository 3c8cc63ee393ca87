"""The same written otherwise: turned round, put together of the same parts, a row of calls as a loop."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rca.changes.diff import FileDiff
from rca.changes.inert import declares, flat, has, literal
from rca.changes.tokens import Tokens

_DOES = re.compile(
    r"[<>!]=?|[=!]==?|&&?|\|\|?|<<|>>|[-+*/%]=?|\+\+|--|\?\?|\?\.|\.\.\.|<-|not|and|or|in|is|await|async|yield|defer|go|try|catch|except"
    r"|finally|throw|raise|with|using|if|else|elif|while|switch|case|match|lock|synchronized"
)
_EXITS = {("return",), ("break",), ("continue",)}
_MAKES = frozenset({"builder", "newBuilder", "build"})
_SETS = re.compile(r"(?:set|with)([A-Z]\w*)")
_IDLE = frozenset({"return", "var", "let", "const", "val", "auto", "final", "new", "else", "_"}) | _MAKES
_NEGATED = {"!=": "==", "!==": "===", "not": "", "!": "", ">=": "<", ">": "<="}
_WAYS = {"return", "else", "(", ")", "{", "}"}
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")
_LOOPS = frozenset({"for", "forEach", "each", "foreach", "while", "iter"})
_COUNTS = frozenset({"length", "size", "len", "count", "int", "enumerate", "entries"})
_MARKS = frozenset({"!", "not", "await", "async", "go", "defer", "yield"})
_FROM = frozenset({"⟦count~0.0⟧", "⟦count~1.0⟧"})
_ELEMENT = re.compile(
    r"\bfor\s*\(?\s*(?:const|let|var|val|final|auto|int)?\s*(?:\w+,\s*)?(\w+)|\b(\w+)\)?\s*(?:=>|->)|\|(\w+)\|"
)
_BY_FUNCTION = re.compile(r"^return (?:Math\.|std::)?(min|max)\(\s*([\w.]+)\s*,\s*([\w.]+)\s*\);?$")
_BY_CONDITION = re.compile(
    r"^if\s*\(?\s*([\w.]+)\s*(<=?|>=?)\s*([\w.]+)\s*\)?\s*[:{]?\s*return \1\b;?\s*\}?\s*"
    r"(?:else\s*[:{]?\s*)?return \3\b;?\s*\}?$"
)
_IS_CLASS = re.compile(r"\b(?:class|record)\b")
_HOLDS = re.compile(  # one line of a class that only holds its fields
    r"(?:(?:public|private|protected|static|final|export|data|abstract)\s+)*(?:class\s+\w+(?:\(.*\))?\s*[:{]"
    r"|record\s+\w+\((?P<components>[^()]*)\)\s*(?:\{\}|[{;])?|@dataclass(?:\([^()]*\))?|\}|pass"
    r"|def __init__\(self,?(?P<given>[^()]*)\)(?:\s*->\s*None)?:|(?:self|this)\.(?P<a>\w+)\s*=\s*(?P=a);?"
    r"|\w+\([^()]*\)\s*\{(?:\s*this\.\w+ = \w+;)*\s*\}?"
    r"|[\w<>\[\],.? ]+\s(?:get|is)?\w+\(\)\s*\{\s*return\s+\w+;\s*\}"
    r"|[\w<>\[\].? ]+\s(?P<b>\w+);|(?P<c>\w+)\s*:\s*[\w\[\]., |]+(?:\s*=\s*[^()]+)?)"
)
_A_CONDITION = 4  # tokens of one that tell it from another
_TURNS = frozenset({"for", "in", "of", "range", "const", "let", "var", "val", "auto", "final", "_"})


def inverted(old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The same parts with a condition turned round: `if bad: return` to `if good: … return`."""
    before, after = (Counter(_without_negation(flat(lines, _WAYS))) for lines in (old, new))
    if any(line.line.in_loop and line.tokens[:1] == ("return",) for line in old):
        return False  # the first of all, or each of all
    if len(old) == len(new) == 1:
        return _branches_swapped(old[0].tokens, new[0].tokens)
    ways = [[line.tokens for line in lines if "return" in line.tokens] for lines in (old, new)]
    chosen = any("else" in line.tokens for line in (*old, *new))
    return len(old) > 1 and bool(before) and before == after and (chosen or len(ways[0]) == len(ways[1]))


def rewritten(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The same parts put together otherwise: fields set in a literal, a value given a name of its own.

    The same is called in the same order, with the same operators and literals, and no name comes or goes but those
    of variables that these very lines declare. How an object is made of its parts doesn't matter: set one by one,
    given to it at once, or by a builder.
    """
    if file.config_like or file.language in {"sql", "schema"} or not old or not new:
        return False
    before, after = flat(old, set()), flat(new, set())
    exits = [sum(line.tokens in _EXITS for line in side) for side in (old, new)]
    if (
        _work(before) != _work(after)
        or _does(before) != _does(after)
        or (loops := _looped(before)) is None
        or loops != _looped(after)
        or exits[0] != exits[1]
        or [part for part in before if part[0] == "@"] != [part for part in after if part[0] == "@"]
    ):
        return False
    names = {_part(token) for token in before if token.isidentifier()} ^ {
        _part(token) for token in after if token.isidentifier()
    }
    codes = "\n".join(line.line.code for line in old), "\n".join(line.line.code for line in new)
    context = "\n".join(line.code for line in file.lines if line.sign == " ")
    own = {name for name in names if any(declares(name, code) for code in codes) and not has(name, context)}
    return names <= own | _IDLE


def smaller_or_larger(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The smaller or the larger of two, chosen by a condition or by a function; or the other way."""
    if file.config_like or file.language in {"sql", "schema"}:
        return False
    sides = [_extreme(" ".join(line.line.code for line in lines)) for lines in (old, new)]
    return sides[0] is not None and sides[0] == sides[1]


def _extreme(code: str) -> tuple[str, frozenset[str]] | None:
    if match := _BY_FUNCTION.search(code):
        return match[1].lower(), frozenset({match[2], match[3]})
    if match := _BY_CONDITION.search(code):
        return "min" if match[2][0] == "<" else "max", frozenset({match[1], match[3]})
    return None


def declared_by_fields(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """A class that only holds its fields, declared by them: a `record`, a `@dataclass`; or the other way."""
    if file.language not in {"java", "python", "script"}:
        return False
    codes = [[line.line.code for line in lines] for lines in (old, new)]
    if not all(any(_IS_CLASS.search(code) for code in side) for side in codes):
        return False
    sides = [_fields(side) for side in codes]
    return bool(sides[0]) and sides[0] == sides[1]


def _fields(codes: Sequence[str]) -> set[str]:
    """The fields of lines that declare a class and nothing else; empty where anything else is done."""
    found: set[str] = set()
    for code in codes:
        match = _HOLDS.fullmatch(code)
        if match is None:
            return set()
        found |= {name for name in match.groups() if name and "," not in name and " " not in name}
        for several in (match["given"], match["components"]):
            found |= {
                part.split(":")[0].split("=")[0].split()[-1] for part in (several or "").split(",") if part.strip()
            }
    return found - {"self"}


def _work(tokens: Sequence[str]) -> list[str]:
    """What is called, in order, but for making an object of its parts; what a part is called counts once."""
    names = [_part(name) for name in evaluated(tokens) if name not in _MAKES and not name[:1].isupper()]
    return [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]]


def _part(name: str) -> str:
    """The part that a method sets: `title` of `setTitle`, `withTitle` and `title`."""
    match = _SETS.fullmatch(name)
    return match[1][0].lower() + match[1][1:] if match else name


def _does(tokens: Sequence[str]) -> Counter[str]:
    """Operators, literals and keywords that say what is done, how often each."""
    idle = {"else"} if tokens.count("return") > 1 else set()  # what follows a way out is its other branch anyway
    return Counter(token for token in tokens if token not in idle and (literal(token) or _DOES.fullmatch(token)))


@dataclass(slots=True)
class _Frame:
    """What is called within one pair of brackets: for each element, and to come by the elements."""

    call: str = ""
    loops: bool = False
    element: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)

    def take(self, names: Sequence[str]) -> None:
        (self.source if self.loops else self.element).extend(names)

    @property
    def names(self) -> list[str]:
        return [*self.source, *self.element]


def evaluated(tokens: Sequence[str]) -> list[str]:
    """What is called, in the order in which it is done: what a call is given comes before it.

    `send(encode(x))` encodes first, as `y = encode(x)` and `send(y)` do; of `[f(x) for x in g()]`, `g` is first.
    """
    frames = [_Frame()]
    for i, part in enumerate(tokens):
        if part in _OPENS:
            before = tokens[i - 1] if i else ""
            frames.append(_Frame(before if part == "(" and before.isidentifier() else ""))
        elif part in _CLOSES and len(frames) > 1:
            done = frames.pop()
            frames[-1].take([*done.names, *([done.call] if done.call else [])])
        elif part == "for" and len(frames) > 1 and frames[-1].element:
            frames[-1].loops = True
    return [name for frame in frames for name in frame.names if name not in _TURNS]


def _looped(tokens: Sequence[str]) -> list[tuple[str, ...]] | None:
    """What each comprehension does with each element, in order; None where a statement loops."""
    found: list[tuple[str, ...]] = []
    begins: list[int] = []
    for i, part in enumerate(tokens):
        if part in _OPENS:
            begins.append(i)
        elif part in _CLOSES and begins:
            begins.pop()
        elif part == "for":
            if not begins or begins[-1] == i - 1 or tokens[begins[-1]] == "{":
                return None
            found.append(tuple(tokens[begins[-1] : tokens.index("in", i) if "in" in tokens[i:] else i]))
        elif part == "if" and found and begins:
            found.append(tuple(tokens[i : i + _A_CONDITION]))
    return found


def unrolled(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """A row of calls that are all given the same, as a loop over what is called; or the other way."""
    if file.config_like or file.language in {"sql", "schema"}:
        return False
    row, loop = (old, new) if len(old) > len(new) else (new, old)
    calls = [line.tokens for line in row]
    if len(calls) <= 1 or any(len(call) <= 2 or call[1] != "(" for call in calls):  # noqa: PLR2004 - a name, and what it is given
        return False
    if len({call[1:] for call in calls}) > 1:
        return False
    tokens = flat(loop, set())
    names = [call[0] for call in calls]
    rest = {token for token in tokens if token.isidentifier()} - set(names) - set(calls[0]) - _TURNS
    return "for" in tokens and [token for token in tokens if token in names] == names and len(rest) <= 1


def looped_otherwise(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The same done with each element by another form of loop: counted, over the elements, by a function."""
    if file.config_like or file.language in {"sql", "schema"}:
        return False
    sides = [flat(lines, set()) for lines in (old, new)]
    if not all(_LOOPS & set(side) and "&" not in side for side in sides):  # an address is of the loop's variable
        return False
    calls = [[name for name in evaluated(side) if name not in _LOOPS] for side in sides]
    codes = ["\n".join(line.line.code for line in lines) for lines in (old, new)]
    own = {name for code in codes for match in _ELEMENT.finditer(code) for name in match.groups() if name}
    said = [{part for part in side if part.isidentifier()} - own - _LOOPS - _TURNS - _COUNTS for side in sides]
    values = [{part for part in side if literal(part)} - _FROM for side in sides]
    marks = [Counter(part for part in side if part in _MARKS) for side in sides]
    return calls[0] == calls[1] and said[0] == said[1] and values[0] == values[1] and marks[0] == marks[1]


def _without_negation(tokens: Sequence[str]) -> list[str]:
    return [bare for token in tokens if (bare := _NEGATED.get(token, token))]


def _branches_swapped(old: Sequence[str], new: Sequence[str]) -> bool:
    """`a if x is None else b` as `b if x is not None else a`, `x ? a : b` as `!x ? b : a`."""
    parts = _branches(old), _branches(new)
    if parts[0] is None or parts[1] is None:
        return False
    yes, condition, no = parts[0]
    yes_now, condition_now, no_now = parts[1]
    return (yes, no) == (no_now, yes_now) and condition != condition_now


def _branches(tokens: Sequence[str]) -> tuple[list[str], list[str], list[str]] | None:
    """What is taken if a condition holds, the condition, and what is taken else; None without a choice."""
    bare = [token for token in tokens if token not in {"return", "(", ")"}]
    if "if" in bare and "else" in bare:
        i, j = bare.index("if"), bare.index("else")
        return bare[:i], bare[i + 1 : j], bare[j + 1 :]
    if "?" in bare and ":" in bare:
        i, j = bare.index("?"), bare.index(":")
        return bare[i + 1 : j], bare[:i], bare[j + 1 :]
    return None
