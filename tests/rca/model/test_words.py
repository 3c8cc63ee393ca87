from rca.model.words import counted


def test_one_thing_is_no_plural() -> None:
    assert [counted(count, "alert") for count in (0, 1, 2)] == ["0 alerts", "1 alert", "2 alerts"]
