"""What commits changed: names, messages and bounded diffs out of `git log`."""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rca.sources.git.run import LONGEST_LINE, Git

FILE_BYTES, COMMIT_BYTES, TOTAL_BYTES = 16_384, 65_536, 4 * 2**20
"""Of diffs, at most: of one file (a lock file must not crowd out the code), of one commit, of one repository."""
MOST_FILES = 1_000
_SELECTED = ("log", "--no-walk=unsorted", "--stdin", "--no-notes", "--no-show-signature", "--encoding=UTF-8")
_PLAIN = ("--diff-merges=first-parent", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative")
_NAMES = (
    "--name-status",
    "-z",
    "--no-renames",
)  # from trees alone: names are known even where a file's content isn't
_PATCH = (
    *("--patch", "--find-renames", "--unified=3", "--inter-hunk-context=0"),
    *("--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"),
)
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_PLAIN_HEADER = (b"new file mode", b"deleted file mode", b"old mode", b"new mode", b"similarity index")
_NOTHING = "/dev/null"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class About:
    """What a commit says of itself.

    Attributes:
        files: Those it touched, by their old and new names.
        begins: It has no parent here: the first of all, or the edge of a shallow clone. Its diff would be all that
            there is, and not what it changed.
    """

    author: str
    message: str
    files: tuple[str, ...]
    tags: tuple[str, ...]
    begins: bool


@dataclass(slots=True)
class Diffs:
    """Diffs by commit.

    Attributes:
        cut: Commits whose diff isn't whole.
        binary: Files that were left out as they hold no text.
    """

    texts: dict[str, str] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    binary: int = 0


def about(git: Git, shas: Sequence[str], *, deadline: float) -> dict[str, About]:
    """Message, author, files and tags of commits; of a merge, what it brought to the branch.

    Raises:
        SourceError: Git failed.
    """
    mark = secrets.token_hex(16)  # nothing in a repository can hold it
    shown = f"--format={mark}%H%x1f%P%x1f%D%x1f%an%x1f%B{mark}"
    asked = (*_SELECTED, *_PLAIN, *_NAMES, "--decorate-refs=refs/tags/*", shown)
    parts = git.text(asked, deadline=deadline, given=_lines(shas)).split(mark)
    made = {}
    for said, files in zip(parts[1::2], parts[2::2], strict=True):
        sha, parents, tags, author, message = said.split("\x1f", 4)
        named = tuple(tag.removeprefix("tag: ") for tag in tags.split(", ") if tag.startswith("tag: "))
        touched = tuple(_touched(files))[:MOST_FILES]
        made[sha] = About(clean(author), clean(message).strip(), touched, named, begins=not parents)
    return made


def _touched(status: str) -> Iterator[str]:
    """Paths out of `--name-status -z`: a letter NUL, a path NUL."""
    return (clean(path) for path in status.lstrip("\0\n").split("\0")[1::2])


def read_diffs(git: Git, shas: Sequence[str], made: Diffs, *, deadline: float) -> None:
    """Read unified diffs, the first commits' first, up to the bounds; files without text are left out.

    Args:
        git: The repository.
        shas: Of which commits.
        made: Where they go, commit by commit, so that what had come by then is kept when git fails.
        deadline: By `time.monotonic()`.

    Raises:
        SourceError: Git failed, or wasn't done by the deadline.
    """
    mark, total = secrets.token_hex(16).encode(), 0
    asked = (*_SELECTED, *_PLAIN, *_PATCH, f"--format={mark.decode()}%H")
    sha, commit = "", _Commit()
    with git.output(asked, deadline=deadline, given=_lines(shas)) as stream:
        for row, whole in _rows(stream.readline):
            if row.startswith(mark):
                total += _finish(made, sha, commit)
                if total >= TOTAL_BYTES:
                    return
                sha, commit = row[len(mark) :].decode(), _Commit()
            elif sha:
                commit.take(row, whole=whole)
    _finish(made, sha, commit)  # only now that git has ended well: else this one may be broken off


def _rows(readline: Callable[[int], bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines without their end, and whether each is whole; the rest of one that is too long is dropped."""
    inside = False
    while row := readline(LONGEST_LINE):
        ended = row.endswith(b"\n")
        if not inside:
            yield row.removesuffix(b"\n"), ended or len(row) < LONGEST_LINE
        inside = not ended


def _finish(made: Diffs, sha: str, commit: "_Commit") -> int:
    """Keep a commit's diff; its size."""
    if not sha:
        return 0
    text = commit.text()
    made.texts[sha] = text
    made.binary += commit.binary
    if commit.cut:
        made.cut.add(sha)
    return len(text)


class _Commit:
    """One commit's diff as it is read, within its bounds."""

    def __init__(self) -> None:
        self.cut = False
        self.binary = 0
        self._files: list[_File] = []
        self._size = 0

    def take(self, row: bytes, *, whole: bool) -> None:
        if row.startswith(b"diff --git "):
            self._files.append(_File())
        elif self._files:
            file = self._files[-1]
            if not file.body and not row.startswith(b"@@"):
                file.header(row)
                return
            size = len(row) + 1
            self.cut = self.cut or not whole
            if file.size + size > FILE_BYTES or self._size + size > COMMIT_BYTES:
                self.cut = file.full = True
            elif not file.full:
                file.size += size
                self._size += size
                file.body.append(row.decode("utf-8", "replace"))

    def text(self) -> str:
        """The diff, each file under names that need no quotes."""
        self.binary = sum(file.binary for file in self._files)
        return "".join(file.text() for file in self._files if not file.binary)


@dataclass(slots=True)
class _File:
    """One file of a diff."""

    old: str = ""
    new: str = ""
    notes: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    size: int = 0
    binary: bool = False
    full: bool = False

    def header(self, row: bytes) -> None:
        """Take a line before the first hunk."""
        kind, _, rest = row.partition(b" ")
        if kind == b"---":
            self.old = _side(rest)
        elif kind == b"+++":
            self.new = _side(rest)
        elif row.startswith(b"rename from "):
            self.old = _unquoted(row.removeprefix(b"rename from "))
        elif row.startswith(b"rename to "):
            self.new = _unquoted(row.removeprefix(b"rename to "))
        if row.startswith((b"Binary files ", b"GIT binary patch")):
            self.binary = True
        if row.startswith(_PLAIN_HEADER):
            self.notes.append(row.decode("utf-8", "replace"))

    def text(self) -> str:
        """The file's part of the diff; empty for one whose name nothing tells."""
        old, new = self.old or self.new, self.new or self.old
        if not new:
            return ""
        rows = [f"diff --git a/{old} b/{new}", *self.notes]
        if old != new:
            rows += [f"rename from {old}", f"rename to {new}"]
        if self.body:
            sides = (f"a/{old}" if self.old else _NOTHING, f"b/{new}" if self.new else _NOTHING)
            rows += [f"--- {sides[0]}", f"+++ {sides[1]}", *self.body]
        return "\n".join(clean(row) for row in rows) + "\n"


def _side(raw: bytes) -> str:
    """A path out of `--- ` or `+++ `, without its prefix and the tab that follows one with spaces."""
    text = _unquoted(raw.removesuffix(b"\t"))
    return "" if text == _NOTHING else text[2:]


def _unquoted(raw: bytes) -> str:
    if raw.startswith(b'"') and raw.endswith(b'"'):
        raw = _ESCAPE.sub(_unescaped, raw[1:-1])
    return clean(raw.decode("utf-8", "replace"))


def _unescaped(match: "re.Match[bytes]") -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) > 1 else _ESCAPED.get(code, code)


def clean(text: str) -> str:
    """A text without control characters but tabs and line breaks; a NUL would make a bundle unreadable."""
    return _CONTROL.sub("\ufffd", text)


def _lines(shas: Sequence[str]) -> str:
    return "".join(f"{sha}\n" for sha in shas)
