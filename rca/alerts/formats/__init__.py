"""What alerts are read from. One module of this folder is one format; the folder's listing is the registry.

A format's module holds `TITLE` (its name for people), `recognises(data) -> bool` (one JSON object, by its content
alone) and `read(records, now) -> list[Alert]` (all objects of this format, in the file's order).
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from rca.alerts.record import Record
from rca.model.incident import Alert


class Format(Protocol):
    """What a format's module offers."""

    TITLE: str

    def recognises(self, data: Mapping[str, Any], /) -> bool:
        """Whether an object is of this format. No two formats recognise the same one."""
        ...

    def read(self, records: Sequence[Record], now: datetime | None, /) -> list[Alert]:
        """The alerts in all objects of this format.

        Args:
            records: In the file's order.
            now: When they arrived; None when nobody knows.

        Raises:
            UsageError: One can't be used; the place is named.
        """
        ...


def formats() -> tuple[str, ...]:
    """The names of every format, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Format:
    """The module of a format."""
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))
