"""Queries that a person can paste into Kibana: KQL, with every value quoted.

https://www.elastic.co/docs/explore-analyze/query-filter/languages/kql
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rca.sources.elastic.layers import Layer
from rca.sources.elastic.schema import Role, Schema

_FAILING = frozenset({"ERROR", "FATAL"})


def quoted(value: object) -> str:
    r"""A value as a KQL string: nothing in it can end the string or act as an operator or a wildcard.

    >>> print(quoted('say "hi" \\ * or true'))
    "say \"hi\" \\ * or true"
    """
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def clause(field: str, values: Sequence[object]) -> str:
    """A field that has one of these values."""
    if len(values) == 1:
        return f"{_name(field)}: {quoted(values[0])}"
    return f"{_name(field)}: ({' or '.join(quoted(value) for value in values)})"


def log_query(layers: Iterable[Layer], schema: Schema, service: str, level: str | None = None) -> str:
    """The lines of a service, of one level or of all.

    Args:
        layers: Where the service's lines were found.
        schema: What raw values of a level mean.
        service: The name, any text.
        level: `ERROR` stands for `FATAL` too; None for every level.

    Returns:
        KQL; empty where no layer can have such lines.
    """
    wanted = _FAILING if level == "ERROR" else frozenset({level or ""})
    parts = []
    for layer in layers:
        if service not in layer.services:
            continue
        own = clause(layer.service, [service])
        if level is None:
            parts.append(own)
            continue
        raw: Sequence[Any] = layer.raw_levels(schema, wanted)
        message = layer.cohort.first(Role.MESSAGE)
        if raw and layer.level:
            parts.append(f"{own} and {clause(layer.level, raw)}")
        elif layer.level is None and message and level == "ERROR":
            words = "error or exception or failed or fatal or panic"
            parts.append(f"{own} and {_name(message)}: ({words})")
    found = list(dict.fromkeys(parts))
    return found[0] if len(found) == 1 else " or ".join(f"({part})" for part in found)


def _name(field: str) -> str:
    r"""A field's name with what KQL reads as syntax escaped."""
    return "".join(f"\\{char}" if char in '\\():<>"*{} ' else char for char in field)
