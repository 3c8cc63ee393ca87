"""What was found in a diff."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a change does.

    Attributes:
        kind: As in `kinds.toml`.
        potency: How likely a change like it does harm at all, 0 to 1.
        why: In plain words, with its numbers.
        path: The file.
    """

    kind: str
    potency: float
    why: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What a commit's diff can do.

    Attributes:
        findings: The most potent first.
        potency: Of all of them, 0 to 1.
        inert: It changes nothing that could do harm.
        known: There was a diff to judge; else `potency` is a guess.
        why: Of the whole, in a few words.
        names: Identifiers and names on changed lines, in lower case.
        new_names: Those of them that it brought.
        values: New literals (numbers, strings, hosts).
        gone_values: Literals that are no longer there.
        settings: Words that settings have now, in place of others.
        text: Split words of the changed lines.
        paths: Files that can do harm.
    """

    findings: tuple[Finding, ...]
    potency: float
    inert: bool
    known: bool
    why: str
    names: frozenset[str] = frozenset()
    new_names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    gone_values: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
