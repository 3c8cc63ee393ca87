"""What the documentation shows of the tool is made by the tool: docs/cli.md, and the README's report."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from rca.cli.main import application
from rca.model.tuning import REASONED_WEIGHTS, Tuning
from rca.model.tuning.constant import Origin, described
from tests.command import Invoke

REFERENCE = Path(__file__).parent.parent / "docs" / "cli.md"
CONSTANTS = REFERENCE.with_name("constants.md")
README = Path(__file__).parent.parent / "README.md"
OPENING = "```text\n"  # of the README's excerpt of the demo's report
HEAD = """# The command line

Made from the commands themselves; `RCA_UPDATE_GOLDEN=1 pytest tests/test_reference.py` makes it anew.
Exit codes are in the [README](../README.md#exit-codes). Every flag can also be given a default in the
configuration file, under `[commands.NAME]`.
"""

HEAD_OF_CONSTANTS = """# Constants of the ranking

Made from `rca/model/tuning/`; `RCA_UPDATE_GOLDEN=1 pytest tests/test_reference.py` makes it anew. How the accuracy
moves when one of them does: [sensitivity.md](sensitivity.md). Origins:

- *prototype*: taken over from measurements on other cases of the same systems;
- *structure*: a bound or ratio that follows from what it does, tried at one or two values;
- *labelled cases*: chosen on the sets in [evaluation.md](evaluation.md);
- *statistics*: follows from a distribution, or is the customary continuity correction or prior.
"""


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command of the tree with its full name, groups left out."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in inner:
        yield from commands(inner[name], f"{path} {name}")


def is_common(parameter: Any) -> bool:
    return getattr(parameter, "rich_help_panel", None) == "Everywhere"


def flags_of(parameters: list[Any]) -> list[str]:
    rows = []
    for parameter in parameters:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        variables = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
        env = f" (env var: {', '.join(variables)})" if variables else ""
        told = re.sub(r"\(env var: (\w+)\)", r"(env var: `\1`)", f"{parameter.help or ''}{env}")
        rows.append(f"| {names} | {told.replace('|', chr(92) + '|')} |")
    return ["| flag | meaning |", "|---|---|", *rows] if rows else []


def reference() -> str:
    found = list(commands(typer.main.get_command(application()), "rca"))
    lines = [HEAD]
    for name, command in found:
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join([name, *(parameter.metavar or parameter.name.upper() for parameter in arguments)])
        lines += [f"## `{usage}`", "", command.help.strip(), ""]
        own = [
            p for p in command.params if p.param_type_name == "option" and not is_common(p) and p.name != "help"
        ]
        lines += [*flags_of(own), ""] if own else []
    lines += ["## Everywhere", "", *flags_of([p for p in found[0][1].params if is_common(p)]), ""]
    return "\n".join(lines).rstrip() + "\n"


def test_every_command_is_documented_as_it_is() -> None:
    text = reference()
    if os.environ.get("RCA_UPDATE_GOLDEN"):
        REFERENCE.write_text(text, encoding="utf-8")
    assert text == REFERENCE.read_text(encoding="utf-8"), "RCA_UPDATE_GOLDEN=1 rewrites it"


def constants() -> str:
    rows = [f"| `{one.name}` | {one.value:g} | {one.meaning} | {one.origin} |" for one in described(Tuning())]
    kinds = [f"| {kind} | {weight:g} | {why} |" for kind, (weight, why) in REASONED_WEIGHTS.items()]
    head = ["", "| constant | value | meaning | origin |", "|---|---|---|---|"]
    weights = [
        "",
        f"Weights by kind of evidence (`weights`), {Origin.CASES}:",
        "",
        "| kind | weight | why |",
        "|---|---|---|",
    ]
    return HEAD_OF_CONSTANTS + "\n".join([*head, *rows, *weights, *kinds]) + "\n"


def test_every_constant_is_documented_as_it_is() -> None:
    text = constants()
    if os.environ.get("RCA_UPDATE_GOLDEN"):
        CONSTANTS.write_text(text, encoding="utf-8")
    assert text == CONSTANTS.read_text(encoding="utf-8"), "RCA_UPDATE_GOLDEN=1 rewrites it"


def excerpt(report: str) -> str:
    """The verdict, how it spread and the first suspect, and what changed up to the first change."""
    head, _, rest = report.partition("\n#2 ")
    _, heading, changed = rest.partition("\nWHAT CHANGED\n")
    assert heading
    return f"{head}\n…\n{heading}{changed.partition(chr(10) + 'Unlikely:')[0]}\n…"


def test_the_readme_shows_the_report_that_the_demo_prints(invoke: Invoke) -> None:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(OPENING)
    after = rest.partition("\n```")[2]
    shown = f"{before}{OPENING}{excerpt(invoke('demo', '--quiet').out)}\n```{after}"
    if os.environ.get("RCA_UPDATE_GOLDEN"):
        README.write_text(shown, encoding="utf-8")
    assert shown == README.read_text(encoding="utf-8"), "RCA_UPDATE_GOLDEN=1 rewrites it"


def test_the_readme_gives_the_figures_that_the_documents_give() -> None:
    section = README.read_text(encoding="utf-8").partition("## How far to trust it")[2].partition("\n## ")[0]
    documents = "".join((README.parent / "docs" / name).read_text() for name in ("ranking.md", "evaluation.md"))
    figures = re.findall(r"\d+ of \d+|\d\.\d\d \(\d\.\d\d-\d\.\d\d\)", section)
    assert len(figures) == 4
    assert [figure for figure in figures if figure not in documents] == []
