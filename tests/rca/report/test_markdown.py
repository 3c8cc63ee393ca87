"""Markdown, read back with a parser: the data make no markup of their own."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rca.model.report import Report
from rca.report import render
from rca.report.markdown import code, escape, fence
from rca.report.present.queries import laid_out

MakeReport = Callable[[str], Report]

SPECIAL = st.text(alphabet=st.sampled_from("`|\\*_[]()<>&#+-=.!~$@:/\"' \nw1a{}"), max_size=30)
INERT = {"text", "code_inline", "softbreak"}
ALLOWED_HTML = ("<details>", "</details>")


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def inline(text: str) -> list[Token]:
    """The inline tokens of a text that must be one paragraph."""
    tokens = parse(text)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    return tokens[1].children or []


@given(text=st.one_of(SPECIAL, st.text(max_size=40)))
@example(text="- - -")
@example(text="1. one")
@example(text="# H")
@example(text="---")
@example(text="a\\|b")
@example(text="=")
@settings(deadline=None)
def test_escaped_text_reads_back_as_itself_and_makes_no_markup(text: str) -> None:
    escaped = escape(text)
    if not escaped:
        return
    children = inline(f"x {escaped}")
    assert {child.type for child in children} <= INERT | {"html_inline"}
    # The only HTML is the code element that `code` writes for awkward text.
    assert {child.content for child in children if child.type == "html_inline"} <= {"<code>", "</code>"}


@given(text=st.one_of(SPECIAL, st.text(max_size=40)))
@example(text="# H")
@example(text="1) x")
@example(text="+ x")
@example(text="\xa0")
@settings(deadline=None)
def test_escaped_text_opens_no_block(text: str) -> None:
    if escape(text).strip():
        inline(escape(text))


@given(text=SPECIAL)
@settings(deadline=None)
def test_a_table_cell_stays_one_cell(text: str) -> None:
    tokens = parse(f"| a | b |\n| --- | --- |\n| {escape(text)} | {code(text)} |\n")
    assert [token.type for token in tokens].count("td_open") == 2
    assert [token.type for token in tokens].count("tr_open") == 2


@pytest.mark.parametrize("text", ["@everyone", "https://a.b", "www.a.b", "a#12", "GH-7", ":fire:", "me@x.org"])
def test_what_github_would_act_on_goes_into_a_code_span(text: str) -> None:
    assert escape(f"see {text}") == f"see `{text}`"


@pytest.mark.parametrize("text", ["http_requests_total", "03:11:40 UTC", "0.4 % to 2.1 %", "x5.2", "a-b", "-5"])
def test_plain_text_stays_readable(text: str) -> None:
    assert escape(f"it is {text}") == f"it is {text}"


@pytest.mark.parametrize("text", ["", "up", "```\nup\n```", "`````", "a\n\nb", "~~~"])
def test_a_fence_holds_any_query(text: str) -> None:
    tokens = parse(fence(text))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content.strip("\n") == text


def test_a_hostile_report_has_the_structure_of_a_harmless_one(hostile: MakeReport, hostile_text: str) -> None:
    assert _structure(hostile(hostile_text)) == _structure(hostile("harmless"))


@given(text=st.one_of(SPECIAL, st.text(max_size=40)).filter(lambda text: text.strip() != ""))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_from_outside_makes_a_link_an_image_or_html(text: str, hostile: MakeReport) -> None:
    _structure(hostile(text))


def _structure(report: Report) -> list[str]:
    """The sequence of block tokens; checks on the way that nothing inline is active."""
    tokens = parse(render("markdown", report))
    for token in tokens:
        if token.type == "html_block":
            assert token.content.startswith(ALLOWED_HTML)
        for child in token.children or []:
            assert child.type in INERT | {"strong_open", "strong_close", "html_inline"}
            if child.type == "html_inline":
                assert child.content in {"<code>", "</code>"}
    return [token.type for token in tokens]


def test_the_path_is_a_mermaid_graph_with_its_labels_as_entities(hostile: MakeReport) -> None:
    text = render("markdown", hostile('a"]; click'))
    assert 'n0["a#34;#93;#59; click<br/>cause"]' in text
    assert "n0 --> n1" in text


def test_the_simple_rankers_order_and_every_query_are_in_it(incident: Report) -> None:
    text = render("markdown", incident)
    assert "orders-db, checkout, orders (by the largest departure alone; agrees on the first)" in text
    assert "POST /logs-*/_search" in text
    flat = " ".join(text.split())
    assert all(" ".join(laid_out(evidence.query, 100).split()) in flat for evidence in incident.evidence)
