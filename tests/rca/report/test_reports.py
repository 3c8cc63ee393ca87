"""Each format as it reads, compared with what was read and found good (tests/golden/report)."""

from collections.abc import Callable

import pytest

from rca.model.report import Report
from rca.report import formats, load, render

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize("which", ["incident", "abstained", "minimal", "hostile"])
def test_every_format_reads_as_it_did(
    name: str, which: str, golden: Golden, request: pytest.FixtureRequest, hostile_text: str
) -> None:
    made = request.getfixturevalue(which)
    report: Report = made(hostile_text) if which == "hostile" else made
    golden(f"{which}{load(name).SUFFIX}", render(name, report, width=80))


def test_the_colours_are_as_they_were(incident: Report, golden: Golden) -> None:
    golden("incident.ansi", render("terminal", incident, width=80, color=True))
