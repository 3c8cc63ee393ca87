"""What is gone and not back, and what was added: a file's removed lines against its added ones."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from rca.changes.diff import FileDiff, Line
from rca.changes.findings import Finding
from rca.changes.moved import exits_elsewhere, given_elsewhere
from rca.changes.texts import snippet
from rca.changes.vocabulary import Added, Gone, Vocabulary

_MEMBER_INDENT = 4  # of a class's members
_GLOBAL = re.compile(
    r"^(?:(?:export|public|private|protected|internal|static|final|readonly|pub|mut|val|var|let|const|lateinit)\s+)*"
    r"(?:var\s+(?P<go>\w+)\s*(?:=\s*)?(?:map\[|\[\]|sync\.Map|make\(map)"
    r"|(?P<py>\w+)\s*(?::[^=]+)?=\s*(?:\{\}|\[\]|dict\(\)|list\(\)|set\(\)|defaultdict\(.*\)|deque\(\))\s*;?$"
    r"|(?P<js>\w+)\s*(?::[^=]+)?=\s*new\s+(?:Map|Set|Array|WeakSet)\b.*"
    r"|(?:[\w.]*(?:Map|List|Set|Queue|Deque|Collection)<.*>\s+)(?P<java>\w+)\s*=\s*new\b.*)"
)
_MEMBER_GROWS = re.compile(
    r"\b(?:self|this|s|h|r|c|m|srv|svc|[A-Z]\w+)\.(\w+)\s*(?:\.(?:append|push|add|put|set|offer|insert|extend|setdefault)\(|\[[^\]]+\]\s*=[^=]|=\s*append\()"
)
_ASSIGNS = re.compile(
    r"^(?P<declares>(?:var|let|const|val|final|auto|int|long|String|double|bool)\s+)?(?P<name>[A-Za-z_]\w*(?:\.\w+)*)"
    r"\s*(?:[+\-*/|]?=(?!=)\s*(?!None|null|nil)|\+\+|--)"
)
_GROWS = (
    r"(?:\[[^\]]+\]\s*=[^=]|\s*=\s*append\("
    r"|\.(?:append|push|add|put|set|offer|insert|extend|unshift|setdefault|Store|addAll)\()"
)
_REFERENCE = re.compile(r"\b(\w+)::(\w+)")  # a method that is handed over to be called
_EVICTS = re.compile(
    r"\b(?:evict\w*|lru|max ?size|maxlen|max entries|cap|ttl|expir\w*|delete|pop\w*|prune|clear|trim|remove\w*"
    r"|bounded|limit|weak|ring|len|size|evicts?|discard|shift|splice|reset)\b"
)


def went(file: FileDiff, lone: Sequence[Line], vocabulary: Vocabulary) -> Iterator[Finding]:
    """Everything that went missing.

    Args:
        file: The file.
        lone: Removed lines that no added line took the place of.
        vocabulary: What matters when it goes.
    """
    yield from _gone(file, vocabulary.gone)
    yield from _update_gone(file, lone)


def came(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Everything that came in.

    Args:
        file: The file.
        vocabulary: What matters when it comes.
    """
    yield from _added(file, vocabulary.added)
    yield from _growth(file)


def _gone(file: FileDiff, entries: Sequence[Gone]) -> Iterator[Finding]:
    removed, added = file.side("-"), file.side("+")
    if not removed:
        return
    old_words, new_words = _joined(removed, "words"), _joined(added, "words")
    old_code, new_code = _joined(removed, "code"), _joined(added, "code")
    for entry in entries:
        sides = ((entry.words, old_words, new_words), (entry.patterns, old_code, new_code))
        hits = ((old, pattern.search(old)) for pattern, old, _ in sides if pattern is not None)
        missed = next(((old, match.start()) for old, match in hits if match), None)
        if missed is None:  # asked first: most entries end here
            continue
        if any(pattern is not None and pattern.search(new) for pattern, _, new in sides):
            continue
        if entry.unless is not None and entry.unless.search(new_code):
            continue
        line = removed[_line_of(*missed)]
        if given_elsewhere(line.code, new_code) or (
            entry.kind == "guard_gone" and exits_elsewhere(old_code, new_code)
        ):
            continue
        yield Finding(entry.kind, entry.potency, f"gone: `{snippet(line.code)}`", file.path)


def _added(file: FileDiff, entries: Sequence[Added]) -> Iterator[Finding]:
    removed, added = file.side("-"), file.side("+")
    old, new = _joined(removed, "code"), _joined(added, "code")
    for entry in entries:
        if entry.patterns.search(new) is None or not _may_apply(entry, file, old, new):
            continue
        for match in entry.patterns.finditer(new):
            line = added[_line_of(new, match.start())]
            if _stands_where_it_harms(entry, line, removed):
                yield Finding(entry.kind, entry.potency, f"new: `{snippet(line.code)}`", file.path)
                break


def _may_apply(entry: Added, file: FileDiff, old: str, new: str) -> bool:
    """Whether what surrounds it lets it matter at all."""
    return not (
        (entry.languages and file.language not in entry.languages)
        or (entry.pure and old)
        or (entry.against is not None and not entry.against.search(old))
        or (entry.unless is not None and entry.unless.search(new))
        or (
            entry.beside is not None
            and not any(entry.beside.search(line.code) for line in file.lines if line.sign != "-")
        )
        or (entry.where == "any" and not entry.deeper and entry.patterns.search(old))
    )


def _stands_where_it_harms(entry: Added, line: Line, removed: Sequence[Line]) -> bool:
    if entry.where == "async":
        return line.in_async
    was = [other for other in removed if entry.patterns.search(_REFERENCE.sub(r"\1.\2(", other.code))]
    if entry.where == "loop":
        return line.in_loop and not any(other.in_loop for other in was)
    if entry.deeper:
        return line.indent > 0 and not any(other.indent >= line.indent for other in was)
    return True


def _growth(file: FileDiff) -> Iterator[Finding]:
    """Something that lives as long as the process, and that grows with use and is never emptied."""
    added = file.side("+")
    words = _joined(added, "words")
    if _EVICTS.search(words):
        return
    code = _joined(added, "code")
    everything = "\n".join(line.code for line in file.lines if line.sign != "-")
    deepest = _MEMBER_INDENT if file.language == "java" else 0
    outside = [line for line in file.lines if line.sign != "-" and line.indent <= deepest]
    found = (match for line in outside if (match := _GLOBAL.match(line.code)))
    for name in (next(group for group in match.groups() if group) for match in found):
        grows = rf"\b{re.escape(name)}{_GROWS}"
        if re.search(grows, code):
            yield Finding(
                "growth", 0.85, f"`{name}` lives as long as the process, grows and is never emptied", file.path
            )
            return
    match = _MEMBER_GROWS.search(code)
    if match and not re.search(rf"\b{match[1]}\b\s*(?::?=)\s*(?:\[\]|\{{\}}|make|new|nil)", everything):
        yield Finding("growth", 0.6, f"`{match[1]}` grows, and nothing here empties it", file.path)


def _update_gone(file: FileDiff, lone: Sequence[Line]) -> Iterator[Finding]:
    """An assignment is gone, and what it set is still used."""
    if file.config_like or file.language == "sql":
        return
    stays = "\n".join(line.code for line in file.lines if line.sign != "-")
    added = _joined(file.side("+"), "code")
    for line in lone:
        match = _ASSIGNS.match(line.code)
        if match is None or match["declares"]:
            continue
        name = re.escape(match["name"])
        set_again = rf"(?<![\w.]){name}\s*(?::[^=\n]*|[^=\s!<>])?=(?!=)|{name}(?:\+\+|--)|\bas\s+{name}\b"
        if re.search(rf"(?<![\w.]){name}\b", stays) and not re.search(set_again, added):
            yield Finding("update_gone", 0.64, f"no longer: `{snippet(line.code)}`", file.path)
            return


def _joined(lines: Sequence[Line], what: str) -> str:
    return "\n".join(line.words if what == "words" else line.code for line in lines)


def _line_of(text: str, position: int) -> int:
    ends = list(accumulate(len(row) + 1 for row in text.split("\n")))
    return min(bisect_right(ends, position), len(ends) - 1)
