"""`rca topology`: the dependency graph, shown, learnt, checked and exported."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, command, printable
from rca.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from topology import ServiceGraph

Places = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE|BUNDLE]…",
        help="Topology files (YAML, JSON) or bundles; the configured files by default.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The dependency graph: show, discover, validate, export.", no_args_is_help=True)
    command(group, "show")(show)
    command(group, "discover")(discover)
    command(group, "validate")(validate)
    command(group, "export")(export)
    app.add_typer(group, name="topology")


def show(run: Run, places: Places = None, *, service: options.Service = None) -> None:
    """Show the graph as a tree, callers above callees, each edge with where it was learnt."""
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from rca.cli.tables import choose_format  # noqa: PLC0415 - as above
    from topology.export import tree_lines  # noqa: PLC0415 - as above

    choose_format(run, "topology show", ("terminal",))  # for others there is the export
    graph, _ = _load(run, places)
    if service is not None and service not in graph:
        raise UsageError(f"the graph knows no service '{service}'", hint="See them all: rca topology show.")
    emit_text(printable("\n".join(tree_lines(graph, service))), run)


def discover(run: Run, *, recent: options.Recent) -> None:
    """Learn the graph from the live sources: service-graph metrics, spans, the order of log lines."""
    from rca.cli.collecting import Wanted, declared_graph, gather  # noqa: PLC0415 - only when the command runs
    from topology.merge import merge  # noqa: PLC0415 - as above

    name = _export(run, "tree")
    config = run.load(recent.settings()).config
    collected = gather(run, config, Wanted(recent.asked()), declared_graph(config))
    graph = collected.bundle.graph
    for gap in collected.bundle.gaps:
        run.note(f"gap: {gap.source}: {gap.what}: {gap.why}")
    for conflict in merge(graph).conflicts:
        run.note(f"conflict: {conflict.text}")
    _emit(run, graph, name)
    raise typer.Exit(ExitCode.INTERRUPTED if collected.interrupted else ExitCode.OK)


def validate(run: Run, places: Places = None) -> None:
    """Check the graph: cycles, unknown or doubled names, what is isolated or lacks an owner."""
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from rca.cli.tables import PLAIN, choose_format  # noqa: PLC0415 - as above
    from topology.validate import Severity  # noqa: PLC0415 - as above
    from topology.validate import validate as find_problems  # noqa: PLC0415 - as above

    name = choose_format(run, "topology validate", PLAIN)
    graph, seen = _load(run, places)
    problems = find_problems(graph, seen=seen)
    if name == "json":
        fields = ("severity", "code", "services", "text", "hint")
        emit_text(json.dumps([{key: getattr(one, key) for key in fields} for one in problems], indent=2), run)
    elif problems:
        found = (f"{problem.severity}: {problem.text}\n  > {problem.hint}" for problem in problems)
        emit_text(printable("\n".join(found)), run)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    run.note(f"{len(graph)} services, {sum(1 for _ in graph.edges())} calls, {len(problems)} findings")
    raise typer.Exit(ExitCode.USAGE if errors else ExitCode.OK)


def export(
    run: Run,
    places: Places = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="mermaid|dot|graphml|json", envvar="RCA_TO", help="By -o's ending by default."
        ),
    ] = None,
) -> None:
    """Write the graph for other tools: Mermaid, DOT, GraphML, or the JSON that a bundle holds."""
    name = _export(run, "mermaid", to)
    graph, _ = _load(run, places)
    _emit(run, graph, name)


_ENDINGS = {
    ".mmd": "mermaid",
    ".md": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".graphml": "graphml",
    ".json": "json",
    ".txt": "tree",
}


def _export(run: Run, default: str, to: str | None = None) -> str:
    """The export that is asked for: by `--to`, by `--format`, else by the ending of `-o`.

    Raises:
        UsageError: There is none of that name, or the ending promises something else than what would be written.
    """
    from topology.export import EXPORTERS  # noqa: PLC0415 - only when the command runs

    preferred = os.environ.get("RCA_FORMAT")  # for reports, and so no demand here
    if to is None and run.format != preferred:
        to = run.format
    ending = run.output.suffix.lower() if run.output is not None else ""
    if to is None and ending and ending not in _ENDINGS:
        raise UsageError(
            f"no export ends in '{ending}'",
            hint=f"Let {run.output} end in {', '.join(_ENDINGS)}, or say --format {'|'.join(sorted(EXPORTERS))}.",
        )
    name = to or _ENDINGS.get(ending, default)
    if name not in EXPORTERS:
        raise UsageError(f"there is no export '{name}'", hint=f"Choose one of {', '.join(sorted(EXPORTERS))}.")
    return name


def _emit(run: Run, graph: "ServiceGraph", name: str) -> None:
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from topology.export import EXPORTERS  # noqa: PLC0415 - as above

    emit_text(EXPORTERS[name](graph), run)


def _load(run: Run, places: list[Path] | None) -> tuple["ServiceGraph", list[str]]:
    """The union of the graphs in files and bundles, and the services that the bundles' data name.

    Raises:
        UsageError: There is none, or one can't be read.
    """
    from topology.merge import merge  # noqa: PLC0415 - only when the command runs

    paths = places or list(run.load().config.topology.files)
    if not paths:
        raise UsageError(
            "no graph was given",
            hint="Name a topology file or a bundle, set topology.files, or learn it: rca topology discover.",
        )
    loaded = [_graph_of(path) for path in paths]
    return merge(*(graph for graph, _ in loaded)).graph, sorted({name for _, seen in loaded for name in seen})


def _graph_of(path: Path) -> tuple["ServiceGraph", list[str]]:
    if path.is_dir() or path.name.lower().endswith((".tar.gz", ".tgz", ".zip")):
        from rca.bundle import read_bundle  # noqa: PLC0415 - only for a bundle

        bundle = read_bundle(path)
        seen = {line.service for line in bundle.logs} | {span.service for span in bundle.spans}
        return bundle.graph, sorted(seen | set(bundle.metrics.services if bundle.metrics else ()))
    from topology.declared import load_topology  # noqa: PLC0415 - only for a file
    from topology.errors import TopologyError  # noqa: PLC0415 - as above

    try:
        return load_topology(path), []
    except TopologyError as error:
        raise UsageError(error.message, hint=error.hint) from error
