"""Tables of texts, aligned for a terminal or as Markdown; what comes from outside is made harmless."""

from collections.abc import Sequence

from rca.cli.base import Run
from rca.errors import UsageError

Row = Sequence[str]

_ENDINGS = {".json": "json", ".md": "markdown", ".txt": "terminal"}


def choose_format(run: Run, command: str) -> str:
    """The format of a command that writes tables: by `--format`, else by the ending of `-o`, else the terminal's.

    Raises:
        UsageError: There is no such format, or the file's ending names none.
    """
    formats = sorted(_ENDINGS.values())
    if run.format is not None and run.format not in formats:
        raise UsageError(f"{command} has no format '{run.format}'", hint=f"Choose one of {', '.join(formats)}.")
    if run.format is not None or run.output is None:
        return run.format or "terminal"
    if run.output.suffix not in _ENDINGS:
        raise UsageError(
            f"{command} has no format for '{run.output.name}'",
            hint=f"Let it end in {', '.join(_ENDINGS)}, or use --format.",
        )
    return _ENDINGS[run.output.suffix]


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
