"""`rca explain`: the parts of a service's score; why it is, or isn't, first; what would change that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rca.cli import options
from rca.cli.base import Run, command
from rca.cli.tables import choose_format
from rca.model.words import percent

if TYPE_CHECKING:
    from rca.analyze.explain import Comparison, Explanation
    from rca.cli.tables import Row

SCHEMA_VERSION = 1
_WORTH_A_LINE = 0.005  # of the score; less would be shown as 0.00
_FLIPS, _DIFFERENCES, _SHARES = 3, 6, 6

# A title, and a table or a sentence.
Section = tuple[str, "list[Row] | str"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "explain")(explain)


def explain(
    run: Run,
    bundle: options.BundlePath,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="One of the bundle's services.")],
) -> None:
    """Take a service's score apart: why it is, or isn't, first, and what would change that."""
    from rca import __version__  # noqa: PLC0415 - reading the installed metadata takes a while
    from rca.analyze.explain import explain as taken_apart  # noqa: PLC0415 - only when the command runs
    from rca.bundle import read_bundle  # noqa: PLC0415 - as above
    from rca.cli.reporting import analysis_options, emit_text  # noqa: PLC0415 - as above
    from rca.config.load import config_hash  # noqa: PLC0415 - as above
    from rca.model.report import ToolInfo  # noqa: PLC0415 - as above

    name = choose_format(run, "explain")
    config = run.load().config
    tool = ToolInfo(__version__, config_hash(config))
    found = taken_apart(read_bundle(bundle), service, tool=tool, options=analysis_options(config), replayed=True)
    emit_text(_WRITERS[name](found), run)


def to_json(found: "Explanation") -> dict[str, Any]:
    """The document for scripts; keys may be added."""
    report = found.report
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": _plain(report.tool),
        "bundle": {"id": report.bundle_id, "sha256": report.bundle_sha256},
        "service": found.suspect.service,
        "rank": found.suspect.rank,
        "of": found.of,
        "score": _plain(found.suspect.score),
        "role": found.suspect.role.value,
        "summary": found.summary,
        "verdict": _plain(report.verdict),
        "onset": _plain(report.onset),
        **{
            name: _plain(getattr(found, name))
            for name in (
                "factor",
                "parts",
                "taken",
                "explained_by",
                "explains",
                "comparisons",
                "ablations",
                "moments",
            )
        },
        "evidence": [
            {"id": item.id, "kind": item.kind.value, "text": item.text, "query": item.query}
            for item in found.evidence
        ],
    }


def _plain(value: Any) -> Any:
    """Dataclasses as objects, times as RFC 3339, numbers with as many digits as mean something."""
    from rca.model.times import rfc3339  # noqa: PLC0415 - only where it is written

    if is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Enum):
        return value.value
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _json(found: "Explanation") -> str:
    import json  # noqa: PLC0415 - only for this format

    return json.dumps(to_json(found), indent=1, ensure_ascii=False)


def _terminal(found: "Explanation") -> str:
    from rca.cli.tables import aligned  # noqa: PLC0415 - only where it is written
    from rca.report.present.text import visible_line  # noqa: PLC0415 - as above

    blocks = [visible_line(found.summary)]
    for title, body in _sections(found):
        text = visible_line(body) if isinstance(body, str) else aligned(body)
        blocks.append("\n".join([title.upper(), *(f"  {line}" for line in text.split("\n"))]))
    return "\n\n".join(blocks)


def _markdown(found: "Explanation") -> str:
    from rca.cli.tables import markdown  # noqa: PLC0415 - only where it is written
    from rca.report.markdown import escape  # noqa: PLC0415 - as above

    blocks = [f"# Why {escape(found.suspect.service)} ranks where it does", escape(found.summary)]
    for title, body in _sections(found):
        blocks += [f"## {escape(title)}", escape(body) if isinstance(body, str) else markdown(body)]
    return "\n\n".join(blocks)


_WRITERS: Mapping[str, Callable[["Explanation"], str]] = {
    "json": _json,
    "markdown": _markdown,
    "terminal": _terminal,
}


def _sections(found: "Explanation") -> Iterator[Section]:
    yield "The verdict", found.report.verdict.summary
    yield from _score(found)
    yield from _shares(found)
    for comparison in found.comparisons:
        yield from _compared(found.suspect.service, comparison)
    yield from _without(found)
    yield from _moments(found)


def _score(found: "Explanation") -> Iterator[Section]:
    from rca.analyze.explain import words  # noqa: PLC0415 - numpy

    worth = [part for part in found.parts if part.counts >= _WORTH_A_LINE]
    if worth:
        rows = [
            (words(p.kind), f"{p.sigmas:.1f}", f"{p.weight:g}", f"{p.taken:.2f}", f"{p.counts:.2f}") for p in worth
        ]
        yield (
            f"Its score, {found.suspect.score:.2f}, by kind of evidence",
            [("evidence", "sigmas", "weight", "taken away", "counts"), *rows],
        )
    if found.taken:
        reasons = [(reason.why, f"{reason.score:.2f}", str(reason.rank)) for reason in found.taken]
        yield "What takes from it", [("why", "its score without", "its rank then"), *reasons]
    if found.evidence:
        yield "What is seen of it", [("id", "what"), *((item.id, item.text) for item in found.evidence)]


def _shares(found: "Explanation") -> Iterator[Section]:
    for title, shares in (
        ("Callees that explain its symptoms", found.explained_by),
        ("Callers whose symptoms it explains", found.explains),
    ):
        if shares:
            rows = [(one.service, one.symptom, percent(one.share)) for one in shares[:_SHARES]]
            yield title, [("service", "symptom", "share"), *rows]


def _compared(service: str, other: "Comparison") -> Iterator[Section]:
    from rca.analyze.explain import words  # noqa: PLC0415 - numpy

    differing = [d for d in other.differences if abs(d.mine - d.theirs) >= _WORTH_A_LINE][:_DIFFERENCES]
    if differing:
        rows = [
            (words(d.kind), f"{d.mine:.2f}", f"{d.theirs:.2f}", f"{d.mine - d.theirs:+.2f}") for d in differing
        ]
        place = "below" if other.lead < 0 else "above"
        yield (
            f"Why it is {place} {other.service} (rank {other.rank}, score {other.score:.2f})",
            [("evidence", service, other.service, "difference"), *rows],
        )
    title = f"What would put it level with {other.service}, all else equal"
    if other.flips:
        flips = [(words(f.kind), f.service, f"{f.sigmas:.1f}", f"{f.needed:.1f}") for f in other.flips[:_FLIPS]]
        yield title, [("evidence", "of", "sigmas now", "sigmas needed"), *flips]
    elif other.lead:
        yield title, "No single kind of evidence would: it would take several."


def _without(found: "Explanation") -> Iterator[Section]:
    if found.ablations:
        rows = [
            (
                f"without {one.without}",
                one.first + (" (abstains)" if one.abstained else ""),
                "not ranked" if one.rank is None else str(one.rank),
                f"{one.score:.2f}",
            )
            for one in found.ablations
        ]
        yield "With a source less", [("", "first", f"rank of {found.suspect.service}", "score"), *rows]


def _moments(found: "Explanation") -> Iterator[Section]:
    """Its rank over the likely onsets; those in a row that agree share a line."""
    from rca.report.present.units import clock  # noqa: PLC0415 - only where it is written

    day = found.report.span.start.date()
    rows: list[Row] = []
    for (rank, first), moments in groupby(found.moments, key=lambda one: (one.rank, one.first)):
        some = list(moments)
        ends = [clock(one.at, day) for one in (some[0], some[-1])]
        span = f"{ends[0]} to {ends[1]}" if len(some) > 1 else ends[0]
        likeliest = [f" (likeliest: {clock(one.at, day)})" for one in some if one.likeliest]
        rows.append((span + "".join(likeliest), percent(sum(one.weight for one in some)), str(rank), first))
    if rows:
        yield "If it began at", [("onset", "weight", "its rank", "first"), *rows]
