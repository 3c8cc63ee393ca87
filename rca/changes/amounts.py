"""A number in place of another: how much that can do, by what it is and how far it went."""

import re
from collections.abc import Iterator, Sequence

from rca.changes.diff import FileDiff
from rca.changes.findings import Finding
from rca.changes.tokens import Tokens
from rca.changes.values import Value, value_of
from rca.changes.vocabulary import Quantity

_MORE_ROOM = 0.6
_OVERTAKEN, _NEAR = 0.6, 6
_A_SHARE = 0.35
_RATIOS = ((1.15, 0.08), (1.4, 0.18), (1.75, 0.35), (2.5, 0.5), (5.0, 0.7))
_WORTH_TELLING = 1.4
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "===", "!=="})
_PERCENT = re.compile(r"\b(?:percent\w*|pct|ratio|fraction|utili[sz]ation)\b")


def compare_values(
    file: FileDiff, old: Value, new: Value, quantity: Quantity | None, at: Tokens
) -> Iterator[Finding]:
    """A number that is another one."""
    if old.number == new.number and old.family == new.family:
        return
    told = f"{quantity.name if quantity else 'number'} {old.text()} to {new.text()}"
    if "share" in {old.family, new.family} and old.family != new.family and old.number and new.number:
        yield Finding("number", _A_SHARE, f"{told}: a number, or a share", file.path)
        return
    potency, how = _potency(old.number, new.number)
    rises = new.number > old.number
    left = _left(old.number, new.number, at)
    if quantity is not None and quantity.nominal:
        yield Finding(quantity.more, 0.72, f"{told}: another one", file.path)
    elif file.language == "schema":
        yield Finding("schema", 0.78, f"a number of the wire format, {old.text()} to {new.text()}", file.path)
    elif quantity is not None:
        roomy = quantity.tighter not in {"both", "more" if rises else "less"} and new.number != 0
        if left > potency and rises:
            yield Finding(quantity.less, left, f"{told} percent: little of it is left", file.path)
            return
        kind = quantity.more if rises else quantity.less
        yield Finding(kind, potency * (_MORE_ROOM if roomy else 1.0), told + how, file.path)
    elif not file.config_like and "%" in at.tokens:
        yield Finding("identity_gone", 0.62, f"another remainder, {told}: things are found elsewhere", file.path)
    elif not file.config_like and any(token in _COMPARISONS for token in at.tokens):
        yield Finding("operator", 0.55, f"what is compared with, {told}", file.path)
    else:
        yield Finding("number", min(potency, 0.65) * 0.8, told + how, file.path)


def overtaken(
    file: FileDiff, pairs: Sequence[tuple[Tokens, Tokens]], lines: Sequence[Tokens]
) -> Iterator[Finding]:
    """A number that reached another of its kind beside it, which it was under or over: a part that is all now.

    Args:
        file: Where they are.
        pairs: Removed lines with the added ones that took their place.
        lines: All lines of the file, in order.
    """
    for old, new in pairs:
        was, now = _only_value(old), _only_value(new)
        if was is None or now is None or was == now or new.quantity is None:
            continue
        place = lines.index(new)
        for other in lines[max(0, place - _NEAR) : place + _NEAR]:
            beside = _only_value(other) if other.line.sign == " " and other.quantity is new.quantity else None
            if beside is None or beside.family != now.family:
                continue
            under, over = was.number < beside.number <= now.number, was.number > beside.number >= now.number
            if under or over:
                kind = new.quantity.more if under else new.quantity.less
                told = (
                    f"{new.quantity.name} {now.text()} is no longer {'under' if under else 'over'} {beside.text()}"
                )
                yield Finding(kind, _OVERTAKEN, f"{told} beside it", file.path)
                return


def _only_value(line: Tokens) -> Value | None:
    found = [value for token in line.tokens if (value := value_of(token)) is not None]
    return found[0] if len(found) == 1 else None


def _left(old: float, new: float, at: Tokens) -> float:
    """How much a share of a whole that rises can do by what it leaves: 60 to 98 percent leave a twentieth."""
    whole = 100.0 if max(old, new) > 1 else 1.0
    if not _PERCENT.search(at.line.words) or not (0 < old < whole and 0 < new <= whole):
        return 0.0
    return _potency(whole - old, whole - new)[0]


def _potency(old: float, new: float) -> tuple[float, str]:
    """How much a change of a number by this ratio can do, and the ratio in words."""
    low, high = sorted((abs(old), abs(new)))
    if low == 0:
        return 0.7, " (off, or without bound)" if new == 0 else ""
    ratio = high / low
    potency = next((p for limit, p in _RATIOS if ratio < limit), 0.9)
    return potency, f", {ratio:.3g} times {'more' if new > old else 'less'}" if ratio >= _WORTH_TELLING else ""
