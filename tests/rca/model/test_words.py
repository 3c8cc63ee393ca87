from rca.model.words import counted


def test_one_thing_is_no_plural() -> None:
    assert [counted(count, "alert") for count in (0, 1, 2)] == ["0 alerts", "1 alert", "2 alerts"]


def test_large_counts_are_grouped() -> None:
    assert counted(1_234_567, "line") == "1,234,567 lines"
