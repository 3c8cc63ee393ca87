"""Whole made-up incidents, each set written before the rules were touched again (docs/changes.md)."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from rca.analyze import analyze
from rca.bundle import read_bundle
from rca.model.report import ToolInfo, Trigger
from tests.scenarios.made_up import Scenario, read_scenarios, write_scenario

SETS = ("fourth", "fifth", "sixth", "seventh", "eighth")
OPEN = {
    "header-too-large": "nothing links the service whose tokens grew to the edge that refuses them",
    "hot-partition": "nothing links the publisher to who reads from its topic",
}


def _param(scenario: Scenario) -> ParameterSet:
    why = OPEN.get(scenario.name)
    marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
    return pytest.param(scenario, id=scenario.name, marks=marks)


def first_trigger(scenario: Scenario, folder: Path) -> Trigger:
    return analyze(read_bundle(write_scenario(scenario, folder)), tool=ToolInfo("test", "0")).triggers[0]


@pytest.mark.parametrize("scenario", [_param(one) for name in SETS for one in read_scenarios(name)])
def test_the_guilty_change_is_named_and_no_innocent_one(scenario: Scenario, tmp_path: Path) -> None:
    first = first_trigger(scenario, tmp_path)
    assert (first.commit if first.is_change else None) == (scenario.guilty or None)


def test_a_scenario_is_the_same_every_time(tmp_path: Path) -> None:
    scenario = read_scenarios("fourth")[0]
    made = [write_scenario(scenario, tmp_path / name) for name in ("a", "b")]
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in made]
    assert files[0] == files[1]
