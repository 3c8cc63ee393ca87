"""Tables of texts, aligned for a terminal or as Markdown; what comes from outside is made harmless."""

import os
from collections.abc import Sequence

from rca.cli.base import Run
from rca.errors import UsageError

Row = Sequence[str]

_ENDINGS = {".json": "json", ".md": "markdown", ".txt": "terminal"}


PLAIN = ("json", "terminal")
"""The formats of what is no report."""


def choose_format(run: Run, command: str, formats: Sequence[str] = tuple(sorted(_ENDINGS.values()))) -> str:
    """The format of what is no report: by `--format`, else by the ending of `-o`, else the terminal's.

    What the environment prefers for reports is no demand on all else.

    Args:
        run: The options.
        command: Its name, for errors.
        formats: What it can be written as.

    Raises:
        UsageError: There is no such format, or the file's ending names none.
    """
    endings = [ending for ending, name in _ENDINGS.items() if name in formats]
    wanted = run.format
    if wanted is not None and wanted not in formats:
        if os.environ.get("RCA_FORMAT") != wanted:
            raise UsageError(f"{command} has no format '{wanted}'", hint=f"Choose one of {', '.join(formats)}.")
        wanted = None
    if wanted is not None or run.output is None:
        return wanted or "terminal"
    ending = run.output.suffix.lower()
    if ending not in endings:
        raise UsageError(
            f"{command} has no format for '{run.output.name}'",
            hint=f"Let it end in {', '.join(endings)}, or use --format.",
        )
    return _ENDINGS[ending]


def aligned(rows: Sequence[Row]) -> str:
    """Columns under each other, two spaces between."""
    from rich.cells import cell_len  # noqa: PLC0415 - only where a table is written

    from rca.report.present.text import visible_line  # noqa: PLC0415 - as above

    shown = [[visible_line(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[i]) for row in shown) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )


def markdown(rows: Sequence[Row]) -> str:
    """A table in GitHub's flavour."""
    from rca.report.markdown import escape  # noqa: PLC0415 - only where a table is written

    lines = ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
