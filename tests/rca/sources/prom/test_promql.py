"""Escaping, matchers and templates."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.sources.prom.promql import faults, matcher, matchers, quote, render, selectors

_ESCAPE = re.compile(r'\\(u[0-9a-f]{4}|n|"|\\)')


def _unquote(literal: str) -> str:
    """What a server reads out of a literal, by the rules of Go's strings."""
    assert literal[0] == literal[-1] == '"'

    def plain(found: re.Match[str]) -> str:
        sign = found[1]
        return {"n": "\n"}.get(sign, chr(int(sign[1:], 16)) if sign[0] == "u" and len(sign) > 1 else sign)

    return _ESCAPE.sub(plain, literal[1:-1])


@given(st.text())
def test_a_quoted_text_reads_back_as_itself(text: str) -> None:
    literal = quote(text)
    assert _unquote(literal) == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\(?:["\\n]|u[0-9a-f]{4}))*"', literal)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=4, unique=True)
)
def test_a_matcher_of_several_values_matches_these_alone(values: list[str]) -> None:
    pattern = _unquote(matcher("service", values).removeprefix("service=~"))
    for value in values:
        assert re.fullmatch(pattern, value, re.DOTALL)
    assert not re.fullmatch(pattern, "".join(values) + "~", re.DOTALL)


def test_one_value_is_matched_plainly() -> None:
    assert matcher("service", ["cart"]) == 'service="cart"'
    assert matchers({"namespace": ["shop"], "pod": ["b", "a"]}) == 'namespace="shop",pod=~"a|b"'


def test_a_value_cannot_end_the_matcher() -> None:
    assert matcher("service", ['x"} or up{a="']) == r'service="x\"} or up{a=\""'


@pytest.mark.parametrize(("label", "values"), [("a b", ["x"]), ("service", [])])
def test_a_matcher_without_a_label_or_a_value_is_refused(label: str, values: list[str]) -> None:
    with pytest.raises(ValueError, match=r"label's name|no value"):
        matcher(label, values)


def test_a_template_is_filled() -> None:
    template = 'sum by ($S, le) (rate($m{code=~"5..",$F}[$w]))'
    filled = render(template, window=60, by=["a", "b"], where='a="$w"', metric="calls")
    assert filled == 'sum by (a, b, le) (rate(calls{code=~"5..",a="$w"}[60s]))'


def test_matchers_that_are_not_there_leave_no_comma() -> None:
    assert render('x{a="1",$F} + y{$F}', window=1) == 'x{a="1"} + y{}'


def test_selectors_are_found_and_strings_are_not() -> None:
    assert selectors('sum(rate(a{x="b{c}",$F}[$w])) / d{$F} + a{$F}') == ("a", "d")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("up{$X,$F}", "unknown placeholder $X"),
        ("up", "no selector"),
        ('up{job="a"}', "the selector of up lacks $F"),
        ("rate(up[$w]) + up{$F}", "a range without a selector"),
        ("sum(up{$F}", "unbalanced ()"),
        ('up{a="b,$F}', "an unclosed quote"),
    ],
)
def test_a_broken_template_is_told_what_is_wrong(template: str, fault: str) -> None:
    assert any(fault in found for found in faults(template))


def test_a_sound_template_has_no_faults() -> None:
    assert faults('label_replace(up{a="[x",$F}, "b", "$1", "c", "(.*)")') == []
