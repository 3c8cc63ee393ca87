"""A removed line against the one that took its place: what exactly is another one, and how much that can do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rca.changes.amounts import compare_values
from rca.changes.diff import FileDiff, split_words
from rca.changes.findings import Finding
from rca.changes.line import (
    HELPER,
    MODIFIERS,
    OPERATORS,
    TYPES,
    about,
    converts,
    is_called,
    is_path,
    is_text,
    values,
)
from rca.changes.moved import is_own_call
from rca.changes.texts import cut, is_prose, text_finding
from rca.changes.tokens import Tokens, differences
from rca.changes.unsaid import less, missed
from rca.changes.values import value_of
from rca.changes.vocabulary import Family, Setting, Vocabulary

_EXTENDED = 0.26
_WIDER = 0.6
_ANOTHER_NAME = 0.26
_VARIANT, _ANOTHER_CALL, _OF_A_VARIANT = 0.5, 0.38, 3
_CAUGHT = re.compile(r"\w(?:Exception|Error|Fault)$")
_ANY_CAUGHT = re.compile(r"(?:Base)?(?:Exception|Error)|Throwable|StandardError|Object|object")
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
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*_?[A-Z0-9_]+")
_SIGNATURE = re.compile(
    r"^(?:func|def|fn|export (?:async )?function|function|public|private|protected)\b.*\(.*[{:]$"
)


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
            yield from missed(file, new, before, vocabulary.gone)
        if not now:
            yield from less(file, old, new, before)
            continue
        for finding in _segment(file, old, new, before, after, prose=prose):
            yield _by_setting(finding, new, vocabulary.settings)


def _segment(
    file: FileDiff, old: Tokens, new: Tokens, before: list[str], after: list[str], *, prose: bool
) -> Iterator[Finding]:
    alone = (
        len(old.tokens) == len(new.tokens)
        and sum(x != y for x, y in zip(old.tokens, new.tokens, strict=True)) == 1
    )
    quantity = new.quantity or old.quantity
    if file.config_like and before and after and not _alike(before, after):
        yield Finding("setting", 0.55, f"{_shown(before)} to {_shown(after)} in {about(new)}", file.path)
    for was, now in zip(values(before), values(after), strict=False):
        yield from compare_values(file, was, now, quantity, new)
    words_before = [token for token in before if value_of(token) is None]
    words_after = [token for token in after if value_of(token) is None]
    for x, y in zip(words_before, words_after, strict=False):
        finding = _token(file, x, y, new, prose=prose, alone=alone)
        if finding is not None:
            yield finding
    if before and not after:
        yield from less(file, old, new, before)
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
    if finding.kind not in {"setting", "key", "toggle", "logic"} or finding.potency < _ANOTHER_NAME:
        return finding
    known = next((setting for setting in settings if setting.words.search(at.line.words)), None)
    if finding.kind == "logic" and (known is None or known.kind != "key"):
        return finding
    if known is None or (known.looks and finding.kind != "toggle"):
        return finding
    if known.looks:
        return replace(finding, potency=min(known.potency, finding.potency))
    return replace(finding, kind=known.kind, potency=max(known.potency, finding.potency))


def _token(file: FileDiff, old: str, new: str, at: Tokens, *, prose: bool, alone: bool) -> Finding | None:
    bare_old, bare_new = _bare(old), _bare(new)
    if any({bare_old.lower(), bare_new.lower()} == toggle for toggle in _TOGGLES):
        return Finding("toggle", 0.72, f"{about(at)} {bare_old} to {bare_new}", file.path)
    if old in OPERATORS and new in OPERATORS:
        return Finding("operator", 0.68, f"`{old}` to `{new}` in {about(at)}", file.path)
    if file.config_like or (is_text(old) and is_text(new)):
        key = old in at.tokens[:1] or new == at.tokens[0]
        return text_finding(file, bare_old, bare_new, at, prose=prose, key=key)
    if old in MODIFIERS and new in MODIFIERS:
        return Finding("logic", 0.12, f"{cut(old)} to {cut(new)}", file.path)
    named = old[:1].isupper() and new[:1].isupper()
    if named and (_SIGNATURE.search(at.line.code) or _is_declared_as(file, new, at)):
        return Finding("logic", 0.15, f"declared as {cut(bare_new)} rather than {cut(bare_old)}", file.path)
    kind, potency = _identifier(old, new, at, prose=prose, alone=alone)
    return Finding(kind, potency, f"{cut(bare_old)} to {cut(bare_new)}", file.path)


def _is_declared_as(file: FileDiff, name: str, at: Tokens) -> bool:
    """Whether a name is only the type that a variable is declared as: what it is made of stands behind the `=`."""
    if file.language != "java" or "=" not in at.tokens:
        return False
    return name in at.tokens[: at.tokens.index("=")] and name not in at.tokens[at.tokens.index("=") :]


def _identifier(old: str, new: str, at: Tokens, *, prose: bool, alone: bool) -> tuple[str, float]:
    """What kind of change it is when at least one of two tokens is a name, and its potency."""
    if is_text(new) and old.isidentifier() and not prose:
        return "key", 0.6  # a constant where a value was
    if is_text(old) or is_text(new):
        return "logic", 0.3
    if converts(new, at) or (TYPES.fullmatch(new) and TYPES.fullmatch(old)):
        return "type", 0.68
    if _CAUGHT.search(old) and _ANY_CAUGHT.fullmatch(new):
        return "error_handling_gone", _WIDER
    if is_called(new, at):
        return "call_changed", HELPER if is_own_call(new, at.line.code) else _another_call(old, new, alone=alone)
    return ("constant", 0.56) if _named_alike(old, new, at) else ("logic", 0.28)


def _another_call(old: str, new: str, *, alone: bool) -> float:
    """The potency of another call: where only its name differs, a variant (`send`, `try_send`) does otherwise."""
    if not alone:
        return _ANOTHER_CALL
    one, other = sorted((old.lower().replace("_", ""), new.lower().replace("_", "")), key=len)
    variant = one != other and len(one) >= _OF_A_VARIANT and (other.startswith(one) or other.endswith(one))
    return _VARIANT if variant else _ANOTHER_CALL


def _named_alike(old: str, new: str, at: Tokens) -> bool:
    """Two of several named values: `ON_HOLD` and `SENT`, or a package's `StatusCreated` and `StatusAccepted`."""
    if _CONSTANT.fullmatch(old) and _CONSTANT.fullmatch(new):
        return True
    place = at.tokens.index(new) if new in at.tokens else 0
    first = split_words(old).split()[:1], split_words(new).split()[:1]
    return place > 0 and at.tokens[place - 1] in {".", "::"} and old[:1].isupper() and first[0] == first[1]


def _of_another_family(file: FileDiff, old: Tokens, new: Tokens, families: Sequence[Family]) -> Iterator[Finding]:
    for family in families:
        was, now = set(family.members.findall(old.line.words)), set(family.members.findall(new.line.words))
        if was and now and was.isdisjoint(now):
            yield Finding(family.kind, family.potency, f"{family.name} {min(was)} to {min(now)}", file.path)


def _more(file: FileDiff, new: Tokens, added: Sequence[str]) -> Iterator[Finding]:
    said = [token for token in added if token[0].isalnum() or token[0] in "\"'⟦_" or is_path(file, token)]
    if any(token in {"!", "not"} for token in added):
        yield Finding("operator", 0.66, f"a negation in {about(new)}", file.path)
    elif said:
        key = "[" in added and any(is_text(token) for token in added) and not file.config_like
        kind, potency = ("key", 0.62) if key else ("setting", _EXTENDED) if file.config_like else ("logic", 0.2)
        yield Finding(kind, potency, f"{cut(' '.join(said))} is new in {about(new)}", file.path)


def _bare(token: str) -> str:
    return token[1:-1] if is_text(token) and len(token) > 1 else token.rstrip(":,")
