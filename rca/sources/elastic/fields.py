"""Field resolution: which candidate fields are usable, index by index, from one `_field_caps` answer.

Indices that agree on what is usable form a `Cohort`, nearly always a single one. They fall apart where a field
is a keyword in some indices and a text or an object in others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rca.model.incident import Gap
from rca.sources.elastic.client import NAME
from rca.sources.elastic.schema import Role, Schema

AGGREGATED = (Role.SERVICE, Role.LEVEL, Role.TRACE)
"""Roles whose values are counted or looked up, so that a text field won't do."""
DATES = {"date", "date_nanos"}
_UNREADABLE = {"object", "nested"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Cohort:
    """Indices in which the same fields are usable.

    Attributes:
        indices: Names, or the configured patterns when all indices agree.
        fields: Usable candidates by role, best first. Empty where none is.
        conflicting: Candidates for the service that have a type here by which they can't be used, as a text or an
            object, though other indices' can.
        words: Fields of messages that can be searched by word in some index.
    """

    indices: tuple[str, ...]
    fields: Mapping[Role, tuple[str, ...]]
    conflicting: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def first(self, role: Role) -> str | None:
        """The best usable field for a role."""
        return next(iter(self.fields.get(role, ())), None)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What `_field_caps` told.

    Attributes:
        matched: Every index that the patterns matched, sorted.
    """

    cohorts: tuple[Cohort, ...]
    matched: tuple[str, ...]
    gaps: tuple[Gap, ...]


def wanted(schema: Schema, overrides: Mapping[str, str]) -> dict[Role, tuple[str, ...]]:
    """Every candidate by role, the user's own first, each followed by its `.keyword` where values are counted."""
    found = {}
    for role in Role:
        own = overrides.get(role.value)
        names = dict.fromkeys(([own] if own else []) + list(schema.candidates(role)))
        found[role] = tuple(
            field
            for name in names
            for field in ([name, f"{name}.keyword"] if role in AGGREGATED else [name])
            if not field.endswith(".keyword.keyword")
        )
    return found


def resolve(
    caps: Mapping[str, Any], schema: Schema, overrides: Mapping[str, str], patterns: tuple[str, ...]
) -> Resolution:
    """Choose the usable fields.

    Args:
        caps: The answer of `_field_caps` for all fields of `wanted`.
        schema: The merged schemas.
        overrides: The user's own choice by role.
        patterns: What was asked for.

    Returns:
        Cohorts in the order of their first index.
    """
    raw = caps.get("indices") or ()
    matched = tuple(sorted([raw] if isinstance(raw, str) else raw))
    fields: Mapping[str, Any] = caps.get("fields") or {}
    names = wanted(schema, overrides)
    gaps = list(_override_gaps(fields, overrides))
    bad: dict[tuple[Role, str], frozenset[str]] = {}
    for role in Role:
        for name in names[role]:
            unusable = _bad_indices(role, fields.get(name) or {}, matched)
            if unusable is not None:
                bad[role, name] = unusable
    groups: dict[tuple[tuple[Role, str], ...], list[str]] = {}
    for index in matched:
        usable = tuple(key for key, indices in bad.items() if index not in indices)
        groups.setdefault(usable, []).append(index)
    words = tuple(name for name in names[Role.MESSAGE] if _by_word(fields.get(name) or {}))
    cohorts = []
    for usable, members in groups.items():
        chosen = {role: tuple(name for owner, name in usable if owner is role) for role in Role}
        chosen = {role: _only_override(role, found, overrides) for role, found in chosen.items()}
        conflicting = tuple(n for (role, n), where in bad.items() if role is Role.SERVICE and members[0] in where)
        searched = tuple(name for name in words if name in chosen[Role.MESSAGE])
        cohorts.append(Cohort(patterns if len(groups) == 1 else tuple(members), chosen, conflicting, searched))
    gaps += _undated(cohorts)
    gaps += _missing_gaps(cohorts, names)
    return Resolution(tuple(cohorts), matched, tuple(dict.fromkeys(gaps)))


def _only_override(role: Role, found: tuple[str, ...], overrides: Mapping[str, str]) -> tuple[str, ...]:
    """The user's own field alone, wherever it is usable."""
    own = overrides.get(role.value)
    mine = tuple(name for name in found if own and name in {own, f"{own}.keyword"})
    return mine[:1] or found


def _bad_indices(role: Role, types: Mapping[str, Any], matched: tuple[str, ...]) -> frozenset[str] | None:
    """The indices that have the field in a form that this role can't use; None when no index has a usable form."""
    good: set[str] = set()
    bad: set[str] = set()
    for kind, caps in types.items():
        if kind == "unmapped":
            continue
        where = caps.get("indices") or matched
        where = {where} if isinstance(where, str) else set(where)
        if not _usable(role, kind, caps):
            bad |= where
            continue
        held_back = set(caps.get("non_aggregatable_indices") or ()) if role in AGGREGATED else set()
        bad |= held_back
        good |= where - held_back
    if not good:
        return None
    return frozenset(bad) if role in AGGREGATED or role is Role.TIMESTAMP else frozenset()


def _usable(role: Role, kind: str, caps: Mapping[str, Any]) -> bool:
    if role is Role.TIMESTAMP:
        return kind in DATES
    if role in AGGREGATED:
        return bool(caps.get("aggregatable", False))
    return kind not in _UNREADABLE


def _by_word(types: Mapping[str, Any]) -> bool:
    """Whether some index has the field as an indexed text; of a keyword all values would have to be looked at."""
    return bool(types.get("text", {}).get("searchable", False))


def _override_gaps(fields: Mapping[str, Any], overrides: Mapping[str, str]) -> Iterator[Gap]:
    for role, name in sorted(overrides.items()):
        if name not in fields and f"{name}.keyword" not in fields:
            yield Gap(
                NAME,
                f"configured {role} field {name}",
                f"no matched index has it, so the schemas' candidates were used; see elasticsearch.fields.{role}",
            )


def _undated(cohorts: list[Cohort]) -> Iterator[Gap]:
    """Indices whose documents can't be placed in time, beside others whose can."""
    for cohort in cohorts:
        if not cohort.first(Role.TIMESTAMP) and any(other.first(Role.TIMESTAMP) for other in cohorts):
            why = "their timestamp is no date, so they were left out; fix the index template"
            yield Gap(NAME, f"logs in {listed(cohort.indices)}", why)


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _missing_gaps(cohorts: list[Cohort], names: Mapping[Role, tuple[str, ...]]) -> Iterator[Gap]:
    needed = {
        Role.TIMESTAMP: "nothing can be placed in time",
        Role.SERVICE: "lines can't be told apart by service",
        Role.LEVEL: "exact counts have no level; on the sampled lines a pattern on the message decides",
        Role.MESSAGE: "no log templates",
    }
    for role, effect in needed.items():
        if cohorts and not any(cohort.fields[role] for cohort in cohorts):
            tried = ", ".join(name for name in names[role] if not name.endswith(".keyword"))
            yield Gap(
                NAME,
                f"{role} field",
                f"no usable one in any index, so {effect}; name it in elasticsearch.fields.{role} (tried {tried})",
            )
