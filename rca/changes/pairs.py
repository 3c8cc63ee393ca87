"""A removed line against the one that took its place: what exactly is another one, and how much that can do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rca.changes.amounts import compare_values
from rca.changes.diff import FileDiff, split_words
from rca.changes.findings import Finding
from rca.changes.moved import is_own_call
from rca.changes.texts import cut, is_prose, text_finding
from rca.changes.tokens import Tokens, differences
from rca.changes.values import Value, value_of
from rca.changes.vocabulary import Family, Gone, Setting, Vocabulary

_EXTENDED = 0.26
_HELPER = 0.24  # what it does isn't shown
_MODIFIERS = frozenset(
    {"public", "private", "protected", "internal", "export", "pub", "final", "const", "readonly"}
)
_HERE = 0.9
_LIKE_ENOUGH = 0.34
_MOST_PAIRED = 40
_TOGGLES = [
    {"true", "false"},
    {"on", "off"},
    {"enabled", "disabled"},
    {"enable", "disable"},
    {"yes", "no"},
    {"allow", "deny"},
    {"always", "never"},
    {"optional", "required"},
    {"strict", "passthrough"},
    {"sync", "async"},
    {"include", "exclude"},
    {"public", "private"},
]
_OPERATORS = frozenset(
    {
        "<",
        "<=",
        ">",
        ">=",
        "==",
        "!=",
        "===",
        "!==",
        "&&",
        "||",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "not",
        "and",
        "or",
        "<<",
        ">>",
        "??",
    }
)
_COLLECTIONS = re.compile(r"list|set|dict|map|array", re.IGNORECASE)
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*_?[A-Z0-9_]+")
_TYPES = re.compile(
    r"(?:u?int(?:8|16|32|64)?|integer|smallint|bigint|float(?:32|64)?|double|decimal|bigdecimal|long|short|byte|bool(?:ean)?"
    r"|str|string|text|varchar|char|number|date|datetime|timestamp|list|set|dict|map|array|any|uuid|numeric|real|json)",
    re.IGNORECASE,
)

_SIGNATURE = re.compile(
    r"^(?:func|def|fn|export (?:async )?function|function|public|private|protected)\b.*\(.*[{:]$"
)
_PARSES = re.compile(r"^(?:parse|to|as)_?(?=[A-Za-z])")


def pair(
    old: Sequence[Tokens], new: Sequence[Tokens]
) -> tuple[list[tuple[Tokens, Tokens]], list[Tokens], list[Tokens]]:
    """Removed lines with the added ones most like them, within one block.

    Returns:
        Pairs, then the removed and the added lines that found no partner.
    """
    if len(old) > _MOST_PAIRED or len(new) > _MOST_PAIRED:
        return _pair_by_head(old, new)
    bags = [Counter(line.tokens) for line in old], [Counter(line.tokens) for line in new]
    likeness = sorted((-_likeness(a, b), i, j) for i, a in enumerate(bags[0]) for j, b in enumerate(bags[1]))
    used_old: set[int] = set()
    used_new: set[int] = set()
    pairs = []
    lone = len(old) == len(new) == 1
    for negative, i, j in likeness:
        if i in used_old or j in used_new or (-negative < _LIKE_ENOUGH and not lone):
            continue
        used_old.add(i)
        used_new.add(j)
        pairs.append((i, j))
    pairs.sort()
    return (
        [(old[i], new[j]) for i, j in pairs],
        [line for i, line in enumerate(old) if i not in used_old],
        [line for j, line in enumerate(new) if j not in used_new],
    )


def _pair_by_head(
    old: Sequence[Tokens], new: Sequence[Tokens]
) -> tuple[list[tuple[Tokens, Tokens]], list[Tokens], list[Tokens]]:
    """As `pair`, for long blocks: lines that begin alike."""
    waiting: dict[tuple[str, ...], list[Tokens]] = {}
    for line in new:
        waiting.setdefault(_head(line), []).append(line)
    pairs, left = [], []
    for line in old:
        found = waiting.get(_head(line))
        if found:
            pairs.append((line, found.pop(0)))
        else:
            left.append(line)
    return pairs, left, [line for lines in waiting.values() for line in lines]


def _head(line: Tokens) -> tuple[str, ...]:
    return line.tokens[: max(1, min(3, len(line.tokens) // 2))]


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    """The share of tokens in common, 0 to 1; written out, for it is asked of every two lines of a block."""
    both = sum([min(count, b[token]) for token, count in a.items() if token in b])
    return 2 * both / max(1, a.total() + b.total())


def compare(
    file: FileDiff, old: Tokens, new: Tokens, moved: Counter[str], kept: Counter[str], vocabulary: Vocabulary
) -> Iterator[Finding]:
    """What differs between two lines.

    Args:
        file: Where they are.
        old: The removed line.
        new: The added line.
        moved: Tokens of the file's added lines: a value that is among them isn't gone.
        kept: Tokens of the file's removed lines: a value that was among them isn't new.
        vocabulary: What the words mean.
    """
    if old.tokens == new.tokens:
        return
    prose = is_prose(old.line.words) and not file.config_like
    yield from _of_another_family(file, old, new, vocabulary.families)
    for was, now in differences(old.tokens, new.tokens):
        before = [token for token in was if moved[token] < kept[token]]
        after = [token for token in now if kept[token] < moved[token]]
        if not after:
            yield from _missed(file, new, before, vocabulary.gone)
        if not now:
            yield from _less(file, old, new, before)
            continue
        for finding in _segment(file, old, new, before, after, prose=prose):
            yield _by_setting(finding, new, vocabulary.settings)


def _segment(
    file: FileDiff, old: Tokens, new: Tokens, before: list[str], after: list[str], *, prose: bool
) -> Iterator[Finding]:
    quantity = new.quantity or old.quantity
    if file.config_like and before and after and not _alike(before, after):
        yield Finding("setting", 0.55, f"{_shown(before)} to {_shown(after)} in {_about(new)}", file.path)
    for was, now in zip(_values(before), _values(after), strict=False):
        yield from compare_values(file, was, now, quantity, new)
    words_before = [token for token in before if value_of(token) is None]
    words_after = [token for token in after if value_of(token) is None]
    for x, y in zip(words_before, words_after, strict=False):
        finding = _token(file, x, y, new, prose=prose)
        if finding is not None:
            yield finding
    if before and not after:
        yield from _less(file, old, new, before)
    if not before and after:
        yield from _more(file, new, after)


def _alike(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether both are numbers, or both are words, so that one can be compared with the other."""
    numbers = [[value_of(token) is not None for token in tokens] for tokens in (before, after)]
    return any(numbers[0]) == any(numbers[1]) or all(numbers[0]) == all(numbers[1])


def _shown(tokens: Sequence[str]) -> str:
    return cut(" ".join(value.text() if (value := value_of(token)) else token for token in tokens))


def _by_setting(finding: Finding, at: Tokens, settings: Sequence[Setting]) -> Finding:
    """A finding made more exact by what the setting is called."""
    if finding.kind not in {"setting", "key", "toggle"}:
        return finding
    known = next((setting for setting in settings if setting.words.search(at.line.words)), None)
    if known is None or (known.looks and finding.kind != "toggle"):
        return finding
    if known.looks:
        return replace(finding, potency=min(known.potency, finding.potency))
    return replace(finding, kind=known.kind, potency=max(known.potency, finding.potency))


def _values(tokens: Sequence[str]) -> list[Value]:
    return [value for token in tokens if (value := value_of(token)) is not None]


def _token(file: FileDiff, old: str, new: str, at: Tokens, *, prose: bool) -> Finding | None:
    bare_old, bare_new = _bare(old), _bare(new)
    if any({bare_old.lower(), bare_new.lower()} == toggle for toggle in _TOGGLES):
        return Finding("toggle", 0.72, f"{_about(at)} {bare_old} to {bare_new}", file.path)
    if old in _OPERATORS and new in _OPERATORS:
        return Finding("operator", 0.68, f"`{old}` to `{new}` in {_about(at)}", file.path)
    if file.config_like or (_is_text(old) and _is_text(new)):
        key = old in at.tokens[:1] or new == at.tokens[0]
        return text_finding(file, bare_old, bare_new, at, prose=prose, key=key)
    if _SIGNATURE.search(at.line.code) and old[:1].isupper() and new[:1].isupper():
        return Finding("logic", 0.15, f"declared as {cut(bare_new)} rather than {cut(bare_old)}", file.path)
    kind, potency = _identifier(old, new, at, prose=prose)
    return Finding(kind, potency, f"{cut(bare_old)} to {cut(bare_new)}", file.path)


def _identifier(old: str, new: str, at: Tokens, *, prose: bool) -> tuple[str, float]:
    """What kind of change it is when at least one of two tokens is a name, and its potency."""
    if _is_text(new) and old.isidentifier() and not prose:
        return "key", 0.6  # a constant where a value was
    if _is_text(old) or _is_text(new):
        return "logic", 0.3
    if _converts(new, at) or (_TYPES.fullmatch(new) and _TYPES.fullmatch(old)):
        return "type", 0.68
    if _is_called(new, at):
        return "call_changed", _HELPER if is_own_call(new, at.line.code) else 0.38
    return ("constant", 0.56) if _named_alike(old, new, at) else ("logic", 0.28)


def _named_alike(old: str, new: str, at: Tokens) -> bool:
    """Two of several named values: `ON_HOLD` and `SENT`, or a package's `StatusCreated` and `StatusAccepted`."""
    if _CONSTANT.fullmatch(old) and _CONSTANT.fullmatch(new):
        return True
    place = at.tokens.index(new) if new in at.tokens else 0
    first = split_words(old).split()[:1], split_words(new).split()[:1]
    return place > 0 and at.tokens[place - 1] in {".", "::"} and old[:1].isupper() and first[0] == first[1]


def _converts(name: str, at: Tokens) -> bool:
    """Whether a name is a type, or a parser of one, that something is turned into here."""
    return (
        _TYPES.fullmatch(_PARSES.sub("", name)) is not None
        and not _COLLECTIONS.fullmatch(name)
        and _is_called(name, at)
    )


def _is_called(name: str, at: Tokens) -> bool:
    place = at.tokens.index(name) if name in at.tokens else -1
    return place >= 0 and at.tokens[place + 1 : place + 2] == ("(",)


def _of_another_family(file: FileDiff, old: Tokens, new: Tokens, families: Sequence[Family]) -> Iterator[Finding]:
    for family in families:
        was, now = set(family.members.findall(old.line.words)), set(family.members.findall(new.line.words))
        if was and now and was.isdisjoint(now):
            yield Finding(family.kind, family.potency, f"{family.name} {min(was)} to {min(now)}", file.path)


def _missed(file: FileDiff, new: Tokens, gone: Sequence[str], entries: Sequence[Gone]) -> Iterator[Finding]:
    """What is missed of one line, though others of the file may still have it."""
    words = split_words(" ".join(gone))
    if not words or file.config_like:
        return
    for entry in entries:
        match = entry.words.search(words) if entry.words is not None else None
        if (
            match
            and match[0] not in new.line.words
            and _fewer(match[0], file)
            and not (entry.unless is not None and entry.unless.search(new.line.code))
        ):
            yield Finding(
                entry.kind, _HERE * entry.potency, f"no {match[0]} any more in {_about(new)}", file.path, "less"
            )


def _fewer(word: str, file: FileDiff) -> bool:
    """Whether a file's added lines say something less often than the removed ones."""
    times = [sum(line.words.count(word) for line in file.side(sign)) for sign in "-+"]
    return times[1] < times[0]


def _less(file: FileDiff, old: Tokens, new: Tokens, gone: Sequence[str]) -> Iterator[Finding]:
    """Tokens that the new line no longer has."""
    said = [token for token in gone if token[0].isalnum() or token[0] in "\"'⟦_" or _is_path(file, token)]
    if file.language in {"go", "java"} and not said and any(token in {"*", "&"} for token in gone):
        yield Finding("race", 0.6, f"a copy, where it was shared, in {_about(new)}", file.path)
        return
    if not said:
        if any(token in {"!", "not"} for token in gone):
            yield Finding("operator", 0.66, f"a negation is gone in {_about(new)}", file.path)
        return
    if file.language == "sql" and any(token in {"AND", "WHERE", "ON", "LIMIT", "USING"} for token in gone):
        yield Finding("slow_query", 0.68, f"a condition is gone: {cut(' '.join(said))}", file.path)
    elif file.config_like:
        yield Finding("setting", 0.55, f"{cut(' '.join(said))} is no longer in {_about(new)}", file.path)
    elif old.quantity is not None and (bound := _values(gone)):
        told = f"{old.quantity.name} {bound[0].text()} is no longer given"
        yield Finding(old.quantity.less, 0.62, told, file.path, "less")
    elif any(token in _OPERATORS for token in gone) and not _is_type(file, gone):
        yield Finding("operator", 0.62, f"`{cut(' '.join(gone))}` is gone from {_about(new)}", file.path)
    elif converted := next((token for token in gone if _converts(token, old)), None):
        yield Finding("type", 0.62, f"no longer converted by {converted}", file.path)
    else:
        yield _unsaid(file, old, new, said, gone)


def _unsaid(file: FileDiff, old: Tokens, new: Tokens, said: Sequence[str], gone: Sequence[str]) -> Finding:
    """Names that a line of code no longer says, of which no more is known."""
    told = cut(" ".join(said))
    if "await" in new.tokens and "then" in old.tokens and "await" not in old.tokens:
        return Finding("logic", 0.15, f"waited for in another form in {_about(new)}", file.path)
    if _is_type(file, gone):
        return Finding("logic", 0.15, f"the type {told} is no longer said", file.path)
    if all(token in _MODIFIERS for token in said):
        return Finding("logic", 0.12, f"{told} is no longer said", file.path)
    if all(_is_callable(token, old) for token in said) and _calls_helper(old, new):
        return Finding("logic", _HELPER, f"{_about(new)} is another function's now", file.path)
    if "(" in new.tokens or "," in old.line.code:
        return Finding("argument_gone", 0.4, f"{told} is no longer given", file.path)
    return Finding("logic", 0.36, f"{told} is gone", file.path)


def _more(file: FileDiff, new: Tokens, added: Sequence[str]) -> Iterator[Finding]:
    said = [token for token in added if token[0].isalnum() or token[0] in "\"'⟦_" or _is_path(file, token)]
    if any(token in {"!", "not"} for token in added):
        yield Finding("operator", 0.66, f"a negation in {_about(new)}", file.path)
    elif said:
        key = "[" in added and any(_is_text(token) for token in added) and not file.config_like
        kind, potency = ("key", 0.62) if key else ("setting", _EXTENDED) if file.config_like else ("logic", 0.2)
        yield Finding(kind, potency, f"{cut(' '.join(said))} is new in {_about(new)}", file.path)


def _is_type(file: FileDiff, gone: Sequence[str]) -> bool:
    """Whether what is gone is what a type is given: `< Order >`, of which the closing half may still be there."""
    names = [token for token in gone if token not in {"<", ">", "?", "extends"}]
    return file.language == "java" and "<" in gone and all(n[:1].isupper() and not n.isupper() for n in names)


def _is_callable(name: str, at: Tokens) -> bool:
    """Whether a name is what is called, or where that is found, rather than what is given to it."""
    places = [i for i, token in enumerate(at.tokens[:-1]) if token == name]
    return bool(places) and all(at.tokens[i + 1] in {"(", ".", "::"} for i in places)


def _calls_helper(old: Tokens, new: Tokens) -> bool:
    """Whether a line calls a function of the same code that it didn't call."""
    return any(
        name not in old.tokens and is_own_call(name, new.line.code) for name in new.tokens if _is_called(name, new)
    )


def _is_path(file: FileDiff, token: str) -> bool:
    """The end of an address: whether it ends in a slash says what is called."""
    return file.config_like and token[:1] == "/"


def _is_text(token: str) -> bool:
    return token[:1] in {'"', "'", "`"}


def _bare(token: str) -> str:
    return token[1:-1] if _is_text(token) and len(token) > 1 else token.rstrip(":,")


def _about(line: Tokens) -> str:
    words = split_words(line.line.code).split()
    return f"`{cut(' '.join(words[:4]))}`"
