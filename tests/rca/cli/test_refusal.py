import pytest
import typer

from rca.cli.refusal import Telling
from tests.command import Invoke


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("investigat",), "no such command 'investigat'", "Did you mean 'investigate'?"),
        (("topology", "shw"), "no such command 'shw'", "Did you mean 'show'?"),
        (("investigate", "--sinse", "1h"), "no such option: --sinse", "Did you mean --since?"),
        (("replay", "--zzzzzz"), "no such option: --zzzzzz", "See what it takes:"),
        (("investigate", "--step", "0"), "invalid value for '--step': 0 is less than 1", "See what it takes:"),
        (("investigate", "--step", "x"), "invalid value for '--step': 'x' is not a whole number", "See what"),
        (("replay",), "missing argument 'BUNDLE'", "See what it takes:"),
        (("demo", "--format"), "option '--format' requires an argument", "See what it takes:"),
    ],
)
def test_what_cannot_be_parsed_is_told_like_every_error_with_the_nearest_name(
    invoke: Invoke, words: tuple[str, ...], message: str, hint: str
) -> None:
    outcome = invoke(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    first, second = outcome.err.splitlines()
    assert first == f"error: {message}"
    assert second.startswith(f"hint: {hint}")
    assert second.endswith("--help.")


@pytest.mark.parametrize("words", [(), ("topology",)])
def test_a_group_alone_shows_its_help_and_no_error(invoke: Invoke, words: tuple[str, ...]) -> None:
    outcome = invoke(*words)
    assert "Usage:" in outcome.out
    assert "error:" not in outcome.err


def test_what_was_broken_off_ends_as_an_interruption() -> None:
    from typer.testing import CliRunner  # noqa: PLC0415 - only this test builds an application

    app = typer.Typer(cls=Telling)

    @app.callback(invoke_without_command=True)
    def act() -> None:
        raise typer.Abort

    assert CliRunner().invoke(app).exit_code == 130
