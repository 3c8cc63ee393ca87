"""The terminal: the verdict first, to be read in ten seconds at 3 a.m. Plain text without colour."""

import io

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rca.model.report import Confidence, Evidence, Report, Role, Suspect
from rca.report import Style
from rca.report.present import changes, provenance, view
from rca.report.present.plot import sparkline
from rca.report.present.queries import laid_out
from rca.report.present.text import cut, shorten, unbroken, visible, visible_line
from rca.report.present.timeline import timeline
from rca.report.present.units import clock

SUFFIX = ".txt"

_DETAILED = 5  # suspects shown with what speaks against them
_EVIDENCE_FIRST, _EVIDENCE_EACH = 6, 2  # lines of evidence, of the first suspect and of others; strongest first
_TIMELINE, _TIMELINE_LINES = 14, 2  # moments, and of the screen for each: it tells the order, not the words
_UNLIKELY = 5  # changes that probably did nothing, a line each
_LABEL = 15  # columns of a label with its distance to the text
_INDENT = 4
_WIDEST = 120  # prose wider than this is hard to follow
_SPARK_SHARE = 7  # the sparkline takes a seventh of the width
_NARROW = 70  # below, sparklines and query labels give way
_NARROWEST = 50  # below, the way it spread has no times and no words
_READABLE = 16  # columns; text is not squeezed into less
_RAGGED = 8  # columns that wrapping may leave free at the end of a line
_GLUE = "\ue000"  # stands for a space while lines are broken; what is defused holds none
_METRIC = 80  # characters of a metric's name
_PROSE = 600  # characters of one sentence from the outside
_QUERY = 4000  # characters of one query
_QUERY_SHARE = 1.5  # of the width may a line of a query take: one that wraps reads better than ten short ones
_ROLE = {Role.CAUSE: "bold red", Role.SYMPTOM: "yellow", Role.BYSTANDER: "dim"}
_CONFIDENCE = {Confidence.HIGH: "bold green", Confidence.MEDIUM: "bold yellow", Confidence.LOW: "bold red"}


def render(report: Report, style: Style) -> str:
    """The report for a terminal of the given width, with escape sequences only when colour is wanted."""
    page = _Page(style)
    _verdict(page, report)
    _spread(page, report)
    _suspects(page, report)
    _triggers(page, report)
    _timeline(page, report)
    _similar(page, report)
    _gaps(page, report)
    _queries(page, report)
    page.heading("How this was made")
    for label, text in provenance.made_of(report):
        page.labelled(label, text)
    return page.text()


class _Page:
    """Lines of styled text, wrapped under a hanging indent. Every string handed in is defused here."""

    def __init__(self, style: Style) -> None:
        self.columns = style.width
        self.width = min(style.width, _WIDEST)
        self.spark = 0 if style.width < _NARROW else self.width // _SPARK_SHARE
        self._buffer = io.StringIO()
        # Nothing is left to the environment: the same width and colour give the same bytes anywhere.
        self._console = Console(
            file=self._buffer,
            width=style.width,
            height=100,
            force_terminal=style.color,
            force_interactive=False,
            color_system="standard" if style.color else None,
            no_color=not style.color,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        return self._buffer.getvalue()

    def blank(self) -> None:
        self._buffer.write("\n")

    def heading(self, title: str) -> None:
        self.blank()
        self.line(Text(title.upper(), "bold cyan"))

    def line(self, text: Text) -> None:
        """Styled text from the margin, wrapped."""
        self._hang(Text(""), text)

    def labelled(self, label: str, text: str, style: str = "") -> None:
        self.hang(Text(f"{label:<{_LABEL}}", "bold"), text, style)

    def hang(self, prefix: Text, text: str, style: str = "", *, tail: Text | None = None) -> None:
        """A prefix, then the text, its further lines indented by the prefix's width."""
        body = Text(cut(visible_line(text), _PROSE), style)
        self._hang(prefix, body if tail is None else Text.assemble(body, tail))

    def query(self, ids: Text, text: str) -> None:
        """A query under the evidence it shows, so that it can be copied whole."""
        self.hang(ids, "")
        shown = laid_out(cut(text, _QUERY), int(_QUERY_SHARE * self.width))
        for line in visible(shown, keep_newlines=True).split("\n"):
            self._put(Text.assemble(" " * _INDENT, (line.rstrip(), "dim")))

    def name(self, service: str, *, room: int) -> Text:
        return Text(shorten(visible_line(service), max(room, _READABLE), cells=cell_len), "bold")

    def _hang(self, prefix: Text, body: Text) -> None:
        body.plain = unbroken(body.plain, _GLUE)
        lines = body.wrap(self._console, max(self.width - prefix.cell_len, _READABLE), overflow="fold") or [body]
        for index, line in enumerate(lines):
            line.rstrip()
            line.plain = line.plain.replace(_GLUE, " ")
            self._put(Text.assemble(prefix if index == 0 else Text(" " * prefix.cell_len), line))

    def _put(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


def _verdict(page: _Page, report: Report) -> None:
    verdict = report.verdict
    page.hang(Text(""), view.headline(report), "bold yellow" if report.unsure else "bold red")
    if verdict.summary:
        page.hang(Text(""), view.summary(report))
    page.blank()
    for label, text in (*view.facts(report), *changes.facts(report)):
        page.labelled(label, text, _CONFIDENCE[verdict.confidence] if label == "Confidence" else "")
    for index, reason in enumerate(verdict.reasons):
        page.labelled("Because" if index == 0 else "", reason)
    if report.unsure:
        for index, text in enumerate(view.helps(report)):
            page.labelled("Would help" if index == 0 else "", text)


def _spread(page: _Page, report: Report) -> None:
    hops = view.spread(report)
    if not hops:
        return
    page.heading(view.spread_title(report))
    half = page.width // 2
    depths = [3 * min(index, half // 9) for index in range(len(hops))]  # a long way stops stepping to the right
    names = [page.name(hop.service, room=half - depth) for hop, depth in zip(hops, depths, strict=True)]
    column = max(depth + name.cell_len for depth, name in zip(depths, names, strict=True)) + 2
    for hop, name, depth in zip(hops, names, depths, strict=True):
        arrow = f"{' ' * (depth - 3)}└─▶" if depth else ""
        prefix = _padded(Text.assemble((arrow, "dim"), name), column)
        style = "green" if hop.part == view.HEALTHY else ""
        if page.width < _NARROWEST:
            page.line(prefix.append(hop.part, style))
            continue
        at = clock(hop.onset, view.first_day(report)) if hop.onset else ""
        prefix.append(f"{hop.part:<9} {at:<8}  ", style)
        room = page.width - prefix.cell_len  # one line each: the words stand in full below
        page.hang(prefix, cut(visible_line(hop.text), room) if room >= _READABLE else "")


def _suspects(page: _Page, report: Report) -> None:
    suspects = view.split(report, detailed=_DETAILED)
    if not report.suspects:
        return
    page.heading("Suspects")
    for suspect in suspects.shown:
        if suspect in suspects.detailed:
            _suspect(page, report, suspect)
        else:
            _aside(page, report, suspect)
    if further := view.further_text(suspects):
        page.hang(Text("Then  ", "bold"), further)
    if quiet := view.quiet_text(suspects):
        page.hang(Text("And   ", "bold"), quiet, "dim")


def _title(page: _Page, suspect: Suspect) -> Text:
    title = Text.assemble(
        (f"{f'#{suspect.rank}':<{_INDENT}}", "bold"), page.name(suspect.service, room=page.width // 2)
    )
    title.append(f"  {suspect.role.value}", _ROLE[suspect.role])
    title.append(f"  score {suspect.score:.2f}", "dim")
    return title


def _aside(page: _Page, report: Report, suspect: Suspect) -> None:
    """A suspect that merely departs too, in one line."""
    title = _title(page, suspect)
    told = view.aside(report, suspect)
    room = page.width - title.cell_len - 2
    if told and room >= _READABLE:
        page.hang(title.append("  "), cut(visible_line(told), room), "dim")
    else:
        page.line(title)


def _suspect(page: _Page, report: Report, suspect: Suspect) -> None:
    page.line(_title(page, suspect))
    indent = Text(" " * _INDENT)
    if why := view.why(report, suspect):
        page.hang(indent, why)
    if path := view.own_path(report, suspect):
        page.hang(indent, " → ".join(map(view.name, path)), "dim")
    evidence = view.evidence_of(report, suspect)
    shown = evidence[: _most(suspect)]
    columns = max((_id(item.id).cell_len for item in shown), default=0) + 2
    for item in shown:
        _evidence(page, report, item, columns)
    if len(evidence) > len(shown) and suspect.rank == 1:
        page.hang(indent, f"and {len(evidence) - len(shown)} more, in the other formats", "dim")


def _most(suspect: Suspect) -> int:
    """How much of a suspect's evidence is shown."""
    return _EVIDENCE_FIRST if suspect.rank == 1 else _EVIDENCE_EACH


def _evidence(page: _Page, report: Report, evidence: Evidence, columns: int) -> None:
    at = clock(evidence.onset, view.first_day(report)) if evidence.onset else ""
    prefix = Text.assemble(" " * _INDENT, _padded(_id(evidence.id), columns), f"{at:<8}  ")
    spark = sparkline(evidence.points, page.spark, normal=evidence.baseline) if page.spark else ""
    tail = Text()
    if spark:
        tail.append(f"  {spark}", "magenta")
    text = view.evidence_text(evidence)
    name = view.metric_text(evidence)
    metric = Text(f"  {cut(visible_line(name), _METRIC)}", "dim")
    room = page.width - sum(map(cell_len, (prefix.plain, visible_line(text), tail.plain)))
    if name and (metric.cell_len <= room or not evidence.query):  # a query holds its name anyway
        tail.append_text(metric)
    page.hang(prefix, text, tail=tail)


def _queries(page: _Page, report: Report) -> None:
    """What shows each line of evidence above, to be pasted into the source's own console."""
    asked: dict[str, list[str]] = {}
    for suspect in view.split(report, detailed=_DETAILED).detailed:
        for evidence in view.evidence_of(report, suspect)[: _most(suspect)]:
            if evidence.query.strip():
                asked.setdefault(evidence.query, []).append(evidence.id)
    if not asked:
        return
    page.heading("Queries (paste to check)")
    for query, ids in asked.items():
        page.query(Text(" ").join(map(_id, ids)), query)


def _id(name: str) -> Text:
    return Text(shorten(visible_line(name), 8, cells=cell_len), "cyan")


def _padded(text: Text, columns: int) -> Text:
    text.pad_right(max(columns - text.cell_len, 0))
    return text


def _triggers(page: _Page, report: Report) -> None:
    page.heading("What changed")
    found = changes.changes(report)
    if found.lead:
        page.hang(Text(""), found.lead, "" if found.unlikely else "dim")
    for trigger in found.serious:
        prefix = Text(f"{f'#{trigger.rank}':<{_INDENT}}", "bold")
        score = Text(f"  score {trigger.score:.2f}", "dim")
        page.hang(prefix, changes.heading(trigger, report), "bold", tail=score)
        if why := changes.why(trigger):
            page.hang(Text(" " * _INDENT), why)
    unlikely = changes.unlikely(report)
    if unlikely:
        page.hang(Text(""), "Unlikely:")
    for line in unlikely[:_UNLIKELY]:
        page.hang(Text("  - "), cut(visible_line(line), 2 * (page.width - _INDENT - 1)), "dim")
    if (more := len(unlikely) - _UNLIKELY) > 0:
        page.hang(Text(" " * _INDENT), f"and {more} more, in the JSON format", "dim")


def _timeline(page: _Page, report: Report) -> None:
    if not report.timeline:
        return
    page.heading("Timeline (UTC)")
    told = timeline(report, most=_TIMELINE)
    for moment in told.moments:
        proof = Text("  ").append_text(Text(" ").join(map(_id, moment.evidence))) if moment.evidence else None
        at = Text(f"{clock(moment.at, view.first_day(report))}  ")
        room = _TIMELINE_LINES * (page.width - at.cell_len) - (proof.cell_len if proof else 0) - _RAGGED
        page.hang(at, cut(visible_line(moment.what), max(room, 2 * _READABLE)), tail=proof)
    if told.more:
        page.hang(Text(""), f"… {told.more} more in the other formats", "dim")


def _similar(page: _Page, report: Report) -> None:
    page.heading("Similar past incidents")
    if not report.similar:
        page.hang(Text(""), view.similar_empty(report), "dim")
    for past in report.similar or ():
        page.hang(Text(""), view.similar_title(past), "bold")
        for label, text in (("matched", past.why), ("fixed by", past.resolution or "not recorded")):
            page.hang(Text(f"{'':{_INDENT}}{label:<10}", "dim"), text)


def _gaps(page: _Page, report: Report) -> None:
    page.heading("Not checked")
    if not report.gaps:
        page.hang(Text(""), view.NO_GAP, "dim")
    for group in view.gap_groups(report.gaps):
        source = Text(shorten(visible_line(group.source), _LABEL - 1, cells=cell_len), "yellow")
        page.hang(_padded(source, _LABEL), f"{view.gap_text(group)}: {group.why}")
