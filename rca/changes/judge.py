"""What a commit's diff can do: every finding, and how potent they are together."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from rca.changes import inert
from rca.changes.diff import FileDiff, Line, is_ignored, parse, renamed, split_words
from rca.changes.findings import Content, Finding
from rca.changes.pairs import compare, pair
from rca.changes.tokens import Tokens, tokenize
from rca.changes.values import value_of
from rca.changes.versions import versions
from rca.changes.vocabulary import Added, Gone, Vocabulary
from rca.model.incident import Commit

UNKNOWN = 0.34
"""Potency of a commit whose diff nobody has."""

_HARMLESS = 0.12
_FURTHER = 0.04
_MOST = 0.96
_CODE_GONE, _CODE_NEW, _SETTING_GONE, _SETTING_NEW = 0.4, 0.2, 0.58, 0.36
_STRING = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|`([^`]*)`")
_LITERAL = re.compile(r"[\w./:-]*\d[\w./:-]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|/[\w/.-]{3,}")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w]{2,}")
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
_EVICTS = re.compile(
    r"\b(?:evict\w*|lru|max ?size|maxlen|max entries|cap|ttl|expir\w*|delete|pop\w*|prune|clear|trim|remove\w*|bounded|limit|weak|ring|len|size|evicts?|discard|shift|splice|reset)\b"
)


def judge(commit: Commit, vocabulary: Vocabulary) -> Content:
    """Judge a commit by its diff; without one, by its files."""
    files = commit.files_changed
    if files and all(is_ignored(path, vocabulary) for path in files):
        return Content((), 0.03, inert=True, known=True, why="only tests, documentation, styles or CI", paths=())
    if commit.diff is None or not commit.diff.strip():
        return Content((), UNKNOWN, inert=False, known=False, why="its diff is not on record", paths=files)
    return judge_diff(commit.diff, files, vocabulary)


def judge_diff(diff: str, files: tuple[str, ...], vocabulary: Vocabulary) -> Content:
    """Judge a unified diff.

    Args:
        diff: Its text, headers or not.
        files: The files it is about, for hunks without a header.
        vocabulary: What the words mean.
    """
    parsed = parse(diff, files, vocabulary)
    if not parsed:
        return Content((), 0.03, inert=True, known=True, why="nothing that runs is touched")
    found: list[Finding] = []
    changed = False
    for file in parsed:
        mine, differs = _file(file, vocabulary)
        found += mine
        changed = changed or differs
    best: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: (-f.potency, f.kind, f.path, f.why)):
        best.setdefault(finding.kind, finding)
    findings = tuple(best.values())
    if not changed:
        return _content((), 0.03, "layout, a rename, or moved code: it does what it did", parsed, inert_=True)
    potency = findings[0].potency if findings else _HARMLESS
    potency += _FURTHER * sum(f.potency > 0.4 for f in findings[1:4])  # noqa: PLR2004 - others that could do harm
    return _content(findings, min(potency, _MOST), findings[0].why if findings else "code is added", parsed)


def _content(
    findings: tuple[Finding, ...], potency: float, why: str, files: Sequence[FileDiff], *, inert_: bool = False
) -> Content:
    lines = [line for file in files for line in file.lines if line.sign != " " and line.code]
    sides = {sign: "\n".join(line.code for line in lines if line.sign == sign) for sign in "+-"}
    new, old = _literals(sides["+"]), _literals(sides["-"])
    return Content(
        findings=findings,
        potency=round(potency, 3),
        inert=inert_,
        known=True,
        why=why,
        names=frozenset(name.lower() for line in lines for name in _IDENTIFIER.findall(line.code)),
        values=frozenset(new - old),
        gone_values=frozenset(old - new),
        text=frozenset(word for line in lines for word in line.words.split()),
        paths=tuple(file.path for file in files),
    )


def _literals(text: str) -> set[str]:
    found = {next(group for group in match if group or group == match[-1]) for match in _STRING.findall(text)}
    found |= set(_LITERAL.findall(text))
    return {value for value in found if len(value) > 1}


def _file(file: FileDiff, vocabulary: Vocabulary) -> tuple[list[Finding], bool]:
    """A file's findings, and whether anything in it differs at all."""
    lines = tokenize(file, vocabulary)
    names = inert.renames(file, _pairs(lines)[0])
    if names:
        file = renamed(file, names)
        lines = tokenize(file, vocabulary)
    old = [line for line in lines if line.line.sign == "-"]
    new = [line for line in lines if line.line.sign == "+"]
    if not old and not new:
        return [], False
    if inert.same_layout(old, new):
        return [], False
    order = inert.reordered(file, old, new)
    if order is True:
        return [], False
    if order is False:
        return [Finding("order", 0.62, "the same lines in another order", file.path)], True
    if inert.extracted(file, old, new):
        return [], False
    if inert.inverted(old, new):
        return [Finding("logic", 0.15, "a condition turned round, with its branches", file.path)], True
    pairs, lone_old, lone_new = _pairs(lines)
    moved, kept = Counter(_every(new)), Counter(_every(old))
    found = [finding for a, b in pairs for finding in compare(file, a, b, moved, kept, vocabulary.settings)]
    found += versions(file, pairs)
    found += _gone(file, vocabulary.gone)
    found += _added(file, vocabulary.added)
    found += _growth(file)
    found += _update_gone(file, [line.line for line in lone_old])
    found += _lone(file, lone_old, lone_new, moved, kept, lines)
    return found, True


def _every(lines: Sequence[Tokens]) -> Iterator[str]:
    for line in lines:
        yield from line.tokens


def _pairs(lines: Sequence[Tokens]) -> tuple[list[tuple[Tokens, Tokens]], list[Tokens], list[Tokens]]:
    blocks: dict[int, tuple[list[Tokens], list[Tokens]]] = {}
    for line in lines:
        if line.line.block >= 0:
            blocks.setdefault(line.line.block, ([], []))[line.line.sign == "+"].append(line)
    pairs, lone_old, lone_new = [], [], []
    for removed, added in blocks.values():
        some, left, right = pair(removed, added)
        pairs += some
        lone_old += left
        lone_new += right
    return pairs, lone_old, lone_new


def _gone(file: FileDiff, entries: Sequence[Gone]) -> Iterator[Finding]:
    removed, added = file.side("-"), file.side("+")
    if not removed:
        return
    old_words, new_words = _joined(removed, "words"), _joined(added, "words")
    old_code, new_code = _joined(removed, "code"), _joined(added, "code")
    for entry in entries:
        if entry.unless is not None and entry.unless.search(new_code):
            continue
        sides = ((entry.words, old_words, new_words), (entry.patterns, old_code, new_code))
        if any(pattern is not None and pattern.search(new) for pattern, _, new in sides):
            continue
        for pattern, old, _ in sides:
            if pattern is not None and (match := pattern.search(old)):
                line = removed[_line_of(old, match.start())]
                yield Finding(entry.kind, entry.potency, f"gone: `{_short(line.code)}`", file.path, "less")
                break


def _added(file: FileDiff, entries: Sequence[Added]) -> Iterator[Finding]:
    removed, added = file.side("-"), file.side("+")
    if not added:
        return
    old, new = _joined(removed, "code"), _joined(added, "code")
    for entry in entries:
        if entry.languages and file.language not in entry.languages:
            continue
        if entry.pure and removed:
            continue
        if entry.against is not None and not entry.against.search(old):
            continue
        if entry.unless is not None and entry.unless.search(new):
            continue
        if not entry.deeper and entry.where == "any" and entry.patterns.search(old):
            continue
        for match in entry.patterns.finditer(new):
            line = added[_line_of(new, match.start())]
            if entry.where == "loop" and not line.in_loop:
                continue
            if entry.where == "async" and not line.in_async:
                continue
            if entry.where == "loop" and any(entry.patterns.search(o.code) and o.in_loop for o in removed):
                continue
            if entry.deeper and (
                line.indent == 0 or any(entry.patterns.search(o.code) and o.indent >= line.indent for o in removed)
            ):
                continue
            yield Finding(entry.kind, entry.potency, f"new: `{_short(line.code)}`", file.path, "less")
            break


def _growth(file: FileDiff) -> Iterator[Finding]:
    """Something that lives as long as the process, and that grows with use and is never emptied."""
    added = file.side("+")
    words = _joined(added, "words")
    if _EVICTS.search(words):
        return
    code = _joined(added, "code")
    everything = "\n".join(line.code for line in file.lines if line.sign != "-")
    names = {}
    for line in file.lines:
        if line.sign != "-" and line.indent <= (4 if file.language == "java" else 0):
            match = _GLOBAL.match(line.code)
            if match:
                names[next(group for group in match.groups() if group)] = line
    for name in names:
        grows = rf"\b{re.escape(name)}(?:\[[^\]]+\]\s*=[^=]|\s*=\s*append\(|\.(?:append|push|add|put|set|offer|insert|extend|unshift|setdefault|Store|addAll)\()"
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
            yield Finding("update_gone", 0.64, f"no longer: `{_short(line.code)}`", file.path, "less")
            return


def _lone(
    file: FileDiff,
    old: Sequence[Tokens],
    new: Sequence[Tokens],
    moved: Counter[str],
    kept: Counter[str],
    lines: Sequence[Tokens],
) -> Iterator[Finding]:
    """Lines without a partner: removed or added as a whole."""
    back = {line.tokens for line in lines if line.line.sign == "+"}
    gone = [
        line
        for line in old
        if line.tokens not in back
        and any(moved[token] < kept[token] for token in line.tokens if token[0].isalnum())
    ]
    if gone:
        kind, potency = ("setting_gone", _SETTING_GONE) if file.config_like else ("logic", _CODE_GONE)
        yield Finding(kind, potency, f"gone: `{_short(gone[0].line.code)}`", file.path)
    fresh = [
        line for line in new if any(kept[token] < moved[token] for token in line.tokens if token[0].isalnum())
    ]
    if fresh:
        whole = not any(line.line.sign != "+" for line in lines)
        potency = _SETTING_NEW if file.config_like and not whole else _CODE_NEW
        yield Finding(
            "setting" if file.config_like else "logic", potency, f"new: `{_short(fresh[0].line.code)}`", file.path
        )
    for line in gone:
        for token in line.tokens:
            value = value_of(token)
            if value is not None and moved[token] == 0 and line.quantity is not None and not file.config_like:
                told = f"{line.quantity.name} {value.text()} is no longer set"
                yield Finding(line.quantity.less, 0.58, told, file.path, "less")
                return


def _joined(lines: Sequence[Line], what: str) -> str:
    return "\n".join(line.words if what == "words" else line.code for line in lines)


def _line_of(text: str, position: int) -> int:
    ends = list(accumulate(len(row) + 1 for row in text.split("\n")))
    return min(bisect_right(ends, position), len(ends) - 1)


def _short(code: str) -> str:
    code = " ".join(code.split())
    return code if len(code) <= 70 else code[:69] + "…"  # noqa: PLR2004 - a line of a terminal


__all__ = ["UNKNOWN", "judge", "judge_diff", "split_words"]
