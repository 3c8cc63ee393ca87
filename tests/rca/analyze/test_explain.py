from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rca.analyze import parts
from rca.analyze.assess import AnalysisOptions, rank_bundle
from rca.analyze.compose import analyze
from rca.analyze.explain import Comparison, Difference, Explanation, _summary, explain, words
from rca.analyze.parts import Part
from rca.analyze.prepare import prepare
from rca.analyze.ranking import Ranked
from rca.errors import UsageError
from rca.model.incident import Bundle, Span, Symptom
from rca.model.logs import LogLine
from rca.model.report import Role, Suspect, ToolInfo
from rca.model.scores import CHANNELS, Channel
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning
from tests.rca.analyze.conftest import MakeBundle
from topology import Node, NodeKind, ServiceGraph

SERVICES = ("orders", "db")


def ranked_of(bundle: Bundle) -> Ranked:
    ranked, _ = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions())
    assert ranked is not None
    return ranked


def of(bundle: Bundle, service: str, tool: ToolInfo) -> Explanation:
    return explain(bundle, service, tool=tool)


@pytest.mark.parametrize("service", SERVICES)
def test_the_parts_add_up_to_the_score_of_the_report(checkout: Bundle, service: str, tool: ToolInfo) -> None:
    found = of(checkout, service, tool)
    suspect = next(s for s in analyze(checkout, tool=tool).suspects if s.service == service)
    assert found.suspect == suspect
    assert sum(part.counts for part in found.parts) == pytest.approx(suspect.score, abs=1e-5)
    assert [part.counts for part in found.parts] == sorted((part.counts for part in found.parts), reverse=True)


@pytest.mark.parametrize("service", SERVICES)
def test_the_differences_add_up_to_the_lead(checkout: Bundle, service: str, tool: ToolInfo) -> None:
    for other in of(checkout, service, tool).comparisons:
        assert sum(d.mine - d.theirs for d in other.differences) == pytest.approx(other.lead, abs=1e-9)


def test_the_first_is_compared_with_the_second_and_others_with_the_one_before_and_the_first(
    checkout: Bundle, tool: ToolInfo
) -> None:
    order = [suspect.service for suspect in analyze(checkout, tool=tool).suspects]
    for place, service in ((0, order[0]), (1, order[1]), (3, order[3])):
        others = [other.service for other in of(checkout, service, tool).comparisons]
        wanted = [order[1]] if place == 0 else list(dict.fromkeys([order[place - 1], order[0]]))
        assert others == wanted


def test_a_caller_is_told_which_callee_explains_it_and_what_it_would_be_without(
    checkout: Bundle, tool: ToolInfo
) -> None:
    found = of(checkout, "orders", tool)
    assert [(one.symptom, one.service) for one in found.explained_by] == [("slowness", "db")]
    assert [(one.symptom, one.service) for one in found.explains] == [("slowness", "web")]
    without = next(reason for reason in found.taken if "callee" in reason.why)
    assert without.score > found.suspect.score
    assert without.rank <= found.suspect.rank
    assert "its callee db explains" in found.summary
    assert next(part for part in found.parts if part.kind is Channel.LATENCY).taken > 0


def test_the_first_is_told_what_counts_most(checkout: Bundle, tool: ToolInfo) -> None:
    found = of(checkout, "db", tool)
    assert found.summary.startswith("db ranks first of 4 with a score of")
    assert "counts most" in found.summary
    assert found.explained_by == ()


def test_who_is_behind_is_told_what_the_first_one_has_and_not_what_it_has_itself() -> None:
    suspect = Suspect(2, "cart", 2.4, Role.BYSTANDER)
    differences = (Difference(Channel.LOG_FAILURE, 2.2, 0.8), Difference(Channel.LOG_SLOWNESS, 0.1, 1.6))
    other = Comparison("payment", 1, 2.5, -0.1, differences, ())
    part = Part(Channel.LOG_FAILURE, 2.0, 2.0, 0.0, 2.2)
    assert _summary(suspect, 9, (part,), (), (other,)) == (
        "cart ranks second of 9, 0.1 behind payment: slowness in its logs counts 1.6 for payment and 0.1 for cart."
    )


def test_a_service_with_nothing_to_show_is_told_so(checkout: Bundle, tool: ToolInfo) -> None:
    assert checkout.metrics is not None
    values = checkout.metrics.values.copy()
    quiet = [i for i, key in enumerate(checkout.metrics.keys) if key.service == "mail"]
    values[:, quiet] = 1.0
    still = replace(checkout, metrics=replace(checkout.metrics, values=values))
    assert of(still, "mail", tool).summary == "mail ranks number 4 of 4: nothing of it departs from its baseline."


def changed(ranked: Ranked, flip: parts.Flip) -> float:
    """The score of a flip's service with the flip made, by the formula, not by the code under test."""
    tuning, i, k = Tuning(), ranked.structure.services.index(flip.service), CHANNELS.index(flip.kind)
    kept, weights = ranked.services.kept[:, i].copy(), ranked.mixed.weights
    now, needed = np.log1p(flip.sigmas), np.log1p(flip.needed)
    if needed < now:
        kept[:, k] *= needed / now
    else:
        worth = weights @ kept[:, k] / now if now > 1e-6 else tuning.weights[flip.kind]
        kept[:, k] += worth * (needed - now)
    best = kept.max(axis=1)
    return float(weights @ (best + tuning.rest * (kept.sum(axis=1) - best)) * ranked.structure.factor[i])


@pytest.mark.parametrize("service", SERVICES)
def test_a_flip_made_puts_the_two_level(checkout: Bundle, service: str, tool: ToolInfo) -> None:
    ranked = ranked_of(checkout)
    made = 0
    for other in of(checkout, service, tool).comparisons:
        sizes = [flip.size for flip in other.flips]
        assert sizes == sorted(sizes)
        for flip in other.flips:
            target = service if flip.service == other.service else other.service
            score = float(ranked.mixed.score[ranked.structure.services.index(target)])
            assert changed(ranked, flip) == pytest.approx(score, rel=1e-6)
            made += 1
    assert made


def test_each_source_that_the_bundle_has_is_left_out_once(checkout: Bundle, tool: ToolInfo) -> None:
    at = checkout.window.span.start
    rich = replace(
        checkout,
        logs=tuple(LogLine(at + timedelta(minutes=m), "db", "INFO", "checkpoint done") for m in range(60)),
        spans=(
            Span("t", "1", None, "web", "GET /", at, 5.0),
            Span("t", "2", "1", "orders", "POST /", at, 4.0),
        ),
        symptom=Symptom("web", "latency_p99_ms"),
    )
    found = of(rich, "db", tool)
    assert [one.without for one in found.ablations] == [
        "logs",
        "metrics",
        "traces",
        "the graph",
        "the alert",
        "the given onset",
    ]
    assert all(one.rank is not None for one in found.ablations)
    assert [one.without for one in of(checkout, "db", tool).ablations] == [
        "metrics",
        "the graph",
        "the given onset",
    ]


def test_an_ablation_is_the_analysis_of_the_lesser_bundle(checkout: Bundle, tool: ToolInfo) -> None:
    ablations = of(checkout, "orders", tool).ablations
    found = next(one for one in ablations if one.without == "the graph")
    report = analyze(replace(checkout, graph=ServiceGraph()), tool=tool)
    suspect = next(s for s in report.suspects if s.service == "orders")
    assert (found.first, found.rank, found.score) == (report.suspects[0].service, suspect.rank, suspect.score)
    assert found.abstained == report.verdict.abstained
    gone = next(one for one in ablations if one.without == "metrics")
    assert (gone.rank, gone.score) == (None, 0.0)


def test_the_rank_over_the_onset_names_the_likeliest_once(checkout: Bundle, tool: ToolInfo) -> None:
    found = of(checkout, "db", tool)
    likeliest = [one for one in found.moments if one.likeliest]
    assert [one.at for one in likeliest] == [found.report.onset.at]
    assert 0.5 < sum(one.weight for one in found.moments) <= 1.0 + 1e-9
    assert all(one.first == "db" for one in found.moments if one.rank == 1)
    assert [one.at for one in found.moments] == sorted(one.at for one in found.moments)


def test_a_leaf_an_entry_and_an_outsider_are_told_what_that_costs_them(checkout: Bundle, tool: ToolInfo) -> None:
    outside = replace(checkout, graph=ServiceGraph([Node("db", NodeKind.EXTERNAL)], checkout.graph.edges()))
    found = of(outside, "db", tool)
    assert found.factor == Tuning().external
    assert any("outside the system" in reason.why for reason in found.taken)
    assert any("nobody calls it" in reason.why for reason in of(checkout, "web", tool).taken)
    cache = replace(checkout, graph=ServiceGraph([Node("db", NodeKind.CACHE)], checkout.graph.edges()))
    latency = next(part for part in of(cache, "db", tool).parts if part.kind is Channel.LATENCY)
    assert latency.weight == Tuning().leaf_latency


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ordes", "Did you mean orders"), ("ail", "mail"), ("zzzz", "It knows db, mail, orders, web.")],
)
def test_an_unknown_service_is_refused_with_close_names(
    checkout: Bundle, name: str, hint: str, tool: ToolInfo
) -> None:
    with pytest.raises(UsageError, match=f"nothing of a service '{name}'") as refused:
        of(checkout, name, tool)
    assert hint in refused.value.hint


def test_another_case_is_understood(checkout: Bundle, tool: ToolInfo) -> None:
    assert of(checkout, "DB", tool).suspect.service == "db"


def test_an_empty_bundle_knows_no_service(checkout: Bundle, tool: ToolInfo) -> None:
    with pytest.raises(UsageError) as refused:
        of(replace(checkout, metrics=None, graph=ServiceGraph()), "db", tool)
    assert "no service at all" in refused.value.hint


def test_a_window_too_short_to_rank_is_said_so(make_bundle: Callable[..., Bundle], tool: ToolInfo) -> None:
    found = of(make_bundle({"a|cpu_usage": [1.0], "b|cpu_usage": [1.0]}), "a", tool)
    assert "Nothing could be ranked" in found.summary
    assert (*found.parts, *found.comparisons, *found.moments) == ()


def test_every_kind_of_evidence_has_words() -> None:
    assert len({words(kind) for kind in Channel}) == len(Channel)


def test_nothing_is_taken_where_no_constant_takes_anything(make_bundle: MakeBundle) -> None:
    """Centres of slow stars are callees of one themselves, so that what is scored twice would count twice."""
    centres = ("one", "two", "three")
    leaves = [(centre, f"{centre}-{i}") for centre in centres for i in range(3)]
    slow = np.where(np.arange(60) >= 45, 100.0, 0.0)
    noise = np.random.default_rng(1)
    columns = {
        f"{name}|net_in_p50_ms": 5 + 0.1 * noise.standard_normal(60) + slow * name.startswith(("one-", "two-"))
        for name in ("web", *centres, *(leaf for _, leaf in leaves))
    }
    neutral = replace(Tuning(), explain=0.0, off_alert=1.0, entry=1.0, least_traffic=1.0, hearsay=1.0)
    bundle = make_bundle(columns, [*(("web", centre) for centre in centres), *leaves])
    ranked, _ = rank_bundle(bundle, prepare(bundle, RowTuning()), AnalysisOptions(tuning=neutral))
    assert ranked is not None
    assert [parts.taken(ranked, i, neutral) for i in range(len(ranked.structure.services))] == [()] * 13
