from collections.abc import Sequence
from pathlib import Path

import pytest

from rca.changes.vocabulary import Added, Gone, Setting, Vocabulary, load, words_pattern


def _rules(vocabulary: Vocabulary) -> tuple[Sequence[Gone | Added | Setting], ...]:
    return vocabulary.gone, vocabulary.added, vocabulary.settings


def test_every_kind_that_a_rule_names_has_its_effects(vocabulary: Vocabulary) -> None:
    named = {rule.kind for rules in _rules(vocabulary) for rule in rules}
    named |= {kind for quantity in vocabulary.quantities for kind in (quantity.less, quantity.more)}
    assert named <= set(vocabulary.kinds)


def test_every_effect_is_a_symptom_that_can_be_seen(vocabulary: Vocabulary) -> None:
    effects = {name for kind in vocabulary.kinds.values() for name in kind.effects}
    assert effects <= {symptom.name for symptom in vocabulary.symptoms}


def test_numbers_of_the_vocabulary_lie_between_0_and_1(vocabulary: Vocabulary) -> None:
    numbers = [rule.potency for rules in _rules(vocabulary) for rule in rules]
    numbers += [value for kind in vocabulary.kinds.values() for value in kind.effects.values()]
    numbers += [symptom.weight for symptom in vocabulary.symptoms]
    assert all(0 < number <= 1 for number in numbers)


@pytest.mark.parametrize(
    ("phrase", "words", "found"),
    [
        ("rate limit*", "rate limiter of calls", True),
        ("rate limit", "rate limiter of calls", False),
        ("cache", "cached", False),
        ("cache", "a cache", True),
    ],
)
def test_a_phrase_is_found_as_whole_words(phrase: str, words: str, found: bool) -> None:  # noqa: FBT001 - a table's column
    assert (words_pattern([phrase]).search(words) is not None) is found


def test_a_user_adds_words_and_kinds(tmp_path: Path) -> None:
    (tmp_path / "gone.toml").write_text('[[gone]]\nkind = "fence_gone"\npotency = 0.9\nwords = ["raise fence"]\n')
    (tmp_path / "kinds.toml").write_text('[fence_gone]\ntext = "a fence is gone"\neffects = {race = 1}\n')
    (tmp_path / "files.toml").write_text("ignored = ['(^|/)attic/']\n")
    vocabulary = load(tmp_path)
    assert vocabulary.gone[0].kind == "fence_gone"
    assert vocabulary.kinds["fence_gone"].effects == {"race": 1}
    assert "lock_gone" in vocabulary.kinds
    assert vocabulary.ignored.search("attic/main.go")


def test_a_users_list_adds_to_the_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text("[patterns]\nproviders = ['acme-pay']\n")
    (tmp_path / "files.toml").write_text("[language]\npython = ['\\.pyx$']\n")
    vocabulary = load(tmp_path)
    assert vocabulary.elsewhere["providers"].search("acme-pay")
    assert vocabulary.elsewhere["providers"].search("amazonaws")
    python = dict(vocabulary.languages)["python"]
    assert python.search("a.pyx")
    assert python.search("a.py")
