"""How a constant is declared: its value, what it means and where it comes from stand in one line."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Origin(StrEnum):
    """Where a constant comes from."""

    PROTOTYPE = "prototype"
    """Taken over from measurements on other cases of the same systems."""
    STRUCTURE = "structure"
    """A bound or ratio that follows from what it does, tried at one or two values."""
    CASES = "labelled cases"
    """Chosen on the sets of docs/evaluation.md."""
    STATISTICS = "statistics"
    """Follows from a distribution, or is the customary continuity correction or prior."""


@dataclass(frozen=True, slots=True)
class Described:
    """A constant as the documents list it.

    Attributes:
        name: With the group that holds it, as in `lines.unseen`.
        value: As it ships.
        meaning: A sentence.
        origin: Where it comes from.
    """

    name: str
    value: float
    meaning: str
    origin: Origin


def constant(value: T, meaning: str, origin: Origin) -> T:
    """The declaration of a constant, for the body of a dataclass.

    Args:
        value: As it ships.
        meaning: A sentence.
        origin: Where it comes from.
    """
    # A dataclass takes the field; who reads the class sees a default value of its type.
    declared: T = field(default=value, metadata={"meaning": meaning, "origin": origin})
    return declared


def described(constants: object, group: str = "") -> Iterator[Described]:
    """Every constant of a dataclass and of the groups in it, in the order of declaration.

    Args:
        constants: The dataclass's instance.
        group: What its constants' names begin with.
    """
    if not is_dataclass(constants) or isinstance(constants, type):
        return
    for declared in fields(constants):
        value = getattr(constants, declared.name)
        if "origin" in declared.metadata:
            yield Described(
                group + declared.name, value, declared.metadata["meaning"], declared.metadata["origin"]
            )
        else:
            yield from described(value, f"{group}{declared.name}.")
