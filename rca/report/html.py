"""One HTML file that opens offline: no script, no request, plots as inline SVG, light and dark."""

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from rca.model.report import Evidence, Report
from rca.report import Style
from rca.report.present import view
from rca.report.present.plot import plot
from rca.report.present.text import visible, visible_line
from rca.report.present.units import clock, number, quantity

SUFFIX = ".html"

_DETAILED = 25  # suspects shown with all that speaks against them


def render(report: Report, _style: Style) -> str:
    """The report as a complete HTML document."""
    # Here, not above: the registry imports this module to learn its suffix, and jinja2 is slow to import.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above
    from markupsafe import Markup  # noqa: PLC0415 - see above

    def harmless(value: object) -> object:
        """Every value that the template prints goes through here, before it is escaped."""
        return visible(value, keep_newlines=True) if type(value) is str else value

    environment = Environment(
        loader=PackageLoader("rca.report"),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"line": visible_line, "name": view.name, "number": number, "quantity": quantity}
    css = (files("rca.report") / "templates" / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    template = environment.get_template("report.html.j2")
    # The style sheet is ours, and must reach the file as it is: the policy allows it by its hash alone.
    return template.render(css=Markup(css), css_hash=digest, **_values(report))  # noqa: S704 - our own constant file


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
        "view": view,
        "suspects": view.split(report, detailed=_DETAILED),
        "unsure": report.verdict.abstained or not report.suspects,
        "at": at,
        "drawn": drawn,
    }
