"""Markdown in GitHub's flavour, to be pasted into a postmortem. Nothing from the data is markup in it."""

import re
from collections.abc import Sequence

from rca.model.report import Evidence, Report, Suspect
from rca.report import Style
from rca.report.present import changes, provenance, view
from rca.report.present.queries import laid_out
from rca.report.present.text import cut, visible, visible_line
from rca.report.present.timeline import timeline
from rca.report.present.units import clock, quantity

SUFFIX = ".md"

_DETAILED = 10  # suspects shown with all that speaks against them
_TIMELINE = 40  # lines
_QUERY_WIDTH = 140  # columns
_PROSE = 1000  # characters of one sentence from the outside
_SPECIAL = re.compile(r"[\\`*\[\]~$|]|(?<![^\W_])_|_(?![^\W_])")
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
# What GitHub would turn into a link, a notification or a picture wherever it stands, even where it is escaped:
# addresses, mentions, e-mail, issue numbers, shortcodes. In a code span it leaves them alone.
_ACTIVE = re.compile(r"://|www\.|@|#\d|\bGH-\d|:[a-zA-Z+_-][\w+-]*:", re.IGNORECASE)
# A first word that would make a heading, a list or a rule of what it opens; where the backslash goes.
_OPENING = re.compile(r"^(\d{0,9})([.)]|#{1,6}|[-+=]+)$")


def render(report: Report, _style: Style) -> str:
    """The report as Markdown."""
    parts = [
        _verdict(report),
        _spread(report),
        _suspects(report),
        _triggers(report),
        _timeline(report),
        _similar(report),
        _gaps(report),
        _made_of(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Text from the outside as inline Markdown that shows exactly it, on one line."""
    words = [_word(word) for word in cut(visible_line(text), _PROSE).split(" ")]
    words[0] = _OPENING.sub(r"\1\\\2", words[0])
    return " ".join(words)


def _word(word: str) -> str:
    if _ACTIVE.search(word):
        return code(word)
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", word)
    return re.sub(r"[<>&]", lambda found: _ENTITY[found[0]], escaped)


def code(text: str) -> str:
    """Text as a code span, also inside a table.

    A table takes a bar for a cell's end even in code, and what a backslash means there differs between renderers;
    text with either, or with a backtick, becomes an HTML code element with all that is special as entities.
    """
    shown = visible_line(text)
    if not re.search(r"[`|\\]", shown):
        return f"`{shown}`" if shown else ""
    entities = re.sub(r"[^\w ⟨⟩…]|_", lambda found: f"&#{ord(found[0])};", shown)
    return f"<code>{entities}</code>"


def fence(text: str, language: str = "") -> str:
    """A block of code whose fence is longer than any run of backticks in it."""
    shown = visible(text.strip(), keep_newlines=True)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(f"- **{label}:** {escape(text)}" for label, text in pairs)


def _verdict(report: Report) -> str:
    verdict = report.verdict
    parts = [f"# {escape(view.headline(report))}"]
    if verdict.summary:
        parts.append(escape(view.summary(report)))
    parts.append(_pairs((*view.facts(report), *changes.facts(report))))
    if verdict.reasons:
        parts.append("Because:\n\n" + "\n".join(f"- {escape(reason)}" for reason in verdict.reasons))
    if report.unsure:
        parts.append("What would help:\n\n" + "\n".join(f"- {escape(text)}" for text in view.helps(report)))
    return "\n\n".join(parts)


def _spread(report: Report) -> str:
    hops = view.spread(report)
    if not hops:
        return ""
    lines = ["graph LR"]
    for index, hop in enumerate(hops):
        lines.append(f'    n{index}["{_mermaid(view.name(hop.service))}<br/>{hop.part or "no data"}"]')
    lines += [f"    n{index} --> n{index + 1}" for index in range(len(hops) - 1)]
    day = view.first_day(report)
    rows = [
        (code(view.name(hop.service)), hop.part, clock(hop.onset, day) if hop.onset else "", escape(hop.text))
        for hop in hops
    ]
    table = _table(("Service", "Part", "Onset (UTC)", "Strongest evidence"), rows)
    return f"## {view.spread_title(report)}\n\n{fence(chr(10).join(lines), 'mermaid')}\n\n{table}"


def _mermaid(text: str) -> str:
    """Text as a quoted Mermaid label: all but letters, digits and the plainest signs as its entity codes."""
    return re.sub(r"[^\w ./-]", lambda found: f"#{ord(found[0])};", text)


def _suspects(report: Report) -> str:
    if not report.suspects:
        return ""
    suspects = view.split(report, detailed=_DETAILED)
    parts = ["## Suspects"]
    parts += [
        _suspect(report, suspect) if suspect in suspects.detailed else _aside(report, suspect)
        for suspect in suspects.shown
    ]
    if further := view.further_text(suspects):
        parts.append(f"Then: {escape(further)}.")
    if quiet := view.quiet_text(suspects):
        parts.append(f"And {escape(quiet)}.")
    return "\n\n".join(parts)


def _title(suspect: Suspect) -> str:
    service = code(view.name(suspect.service))
    return f"{suspect.rank}. {service}: {suspect.role.value}, score {suspect.score:.2f}"


def _aside(report: Report, suspect: Suspect) -> str:
    aside = view.aside(report, suspect)
    told = f" ({escape(aside)})" if aside else ""
    return f"{_title(suspect).replace('.', chr(92) + '.', 1)}{told}"  # escaped: it isn't a list


def _suspect(report: Report, suspect: Suspect) -> str:
    parts = [f"### {_title(suspect)}", escape(view.why(report, suspect))]
    if path := view.own_path(report, suspect):
        parts.append("Path: " + " → ".join(code(view.name(name)) for name in path))
    evidence = view.evidence_of(report, suspect)
    if evidence:
        head = ("", "What", "Before", "During", "Onset (UTC)", "Measured as")
        parts.append(_table(head, [_row(report, item) for item in evidence]))
    queries = [
        f"{escape(item.id)}, {item.kind.value}:\n\n{fence(laid_out(item.query, _QUERY_WIDTH))}"
        for item in evidence
        if item.query.strip()
    ]
    if queries:
        told = "\n\n".join(queries)
        parts.append(f"<details>\n<summary>Queries</summary>\n\n{told}\n\n</details>")
    return "\n\n".join(part for part in parts if part)


def _row(report: Report, evidence: Evidence) -> tuple[str, ...]:
    onset = clock(evidence.onset, view.first_day(report)) if evidence.onset else ""
    before, during = (quantity(value, evidence.unit) for value in (evidence.baseline, evidence.observed))
    metric = code(view.metric_text(evidence))
    return escape(evidence.id), escape(evidence.text), escape(before), escape(during), onset, metric


def _triggers(report: Report) -> str:
    found = changes.changes(report)
    parts = ["## What changed"]
    if found.lead:
        parts.append(found.lead)
    for trigger in found.serious:
        title = f"**{escape(changes.heading(trigger, report))}** (score {trigger.score:.2f})"
        parts.append(f"{title}\n{escape(changes.why(trigger))}".strip())
    if unlikely := changes.unlikely(report):
        parts.append("Unlikely:\n\n" + "\n".join(f"- {escape(line)}" for line in unlikely))
    return "\n\n".join(parts)


def _timeline(report: Report) -> str:
    if not report.timeline:
        return ""
    day = view.first_day(report)
    told = timeline(report, most=_TIMELINE)
    rows = [
        (clock(line.at, day), escape(line.what), " ".join(escape(proof) for proof in line.evidence))
        for line in told.moments
    ]
    table = _table(("UTC", "What", "Evidence"), rows)
    return f"## Timeline\n\n{table}" + (f"\n\nAnd {told.more} more in the JSON format." if told.more else "")


def _similar(report: Report) -> str:
    if not report.similar:
        return f"## Similar past incidents\n\n{view.similar_empty(report)}"
    parts = ["## Similar past incidents"]
    for past in report.similar:
        matched, fixed = escape(past.why), escape(past.resolution or "not recorded")
        parts.append(f"- **{escape(view.similar_title(past))}**\n  - Matched: {matched}\n  - Fixed by: {fixed}")
    return "\n\n".join(parts)


def _gaps(report: Report) -> str:
    if not report.gaps:
        return f"## Not checked\n\n{view.NO_GAP}"
    rows = [
        (escape(group.source), escape(view.gap_text(group)), escape(group.why))
        for group in view.gap_groups(report.gaps)
    ]
    return "## Not checked\n\n" + _table(("Source", "What", "Why"), rows)


def _made_of(report: Report) -> str:
    parts = ["## How this was made", _pairs(provenance.made_of(report))]
    for source in report.sources:
        queries = "\n\n".join(
            f"{escape(purpose)}:\n\n{fence(query)}" for purpose, query in sorted(source.queries.items())
        )
        if queries:
            summary = f"Queries to {escape(source.name)}"
            parts.append(f"<details>\n<summary>{summary}</summary>\n\n{queries}\n\n</details>")
    return "\n\n".join(parts)
