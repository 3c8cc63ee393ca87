"""Queries on several lines."""

from hypothesis import given
from hypothesis import strategies as st

from rca.report.present.queries import laid_out

RATIO = (
    'sum by (service) (rate(errors_total{code=~"5..|5xx or ( so",service="web"}[2m]))'
    ' / (sum by (service) (rate(requests_total{service="web"}[2m])) > 0.02)'
)


def test_a_short_query_stays_on_its_line() -> None:
    assert laid_out("  up == 0 ", 40) == "up == 0"


def test_a_query_that_has_lines_keeps_them() -> None:
    assert laid_out("a\nor b", 3) == "a\nor b"


def test_operands_get_lines_of_their_own() -> None:
    assert laid_out(RATIO, 90).splitlines() == RATIO.replace(" / ", "\n/ ").splitlines()


def test_the_loosest_operator_parts_first() -> None:
    assert laid_out("aaaa * bbbb or cccc / dddd", 20) == "aaaa * bbbb\nor cccc / dddd"


def test_calls_are_opened_where_nothing_else_can_be_parted() -> None:
    assert laid_out(RATIO, 70).splitlines() == [
        "sum by (service) (",
        '  rate(errors_total{code=~"5..|5xx or ( so",service="web"}[2m])',
        ")",
        '/ (sum by (service) (rate(requests_total{service="web"}[2m])) > 0.02)',
    ]


def test_what_cannot_be_parted_stays_long() -> None:
    assert laid_out('{name="a or b (c) d"}', 5) == '{name="a or b (c) d"}'
    assert laid_out("fn()fn()fn()", 5) == "fn()fn()fn()"


@given(st.text(alphabet="ab ()[]{}\"'`\\+/or*<>=~.", max_size=80), st.integers(1, 40))
def test_nothing_but_white_space_changes(text: str, width: int) -> None:
    assert "".join(laid_out(text, width).split()) == "".join(text.split())


@given(st.text(alphabet='ab or "()', max_size=60), st.integers(1, 30))
def test_text_in_quotes_is_never_broken(text: str, width: int) -> None:
    quoted = f'{{a="{text.replace(chr(34), "")}"}} or sum(b)'
    assert f'"{text.replace(chr(34), "")}"' in laid_out(quoted, width)
