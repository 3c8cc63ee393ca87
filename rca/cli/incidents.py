"""`rca incidents`: the memory of past incidents."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, command, printable
from rca.errors import StoreError, UsageError

if TYPE_CHECKING:
    from rca.history import IncidentStore, PastIncident

_NAMED = 12  # services in a note
IncidentId = Annotated[
    str, typer.Argument(metavar="ID", help="The incident, or the beginning of its id.", show_default=False)
]
Cause = Annotated[
    str | None, typer.Option("--service", metavar="S", envvar="RCA_SERVICE", help="The service that caused it.")
]
Resolution = Annotated[
    str | None, typer.Option("--resolution", metavar="TEXT", envvar="RCA_RESOLUTION", help="What fixed it.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Past incidents: keep them, find them, say what fixed them.", no_args_is_help=True)
    command(group, "list")(list_all)
    command(group, "show")(show)
    command(group, "search")(search)
    command(group, "add")(add)
    command(group, "confirm")(confirm)
    command(group, "forget")(forget)
    command(group, "export")(export)
    command(group, "import")(import_file)
    app.add_typer(group, name="incidents")


def list_all(run: Run) -> None:
    """List what is kept, the newest first."""
    name = _format(run, "incidents list")
    with _store(run) as store:
        _list(run, name, store.all(), "no incident is kept yet; keep one: rca incidents add BUNDLE")


def search(run: Run, words: Annotated[list[str], typer.Argument(metavar="WORDS", show_default=False)]) -> None:
    """List the incidents that hold all the words: in title, cause, resolution, services hit or log templates."""
    name = _format(run, "incidents search")
    with _store(run) as store:
        _list(run, name, store.search(" ".join(words)), "no kept incident holds these words")


def show(run: Run, incident: IncidentId) -> None:
    """Show one incident: its cause, what fixed it, what it looked like."""
    from rca.history import plain_sign  # noqa: PLC0415 - only when the command runs

    name = _format(run, "incidents show")
    with _store(run) as store:
        past = store.get(incident)
    if name == "json":
        _emit(json.dumps(past.to_document(), indent=2, ensure_ascii=False), run)
        return
    hit = sorted(past.fingerprint.hit, key=lambda name: (-past.fingerprint.hit[name], name))
    lines = [
        f"{past.id}  {past.title}",
        f"when        {past.at:%Y-%m-%d %H:%M} UTC",
        f"cause       {past.cause or 'unknown'} ({'confirmed' if past.confirmed else 'as ranked, not confirmed'})",
        f"resolution  {past.resolution or f'not recorded: {_confirming(past)}'}",
        f"verdict     {past.summary}",
        f"signs       {', '.join(map(plain_sign, sorted(past.fingerprint.failure))) or '-'}",
        f"hit         {', '.join(hit) or '-'}",
        f"bundle      {past.bundle_id} ({past.bundle_sha256[:12]})",
    ]
    _emit("\n".join(lines), run)


def add(
    run: Run,
    bundle: options.BundlePath,
    *,
    service: Cause = None,
    resolution: Resolution = None,
    title: Annotated[str | None, typer.Option("--title", envvar="RCA_TITLE", help="What it is called.")] = None,
    force: options.Overwrite = False,
) -> None:
    """Keep an incident from its bundle; with --service it counts as confirmed."""
    from rca.analyze.explain import find  # noqa: PLC0415 - only when the command runs
    from rca.bundle import read_bundle  # noqa: PLC0415 - as above
    from rca.cli.reporting import make_report  # noqa: PLC0415 - as above
    from rca.history import PastIncident, fingerprint  # noqa: PLC0415 - as above

    recorded = read_bundle(bundle)
    report = make_report(recorded, run.load(), replayed=True)
    if service:
        service = find(report, service).service
    print_ = fingerprint(report, cause=service)
    past = PastIncident(
        id=f"{report.bundle_id}-{report.bundle_sha256[:6]}",
        title=title or report.bundle_title or report.bundle_id,
        at=report.onset.at or report.span.start,
        bundle_id=report.bundle_id,
        bundle_sha256=report.bundle_sha256,
        cause=print_.cause,
        resolution=resolution or "",
        confirmed=service is not None,
        summary=report.verdict.summary,
        fingerprint=print_,
    )
    with _store(run) as store:
        store.put([past], replace_existing=force)
    sys.stdout.write(f"{printable(past.id)}\n")
    if not past.confirmed:
        run.note(f"when you know: rca incidents confirm {past.id} --service NAME --resolution 'what fixed it'")


def confirm(run: Run, incident: IncidentId, *, service: Cause = None, resolution: Resolution = None) -> None:
    """Record what people found out: the service that caused it, and what fixed it."""
    with _store(run) as store:
        past = store.confirm(incident, cause=service, resolution=resolution)
    run.note(f"confirmed: {past.id} was caused by {past.cause}")
    known = past.fingerprint.profiles
    if known and past.cause not in known:
        run.note(
            f"nothing on record speaks of {past.cause}; if it is a typing error, confirm it again. On record are: "
            + ", ".join(sorted(known)[:_NAMED])
        )


def forget(run: Run, incident: IncidentId) -> None:
    """Remove one incident from the memory; its bundle stays where it is."""
    with _store(run) as store:
        past = store.forget(incident)
    run.note(f"forgotten: {past.id}")


def export(run: Run) -> None:
    """Write all incidents as JSON, to share them or to move them."""
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs
    from rca.cli.tables import choose_format  # noqa: PLC0415 - as above

    choose_format(run, "incidents export", ("json",))  # refuses what promises another
    with _store(run) as store:
        documents = [past.to_document() for past in store.all()]
    emit_text(json.dumps({"incidents": documents}, indent=2, ensure_ascii=False), run)


def import_file(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    *,
    force: options.Overwrite = False,
) -> None:
    """Read exported incidents: all of them or, when one can't be kept, none."""
    from rca.history import PastIncident  # noqa: PLC0415 - only when the command runs

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}", hint="Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}", hint="Give what 'rca incidents export' wrote.") from error
    items = document.get("incidents") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise StoreError(f"{file} holds no incidents", hint="Give what 'rca incidents export' wrote.")
    incidents = [PastIncident.from_document(item) for item in items]
    with _store(run) as store:
        store.put(incidents, replace_existing=force)
    run.note(f"imported: {len(incidents)}")


def _store(run: Run) -> "IncidentStore":
    from rca.config.load import data_dir  # noqa: PLC0415 - only when the command runs
    from rca.history import IncidentStore  # noqa: PLC0415 - as above

    return IncidentStore(data_dir(run.load().config) / "incidents.sqlite")


def _format(run: Run, command: str) -> str:
    from rca.cli.tables import PLAIN, choose_format  # noqa: PLC0415 - only when the command runs

    return choose_format(run, command, PLAIN)


def _list(run: Run, name: str, incidents: "Sequence[PastIncident]", nothing: str) -> None:
    if name == "json":
        _emit(json.dumps([past.to_document() for past in incidents], indent=2, ensure_ascii=False), run)
        return
    if not incidents:
        run.note(nothing)
        return
    wide = max(len(past.id) for past in incidents)
    lines = []
    for past in incidents:
        cause = past.cause or "cause unknown"
        mark = "confirmed" if past.confirmed else "as ranked" if past.cause else "nobody was named"
        fixed = f" - fixed by: {past.resolution or 'not recorded'}"
        lines.append(f"{past.id:<{wide}}  {past.at:%Y-%m-%d %H:%M}  {cause} ({mark}): {past.title}{fixed}")
    _emit("\n".join(lines), run)
    if unfixed := next((past for past in incidents if not past.resolution), None):
        run.note(f"when you know what fixed it: {_confirming(unfixed)}")


def _confirming(past: "PastIncident") -> str:
    """How to add what fixed it; confirming blames a service, which is asked for where nobody has said it."""
    who = "" if past.confirmed else "--service NAME "
    return f"rca incidents confirm {past.id} {who}--resolution 'what fixed it'"


def _emit(text: str, run: Run) -> None:
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - only when the command runs

    emit_text(printable(text), run)
