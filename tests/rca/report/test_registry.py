"""The registry, and what holds for every format in it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rca.report
from rca.errors import UsageError
from rca.model.report import Report
from rca.report import format_for, formats, load, render

MakeReport = Callable[[str], Report]
Find = Callable[[str], list[str]]


def test_the_folder_is_the_registry() -> None:
    folder = Path(rca.report.__file__).parent
    assert set(formats()) == {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {"html", "json", "markdown", "terminal"} <= set(formats())


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.md", "markdown"), ("b/c.JSON", "json"), (Path("x.html"), "html"), ("report.txt", "terminal")],
)
def test_a_file_name_tells_the_format(path: Path | str, name: str) -> None:
    assert format_for(path) == name


@pytest.mark.parametrize("path", ["report.pdf", "report", ".md"])
def test_a_file_name_that_tells_no_format_is_refused_with_what_would_do(path: str) -> None:
    with pytest.raises(UsageError) as refused:
        format_for(path)
    assert ".md" in refused.value.hint


def test_an_unknown_format_is_refused_with_the_known_ones(incident: Report) -> None:
    with pytest.raises(UsageError) as refused:
        render("pdf", incident)
    assert "markdown" in refused.value.hint


@pytest.mark.parametrize("name", formats())
def test_every_format_has_its_own_suffix(name: str) -> None:
    suffix = load(name).SUFFIX
    assert suffix.startswith(".")
    assert format_for(f"report{suffix}") == name


@pytest.mark.parametrize("name", formats())
def test_every_format_renders_every_report_the_same_twice(name: str, any_report: Report) -> None:
    text = render(name, any_report, width=80)
    assert text.endswith("\n")
    assert text == render(name, any_report, width=80)
    text.encode("utf-8")


@pytest.mark.parametrize("name", formats())
def test_nothing_from_the_environment_reaches_a_report(
    name: str, incident: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = render(name, incident, width=80)
    for variable, value in {
        "NO_COLOR": "1",
        "FORCE_COLOR": "1",
        "COLUMNS": "33",
        "TERM": "dumb",
        "TZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(variable, value)
    assert render(name, incident, width=80) == before


@pytest.mark.parametrize("name", formats())
def test_every_format_says_where_since_when_how_sure_and_what_was_not_checked(name: str, incident: Report) -> None:
    text = render(name, incident, width=100)
    for needed in (
        "orders-db",
        "03:11:40",
        "high",
        "p99 latency x12",
        "one shard failed",
        "INC-118",
        "0.1.0",
        "c0ffee",
    ):
        assert needed in text


@pytest.mark.parametrize("name", formats())
@given(text=st.text(max_size=60))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_from_outside_brings_an_unseen_character_into_a_report(
    name: str, text: str, hostile: MakeReport, unseen: Find
) -> None:
    rendered = render(name, hostile(text), width=80)
    assert unseen(rendered) == []
    rendered.encode("utf-8")


@pytest.mark.parametrize("name", formats())
def test_a_time_zone_of_the_data_does_not_change_the_report(name: str, incident: Report) -> None:
    moved = replace(
        incident, onset=replace(incident.onset, at=incident.onset.at and incident.onset.at.astimezone())
    )
    assert render(name, moved) == render(name, incident)


@pytest.mark.parametrize(
    ("name", "heavy"), [("json", "jinja2"), ("markdown", "jinja2"), ("html", "rich"), ("json", "rich")]
)
def test_a_format_imports_no_other_formats_libraries(name: str, heavy: str) -> None:
    code = f"import sys, rca.report; rca.report.load({name!r}); sys.exit({heavy!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter and code


def test_listing_the_formats_imports_neither_a_format_nor_numpy() -> None:
    code = (
        "import sys, rca.report; rca.report.formats();"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'rich', 'jinja2', 'rca.report.json')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter and code
