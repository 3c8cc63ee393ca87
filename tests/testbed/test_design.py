"""The faults are what they are said to be: enough of them, each with a plan that can be carried out."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.testbed.changes import Change, Edit, Repository
from tests.testbed.decoys import DECOYS
from tests.testbed.design import Design, draw
from tests.testbed.faults import all_faults
from tests.testbed.layout import EDGES, SERVICES, STORES, THIRD_PARTY, callers_of, free_ports
from tests.testbed.record import every_design, write_label
from tests.testbed.run import Outcome

ADDRESSES = {name: f"http://127.0.0.1:{port}" for port, name in enumerate([*SERVICES, THIRD_PARTY], 12_000)}
VALUES = ADDRESSES | {"redis": "6379", "certificate": "payment.pem"}
DESIGNS = every_design()


def steps(design: Design) -> list[Change]:
    """The changes of a run in their order."""
    guilty = [(-design.fault.lead, design.guilty)] if design.guilty else []
    return [change for _, change in sorted([*design.decoys, *guilty], key=lambda step: step[0])]


def test_there_are_at_least_eighteen_kinds_of_fault_and_four_quiet_runs() -> None:
    faults = all_faults().values()
    assert len({fault.kind for fault in faults if not fault.is_normal}) >= 18
    assert sum(fault.is_normal for fault in faults) == 4


def test_most_faults_that_a_service_can_have_strike_more_than_one() -> None:
    faults = [fault for fault in all_faults().values() if not fault.is_normal]
    single = [fault.name for fault in faults if len(fault.targets) == 1]
    assert len(single) < len(faults) / 2
    assert all(set(fault.changes) <= set(fault.targets) for fault in faults)


def test_a_fault_and_a_seed_make_the_same_plan_each_time_and_seeds_differ() -> None:
    for fault in all_faults().values():
        assert draw(fault, 3) == draw(fault, 3)
    assert len({draw(all_faults()["deploy-errors"], seed).decoys for seed in range(1, 9)}) > 4


def test_every_fault_strikes_at_what_is_there() -> None:
    links = {f"{caller}>{callee}" for caller, callee in EDGES}
    for design in DESIGNS:
        accepted = design.fault.accepted(design.target)
        assert set(accepted) <= {*SERVICES, *STORES, THIRD_PARTY, "node-a"}
        assert bool(accepted) is not design.fault.is_normal
        if ">" in design.target:
            assert design.target in links


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_every_change_of_a_run_applies_in_its_turn_and_leaves_code_that_compiles(
    design: Design, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "repository")
    repository.create(VALUES)
    wanted = steps(design)
    shas = [repository.commit(change) for change in wanted]
    history = repository.history()
    assert [commit["sha"] for commit in history] == shas
    assert all(commit["diff"] for commit in history)
    for path in (repository.folder / "shop").glob("*.py"):
        compile(path.read_text(), str(path), "exec")


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_no_innocent_change_restarts_what_was_broken(design: Design) -> None:
    restarts = [(at, change.service) for at, change in design.decoys if change.kind in {"deploy", "config"}]
    assert not [service for at, service in restarts if at > -5.0 and service in design.target]


def test_a_rerouted_service_is_so_from_its_first_commit_on(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.create(VALUES, {"checkout": {"inventory": "http://127.0.0.1:9"}})
    assert "http://127.0.0.1:9" in (repository.folder / "config/checkout.toml").read_text()
    repository.commit(DECOYS[0])
    (only,) = repository.history()
    assert only["files_changed"] == [edit.path for edit in DECOYS[0].edits]


def test_an_edit_whose_text_is_not_there_exactly_once_is_refused(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.create(VALUES)
    with pytest.raises(ValueError, match="0 times"):
        repository.commit(Change("cart", "deploy", "no", (Edit("shop/cart.py", "not there", "new"),)))
    with pytest.raises(ValueError, match="times"):
        repository.commit(Change("cart", "deploy", "no", (Edit("shop/cart.py", "cache", "new"),)))
    assert not repository.history()


def test_git_that_refuses_says_why(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.create(VALUES)
    with pytest.raises(RuntimeError, match="git commit failed"):
        repository.commit(Change("cart", "none", "nothing changed", ()))
    subprocess.run(["git", "status"], cwd=repository.folder, check=True, capture_output=True)  # noqa: S607 - anywhere


def test_a_label_names_the_cause_and_whom_it_hits_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    design = draw(all_faults()["deploy-errors"], 1)
    for sha in ("old", "new"):
        write_label(tmp_path / "labels.csv", Outcome(design, datetime.now(UTC), sha).label)
    head, *rows = (tmp_path / "labels.csv").read_text().splitlines()
    assert head.startswith("case,root_cause_service,root_cause_type,root_cause_change,first_failure,blast_radius")
    (row,) = rows
    assert row.startswith("deploy-errors-payment,payment,deploy_errors,new,payment,checkout;gateway,roll the")


def test_callers_are_found_through_the_whole_graph() -> None:
    assert callers_of("inventory") == ("checkout", "gateway")
    assert set(callers_of("redis")) >= {"catalogue", "cart", "storefront", "recommendation", "gateway"}
    assert callers_of("gateway") == ()


def test_ports_are_free_and_none_is_given_twice() -> None:
    ports = free_ports(map(str, range(60)))
    assert len(set(ports.values())) == 60
