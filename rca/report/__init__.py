"""The report in every format. One plain module of this folder is one format; the folder's listing is the registry.

A format's module holds `SUFFIX` (how a file of it ends) and `render(report, style) -> str`. Only the chosen one is
imported. What the formats share lies in the subpackage `present`, which is no format because it is a package.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from rca.errors import UsageError

if TYPE_CHECKING:  # the model imports numpy, and `rca --help` lists the formats
    from rca.model.report import Report

NARROWEST = 40  # columns; below that no line of evidence could be read


@dataclass(frozen=True, slots=True)
class Style:
    """How a report is laid out, for the formats that care.

    Attributes:
        width: Columns of the terminal.
        color: Whether escape sequences may be written.
    """

    width: int = 100
    color: bool = False


class Format(Protocol):
    """What a format's module offers."""

    SUFFIX: str

    def render(self, report: "Report", style: Style, /) -> str:
        """The whole report as text that ends with a newline."""
        ...


def formats() -> tuple[str, ...]:
    """The names of every format, sorted; nothing is imported for it."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def load(name: str) -> Format:
    """The module of a format.

    Raises:
        UsageError: There is no such format.
    """
    if name not in formats():
        raise UsageError(f"there is no report format {name!r}", hint=f"Choose one of: {', '.join(formats())}.")
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))


def render(name: str, report: "Report", *, width: int = 100, color: bool = False) -> str:
    """A report as text, the same bytes for the same report, width and colour.

    Args:
        name: The format, one of `formats()`.
        report: What to show.
        width: Columns, for formats that have any; at least 40 are used.
        color: Whether escape sequences may be written, for formats that write any.

    Raises:
        UsageError: There is no such format.
    """
    return load(name).render(report, Style(width=max(width, NARROWEST), color=color))


def format_for(path: Path | str) -> str:
    """The format that a file's name asks for, by its suffix.

    Raises:
        UsageError: No format ends like that.
    """
    suffix = Path(path).suffix.lower()
    known = []
    for name in formats():
        ending = load(name).SUFFIX
        if ending == suffix:
            return name
        known.append(ending)
    raise UsageError(
        f"can't tell the report's format from the name {str(path)!r}",
        hint=f"End it with {', '.join(known)}, or say --format.",
    )
