import json
from pathlib import Path

import pytest

from tests.command import Invoke


def test_a_recorded_incident_replays_to_its_report(invoke: Invoke, bundle: Path) -> None:
    outcome = invoke("replay", bundle)
    assert outcome.code == 0
    assert "redis" in outcome.out.splitlines()[0]
    assert outcome.err == ""


def test_the_same_bundle_gives_the_same_bytes(invoke: Invoke, bundle: Path) -> None:
    for name in ("terminal", "markdown", "json", "html"):
        first, second = (invoke("replay", bundle, "--format", name).out for _ in range(2))
        assert first == second
        assert first


def test_json_goes_to_standard_output_alone(invoke: Invoke, bundle: Path) -> None:
    outcome = invoke("replay", bundle, "--format", "json", "--verbose")
    report = json.loads(outcome.out)
    assert report["schema_version"] == 1
    assert report["suspects"][0]["service"] == "redis"
    assert {suspect["service"] for suspect in report["suspects"]} == {"cart", "checkout", "gateway", "redis"}


@pytest.mark.parametrize(("name", "start"), [("r.md", "#"), ("r.json", "{"), ("r.html", "<!doctype html>")])
def test_the_ending_of_the_output_decides_the_format(
    invoke: Invoke, bundle: Path, tmp_path: Path, name: str, start: str
) -> None:
    target = tmp_path / name
    outcome = invoke("replay", bundle, "-o", target)
    assert outcome.code == 0
    assert outcome.out == ""
    assert target.read_text(encoding="utf-8").lower().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == [], "no part is left"


@pytest.mark.parametrize(
    "arguments", [("--format", "pdf"), ("-o", "report.docx"), ("-o", "/nowhere/at/all/r.json")]
)
def test_a_result_that_cannot_be_written_is_refused(
    invoke: Invoke, bundle: Path, arguments: tuple[str, str]
) -> None:
    outcome = invoke("replay", bundle, *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "error:" in outcome.err
    assert "hint:" in outcome.err


def test_a_bad_bundle_is_refused_with_the_reason(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "torn.tar.gz"
    path.write_bytes(b"\x1f\x8b broken")
    outcome = invoke("replay", path)
    assert outcome.code == 5
    assert "torn.tar.gz" in outcome.err
    assert "Traceback" not in outcome.err
    assert "Traceback" in invoke("replay", path, "--verbose").err


def test_a_quiet_window_abstains_and_only_the_flag_makes_it_an_exit_code(
    invoke: Invoke, quiet_bundle: Path
) -> None:
    outcome = invoke("replay", quiet_bundle, "--format", "json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["verdict"]["abstained"]
    assert invoke("replay", quiet_bundle, "--exit-code").code == 10


def test_a_verdict_exits_with_0_under_the_flag_too(invoke: Invoke, bundle: Path) -> None:
    assert invoke("replay", bundle, "--exit-code").code == 0
