"""Vocabulary files that can't be used are refused with file, line and reason."""

from pathlib import Path

import pytest

from rca.changes import vocabulary
from rca.changes.judge import judge_diff
from rca.changes.vocabulary import FILES, load
from rca.errors import ConfigError

GONE = """# ours
[[gone]]
kind = "lock_gone"
potency = 0.8
words = ["raise fence"]

[[gone]]
kind = "lock_gone"
potency = 0.8
{}
"""


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("gone", "a = 1\n[[gone", "gone.toml:2: not valid TOML"),
        ("gone", GONE.format("word = ['x']"), "gone.toml:10: unknown key 'word'; did you mean 'words'?"),
        ("gone", GONE.format("words = 'x'"), "gone.toml:10: 'words' must be a list of texts"),
        ("gone", GONE.format("patterns = ['a(b']"), "gone.toml:10: 'a(b' is no regular expression"),
        (
            "gone",
            GONE.format("").replace("0.8", "8", 1),
            "gone.toml:4: 'potency' must lie between 0 and 1, not at 8",
        ),
        ("gone", GONE.format("").replace("potency = 0.8\n\n", ""), "gone.toml:7: 'potency' is missing in 'gone'"),
        (
            "gone",
            GONE.format("").replace("lock_gone", "lock_gon", 1),
            "gone.toml:3: no kind is called 'lock_gon'; did",
        ),
        ("gone", "[gone]\nkind = 'x'\n", "gone.toml:1: write [[gone]]"),
        ("gone", "gone = [1]\n", "'gone' must be a table"),
        ("gones", "x = 1\n", "gones.toml: no vocabulary file has this name; did you mean 'gone'?"),
        ("gone", "[[lost]]\nkind = 'x'\n", "gone.toml:1: unknown key 'lost'; known are gone"),
        ("added", "[[added]]\nkind = 'lock_gone'\npotency = true\n", "added.toml:3: 'potency' must be a number"),
        ("kinds", "[mine]\ntext = 'x'\neffects = {slw = 1}\n", "kinds.toml:3: no symptom is called 'slw'"),
        ("kinds", "[mine]\ntext = 'x'\neffects = {race = 2}\n", "kinds.toml:3: 'effects' must lie between"),
        (
            "kinds",
            "[mine]\ntext = 'x'\neffects = {}\ndelayed = 1\n",
            "kinds.toml:4: 'delayed' must be true or false",
        ),
        ("files", "\nstop = ['x']\n", "files.toml:2: unknown key 'stop'"),
        ("files", "[language]\npython = '\\\\.py$'\n", "files.toml:1: 'language' must be a table"),
        ("elsewhere", "[patterns]\nproviders = ['(']\n", "elsewhere.toml:1: '(' is no regular expression"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    (tmp_path / f"{name}.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert complaint in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_folder_that_holds_nothing_or_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no vocabulary file"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="there is no folder"):
        load(tmp_path / "none")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gone.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path)


def test_what_no_check_foresaw_is_refused_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "read", lambda *_: {"gone": {"gone": [{"kind": "x"}]}})
    with pytest.raises(ConfigError, match="isn't as it should be"):
        load(tmp_path)


def test_every_file_that_ships_passes_its_own_check(tmp_path: Path) -> None:
    shipped = Path(vocabulary.__file__).parent
    for name in FILES:
        (tmp_path / f"{name}.toml").write_text((shipped / f"{name}.toml").read_text("utf-8"))
    assert load(tmp_path).kinds == load().kinds


def test_the_documentations_example_does_what_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/changes.md").read_text("utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```toml\n# ")[1:]]
    for name, _, text in (block.partition("\n") for block in blocks):
        (tmp_path / name).write_text(text)
    own = load(tmp_path)
    gone = "@@ -1,2 +1 @@\n-raiseFence(order)\n work(order)\n"
    kept = "@@ -1,2 +1,2 @@\n-raiseFence(order)\n+with_fence(order)\n work(order)\n"
    kinds = [[one.kind for one in judge_diff(diff, ("cart/a.ts",), own).findings] for diff in (gone, kept)]
    assert "fence_gone" in kinds[0]
    assert "fence_gone" not in kinds[1]
    assert judge_diff(gone, ("cart/a.ts",), own).potency == 0.9
