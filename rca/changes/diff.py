"""Unified diffs, as people and tools really write them: with or without headers, hunks named by a path."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from rca.changes.vocabulary import Vocabulary

MOST_LINES = 1_200
"""Changed lines of one commit that are judged; the rest is left out."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_HUNK = re.compile(r"^@@ ?(?:-\d+(?:,\d+)? \+\d+(?:,\d+)? )?(?P<inside>[^@]*)(?:@@)?(?P<after>.*)$")
_PATH = re.compile(r"^[\w.@+-]*[\w./@+-]*\.\w+$|^[\w./-]+/[\w.-]+$")
_LOOP = re.compile(
    r"^\s*\}?\s*(?:async\s+)?(?:for|while|foreach|loop|until)\b|\.(?:forEach|each|map|flatMap|stream)(?:\(.*(?:=>|->|\{|lambda|do)|\s*\{)"
)
_LOOP_LINE = re.compile(
    r"[\[({].*\bfor\b\s+[\w, ]+\s+\bin\b|\bmap\(\s*lambda"
    r"|\.(?:map|forEach|flatMap|each)\(\s*(?:async\s*)?\(?\w+\)?\s*(?:=>|->)"
    r"|\.(?:map|forEach|flatMap|each)\s*\{|\.(?:map|forEach|flatMap|each)\(\s*[\w.]+(?:::|\.)\w+\s*\)"
)
_ASYNC = re.compile(r"\basync\s+(?:def|fn|function)\b|\bsuspend fun\b|\bMono<|\bFlux<")
_STRING_OR_COMMENT = r"(?P<s>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)"
_CONFIG_LIKE = frozenset({"config", "nginx", "docker", "terraform", "dependencies"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk.

    Attributes:
        sign: `+`, `-` or a space.
        code: Without comments; empty for a line that can't do harm (an import, a log line).
        words: Its words, split and in lower case.
        in_loop: It stands inside a loop.
        in_async: It stands inside a coroutine.
        block: Which run of changed lines it belongs to, counted over the file; -1 for context.
    """

    sign: str
    code: str
    words: str
    indent: int
    in_loop: bool
    in_async: bool
    block: int


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a commit changed in one file.

    Attributes:
        language: `go`, `python`, `java` (and its likes), `script`, `ruby`, `sql`, `terraform`, `docker`, `nginx`,
            `dependencies`, `config`, or empty.
        header: The functions that the hunks' headers name.
        lines: Of all hunks.
    """

    path: str
    language: str
    header: str
    lines: tuple[Line, ...]

    @property
    def config_like(self) -> bool:
        """The order of its lines means nothing, its keys are names that others rely on."""
        return self.language in _CONFIG_LIKE

    def side(self, sign: str) -> tuple[Line, ...]:
        """The lines of one sign that can do harm."""
        return tuple(line for line in self.lines if line.sign == sign and line.code)


@lru_cache(maxsize=20_000)
def split_words(text: str) -> str:
    """`WithTimeout(ctx, MAX_WAIT)` is `with timeout ctx max wait`."""
    return _NOT_WORD.sub(" ", _CAMEL.sub(" ", text).lower()).strip()


def bare(name: str) -> str:
    """A name's letters and digits alone, in lower case: however it is parted, it is the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def language_of(path: str, vocabulary: Vocabulary) -> str:
    """The language by the path's end; empty when it isn't known."""
    low = path.lower()
    return next((name for name, ends in vocabulary.languages if ends.search(low)), "")


@lru_cache(maxsize=20_000)
def is_ignored(path: str, vocabulary: Vocabulary) -> bool:
    """Whether a file can't do harm at run time: tests, documentation, styles, CI, lock files."""
    return vocabulary.ignored.search(path.lower()) is not None


def parse(
    text: str, files: tuple[str, ...], vocabulary: Vocabulary, most_lines: int = MOST_LINES
) -> tuple[FileDiff, ...]:
    """The files of a diff, those that can't do harm left out.

    Args:
        text: A unified diff; headers may be missing, then `files` says of which file it speaks.
        files: The commit's files, as recorded.
        vocabulary: What to leave out.
        most_lines: Changed lines that are read.
    """
    made: list[FileDiff] = []
    for path, rows in _files(text, files, most_lines):
        if is_ignored(path, vocabulary):
            continue
        language = language_of(path, vocabulary)
        made.append(_file(path, language, rows, vocabulary))
    return tuple(made)


def _files(text: str, files: tuple[str, ...], most_lines: int) -> list[tuple[str, list[str]]]:
    """Path and raw lines of each file, in order; a file's hunks together."""
    found: dict[str, list[str]] = {}
    path = files[0] if files else ""
    changed = 0
    rows = text.splitlines()
    for number, row in enumerate(rows):
        if row.startswith("diff --git "):
            path = row.rsplit(" b/", 1)[-1]
        elif (row.startswith("--- ") and number + 1 < len(rows) and rows[number + 1].startswith("+++ ")) or (
            row.startswith("+++ ") and number and rows[number - 1].startswith("--- ")
        ):
            path = _header_path(row) or path
        elif row.startswith("@@"):
            path = _named(row, files) or path
            found.setdefault(path, []).append(row)
        elif row[:1] in {"+", "-", " ", "\t", ""}:
            changed += row[:1] in {"+", "-"}
            if changed > most_lines:
                break
            found.setdefault(path, []).append(row)
    return list(found.items())


def _header_path(row: str) -> str:
    path = row[4:].split("\t", maxsplit=1)[0].strip()
    return "" if path == "/dev/null" else path.removeprefix("a/").removeprefix("b/")


def _named(row: str, files: tuple[str, ...]) -> str:
    """The path in a hunk's header (`@@ pkg/a.go @@`, `@@ pkg/a.go: func …`), or empty."""
    match = _HUNK.match(row)
    inside = match["inside"].strip() if match else ""
    first = inside.split(":")[0].split(" ")[0]
    return first if first in files or ("/" in first and _PATH.match(first)) else ""


def _file(path: str, language: str, rows: list[str], vocabulary: Vocabulary) -> FileDiff:
    strip = _comment_stripper(vocabulary.comments.get(language or "unknown", ()), language)
    lines: list[Line] = []
    headers: list[str] = []
    loops: dict[str, list[int]] = {"+": [], "-": []}
    block, changed, quoted, in_async = -1, False, {"+": False, "-": False}, False
    for row in rows:
        if row.startswith("@@"):
            match = _HUNK.match(row)
            header = f"{match['inside']} {match['after']}".strip() if match else ""
            headers.append(header)
            loops, changed, quoted = {"+": [], "-": []}, False, {"+": False, "-": False}
            in_async = bool(_ASYNC.search(header))
            continue
        sign, raw = (row[0], row[1:]) if row[:1] in {"+", "-", " "} else (" ", row)
        if sign != " " and not changed:
            block += 1
        changed = sign != " "
        code = strip(raw)
        if language == "python":
            code = _docstring(code, sign, quoted)
        indent = len(raw) - len(raw.lstrip())
        if code.strip() and sign != "-":
            in_async = in_async or bool(_ASYNC.search(code))
        inside = _inside_loop(code, sign, indent, loops)
        if vocabulary.skip.search(code) and not vocabulary.keep.search(code):
            code = ""
        code = code.strip()
        lines.append(Line(sign, code, split_words(code), indent, inside, in_async, block if changed else -1))
    return FileDiff(path, language, " ".join(headers), tuple(lines))


def _inside_loop(code: str, sign: str, indent: int, loops: dict[str, list[int]]) -> bool:
    """Whether a line stands inside a loop, on its own side of the diff; `loops` is kept up."""
    sides = [loops[side] for side in (("+", "-") if sign == " " else (sign,))]
    if code.strip():
        for side in sides:
            while side and indent <= side[-1]:
                side.pop()
    inside = bool(sides[0]) or bool(_LOOP_LINE.search(code))
    if code.strip() and _LOOP.search(code):
        for side in sides:
            side.append(indent)
    return inside


def _docstring(code: str, sign: str, quoted: dict[str, bool]) -> str:
    """A Python line, emptied inside a docstring."""
    sides = ("+", "-") if sign == " " else (sign,)
    was = any(quoted[side] for side in sides)
    marks = code.count('"""') + code.count("'''")
    if marks % 2:
        for side in sides:
            quoted[side] = not quoted[side]
    return "" if was or (marks and code.lstrip()[:3] in {'"""', "'''"}) else code


@lru_cache(maxsize=32)
def _pattern(marks: tuple[str, ...]) -> re.Pattern[str]:
    begins = "|".join(re.escape(mark) for mark in marks)
    comment = rf"(?:(?<![\w:/$\"'&])(?:{begins})(?!\w*[;}}]).*$)" if marks else "(?!)"
    return re.compile(rf"{_STRING_OR_COMMENT}|/\*.*?(?:\*/|$)|{comment}")


def _comment_stripper(marks: tuple[str, ...], language: str) -> Callable[[str], str]:
    pattern = _pattern(marks)
    block = language not in {"python", "ruby", "config", "docker", "nginx"}

    def strip(text: str) -> str:
        bare = text.lstrip()
        if (block and bare.startswith(("* ", "*/", "/*"))) or bare in {"*", "/**"} or bare.startswith("<!--"):
            return ""
        if any(bare.startswith(mark) for mark in marks):
            return ""
        if not any(mark in text for mark in marks) and "/*" not in text:
            return text
        return pattern.sub(lambda match: match["s"] or "", text).rstrip()

    return strip


def renamed(file: FileDiff, names: dict[str, str]) -> FileDiff:
    """The same, with names of the removed lines replaced by their new ones."""
    if not names:
        return file
    pattern = re.compile(r"(?<![\w$])(" + "|".join(re.escape(name) for name in sorted(names)) + r")(?![\w$])")
    lines = []
    for line in file.lines:
        if line.sign == "-" and line.code:
            code = pattern.sub(lambda match: names[match[1]], line.code)
            lines.append(replace(line, code=code, words=split_words(code)))
        else:
            lines.append(line)
    return replace(file, lines=tuple(lines))
