"""`rca eval`: accuracy over labelled bundles, and a gate for a pipeline."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, command
from rca.cli.tables import choose_format
from rca.errors import ExitCode
from rca.model.words import counted

if TYPE_CHECKING:
    from rca.evaluate import Accuracy, Evaluation, SetScore

_COLUMNS = ("set", "cases", "AC@1", "95 %", "AC@3", "AC@5", "Avg@5", "MRR", "abstained", "wrongly", "s/case")
_TYPE_COLUMNS = ("set", "fault", "cases", "AC@1", "95 %", "AC@3", "Avg@5", "wrongly abstained")
_BESIDE_COLUMNS = ("set", "ranker", "AC@1", "AC@3", "AC@5", "Avg@5", "MRR")
_TRIGGER_COLUMNS = ("set", "right change, or rightly none", "a decoy")

_NAMED = 5  # labels without a bundle, and bundles without a label, of which a line names this many

Table = list[tuple[str, ...]]
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
        str,
        typer.Option(
            "--onset",
            metavar="given|hidden|+90s|+1row",
            help="What the analysis is told of the onset: the bundle's, nothing, or the bundle's shifted.",
        ),
    ] = "given",
    vocabulary: options.Vocabulary = None,
    min_ac1: Minimum = None,
    min_ac3: Minimum = None,
    min_ac5: Minimum = None,
    min_avg5: Minimum = None,
    min_mrr: Minimum = None,
    min_trigger: Minimum = None,
    min_abstained: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, metavar="SHARE", help="Fail below this share of cases without a fault that abstain."
        ),
    ] = None,
    max_wrongly_abstained: Maximum = None,
) -> None:
    """Measure accuracy over labelled bundles; with a minimum, fail a pipeline that falls below it.

    Gates look at the mean over sets. The labels are read after every ranking has been made.
    """
    from rca import __version__  # noqa: PLC0415 - reading the installed metadata takes a while
    from rca.cli.reporting import analysis_options, emit_text  # noqa: PLC0415 - only when the command runs
    from rca.config.load import config_hash  # noqa: PLC0415 - as above
    from rca.evaluate import Onset  # noqa: PLC0415 - as above
    from rca.evaluate import evaluate as over  # noqa: PLC0415 - as above
    from rca.model.report import ToolInfo  # noqa: PLC0415 - as above
    from rca.report.present.text import listed  # noqa: PLC0415 - as above

    name = choose_format(run, "eval")
    told = Onset.parse(onset)
    config = run.load({"changes.vocabulary": vocabulary}).config
    tool = ToolInfo(__version__, config_hash(config))
    began = time.monotonic()
    result = over(folder, tool=tool, onset=told, options=analysis_options(config), progress=progress(run))
    for lacking, unpaired in (("bundle", result.without_bundle), ("label", result.without_label)):
        if unpaired:
            named = listed(("/".join(pair) for pair in unpaired), most=_NAMED)
            run.note(f"no {lacking}, so not counted: {named}")
    run.note(f"{counted(len(result.results), 'case')} in {time.monotonic() - began:.0f} s, onset {onset}")
    emit_text(_text(result, name), run)
    total = result.macro
    failed = [
        *_below("AC@1", total.ac[1], min_ac1),
        *_below("AC@3", total.ac[3], min_ac3),
        *_below("AC@5", total.ac[5], min_ac5),
        *_below("Avg@5", total.accuracy.avg5, min_avg5),
        *_below("MRR", total.accuracy.mrr, min_mrr),
        *_below("the right change or rightly none", total.trigger, min_trigger),
        *_below("abstained without a fault", total.rightly_abstained, min_abstained),
        *_above("wrongly abstained", total.wrongly_abstained, max_wrongly_abstained),
    ]
    for line in failed:
        run.note(line)
    raise typer.Exit(ExitCode.GATE_FAILED if failed else ExitCode.OK)


def progress(run: Run) -> Callable[[int, int, str], None] | None:
    """One line that is written over on a terminal; a line a case elsewhere, when asked to say more."""
    if run.quiet:
        return None
    if sys.stderr.isatty():

        def show(done: int, total: int, name: str) -> None:
            last = "\r\033[K" if done + 1 == total else ""
            sys.stderr.write(f"\r\033[K{done + 1}/{total} {name}{last}")
            sys.stderr.flush()

        return show
    if run.verbose:
        return lambda done, total, name: run.note(f"{done + 1}/{total} {name}")
    return None


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
    from rca.cli.tables import aligned, markdown  # noqa: PLC0415 - only for these

    write = markdown if name == "markdown" else aligned
    return "\n\n".join(write(table) for table in _tables(result))


def _tables(result: "Evaluation") -> Iterator[Table]:
    scores = (*result.sets, result.macro) if len(result.sets) > 1 else result.sets
    yield [_COLUMNS, *(_row(score) for score in scores)]
    beside = [
        (score.name, name, *_figures(accuracy))
        for score in scores
        if score.faults
        for name, accuracy in (("rca", score.accuracy), *score.baselines.items())
    ]
    if beside:
        yield [_BESIDE_COLUMNS, *beside]
    types = [(score.name, *_type_row(one)) for score in scores for one in score.types.values()]
    if types:
        yield [_TYPE_COLUMNS, *types]
    known = [score for score in scores if score.trigger is not None]
    if known:
        yield [_TRIGGER_COLUMNS, *((score.name, _share(score.trigger), _share(score.decoy)) for score in known)]


def _row(score: "SetScore") -> tuple[str, ...]:
    first, *rest = _figures(score.accuracy)
    shares = (_share(score.abstained), _share(score.wrongly_abstained))
    return score.name, str(score.cases), first, _interval(score), *rest, *shares, f"{score.seconds_per_case:.2f}"


def _type_row(score: "SetScore") -> tuple[str, ...]:
    shares = (_share(score.ac[3]), _share(score.accuracy.avg5), _share(score.wrongly_abstained))
    return score.name, str(score.cases), _share(score.ac[1]), _interval(score), *shares


def _figures(accuracy: "Accuracy") -> tuple[str, ...]:
    found = (accuracy.ac[1], accuracy.ac[3], accuracy.ac[5], accuracy.avg5, accuracy.mrr)
    return tuple(_share(value) for value in found)


def _interval(score: "SetScore") -> str:
    found = score.ranges.get(1)
    return f"{found[0]:.2f}-{found[1]:.2f}" if found else "-"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
