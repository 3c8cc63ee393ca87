"""Tables of texts, aligned for a terminal or as Markdown; what comes from outside is made harmless."""

from collections.abc import Sequence

Row = Sequence[str]


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
