"""What a line no longer says that took the place of another."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rca.changes.diff import FileDiff, split_words
from rca.changes.findings import Finding
from rca.changes.line import HELPER, MODIFIERS, OPERATORS, about, converts, is_called, is_path, values
from rca.changes.moved import is_own_call
from rca.changes.texts import cut
from rca.changes.tokens import Tokens
from rca.changes.vocabulary import Gone

_LOCAL = re.compile(  # names of elements, of what a function on the spot is given, of a variable
    r"\bfor\s+(?P<a>\w+)\s+in\b|\blambda\s+(?P<b>\w+)|\(?\b(?P<c>\w+)\)?\s*(?:=>|->)|^(?P<d>\w+)\s*:?=(?!=)"
    r"|\b(?:var|let|const|val|auto)\s+(?P<e>\w+)\s*="
)
_HERE = 0.9
_UNTIMED = 0.6


def missed(file: FileDiff, new: Tokens, gone: Sequence[str], entries: Sequence[Gone]) -> Iterator[Finding]:
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
            yield Finding(entry.kind, _HERE * entry.potency, f"no {match[0]} any more in {about(new)}", file.path)


def _fewer(word: str, file: FileDiff) -> bool:
    """Whether a file's added lines say something less often than the removed ones."""
    times = [sum(line.words.count(word) for line in file.side(sign)) for sign in "-+"]
    return times[1] < times[0]


def less(file: FileDiff, old: Tokens, new: Tokens, gone: Sequence[str]) -> Iterator[Finding]:
    """Tokens that the new line no longer has."""
    said = [token for token in gone if token[0].isalnum() or token[0] in "\"'⟦_" or is_path(file, token)]
    if file.language in {"go", "java"} and not said and any(token in {"*", "&"} for token in gone):
        if not _is_shared_already(file, old):
            yield Finding("race", 0.6, f"a copy, where it was shared, in {about(new)}", file.path)
        return
    if not said:
        if any(token in {"!", "not"} for token in gone):
            yield Finding("operator", 0.66, f"a negation is gone in {about(new)}", file.path)
        return
    if file.language == "sql" and any(
        token in {"AND", "WHERE", "ON", "LIMIT", "USING", "DISTINCT"} for token in gone
    ):
        yield Finding("slow_query", 0.68, f"a condition is gone: {cut(' '.join(said))}", file.path)
    elif file.config_like:
        yield Finding("setting", 0.55, f"{cut(' '.join(said))} is no longer in {about(new)}", file.path)
    elif (finding := _value_gone(file, old, new, gone)) is not None:
        yield finding
    elif any(token in OPERATORS for token in gone) and not _is_type(file, gone):
        yield Finding("operator", 0.62, f"`{cut(' '.join(gone))}` is gone from {about(new)}", file.path)
    elif converted := next((token for token in gone if converts(token, old)), None):
        yield Finding("type", 0.62, f"no longer converted by {converted}", file.path)
    else:
        yield _unsaid(file, old, new, said, gone)


def _value_gone(file: FileDiff, old: Tokens, new: Tokens, gone: Sequence[str]) -> Finding | None:
    """A number of a known kind, or a time, that a line of code no longer has."""
    found = values(gone)
    if found and old.quantity is not None:
        told = f"{old.quantity.name} {found[0].text()} is no longer given"
        return Finding(old.quantity.less, 0.62, told, file.path)
    if any(value.family == "time" for value in found) and not values(new.tokens):
        return Finding("timeout_gone", _UNTIMED, f"{found[0].text()} is no longer given", file.path)
    return None


def _is_shared_already(file: FileDiff, old: Tokens) -> bool:
    """Whether what a line took the address of is made as something to share now: `x := new(T)`."""
    taken = {name for mark, name in pairwise(old.tokens) if mark in {"&", "*"}}
    added = "\n".join(line.code for line in file.side("+"))
    made = r"\s*(?::=|=)\s*(?:new\b|&|[\w.]*\bNew\w*\(|make_\w+|std::make_)"
    return any(re.search(rf"\b{re.escape(name)}{made}", added) for name in taken)


def _unsaid(file: FileDiff, old: Tokens, new: Tokens, said: Sequence[str], gone: Sequence[str]) -> Finding:
    """Names that a line of code no longer says, of which no more is known."""
    told = cut(" ".join(said))
    if harmless := _harmless(file, old, new, said, gone):
        potency, why = harmless
        return Finding("logic", potency, why.format(told=told, line=about(new)), file.path)
    if "(" in new.tokens or "," in old.line.code:
        return Finding("argument_gone", 0.4, f"{told} is no longer given", file.path)
    return Finding("logic", 0.36, f"{told} is gone", file.path)


def _harmless(
    file: FileDiff, old: Tokens, new: Tokens, said: Sequence[str], gone: Sequence[str]
) -> tuple[float, str] | None:
    """A low potency and the words for it, where what is no longer said hardly matters."""
    if _in_another_form(file, old, new):
        return 0.15, "said in another form in {line}"
    if _is_type(file, gone):
        return 0.15, "the type {told} is no longer said"
    if all(token in MODIFIERS for token in said):
        return 0.12, "{told} is no longer said"
    if set(said) - {"lambda", "for", "in"} - MODIFIERS <= own_names(file):
        return 0.2, "{told}, a name of its own, is gone"
    if all(_is_callable(token, old) for token in said) and _calls_helper(old, new):
        return HELPER, "{line} is another function's now"
    return None


def _in_another_form(file: FileDiff, old: Tokens, new: Tokens) -> bool:
    """Whether a line awaits what it gave a callback to, or makes a map without telling how large it may become."""
    awaits = "await" in new.tokens and "then" in old.tokens and "await" not in old.tokens
    makes = file.language == "go" and all("make" in line.tokens and "map" in line.tokens for line in (old, new))
    return awaits or makes


def own_names(file: FileDiff) -> set[str]:
    """Names that removed lines gave to what they worked with themselves, and that nothing else says."""
    found = {
        name
        for line in file.side("-")
        for match in _LOCAL.finditer(line.code)
        for name in match.groups()
        if name is not None
    }
    rest = " ".join(line.code for line in file.lines if line.sign != "-")
    return {name for name in found if re.search(rf"(?<![\w.]){name}\b", rest) is None}


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
        name not in old.tokens and is_own_call(name, new.line.code) for name in new.tokens if is_called(name, new)
    )
