"""What a commit's diff can do: every finding, and how potent they are together."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rca.changes import inert
from rca.changes.amounts import overtaken
from rca.changes.diff import MOST_LINES, FileDiff, is_ignored, parse, renamed
from rca.changes.findings import Content, Finding
from rca.changes.form import of_form
from rca.changes.moved import (
    chosen_otherwise,
    collected,
    fixed_no_more,
    handed_on,
    made_each_time,
    stands_alone,
    swapped_values,
)
from rca.changes.pairs import compare, pair
from rca.changes.presence import came, went
from rca.changes.rewritten import (
    declared_by_fields,
    inverted,
    looped_otherwise,
    rewritten,
    smaller_or_larger,
    unrolled,
)
from rca.changes.texts import snippet
from rca.changes.tokens import Tokens, runs, tokenize
from rca.changes.unsaid import own_names
from rca.changes.values import value_of
from rca.changes.versions import versions
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Commit

UNKNOWN = 0.34
"""Potency of a commit whose diff nobody has."""

_HARMLESS = 0.12
_FURTHER = 0.04
_MOST = 0.96
_CODE_GONE, _CODE_NEW, _SETTING_GONE, _SETTING_NEW = 0.4, 0.2, 0.58, 0.25
_FIELD_GONE, _MEMBER_GONE = 0.72, 0.62
_HANDED_ON, _SWAPPED, _UNCALLED = 0.24, 0.72, 0.2
_IDLE_LINE = re.compile(
    r"\}?\s*(?:try|finally|else|do|begin|ensure)\s*[:{]?|@(?:Autowired|Inject|Override|SuppressWarnings\b.*)"
)
_LIMIT_NEW = 0.5
_BOUNDS = frozenset({"timeout_short", "body_small", "limit_tight", "memory_small", "cpu_small"})
_SETS = re.compile(r"^-?\s*[\"']?[\w.-]+[\"']?\s*(?::|=(?!=)|\s)\s*[^=]")
_LIMITS = re.compile(r"\b(?:timeout\w*|deadline|max\w*|limit\w*|quota|ttl|expir\w*|cap|budget)\b")
_MEMBER = re.compile(  # of an enumeration, or of a union of texts
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\s*(?:\([^)]*\)|=\s*[\"']?[\w-]+[\"']?)?\s*[,;]?|\|\s*[\"'][\w-]+[\"']\s*;?"
)
_NEW_FILE = re.compile(r"^(?:--- /dev/null|@@ -0,0 )", re.MULTILINE)
_STRING = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|`([^`]*)`")
_LITERAL = re.compile(r"[\w./:-]*\d[\w./:-]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|/[\w/.-]{3,}")
_BARE_VALUE = re.compile(r"[:=]\s*([A-Za-z][A-Za-z_-]{3,})$")
_IDENTIFIER = re.compile(r"(?<!\w)[A-Za-z_]\w{2,}")


def judge(commit: Commit, vocabulary: Vocabulary, most_lines: int = MOST_LINES) -> Content:
    """Judge a commit by its diff, as far as so many changed lines go; without one, by its files."""
    files = commit.files_changed
    if files and all(is_ignored(path, vocabulary) for path in files):
        return Content((), 0.03, inert=True, known=True, why="only tests, documentation, styles or CI", paths=())
    if commit.diff is None or not commit.diff.strip():
        return Content((), UNKNOWN, inert=False, known=False, why="its diff is not on record", paths=files)
    return judge_diff(commit.diff, files, vocabulary, most_lines)


def judge_diff(diff: str, files: tuple[str, ...], vocabulary: Vocabulary, most_lines: int = MOST_LINES) -> Content:
    """Judge a unified diff.

    Args:
        diff: Its text, headers or not.
        files: The files it is about, for hunks without a header.
        vocabulary: What the words mean.
        most_lines: Changed lines that are read.
    """
    parsed = parse(diff, files, vocabulary, most_lines)
    if not parsed:
        return Content((), 0.03, inert=True, known=True, why="nothing that runs is touched")
    found: list[Finding] = []
    changed = False
    alone = _NEW_FILE.search(diff) is not None and all(stands_alone(file) for file in parsed)
    for file in parsed:
        mine, differs = _file(file, vocabulary)
        found += mine
        changed = changed or differs
    if alone:
        found = [replace(finding, potency=min(finding.potency, _UNCALLED)) for finding in found]
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
    named = {sign: {name.lower() for name in _IDENTIFIER.findall(code)} for sign, code in sides.items()}
    new, old = _literals(sides["+"]), _literals(sides["-"])
    settings: set[str] = set()
    for file in files:
        if file.config_like and file.side("-"):  # a value in another's place
            settings |= _bare_values(file, "+") - _bare_values(file, "-")
    return Content(
        findings=findings,
        potency=round(potency, 3),
        inert=inert_,
        known=True,
        why=why,
        names=frozenset(named["+"] | named["-"]),
        new_names=frozenset(named["+"] - named["-"]),
        values=frozenset(new - old),
        gone_values=frozenset(old - new),
        settings=frozenset(settings),
        text=frozenset(word for line in lines for word in line.words.split()),
        paths=tuple(file.path for file in files),
    )


def _bare_values(file: FileDiff, sign: str) -> set[str]:
    return {match[1] for line in file.side(sign) if (match := _BARE_VALUE.search(line.code))}


def _literals(text: str) -> set[str]:
    found = {next(group for group in match if group or group == match[-1]) for match in _STRING.findall(text)}
    found |= set(_LITERAL.findall(text))
    return {value for value in found if len(value) > 1}


def _file(file: FileDiff, vocabulary: Vocabulary) -> tuple[list[Finding], bool]:
    """A file's findings, and whether anything in it differs at all."""
    lines = tokenize(file, vocabulary)
    paired = _pairs(lines)
    names = inert.renames(file, paired[0])
    if names:
        file = renamed(file, names)
        lines = tokenize(file, vocabulary)
        paired = _pairs(lines)
    old = [line for line in lines if line.line.sign == "-"]
    new = [line for line in lines if line.line.sign == "+"]
    told = list(made_each_time(file))
    if swapped := swapped_values(old, new):
        told.append(Finding("key", _SWAPPED, f"values changed places: {swapped}", file.path))
    if told:
        return told, True
    formed = list(of_form(file, paired[0], old, new))
    past = inert.passed(lines)
    order = inert.reordered(file, old, new, past)
    if order or (order is None and inert.same_layout(old, new)) or inert.extracted(file, old, new):
        return formed, bool(formed)
    if order is False:
        return [*formed, Finding("order", 0.62, "the same lines in another order", file.path)], True
    if inverted(old, new):
        return [*formed, Finding("logic", 0.15, "a condition turned round, with its branches", file.path)], True
    if any(
        same(file, old, new)
        for same in (
            rewritten,
            collected,
            chosen_otherwise,
            unrolled,
            looped_otherwise,
            declared_by_fields,
            smaller_or_larger,
        )
    ):
        return [*formed, Finding("logic", 0.15, "written otherwise, of the same parts", file.path)], True
    pairs, lone_old, lone_new = paired
    moved, kept = Counter(_every(new)), Counter(_every(old))
    found = [finding for a, b in pairs for finding in compare(file, a, b, moved, kept, vocabulary)]
    found += overtaken(file, pairs, lines)
    found += versions(file, pairs)
    found += went(file, [line.line for line in lone_old], vocabulary)
    found += _lone(file, lone_old, lone_new, moved, kept, lines)
    helper = handed_on(file, old, new)
    if helper:
        found = [Finding("logic", _HANDED_ON, f"handed to `{helper}`, which isn't shown", file.path)]
    return [*found, *formed, *came(file, vocabulary), *fixed_no_more(file, old, new)], True


def _limited(file: FileDiff, fresh: Sequence[Tokens], kept: Counter[str]) -> Iterator[Finding]:
    """A limit of time, number or size where there was none, set by a line of its own."""
    for line in fresh:
        values = [value for token in line.tokens if kept[token] == 0 and (value := value_of(token)) is not None]
        quantity = line.quantity
        if quantity is None or quantity.less not in _BOUNDS or len(values) != 1:
            continue
        if values[0].number and _SETS.match(line.line.code) and _LIMITS.search(line.line.words):
            told = f"{quantity.name} {values[0].text()}, where none was set"
            yield Finding(quantity.less, _LIMIT_NEW, told, file.path)
            return


def _says(token: str) -> bool:
    """Whether a token is a word, an annotation or a text rather than a mark."""
    return token[0].isalnum() or token[0] in "_@\"'"


def _every(lines: Sequence[Tokens]) -> Iterator[str]:
    for line in lines:
        yield from line.tokens


def _pairs(lines: Sequence[Tokens]) -> tuple[list[tuple[Tokens, Tokens]], list[Tokens], list[Tokens]]:
    pairs, lone_old, lone_new = [], [], []
    for removed, added in runs(lines):
        some, left, right = pair(removed, added)
        pairs += some
        lone_old += left
        lone_new += right
    return pairs, lone_old, lone_new


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
    own = own_names(file)
    missing = [
        line
        for line in old
        if line.tokens not in back
        and not _IDLE_LINE.fullmatch(line.line.code)
        and any(moved[token] < kept[token] for token in line.tokens if _says(token) and token not in own)
    ]
    if missing:
        kind, potency = ("setting_gone", _SETTING_GONE) if file.config_like else ("logic", _CODE_GONE)
        if file.language == "schema":
            kind, potency = "schema", _FIELD_GONE
        elif not file.config_like and any(_MEMBER.fullmatch(line.line.code) for line in missing):
            kind, potency = "key", _MEMBER_GONE
        yield Finding(kind, potency, f"gone: `{snippet(missing[0].line.code)}`", file.path)
    fresh = [line for line in new if any(kept[token] < moved[token] for token in line.tokens if _says(token))]
    if fresh:
        whole = not any(line.line.sign != "+" for line in lines)
        potency = _SETTING_NEW if file.config_like and not whole else _CODE_NEW
        yield Finding(
            "setting" if file.config_like else "logic", potency, f"new: `{snippet(fresh[0].line.code)}`", file.path
        )
    if any(line.line.sign == " " for line in lines):
        yield from _limited(file, fresh, kept)
    for line in missing:
        for token in line.tokens:
            value = value_of(token)
            if value is not None and moved[token] == 0 and line.quantity is not None and not file.config_like:
                told = f"{line.quantity.name} {value.text()} is no longer set"
                yield Finding(line.quantity.less, 0.58, told, file.path)
                return
