"""HTML, read back with a parser: one file, no request, no script, nothing unescaped."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.model.report import Report
from rca.report import render

MakeReport = Callable[[str], Report]

MARKUP = st.text(alphabet=st.sampled_from("<>\"'&;=/!-{}%#scriptonload \n"), max_size=30)
LOADING = {"src", "href", "srcset", "action", "data", "style", "xlink:href", "poster", "background"}


class Reader(HTMLParser):
    """Keeps the tags, the attributes and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def read(report: Report) -> Reader:
    reader = Reader()
    reader.feed(render("html", report))
    reader.close()
    return reader


def test_a_hostile_report_has_the_tags_of_a_harmless_one(hostile: MakeReport, hostile_text: str) -> None:
    assert read(hostile(hostile_text)).tags == read(hostile("harmless")).tags


@given(text=MARKUP.filter(lambda text: text.strip() != ""))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_from_outside_makes_a_tag_an_attribute_or_a_comment(text: str, hostile: MakeReport) -> None:
    reader, harmless = read(hostile(text)), read(hostile("harmless"))
    assert reader.tags == harmless.tags
    assert [name for name, _ in reader.attributes] == [name for name, _ in harmless.attributes]
    assert reader.comments == []


def test_the_file_asks_nobody_for_anything(any_report: Report) -> None:
    reader = read(any_report)
    assert not {"script", "link", "img", "iframe", "object", "a", "form"} & set(reader.tags)
    assert not {name for name, _ in reader.attributes if name in LOADING or name.startswith("on")}
    assert "@import" not in render("html", any_report)


def test_the_policy_allows_our_style_sheet_and_nothing_else(incident: Report) -> None:
    text = render("html", incident)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_plots_show_the_series_its_onset_and_its_baseline(incident: Report) -> None:
    text = render("html", incident)
    assert text.count('class="series"') == 3
    assert text.count('class="onset"') == 3
    assert text.count('class="calm"') == 3
    assert 'role="img" aria-label="Plot of E1: p99 latency x12, 40 ms to 480 ms"' in text


def test_a_plot_of_a_series_with_holes_has_dots_and_breaks(incident: Report) -> None:
    points = ((0.0, 1.0), (10.0, 2.0), (20.0, 1.0), (200.0, 5.0), (400.0, 1.0), (410.0, 2.0))
    text = render("html", replace(incident, evidence=(replace(incident.evidence[0], points=points),)))
    assert text.count('class="series"') == 2
    assert text.count('class="dot"') == 1
    assert 'class="onset"' not in text
    assert 'class="calm"' not in text


def test_an_abstention_is_marked_and_says_what_would_help(abstained: Report, minimal: Report) -> None:
    for report in (abstained, minimal):
        words = read(report).words
        assert "Can't tell" in words
        assert "What would help" in words
    assert 'class="verdict unsure"' in render("html", abstained)


def test_500_services_stay_one_readable_page(crowd: Report) -> None:
    words = read(crowd).words
    assert "440 services with nothing to show" in words
    assert "Then: #26 " in words
    assert len(render("html", crowd)) < 200_000


def test_a_percent_sign_keeps_to_its_number_except_in_a_query(incident: Report) -> None:
    queried = replace(incident.evidence[0], text="errors up to 98.3 %", query="up % 3 == 5 % 2")
    words = read(replace(incident, evidence=(queried, *incident.evidence[1:]))).words
    assert "98.3\u00a0%" in words
    assert "up % 3 == 5 % 2" in words
