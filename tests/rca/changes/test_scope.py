from dataclasses import replace
from typing import Protocol

from rca.changes.facts import Facts
from rca.changes.scope import scope


class MakeFacts(Protocol):
    def __call__(self, *logs: str, **more: object) -> Facts: ...


def test_the_nearer_to_the_first_failure_the_more_a_change_counts(make_facts: MakeFacts) -> None:
    facts = replace(make_facts("x"), shares={})
    scores = [scope(name, facts)[0] for name in ("alpha", "edge", "store", "beta", "elsewhere")]
    assert scores == sorted(scores, reverse=True)
    assert scope("", facts)[0] == scope("elsewhere", facts)[0]


def test_a_suspect_is_lifted_wherever_it_stands(make_facts: MakeFacts) -> None:
    facts = make_facts("x")
    suspected = replace(facts, shares={"beta": 0.9})
    assert scope("beta", suspected)[0] > scope("beta", facts)[0]
    assert "a suspect itself" in scope("beta", suspected)[1]


def test_without_a_first_failure_no_place_is_better_than_another(make_facts: MakeFacts) -> None:
    assert scope("alpha", make_facts("x", first_failing=""))[0] == 0.0


def test_a_change_of_a_service_that_is_hit_beside_it_counts_more_than_one_of_a_healthy_one(
    make_facts: MakeFacts,
) -> None:
    facts = make_facts("x", shares={})
    hit = replace(facts, lines=(*facts.lines, replace(facts.lines[0], service="beta")))
    assert scope("beta", hit)[0] > scope("beta", facts)[0]


def test_a_service_that_the_first_failure_names_is_one_on_which_it_depends(make_facts: MakeFacts) -> None:
    facts = make_facts("connection to report-db:5432 timed out", shares={})
    named, why = scope("report-db", facts)
    assert named > scope("report", facts)[0]
    assert why == "on report-db, which the errors of alpha name"
    calm = replace(facts, lines=tuple(replace(line, level=0.0) for line in facts.lines))
    assert scope("report-db", calm)[0] == scope("report", facts)[0]
    accused = replace(facts, lines=(replace(facts.lines[0], text="timed out", accused="ledger"),))
    assert scope("ledger", accused)[0] == named
