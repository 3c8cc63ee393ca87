"""One HTML file that opens offline: no script, no request, plots as inline SVG, light and dark."""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rca.model.report import Evidence, Report
from rca.report import Style
from rca.report.present import changes, provenance, view
from rca.report.present.plot import plot
from rca.report.present.queries import laid_out
from rca.report.present.text import unbroken, visible, visible_line
from rca.report.present.timeline import timeline
from rca.report.present.units import clock, quantity

if TYPE_CHECKING:
    from jinja2 import Template

SUFFIX = ".html"

_DETAILED = 25  # suspects shown with all that speaks against them
_TIMELINE = 60  # lines
_QUERY_WIDTH = 100  # columns


def render(report: Report, _style: Style) -> str:
    """The report as a complete HTML document."""
    return _template().render(_values(report))


@cache
def _template() -> "Template":
    """The compiled template, with the style sheet in it."""
    # Here, not above: the registry imports this module to learn its suffix, and jinja2 is slow to import.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above
    from markupsafe import Markup  # noqa: PLC0415 - see above

    environment = Environment(
        loader=PackageLoader("rca.report"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"line": visible_line, "name": view.name, "query": _query}
    css = (files("rca.report") / "templates" / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    # The style sheet must reach the file as it is: the policy allows it by its hash alone.
    own = {"css": Markup(css), "css_hash": digest, "view": view, "changes": changes}  # noqa: S704 - our own constant file
    return environment.get_template("report.html.j2", globals=own)


def _harmless(value: object) -> object:
    """Every value that the template prints goes through here, before it is escaped."""
    if type(value) is _Verbatim:
        return visible(str(value), keep_newlines=True)
    return unbroken(visible(value, keep_newlines=True)) if type(value) is str else value


class _Verbatim(str):
    """Text to be pasted elsewhere: a `%` in it is an operator, and its spaces stay as they are."""

    __slots__ = ()


def _query(text: str) -> str:
    return _Verbatim(laid_out(text, _QUERY_WIDTH))


def _values(report: Report) -> dict[str, Any]:
    """What the template sees."""
    day = view.first_day(report)

    def at(time: datetime | None) -> str:
        return clock(time, day) if time else ""

    def drawn(evidence: Evidence) -> dict[str, Any] | None:
        shape = plot(evidence, report.baseline)
        if shape is None:
            return None
        ends = [at(datetime.fromtimestamp(edge, tz=UTC)) for edge in (shape.first, shape.last)]
        return {
            "shape": shape,
            "first": ends[0],
            "last": ends[1],
            "low": quantity(shape.low, evidence.unit),
            "high": quantity(shape.high, evidence.unit),
        }

    return {
        "report": report,
        "made_of": provenance.made_of(report),
        "suspects": view.split(report, detailed=_DETAILED),
        "at": at,
        "drawn": drawn,
        "timeline": timeline(report, most=_TIMELINE),
        "changed": changes.changes(report),
    }
