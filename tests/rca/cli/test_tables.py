from rca.cli.tables import aligned, markdown


def test_columns_stand_under_each_other_also_where_letters_are_wide() -> None:
    assert aligned([("a", "b"), ("注文", "1"), ("x", "")]) == "a     b\n注文  1\nx"


def test_nothing_from_outside_acts_on_the_terminal_or_as_markup() -> None:
    assert "\x1b" not in aligned([("a",), ("\x1b[31m",)])
    assert markdown([("a", "b"), ("x|y", "<b>")]) == "| a | b |\n|---|---|\n| x\\|y | &lt;b&gt; |"
