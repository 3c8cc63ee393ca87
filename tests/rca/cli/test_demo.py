import json

from tests.command import Invoke


def test_the_demo_needs_no_server_and_names_the_cause_and_the_change(invoke: Invoke) -> None:
    outcome = invoke("demo")
    assert outcome.code == 0
    assert outcome.out.startswith("payment most likely caused it")
    assert "rca doctor" in outcome.err


def test_the_demo_comes_in_every_format(invoke: Invoke) -> None:
    report = json.loads(invoke("demo", "--format", "json", "--quiet").out)
    assert report["suspects"][0]["service"] == "payment"
    assert report["triggers"][0]["kind"] == "deploy"
    assert report["triggers"][0]["commit"] == "8fae93517e115fce25e74f22dab302e2ffddffcc"
    assert invoke("demo", "--format", "html", "--quiet").out.startswith("<!doctype html>")
