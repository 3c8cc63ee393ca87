"""Text made harmless, and cut to size."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.report.present.text import cut, listed, shorten, visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße 数据库 émoji 🙂", "Grüße 数据库 émoji 🙂"),
        ("a\x1b[31mb", "a⟨U+001B⟩[31mb"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"),
        ("a\x00\x7f\x9b", "a⟨U+0000⟩⟨U+007F⟩⟨U+009B⟩"),
        ("a\ud800", "a⟨U+D800⟩"),
        ("a\u3164b\u2800", "a⟨U+3164⟩b⟨U+2800⟩"),
        ("a\tb\u00a0c\u3000d", "a b c d"),
        ("a\nb", "a⟨U+000A⟩b"),
        ("e\u0301", "e\u0301"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + "⟨U+0301⟩" * 2),
    ],
)
def test_what_cannot_be_seen_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_block_keeps_its_lines() -> None:
    assert visible("a\n\tb\x07", keep_newlines=True) == "a\n b⟨U+0007⟩"


def test_a_line_is_one_line() -> None:
    assert visible_line("  a\r\n\n b\t c\u2028d ") == "a b c⟨U+2028⟩d"


@given(text=st.text())
def test_nothing_unseen_is_left_and_doing_it_twice_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in shown)
    assert visible(shown) == shown


@given(text=st.text(), limit=st.integers(1, 40))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
    assert len(cut(text, limit)) <= limit


def test_a_name_is_cut_in_its_middle_and_a_sentence_at_its_end() -> None:
    assert shorten("payments-gateway-eu", 10) == "payme…y-eu"
    assert shorten("短い名前です", 6, cells=lambda text: 2 * len(text)) == "短…す"
    assert cut("a long sentence", 7) == "a long…"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")]
)
def test_a_list_says_how_many_it_leaves_out(names: list[str], text: str) -> None:
    assert listed(names, most=2) == text
