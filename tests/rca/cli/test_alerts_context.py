import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rca.bundle import read_bundle, write_bundle
from rca.model.incident import Symptom
from tests.command import Invoke

FIRED = datetime(2026, 11, 22, 2, 52, tzinfo=UTC)


def test_a_report_that_began_with_an_alert_tells_it_by_the_finding(
    invoke: Invoke, bundle: Path, tmp_path: Path
) -> None:
    alerted = tmp_path / "alerted.zip"
    write_bundle(replace(read_bundle(bundle), symptom=Symptom("checkout", "HighLatency", FIRED)), alerted)
    told = json.loads(invoke("replay", alerted, "--format", "json").out)["alert_context"]
    assert told.startswith("HighLatency of checkout: goes with trouble in redis, two hops down (")


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_every_format_tells_the_alert_by_the_finding(
    invoke: Invoke, bundle: Path, tmp_path: Path, name: str
) -> None:
    alerted = tmp_path / "alerted.zip"
    write_bundle(replace(read_bundle(bundle), symptom=Symptom("checkout", "HighLatency", FIRED)), alerted)
    words = " ".join(invoke("replay", alerted, "--format", name).out.split())
    assert "HighLatency of checkout: goes with trouble in redis, two hops down (" in words
    assert "The alert" not in invoke("replay", bundle, "--format", name).out


def test_a_report_that_began_with_none_says_nothing_of_it(invoke: Invoke, bundle: Path) -> None:
    assert json.loads(invoke("replay", bundle, "--format", "json").out)["alert_context"] is None
