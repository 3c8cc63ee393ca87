"""Changes that time and place alone speak for, held against what is evident beside them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from rca.changes.facts import Anomaly, Facts, NewLines
from rca.changes.weigh import weigh_changes
from rca.model.incident import Commit, Event, EventKind
from rca.model.report import Trigger
from rca.model.signals import Kind
from topology import Edge, ServiceGraph

SWITCH = "@@ -3 +3 @@\n-{name} = false\n+{name} = true\n"
EXPIRED = "x509: certificate has expired"


class MakeFacts(Protocol):
    def __call__(self, *logs: str, metrics: tuple[str, ...] = ..., **more: object) -> Facts: ...


class MakeCommit(Protocol):
    def __call__(self, sha: str, diff: str | None, minutes: float, path: str = ...) -> Commit: ...


class MakeDeploy(Protocol):
    def __call__(self, sha: str, minutes: float, service: str = ...) -> Event: ...


def flag(name: str, at: datetime, service: str = "alpha") -> Event:
    return Event(at, EventKind.CONFIG, service, f"flag {name} off->on", {"flag": name})


def rose(service: str, metric: str, kind: Kind, at: float, ratio: float, peer: str = "") -> Anomaly:
    """A step upwards of a series."""
    return Anomaly(
        service, metric, kind, up=True, at=at, began=at, ramp=False, strength=50.0, ratio=ratio, peer=peer
    )


def scored(triggers: Sequence[Trigger], kind: str) -> float:
    return next(trigger.score for trigger in triggers if trigger.kind == kind)


def test_a_switch_that_nothing_ties_to_what_is_seen_is_not_named_for_being_near(
    make_facts: MakeFacts, onset: datetime
) -> None:
    facts = make_facts("handler failed")
    near, in_the_step, tied = (
        weigh_changes(facts, [flag("x", onset - timedelta(minutes=2))], []),
        weigh_changes(facts, [flag("x", onset)], []),
        weigh_changes(make_facts("fancy ranker failed"), [flag("fancy_ranker", onset - timedelta(minutes=2))], []),
    )
    assert (near[0].kind, in_the_step[0].kind, tied[0].kind) == ("unknown", "config", "config")


def test_a_switch_of_how_something_looks_counts_for_less(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy, onset: datetime
) -> None:
    facts = make_facts("handler failed")
    scores = []
    for name in ("new_engine", "autumn_banner"):
        commits = [make_commit("a", SWITCH.format(name=name), 9, "config/flags.toml")]
        by_content = weigh_changes(facts, [make_deploy("a", 1)], commits)
        by_name = weigh_changes(facts, [flag(name, onset)], [])
        scores.append((scored(by_content, "deploy"), scored(by_name, "config")))
    assert all(engine > banner + 0.1 for engine, banner in zip(*scores, strict=True))


def test_what_is_evident_explains_a_coincidence_away_but_not_what_is_tied_to_it(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    certificate = "@@ -3 +3 @@\n-cert_file: /etc/tls/new.pem\n+cert_file: /etc/tls/old.pem\n"
    told = "nothing ties it to what is evident (it looks like"
    for diff, tied in ((SWITCH.format(name="engine"), False), (certificate, True)):
        commits = [make_commit("a", diff, 9, "config/app.yaml")]
        triggers = weigh_changes(make_facts(EXPIRED), [make_deploy("a", 1)], commits)
        (change,) = (trigger for trigger in triggers if trigger.commit)
        assert any(told in reason for reason in change.reasons) is not tied


@pytest.mark.parametrize(("cpu", "kind"), [(1.0, "network"), (6.0, "unknown")])
def test_a_caller_that_is_busy_itself_says_nothing_of_the_way(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime, cpu: float, kind: str
) -> None:
    at = onset.timestamp()
    waits = rose("alpha", "client_latency", Kind.LATENCY, at, 8.0, "store")
    busy = rose("alpha", "cpu", Kind.CPU, at, cpu)
    facts = replace(make_facts("handler slow"), anomalies=(waits, busy))
    assert weigh_changes(facts, [make_deploy("", 60, "beta")], [])[0].kind == kind


def test_a_surge_elsewhere_does_not_explain_what_it_cannot_reach(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    at = onset.timestamp() - 60
    for service, kind in (("edge", "traffic"), ("beta", "unknown")):
        more = tuple(rose(service, metric, Kind.TRAFFIC, at, 4.0) for metric in ("rps", "bytes"))
        facts = make_facts("handler failed")
        facts = replace(facts, anomalies=(*more, *facts.anomalies))
        assert weigh_changes(facts, [make_deploy("", 60, "beta")], [])[0].kind == kind


def test_what_is_asked_more_often_while_no_more_comes_in_is_no_surge(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    more = rose("alpha", "rps", Kind.TRAFFIC, onset.timestamp() - 60, 4.0)
    facts = make_facts("queue full")
    facts = replace(facts, anomalies=(more, *facts.anomalies))
    for steady, kind in ((frozenset({"alpha"}), "traffic"), (frozenset({"edge"}), "unknown")):
        changes = [make_deploy("", 60, "beta")]
        assert weigh_changes(replace(facts, steady=steady), changes, [])[0].kind == kind


def test_warnings_of_what_follows_take_nothing_from_errors_of_a_third_party(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    texts = (("POST https://api.pay.example.com/x: 503 Service Unavailable", 1.0), ("payout parked", 0.4))
    lines = tuple(NewLines("alpha", text, level, onset.timestamp(), 20.0) for text, level in texts)
    facts = replace(make_facts("x"), lines=lines)
    assert weigh_changes(facts, [make_deploy("", 60, "beta")], [])[0].kind == "external"


def test_a_name_that_a_change_brought_counts_in_whatever_form_the_errors_write_it(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    diff = "@@ -1,3 +1,3 @@\n switch code {{\n-case codes.Unavailable:\n+case codes.Unavailable, codes.{name}:\n"
    for name, first in (("ResourceExhausted", "a" * 40), ("Aborted", None)):
        commits = [make_commit("a", diff.format(name=name), 9)]
        triggers = weigh_changes(make_facts("attempt 5: RESOURCE_EXHAUSTED"), [make_deploy("a", 1)], commits)
        assert triggers[0].commit == first


def test_what_others_fail_at_does_not_explain_one_who_does_not(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    at = onset.timestamp()
    graph = ServiceGraph(edges=[Edge("beta", "store"), Edge("gamma", "store"), Edge("alpha", "store")])
    fails = [
        rose(service, "client_errors", Kind.ERRORS, at, 4.0, "store") for service in ("beta", "gamma", "alpha")
    ]
    for count, kind in ((3, "dependency"), (2, "unknown")):
        facts = replace(make_facts("handler failed"), graph=graph, anomalies=tuple(fails[:count]))
        assert weigh_changes(facts, [make_deploy("", 60, "beta")], [])[0].kind == kind


def test_a_failure_outside_is_known_though_the_graph_knows_the_host(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    text = "POST https://api.stripe.com/v1/charges: 503 Service Unavailable"
    line = NewLines("alpha", text, 1.0, onset.timestamp(), 20.0, "api.stripe.com")
    facts = replace(make_facts("x"), lines=(line,))
    assert weigh_changes(facts, [make_deploy("", 60, "beta")], [])[0].kind == "external"


def test_what_comes_in_is_not_a_service_s_own_doing(make_facts: MakeFacts, onset: datetime) -> None:
    began = onset.timestamp() - 360
    facts = make_facts("handler failed")
    more = rose("alpha", "rps", Kind.TRAFFIC, began, 1.1)
    facts = replace(facts, anomalies=(more, *facts.anomalies))
    event = Event(onset - timedelta(minutes=7), EventKind.DEPLOY, "alpha", "v2", {})
    triggers = weigh_changes(facts, [event], [])
    assert any("nothing departs when it happens" in reason for trigger in triggers for reason in trigger.reasons)


def test_a_text_that_a_change_brought_counts_though_no_graph_leads_there(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    diff = '@@ -2 +2,2 @@\n \tSettled State = "SETTLED"\n+\tPartial State = "PARTIALLY_SETTLED"\n'
    for said, first in (('unknown value "PARTIALLY_SETTLED"', "a" * 40), ("unknown value", None)):
        triggers = weigh_changes(
            make_facts(said), [make_deploy("a", 1, "beta")], [make_commit("a", diff, 9, "services/beta/states.go")]
        )
        assert triggers[0].commit == first


def test_the_digits_of_a_number_are_no_name(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    diff = "@@ -1 +1 @@\n-    limit = 1_000_000\n+    limit = 1_500_000\n"
    triggers = weigh_changes(
        make_facts("took 2_000_000 steps"), [make_deploy("a", 1)], [make_commit("a", diff, 9)]
    )
    assert not any("the errors name" in reason for trigger in triggers for reason in trigger.reasons)


def test_symptoms_of_services_that_a_change_cannot_reach_count_for_less(
    make_facts: MakeFacts, make_commit: MakeCommit, make_deploy: MakeDeploy
) -> None:
    facts = make_facts("pool exhausted: no free connection", metrics=("saturation",))
    diff = "@@ -1 +1 @@\n-max_pool_size: 50\n+max_pool_size: 5\n"
    fits = []
    for service in ("alpha", "beta"):
        events = [make_deploy("a", 1, service)]
        (found,) = (t for t in weigh_changes(facts, events, [make_commit("a", diff, 9, "x.yaml")]) if t.commit)
        fits.append(next(float(r.split()[0]) for r in found.reasons if "pool size" in r))
    assert fits[0] > fits[1] > 0


def test_what_one_service_says_from_the_first_counts_among_the_noise_of_the_others(
    make_facts: MakeFacts, make_deploy: MakeDeploy, onset: datetime
) -> None:
    facts = make_facts("query timeout")
    for late, kind in ((0.0, "storage"), (600.0, "unknown")):
        said = NewLines("store", "checkpoint sync took 48 s", 0.4, onset.timestamp() + late, 2.0)
        triggers = weigh_changes(replace(facts, lines=(*facts.lines, said)), [make_deploy("", 60, "beta")], [])
        assert triggers[0].kind == kind


def test_words_of_a_service_s_name_are_none_in_common(make_facts: MakeFacts, onset: datetime) -> None:
    event = flag("alphabet_order", onset - timedelta(minutes=2))
    facts = make_facts("alphabet is not loaded")
    assert weigh_changes(facts, [event], [])[0].kind == "config"
    named = replace(facts, services=(*facts.services, "alphabetservice"))
    assert weigh_changes(named, [event], [])[0].kind == "unknown"
