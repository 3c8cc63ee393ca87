"""What is wrong with somebody's topology, and where in it."""

from typing import Self

Path = tuple[str | int, ...]
"""A place in a document: keys and positions from its top."""


class TopologyError(ValueError):
    """A topology file or document that can't be used; nothing of it was.

    Attributes:
        message: Which file, where in it, and what is wrong, in one line.
        hint: What to do about it; empty when there is nothing useful to say.
        path: The place in the document, where it could be read at all.
    """

    def __init__(
        self, what: str, *, hint: str = "", name: str = "", path: Path = (), line: int | None = None
    ) -> None:
        self.what = what
        self.hint = hint
        self.name = name
        self.path = path
        self.line = line
        place = [name, f"line {line}" if line else "", show_path(path)]
        where = ", ".join(part for part in place if part)
        self.message = f"{where}: {what}" if where else what
        super().__init__(f"{self.message} ({hint})" if hint else self.message)

    def located(self, name: str, line: int | None = None) -> Self:
        """The same error, with the file it was found in."""
        return type(self)(self.what, hint=self.hint, name=name, path=self.path, line=line)


def show_path(path: Path) -> str:
    """A place as people write it: `services.checkout.calls[2]`."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown
