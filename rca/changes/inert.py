"""Changes that change nothing: layout, order where order means nothing, renames, code moved into a function."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from rca.changes.diff import FileDiff
from rca.changes.tokens import Tokens, differences, runs

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_BUILTIN = re.compile(
    r"(?:int|float|double|long|short|char|byte|bool|boolean|string|str|bytes|decimal|number|any|object|list|dict|set|tuple"
    r"|map|array|vec|u?int(?:8|16|32|64)|float(?:32|64)|true|false|none|null|nil|undefined|if|else|for|while|return|break"
    r"|continue|await|async|yield|defer|go|static|final|const|var|let|val|public|private|protected|synchronized|volatile"
    r"|transient|abstract|override|not|and|or|in|is|try|catch|except|finally|throw|raise|new|this|self|super)",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"\b(?:func|def|function|fn|fun|sub)\s+(?:\([^)]*\)\s*)?(?P<a>\w+)|(?P<b>\w+)\s*=\s*(?:async\s*)?\([^)]*\)\s*(?:=>|->)"
    r"|^(?:(?:public|private|protected|static|final|async|export|virtual|override|inline)\s+)+"
    r"[\w<>\[\],.? ]*?(?P<c>\w+)\s*\("
)
_ORDERED = re.compile(
    r"\b(?:ack\w*|nack|commit\w*|lock|unlock|acquire|release|close|delete|remove|publish|send|save|write|flush|auth\w*"
    r"|verify|check|validate|register|start|stop|begin|put|set)\b"
)
_FREE_ORDER = re.compile(r"^(?:@\w|[\w.-]+\s*[:=]|\"[\w.-]+\"\s*:|\.\w+\(|[\w.\"']+,?$|import\b|case\b)")
_SET = re.compile(r"^set\s+(\$\w+)", re.MULTILINE)
_MOVED = 0.8
_MOST_NAMES = 60  # more than that is no rename
_OVERHEAD = 24  # tokens of a signature and a call


def declared(file: FileDiff) -> set[str]:
    """Functions that the added lines define."""
    found = set()
    for line in file.side("+"):
        if match := _FUNCTION.search(line.code):
            found.add(match["a"] or match["b"] or match["c"])
    return {name for name in found if name}


def renames(file: FileDiff, pairs: Sequence[tuple[Tokens, Tokens]]) -> dict[str, str]:
    """Local names that were renamed throughout: old to new.

    Only names that the added lines declare (an assignment, a parameter, a function): what is called or imported
    from elsewhere isn't theirs to rename. Keys, columns and texts are names that others rely on, and never count.
    """
    if file.language == "nginx":
        return _variables(file)
    if file.config_like or file.language == "sql":
        return {}
    votes: dict[str, Counter[str]] = {}
    for old, new in pairs:
        for before, after in differences(old.tokens, new.tokens):
            for x, y in zip(before, after, strict=False):
                if len(before) == len(after) and _IDENTIFIER.fullmatch(x) and _IDENTIFIER.fullmatch(y):
                    votes.setdefault(x, Counter())[y] += 1
    if len(votes) > _MOST_NAMES:
        return {}
    added = "\n".join(line.code for line in file.side("+"))
    removed = "\n".join(line.code for line in file.side("-"))
    context = "\n".join(line.code for line in file.lines if line.sign == " ")
    result: dict[str, str] = {}
    for old_name, to in sorted(votes.items()):
        new_name = to.most_common(1)[0][0]
        if (
            len(to) == 1
            and new_name not in result.values()
            and not _BUILTIN.fullmatch(new_name)
            and not _BUILTIN.fullmatch(old_name)
            and not has(old_name, added)
            and not has(new_name, removed)
            and not has(new_name, context)
            and declares(new_name, added)
            and declares(old_name, removed)
        ):
            result[old_name] = new_name
    return result


def _variables(file: FileDiff) -> dict[str, str]:
    """The one variable of a configuration that is set by another name throughout."""
    code = {sign: "\n".join(line.code for line in file.lines if line.sign == sign) for sign in "-+ "}
    old, new = (_SET.findall(code[sign]) for sign in "-+")
    if (
        len(old) != 1
        or len(new) != 1
        or old == new
        or has(old[0], code["+"] + code[" "])
        or has(new[0], code["-"])
    ):
        return {}
    return {old[0]: new[0]}


def has(name: str, text: str) -> bool:
    """Whether a text holds a name as a whole word."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) is not None


def declares(name: str, text: str) -> bool:
    """Whether lines declare a name: a variable, a parameter, a function, a field."""
    n = re.escape(name)
    return (
        re.search(
            rf"^(?:self\.|this\.)?(?:\w+,\s*)*{n}(?:,\s*\w+)*\s*(?::=|=(?!=)|:\s*[\w.\[\]]+\s*=)"
            rf"|\b(?:var|let|const|val|auto|func|def|class|type|fn|function|for|as)\s+(?:\([^)]*\)\s*)?(?:\w+,\s*)*{n}\b"
            rf"|^(?:(?:private|public|protected|static|final|readonly)\s+)*"
            rf"[A-Za-z][\w.<>\[\],? ]*\s+{n}\s*(?:[=;,)]|$)"
            rf"|\bfunc\b.*[(,]\s*{n}\s+[\w*\[]|\b(?:def|function)\b.*[(,]\s*{n}\b|[(,\s]{n}\s*\)?\s*(?:->|=>)",
            text,
            re.MULTILINE,
        )
        is not None
    )


def same_layout(old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """Equal but for line breaks, trailing separators and parentheses around a whole expression."""
    return flat(old, {"(", ")"}) == flat(new, {"(", ")"})


def flat(lines: Sequence[Tokens], without: set[str]) -> list[str]:
    """The tokens of all lines, some of them left out."""
    return [token for line in lines for token in line.tokens if token not in without]


def passed(lines: Sequence[Tokens]) -> list[Tokens]:
    """The lines of the context that changed lines moved past; empty where each run of lines stayed in place."""
    if all(same_layout(old, new) for old, new in runs(lines)):
        return []
    changed = [i for i, line in enumerate(lines) if line.line.block >= 0]
    between = [line for line in lines[changed[0] : changed[-1]] if line.line.block < 0]
    return [
        line for line in between if not {"(", "=", ":="}.isdisjoint(line.tokens)
    ]  # others do nothing themselves


def reordered(
    file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens], past: Sequence[Tokens] = ()
) -> bool | None:
    """Whether it is the same in another order: True where that means nothing, False where it may; None if not.

    Args:
        file: Where they are.
        old: The removed lines.
        new: The added lines.
        past: Lines that stayed, past which others moved.
    """
    before, after = Counter(flat(old, set())), Counter(flat(new, set()))
    if not before or before != after:
        return None
    if _decorated_otherwise(file, old, new):
        return False
    if not file.config_like and (_nested_otherwise(file, old, new) if not past else _in_another_block(old, new)):
        return False
    if file.config_like or (len(old) == len(new) == 1 and not past):
        return same_layout(old, new) or not _operands_swapped(old, new)
    if not past and _calls(old) == _calls(new):
        return True
    lines = [line.line.code for line in (*old, *new, *past)]
    return all(_FREE_ORDER.search(code) for code in lines) or not any(
        _ORDERED.search(line.line.words) for line in (*old, *new, *past)
    )


def _nested_otherwise(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The same statements in the same order, but inside or outside of other blocks."""
    braces = {"{", "}"}
    if flat(old, braces) == flat(new, braces) and flat(old, set()) != flat(new, set()):
        return True
    context = any(
        line.sign == " " and line.code for line in file.lines
    )  # without any, all of it may be reformatted
    return file.language == "python" and context and _indented_otherwise(old, new)


def _decorated_otherwise(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """Whether decorators changed places: each is put around those below it."""
    if file.language != "python" or not all(line.line.code.startswith("@") for line in (*old, *new)):
        return False
    return [line.tokens for line in old] != [line.tokens for line in new]


def _in_another_block(old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """Whether a call that moved past lines that stayed stands in another block than before."""
    indents = {line.tokens: line.line.indent for line in old if "(" in line.tokens}
    return any(indents.get(line.tokens, line.line.indent) != line.line.indent for line in new)


def _indented_otherwise(old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """The same statements, line for line, not all of which were moved sideways alike."""
    if [line.tokens for line in old] != [line.tokens for line in new]:
        return False
    if any(line.line.code.endswith((",", "(", "[", "{")) or line.line.code[:1] in ")]}" for line in old):
        return False  # one expression over several lines
    return any(a.line.indent != b.line.indent for a, b in zip(old, new, strict=True))


def _calls(lines: Sequence[Tokens]) -> list[str]:
    """What is called, in order."""
    tokens = flat(lines, set())
    return [name for name, then in pairwise(tokens) if then == "(" and name.isidentifier()]


def _operands_swapped(old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """One line whose order matters: `a - b` to `b - a`, `x / y` to `y / x`."""
    tokens = [token for line in (*old, *new) for token in line.tokens]
    return any(token in {"-", "/", "%", "<", "<=", "<<", "->"} for token in tokens) and not any(
        token in {"(", "{"} for token in tokens
    )


def extracted(file: FileDiff, old: Sequence[Tokens], new: Sequence[Tokens]) -> bool:
    """Code that was moved into a function of its own: what was there is there, and nothing new is said."""
    if file.config_like or not old:
        return False
    before, after = Counter(flat(old, set())), Counter(flat(new, set()))
    names = declared(file) - before.keys()
    if not names:
        return False
    kept = sum((before & after).values()) / max(1, sum(before.values()))
    fresh = [token for token in (after - before) if literal(token) and token not in before]
    grown = sum((after - before).values())
    return (
        kept >= _MOVED
        and not fresh
        and grown <= _OVERHEAD + sum(before.values()) / 2
        and any(token in names for token in after)
    )


def literal(token: str) -> bool:
    """Whether a token is a number or a text."""
    return token[0] in "\"'`⟦"
