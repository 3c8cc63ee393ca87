"""A removed line against the one that took its place: what exactly is another one, and how much that can do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from rca.changes.diff import FileDiff, split_words
from rca.changes.findings import Finding
from rca.changes.tokens import Tokens
from rca.changes.values import Value, value_of
from rca.changes.vocabulary import Quantity, Setting

_LIKE_ENOUGH = 0.34
_MORE_ROOM = 0.6
_RATIOS = ((1.15, 0.08), (1.4, 0.18), (1.75, 0.35), (2.5, 0.5), (5.0, 0.7))
_MOST_PAIRED = 40
_TOGGLES = [
    {"true", "false"}, {"on", "off"}, {"enabled", "disabled"}, {"enable", "disable"}, {"yes", "no"},
    {"allow", "deny"}, {"always", "never"}, {"optional", "required"}, {"strict", "passthrough"}, {"sync", "async"},
    {"include", "exclude"}, {"public", "private"},
]  # fmt: skip
_OPERATORS = frozenset({"<", "<=", ">", ">=", "==", "!=", "===", "!==", "&&", "||", "+", "-", "*", "/", "%", "!", "not",
                        "and", "or", "<<", ">>"})  # fmt: skip
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "===", "!=="})
_TYPES = re.compile(
    r"(?:u?int(?:8|16|32|64)?|integer|smallint|bigint|float(?:32|64)?|double|decimal|bigdecimal|long|short|byte|bool(?:ean)?"
    r"|str|string|text|varchar|char|number|date|datetime|timestamp|list|set|dict|map|array|any|uuid|numeric|real|json)",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:[a-z]+://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/\S*)?|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?|[\w-]+:\d{2,5}",
    re.IGNORECASE,
)
_PATHLIKE = re.compile(r"[\w.${}:-]*/[\w./${}:*-]+")
_ENV = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NAME = re.compile(r"[\w.:%{}$-]+")
_HOLE = re.compile(r"%[sdvq]|\$?\{\w*\}")
_VERSION = re.compile(r"[\^~>=<v]*\d+\.\d+(?:\.\d+)?[\w.+-]*")
_PROSE = re.compile(
    r"\b(?:raise|throw|panic|error|errorf|errors|exception|message|title|label|description|help|placeholder|usage|comment"
    r"|summary|tooltip|caption|text|log|reason|hint|doc|note|name|user agent)\b"
)
_REGEX = re.compile(r"\b(?:re|regex\w*|reg exp|pattern\w*|matches|regexp|match|must compile|grok)\b")
_SQL = re.compile(r"\b(?:select|insert|update|delete|join|where|from)\b", re.IGNORECASE)
_FILE_NAME = re.compile(
    r".*\.(?:go|py|java|ts|js|html?|css|md|sh|ya?ml|json|toml|xml|txt|sql|tf|png|svg|log|pem|crt)$"
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
    likeness = sorted(
        (
            (-_likeness(a, b), i, j)
            for i, a in enumerate(bags[0])
            for j, b in enumerate(bags[1])
        ),
    )  # fmt: skip
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
    """As `pair`, for long blocks: lines whose first three tokens agree."""
    waiting: dict[tuple[str, ...], list[Tokens]] = {}
    for line in new:
        waiting.setdefault(line.tokens[:3], []).append(line)
    pairs, left = [], []
    for line in old:
        found = waiting.get(line.tokens[:3])
        if found:
            pairs.append((line, found.pop(0)))
        else:
            left.append(line)
    return pairs, left, [line for lines in waiting.values() for line in lines]


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    both = sum((a & b).values())
    return 2 * both / max(1, a.total() + b.total())


def compare(
    file: FileDiff, old: Tokens, new: Tokens, moved: Counter[str], kept: Counter[str], settings: Sequence[Setting]
) -> Iterator[Finding]:
    """What differs between two lines.

    Args:
        file: Where they are.
        old: The removed line.
        new: The added line.
        moved: Tokens of the file's added lines: a value that is among them isn't gone.
        kept: Tokens of the file's removed lines: a value that was among them isn't new.
        settings: What settings that aren't numbers can do.
    """
    if old.tokens == new.tokens:
        return
    matcher = SequenceMatcher(None, old.tokens, new.tokens, autojunk=False)
    prose = _PROSE.search(old.line.words) is not None and not file.config_like
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal":
            continue
        before = [token for token in old.tokens[a:b] if moved[token] < kept[token]]
        after = [token for token in new.tokens[c:d] if kept[token] < moved[token]]
        if op == "delete":
            yield from _less(file, old, new, before)
            continue
        for finding in _segment(file, old, new, before, after, prose=prose):
            yield _by_setting(finding, new, settings)


def _segment(
    file: FileDiff, old: Tokens, new: Tokens, before: list[str], after: list[str], *, prose: bool
) -> Iterator[Finding]:
    numbers = [(x, y) for x, y in zip(_values(before), _values(after), strict=False)]
    quantity = new.quantity or old.quantity
    for x, y in numbers:
        yield from compare_values(file, x, y, quantity, new)
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


def _by_setting(finding: Finding, at: Tokens, settings: Sequence[Setting]) -> Finding:
    """A finding made more exact by what the setting is called."""
    if finding.kind not in {"setting", "key", "toggle"}:
        return finding
    known = next((setting for setting in settings if setting.words.search(at.line.words)), None)
    if known is None:
        return finding
    return replace(finding, kind=known.kind, potency=max(known.potency, finding.potency))


def _values(tokens: Sequence[str]) -> list[Value]:
    return [value for token in tokens if (value := value_of(token)) is not None]


def compare_values(
    file: FileDiff, old: Value, new: Value, quantity: Quantity | None, at: Tokens
) -> Iterator[Finding]:
    """A number that is another one."""
    if old.number == new.number and old.family == new.family:
        return
    name = quantity.name if quantity else "number"
    told = f"{name} {old.text()} to {new.text()}"
    if quantity is not None and quantity.nominal:
        yield Finding(quantity.more, 0.72, f"{told}: another one", file.path)
        return
    rises = new.number > old.number
    low, high = sorted((abs(old.number), abs(new.number)))
    ratio = high / low if low > 0 else float("inf")
    potency = next((p for limit, p in _RATIOS if ratio < limit), 0.9)
    if low == 0:
        potency = 0.7
        told += " (off, or without bound)" if new.number == 0 else ""
    elif ratio >= _RATIOS[1][0]:
        told += f", {ratio:.3g} times {'more' if rises else 'less'}"
    if file.language == "schema":
        yield Finding("schema", 0.78, f"a number of the wire format, {old.text()} to {new.text()}", file.path)
        return
    if quantity is None and not file.config_like and any(token in _COMPARISONS for token in at.tokens):
        yield Finding("operator", 0.55, f"what is compared with, {told}", file.path)
        return
    if quantity is None:
        yield Finding("number", min(potency, 0.65) * 0.8, told, file.path)
        return
    direction = "more" if rises else "less"
    roomy = quantity.tighter not in {"both", direction} and new.number != 0
    if roomy:
        potency *= _MORE_ROOM
    kind = quantity.more if rises else quantity.less
    yield Finding(kind, potency, told, file.path, "more" if roomy else "less")


def _token(file: FileDiff, old: str, new: str, at: Tokens, *, prose: bool) -> Finding | None:
    bare_old, bare_new = _bare(old), _bare(new)
    pair_of = {bare_old.lower(), bare_new.lower()}
    if any(pair_of == toggle for toggle in _TOGGLES):
        return Finding("toggle", 0.72, f"{_about(at)} {bare_old} to {bare_new}", file.path)
    if old in _OPERATORS and new in _OPERATORS:
        return Finding("operator", 0.68, f"`{old}` to `{new}` in {_about(at)}", file.path)
    if _is_text(new) and not _is_text(old) and not file.config_like and old.isidentifier() and not prose:
        return Finding("key", 0.6, f"the constant {_cut(bare_new)} where {_cut(bare_old)} was", file.path)
    if _is_text(old) != _is_text(new) and not file.config_like:
        return Finding("logic", 0.3, f"{_cut(bare_old)} to {_cut(bare_new)}", file.path)
    if _is_text(old) or _is_text(new) or file.config_like:
        return _text(file, bare_old, bare_new, at, prose=prose, key=old in at.tokens[:1] or new == at.tokens[0])
    if _TYPES.fullmatch(old) and _TYPES.fullmatch(new):
        return Finding("type", 0.7, f"{old} to {new}", file.path)
    tokens = at.tokens
    called = new in tokens and tokens.index(new) + 1 < len(tokens) and tokens[tokens.index(new) + 1] == "("
    if called:
        typed = _TYPES.fullmatch(new) is not None
        return Finding("type" if typed else "call_changed", 0.66 if typed else 0.38, f"{old} to {new}", file.path)
    return Finding("logic", 0.28, f"{_cut(old)} to {_cut(new)}", file.path)


def _text(file: FileDiff, old: str, new: str, at: Tokens, *, prose: bool, key: bool) -> Finding | None:
    told = f"{_cut(old)} to {_cut(new)}"
    if file.language == "dependencies" or (_VERSION.fullmatch(old) and _VERSION.fullmatch(new)):
        return None  # versions are compared as such
    if at.tokens and at.tokens[0].lower() in {"from", "image:", "image"}:
        return None
    if _REGEX.search(at.line.words) and not file.config_like:
        return Finding("regex", 0.6, f"pattern {told}", file.path)
    if _HOST.fullmatch(old) and _HOST.fullmatch(new) and not _FILE_NAME.fullmatch(new):
        return Finding("endpoint", 0.78, f"address {told}", file.path)
    if len(_HOLE.findall(new)) < len(_HOLE.findall(old)) and " " not in new:
        return Finding("key", 0.74, f"a part of a key is gone, {told}", file.path)
    if prose:
        return Finding("logic", 0.06, f"a text, {told}", file.path)
    if _PATHLIKE.search(old) or _PATHLIKE.search(new):
        return Finding("endpoint", 0.74, f"path {told}", file.path)
    if _SQL.search(old) or _SQL.search(new):
        return Finding("slow_query", 0.5, f"query {_cut(old)} to {_cut(new)}", file.path)
    if _ENV.fullmatch(old) or _ENV.fullmatch(new):
        return Finding("key", 0.78, f"name {told}", file.path)
    if file.config_like:
        return Finding(
            "key" if key else "setting", 0.68 if key else 0.5, f"{'key' if key else 'setting'} {told}", file.path
        )
    if file.language == "sql":
        return Finding("slow_query", 0.42, told, file.path)
    if " " in old.strip() and " " in new.strip():
        return Finding("logic", 0.08, f"a text, {told}", file.path)
    if _NAME.fullmatch(old) or _NAME.fullmatch(new):
        return Finding("key", 0.72, f"name {told}", file.path)
    return Finding("key", 0.5, f"text {told}", file.path)


def _less(file: FileDiff, old: Tokens, new: Tokens, gone: Sequence[str]) -> Iterator[Finding]:
    """Tokens that the new line no longer has."""
    said = [token for token in gone if token[0].isalnum() or token[0] in "\"'⟦_"]
    if not said:
        if any(token in {"!", "not"} for token in gone):
            yield Finding("operator", 0.66, f"a negation is gone in {_about(new)}", file.path)
        return
    if file.language == "sql" and any(token in {"AND", "WHERE", "ON", "LIMIT", "USING"} for token in gone):
        yield Finding("slow_query", 0.68, f"a condition is gone: {_cut(' '.join(said))}", file.path)
    elif file.config_like:
        yield Finding("setting", 0.55, f"{_cut(' '.join(said))} is no longer in {_about(new)}", file.path)
    elif old.quantity is not None and (bound := _values(gone)):
        told = f"{old.quantity.name} {bound[0].text()} is no longer given"
        yield Finding(old.quantity.less, 0.62, told, file.path, "less")
    elif "(" in new.tokens or "," in old.line.code:
        yield Finding("argument_gone", 0.4, f"{_cut(' '.join(said))} is no longer given", file.path)
    else:
        yield Finding("logic", 0.36, f"{_cut(' '.join(said))} is gone", file.path)


def _more(file: FileDiff, new: Tokens, added: Sequence[str]) -> Iterator[Finding]:
    said = [token for token in added if token[0].isalnum() or token[0] in "\"'⟦_"]
    if any(token in {"!", "not"} for token in added):
        yield Finding("operator", 0.66, f"a negation in {_about(new)}", file.path)
    elif said:
        yield Finding("logic", 0.2, f"{_cut(' '.join(said))} is new", file.path)


def _is_text(token: str) -> bool:
    return token[:1] in {'"', "'", "`"}


def _bare(token: str) -> str:
    return token[1:-1] if _is_text(token) and len(token) > 1 else token.rstrip(":,")


def _about(line: Tokens) -> str:
    words = split_words(line.line.code).split()
    return f"`{_cut(' '.join(words[:4]))}`"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a line of a terminal
