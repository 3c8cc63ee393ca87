from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.errors import StoreError
from rca.history.fingerprint import Fingerprint, fingerprint
from rca.history.match import compare, rarity
from rca.model.report import Report
from rca.model.signals import Kind

names = st.sampled_from(["cart", "redis", "pay", "gate", "shop"])
weights = st.dictionaries(names, st.floats(0.05, 1.0), max_size=4)
sorts = st.dictionaries(
    st.sampled_from(["latency:up", "errors:up", "log", "cpu:up"]), st.floats(0.05, 1), max_size=3
)
prints = st.builds(
    Fingerprint,
    cause=st.one_of(st.just(""), names),
    profiles=st.dictionaries(names, sorts, max_size=3),
    hit=weights,
    words=st.frozensets(st.sampled_from(["pool", "timeout", "refused", "oom", "retry"])),
)


@given(prints, prints)
def test_likeness_is_symmetric_and_between_0_and_1(one: Fingerprint, other: Fingerprint) -> None:
    rarities = rarity([one, other])
    there, back = compare(one, other, rarities), compare(other, one, rarities)
    assert there.score == back.score
    assert 0 <= there.score <= 1


@given(prints)
def test_an_incident_is_like_itself_unless_nothing_is_known_of_it(one: Fingerprint) -> None:
    known = one.cause or one.hit or one.words or any(one.profiles.values())
    assert compare(one, one, rarity([one])).score == (1.0 if known else 0.0)


@given(prints)
def test_a_fingerprint_survives_its_document(one: Fingerprint) -> None:
    assert Fingerprint.from_document(one.to_document()) == one


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"format": 99},
        {"format": 1, "cause": "x"},
        {"format": 1, "cause": "x", "profiles": {}, "hit": {"a": -1}, "words": []},
        {"format": 1, "cause": "x", "profiles": {"a": {"log": "nan"}}, "hit": {}, "words": []},
        {"format": 1, "cause": "x", "profiles": [], "hit": {}, "words": []},
    ],
)
def test_what_is_not_a_fingerprint_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(StoreError):
        Fingerprint.from_document(broken)


def test_the_same_failure_elsewhere_is_likelier_than_another_failure_here(
    make_report: Callable[..., Report],
) -> None:
    now = fingerprint(make_report())
    elsewhere = fingerprint(make_report(cause="stock", hit=("shop", "gateway")))
    another = fingerprint(make_report(kinds=(Kind.CPU,), log="garbage collector paused", hit=("search",)))
    rarities = rarity([elsewhere, another])
    assert compare(now, elsewhere, rarities).score > compare(now, another, rarities).score


def test_the_reasons_say_what_matched(make_report: Callable[..., Report]) -> None:
    one = fingerprint(make_report())
    reasons = "; ".join(compare(one, one, rarity([one])).why)
    assert "the same service, cart" in reasons
    assert "errors up, latency up" in reasons
    assert "3 of the same services hit: cart, checkout, gateway" in reasons
    assert "pool" in reasons


def test_a_rare_word_says_more_than_a_common_one() -> None:
    prints_ = [Fingerprint("", {}, {}, frozenset({"timeout", *more})) for more in ({"oom"}, set(), set())]
    rarities = rarity(prints_)
    assert rarities["oom"] > rarities["timeout"]


def test_a_confirmed_cause_brings_its_own_way_of_failing(make_report: Callable[..., Report]) -> None:
    report = make_report()
    assert fingerprint(report).failure == {"latency:up": 0.8, "errors:up": 0.8, "log": 0.6}
    assert fingerprint(report, cause="checkout").failure == {}
    assert fingerprint(report, cause="checkout").hit["checkout"] == 1.0


def test_a_series_that_fell_silent_is_told_from_one_that_moved(make_report: Callable[..., Report]) -> None:
    report = make_report(kinds=(Kind.TRAFFIC,))
    line = report.evidence[0]
    for change, sort in (
        ({"observed": None}, "traffic:gone"),
        ({"observed": 0.2}, "traffic:down"),
        ({"observed": 1.0}, "traffic"),
        ({"baseline": None}, "traffic"),
        ({"signal": None}, "metric"),
    ):
        changed = replace(report, evidence=(replace(line, **change),))
        assert list(fingerprint(changed).failure) == [sort]


def test_an_abstaining_report_blames_nobody(make_report: Callable[..., Report]) -> None:
    assert fingerprint(make_report(abstained=True)).cause == ""
