import pytest

from rca.alerts.words import lasting, listed, number_word, within


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7100, "118 min"),
        (7200, "2 h"),
        (172_800, "2 days"),
        (-60, "60 s"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_lists_and_numbers_read_well() -> None:
    assert (listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])) == (
        "",
        "a",
        "a and b",
        "a, b and c",
    )
    assert listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert (number_word(2), number_word(11)) == ("two", "11")
    assert within(0) == "at once"
