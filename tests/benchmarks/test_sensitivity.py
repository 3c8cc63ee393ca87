import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks import sensitivity
from benchmarks.sensitivity import (
    FACTORS,
    OF_CONFIDENCE,
    OF_SERVICES,
    OF_WORDS,
    WEIGHT,
    Moved,
    changed,
    find_work,
    first,
    measure,
    missing,
    moved_value,
    names,
    ranked_with,
    read_results,
    services_again,
    value_of,
)
from benchmarks.sensitivity_table import document
from rca.analyze.memo import Memo
from rca.bundle import read_bundle
from rca.evaluate.run import anonymous
from rca.model.tuning import Tuning
from rca.model.tuning.constant import described

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "fixtures" / "shop"


def moved(case: str, *, set_: str = "one", right: bool = True, rest: tuple[bool, bool] = (True, True)) -> Moved:
    """What was found for an incident with a fault of which `rest` alone was moved."""
    return Moved(
        set=set_,
        case=case,
        onset="given",
        faulty=True,
        right=right,
        abstained=False,
        asked=("rest", "abstain_below"),
        rights={"rest": rest},
        abstentions={"abstain_below": (False, True)},
        grid=[right] * len(list(sensitivity.combinations())),
    )


def test_every_constant_is_moved_but_those_that_only_choose_a_word() -> None:
    told = {one.name for one in described(Tuning())}
    assert set(names()) >= told - OF_WORDS
    assert told >= OF_SERVICES | OF_CONFIDENCE | OF_WORDS
    for name in names():
        assert all(moved_value(name, factor) != value_of(name) for factor in FACTORS if value_of(name))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("z_cap", [50.0, 200.0]),
        ("min_after", [0, 2]),
        ("explain", [0.4, 0.9]),
        (f"{WEIGHT}latency", [0.3, 1.2]),
        ("rows.recovery_after_rows", [2, 6]),
    ],
)
def test_whole_numbers_stay_whole_and_shares_stay_below_one(name: str, values: list[float]) -> None:
    found = [moved_value(name, factor) for factor in FACTORS]
    assert found == values
    assert changed(name, found[0]) != Tuning()


def test_what_is_worked_out_from_the_scored_series_is_what_the_whole_ranking_gives() -> None:
    bundle = anonymous(read_bundle(next(path for path in sorted(SHOP.iterdir()) if "slow" in path.name)))
    memo = Memo()
    plain = ranked_with(bundle, Tuning(), memo)
    assert plain is not None
    for name in (*sorted(OF_SERVICES), f"{WEIGHT}errors", f"{WEIGHT}trace_failure"):
        tuning = changed(name, moved_value(name, 2.0))
        whole = ranked_with(bundle, tuning, memo.fork())
        assert whole is not None
        again = services_again(plain, tuning)
        assert first(again) == first(whole)
        assert again.mixed.score.tolist() == pytest.approx(whole.mixed.score.tolist()), name


def test_an_incident_is_measured_for_each_onset_and_what_is_known_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("rest", "rows.silence_late", "lines.unseen", "usual_prior", f"{WEIGHT}errors")
    monkeypatch.setattr(sensitivity, "names", lambda: asked)
    monkeypatch.setattr(sensitivity, "GRID", {"rest": (0.1, 0.2)})
    work = next(one for one in find_work([SHOP]) if one.truth)
    given, hidden = measure(work)
    assert (given.onset, hidden.onset) == ("given", "hidden")
    assert given.right
    assert set(given.rights) == {*asked} - {"usual_prior"}
    assert list(given.abstentions) == ["usual_prior"]
    calm = next(one for one in find_work([SHOP]) if not one.truth)
    assert measure(calm)[0].rights == {}
    assert [one.path for one in missing([work, calm], [given])] == [calm.path]
    assert missing([replace(work, asked=("rest", "entry"))], [given]) == [replace(work, asked=("entry",))]
    torn = tmp_path / "results.jsonl"
    later = replace(given, asked=("entry",), rights={"entry": [True, False]}, abstentions={})
    torn.write_text("\n".join(["", json.dumps([asdict(given), asdict(hidden)]), '[{"set": "a", "ca', ""]))
    with torn.open("a") as out:
        out.write("\n" + json.dumps([asdict(later)]))
    both, other = read_results(torn)
    assert list(both.asked) == [*asked, "entry"]
    assert both.rights == {**given.rights, "entry": [True, False]}
    assert other.rights == hidden.rights
    assert "measured again" in capsys.readouterr().err
    assert read_results(tmp_path / "none") == []


def test_only_constants_of_what_an_incident_has_are_moved() -> None:
    bundle = anonymous(read_bundle(next(iter(sorted(SHOP.iterdir())))))
    bare = replace(bundle, logs=(), log_counts=None, spans=())
    assert not sensitivity.applies("lines.unseen", bare)
    assert not sensitivity.applies("spans.star", bare)
    assert sensitivity.applies("rest", bare)


def test_the_document_says_by_how_much_each_constant_moves_what() -> None:
    given = [
        moved("a", rest=(False, True)),
        moved("b", right=False, rest=(False, False)),
        moved("c", set_="two"),
        replace(moved("d", set_="calm"), faulty=False, abstained=True, rights={}, grid=()),
    ]
    only_hidden = [replace(moved(case, set_=case), onset="hidden") for case in ("three", "testbed")]
    text = document([*given, *(replace(one, onset="hidden") for one in given), *only_hidden])
    assert "| `rest` | 0.2 | -0.167 |" in text  # a third of the half of one set of three
    assert "| `abstain_below` | 1.15 |" in text
    assert "`entry`" in text.partition("None of these incidents")[2]
    assert "| two | 1.00 | 1.00 |" in text


def test_the_document_that_ships_names_every_constant() -> None:
    text = (ROOT / "docs" / "sensitivity.md").read_text(encoding="utf-8")
    every = {*names(), *OF_WORDS}
    assert {name for name in every if f"`{name}`" not in text} == set()
