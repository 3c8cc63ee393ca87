"""The terminal's report: it fits, it is read top down, and nothing in it acts on the terminal."""

import re
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rca.model.report import Report, Role, Suspect, TimelineEntry
from rca.report import render

MakeReport = Callable[[str], Report]
Find = Callable[[str], list[str]]
SGR = re.compile(r"\x1b\[[\d;]*m")

QUERIES = "QUERIES (PASTE TO CHECK)"


def show(report: Report, width: int = 80, *, color: bool = False) -> str:
    return render("terminal", report, width=width, color=color)


def test_the_verdict_comes_first(incident: Report) -> None:
    assert show(incident).splitlines()[0] == "orders-db most likely caused it"


def test_an_abstention_says_so_first_then_why_and_what_would_help(abstained: Report) -> None:
    text = show(abstained)
    assert text.startswith("Can't tell which service caused it\n")
    assert text.index("two suspects score within") < text.index("Would help") < text.index("SUSPECTS")
    assert "Confidence" not in text


def test_a_report_without_any_service_still_renders(minimal: Report) -> None:
    text = show(minimal)
    assert text.startswith("Can't tell: no service has any data in this window\n")
    assert "SUSPECTS" not in text
    assert "The store of past incidents was not asked." in text


def laid_out(text: str) -> list[str]:
    """The lines that are fitted to the terminal: all but the queries, which are left whole to be copied."""
    lines = text.splitlines()
    if QUERIES not in lines:
        return lines
    start = lines.index(QUERIES)
    return lines[:start] + lines[lines.index("", start) :]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(
    any_report: Report, width: int, *, color: bool
) -> None:
    for line in laid_out(SGR.sub("", show(any_report, width, color=color))):
        assert cell_len(line) <= width, line
        assert line == line.rstrip()


@given(text=st.text(max_size=80), width=st.integers(40, 160))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_from_outside_breaks_the_layout(text: str, width: int, hostile: MakeReport) -> None:
    assert all(cell_len(line) <= width for line in laid_out(show(hostile(text), width)))


def test_without_colour_there_is_no_escape_sequence(any_report: Report, unseen: Find) -> None:
    assert unseen(show(any_report)) == []


def test_with_colour_only_our_own_sequences_remain(any_report: Report, unseen: Find) -> None:
    colored = show(any_report, color=True)
    assert SGR.search(colored)
    assert unseen(SGR.sub("", colored)) == []


def test_colour_changes_no_word(any_report: Report) -> None:
    assert SGR.sub("", show(any_report, color=True)) == show(any_report)


def test_markup_and_escapes_in_the_data_are_shown_not_obeyed(hostile: MakeReport) -> None:
    text = show(hostile("[red]a[/red]\x1b[31m\u202eb"), width=120)
    assert "[red]a[/red]⟨U+001B⟩[31m⟨U+202E⟩b" in text


def test_the_way_it_spread_is_a_tree_with_the_healthy_ones_marked(incident: Report) -> None:
    text = show(incident)
    assert re.search(r"^orders-db +cause +03:11:40 ", text, re.MULTILINE)
    assert re.search(r"^└─▶orders +symptom", text, re.MULTILINE)
    assert re.search(r"^ {3}└─▶gateway +stayed healthy$", text, re.MULTILINE)


def test_those_with_nothing_to_show_are_counted_and_the_first_named(incident: Report) -> None:
    text = " ".join(show(incident).split())
    assert re.search(r"38 services with nothing to show: #(\d+) quiet-0, #\d+ quiet-1", text)
    assert re.search(r"#\d+ quiet-7 and 30 more", text)
    assert "quiet-8" not in text


def test_a_long_name_is_cut_in_its_middle(crowd: Report) -> None:
    text = show(crowd)
    assert "#1  svc-000-with-a-rathe…" in text


def test_each_line_of_evidence_has_its_onset_and_query(incident: Report) -> None:
    text = show(incident, width=120)
    assert re.search(r"E1 +03:11:40 +p99 latency x12, 40 ms to 480 ms +▁+", text)
    assert 'histogram_quantile(0.99, sum by (le) (rate(pg_query_seconds_bucket{service="orders-db"}[2m])))' in text


def test_a_sparkline_gives_way_on_a_narrow_terminal(incident: Report) -> None:
    assert "▁" in show(incident, width=80)
    assert "▁" not in show(incident, width=60)


def test_a_suspect_with_much_evidence_shows_the_strongest(incident: Report) -> None:
    many = tuple(replace(incident.evidence[0], id=f"X{index}") for index in range(9))
    suspect = Suspect(1, "orders-db", 0.9, Role.CAUSE, (), tuple(item.id for item in many))
    text = show(replace(incident, evidence=many, suspects=(suspect,)))
    assert "X5" in text
    assert "X6" not in text
    assert "and 3 more, in the other formats" in text


def test_a_long_timeline_says_how_much_is_left_out(incident: Report) -> None:
    entry = incident.timeline[0]
    long = tuple(TimelineEntry(entry.at, f"entry {index}") for index in range(45))
    assert "… 31 more in the other formats" in show(replace(incident, timeline=long))


def test_a_narrow_terminal_drops_the_words_beside_a_deep_tree(crowd: Report) -> None:
    text = show(crowd, width=40)
    assert "└─▶" in text


def test_500_services_render_in_no_time(crowd: Report) -> None:
    show(crowd)
    fastest = min(_seconds(crowd) for _ in range(3))
    assert fastest < 1.0  # a bound against the quadratic; the measured time is a few milliseconds


def _seconds(report: Report) -> float:
    start = perf_counter()
    show(report)
    return perf_counter() - start


@pytest.mark.parametrize("width", range(40, 80))
def test_a_percent_sign_stands_on_its_numbers_line_after_a_plain_space(incident: Report, width: int) -> None:
    summary = "errors from 0 % to 98.3 % " * 9
    text = show(replace(incident, verdict=replace(incident.verdict, summary=summary)), width=width)
    assert text.count("98.3 %") >= 9
    assert not re.search(r"^ *%", text, re.MULTILINE)
    assert all(cell_len(line) <= width for line in text.partition("\n\n")[0].splitlines())
