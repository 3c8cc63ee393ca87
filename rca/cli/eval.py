"""`rca eval`: accuracy over labelled bundles, and a gate for a pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rca.cli.base import Run, command
from rca.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rca.evaluate import Evaluation, SetScore

_FORMATS = ("json", "markdown", "terminal")
_COLUMNS = (
    "set",
    "cases",
    "AC@1",
    "AC@3",
    "AC@5",
    "Avg@5",
    "MRR",
    "abstained",
    "wrongly",
    "simple AC@1",
    "s/case",
)

Minimum = Annotated[float | None, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Fail below this.")]
Maximum = Annotated[float | None, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Fail above this.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "eval")(evaluate)


def evaluate(
    run: Run,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A set (with labels.csv), or a folder of sets.")],
    *,
    onset: Annotated[
        str, typer.Option("--onset", metavar="given|hidden|+90s", help="What the analysis is told of the onset.")
    ] = "given",
    min_ac1: Minimum = None,
    min_ac3: Minimum = None,
    min_abstained: Minimum = None,
    max_wrongly_abstained: Maximum = None,
) -> None:
    """Measure accuracy over labelled bundles; with a minimum, fail a pipeline that falls below it."""
    from rca import __version__  # noqa: PLC0415 - reading the installed metadata takes a while
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from rca.config.load import config_hash  # noqa: PLC0415 - as above
    from rca.evaluate import Onset  # noqa: PLC0415 - as above
    from rca.evaluate import evaluate as over  # noqa: PLC0415 - as above
    from rca.model.report import ToolInfo  # noqa: PLC0415 - as above

    name = _format(run)
    told = Onset.parse(onset)
    tool = ToolInfo(__version__, config_hash(run.load().config))
    result = over(folder, tool=tool, onset=told, progress=run.note if run.verbose else None)
    emit_text(_text(result, name), run)
    total = result.macro
    failed = [
        *_below("AC@1", total.ac[1], min_ac1),
        *_below("AC@3", total.ac[3], min_ac3),
        *_below("abstained without a fault", total.rightly_abstained, min_abstained),
        *_above("wrongly abstained", total.wrongly_abstained, max_wrongly_abstained),
    ]
    for line in failed:
        run.note(line)
    raise typer.Exit(ExitCode.GATE_FAILED if failed else ExitCode.OK)


def _format(run: Run) -> str:
    if run.format is not None and run.format not in _FORMATS:
        raise UsageError(f"eval has no format '{run.format}'", hint=f"Choose one of {', '.join(_FORMATS)}.")
    by_ending = {".json": "json", ".md": "markdown"}
    return run.format or by_ending.get(run.output.suffix if run.output else "", "terminal")


def _below(what: str, value: float | None, least: float | None) -> list[str]:
    if least is None or (value is not None and value >= least):
        return []
    return [f"gate failed: {what} is {_share(value)}, below {least:.2f}"]


def _above(what: str, value: float | None, most: float | None) -> list[str]:
    if most is None or value is None or value <= most:
        return []
    return [f"gate failed: {what} is {value:.2f}, above {most:.2f}"]


def _text(result: "Evaluation", name: str) -> str:
    if name == "json":
        import json  # noqa: PLC0415 - only for this format

        return json.dumps(result.to_json(), indent=1, ensure_ascii=False)
    rows = [_COLUMNS, *(_row(score) for score in (*result.sets, result.macro))]
    if name == "markdown":
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([lines[0], "|" + "---|" * len(_COLUMNS), *lines[1:]])
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _row(score: "SetScore") -> tuple[str, ...]:
    shares = (
        score.ac[1],
        score.ac[3],
        score.ac[5],
        score.avg5,
        score.mrr,
        score.abstained,
        score.wrongly_abstained,
    )
    return (
        score.name,
        str(score.cases),
        *(_share(value) for value in shares),
        _share(score.simple_ac1),
        f"{score.seconds_per_case:.2f}",
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
