"""What isn't a report obeys `--format` and `-o` as reports do."""

import json
from pathlib import Path

import pytest

from rca.cli.doctor import _document, _lines, _result
from rca.sources.base import Check
from tests.command import Invoke

GRAPH = "services:\n  web: {calls: [api]}\n  api: {calls: [web]}\n"
COMMANDS = [
    ("incidents", "list"),
    ("incidents", "search", "redis"),
    ("incidents", "show", "incident"),
    ("config", "show"),
    ("topology", "validate", "graph.yaml"),
    ("doctor", "--es-url", "http://127.0.0.1:1"),
]


@pytest.fixture
def ready(invoke: Invoke, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """With an incident kept, in a folder with a graph."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.yaml").write_text(GRAPH)
    assert invoke("incidents", "add", bundle).code == 0
    return invoke


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_gets_what_standard_output_would(ready: Invoke, words: tuple[str, ...]) -> None:
    for name, read in (("x.json", json.loads), ("x.txt", str)):
        said = ready(*words, "-o", name)
        assert said.out == ""
        assert f"written: {name}" in said.err
        wanted = ready(*words, "--format", {"x.json": "json", "x.txt": "terminal"}[name]).out
        assert read(Path(name).read_text(encoding="utf-8")) == read(wanted)


@pytest.mark.parametrize("words", [*COMMANDS, ("topology", "show", "graph.yaml")], ids=" ".join)
def test_a_format_that_there_is_not_is_refused(ready: Invoke, words: tuple[str, ...]) -> None:
    for option in (("--format", "html"), ("-o", "x.html")):
        said = ready(*words, *option)
        assert said.code == 2
        assert "has no format" in said.err
    assert not Path("x.html").exists()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_format_for_reports_in_the_environment_hinders_no_other_command(
    ready: Invoke, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ready(*words)
    monkeypatch.setenv("RCA_FORMAT", "html")
    assert (ready(*words).code, ready(*words).out) == (plain.code, plain.out)


def test_a_tree_can_be_written_to_a_file(ready: Invoke) -> None:
    assert ready("topology", "show", "graph.yaml", "-o", "tree.txt").code == 0
    assert "web" in Path("tree.txt").read_text(encoding="utf-8")


def test_the_doctor_names_the_source_that_is_not_configured(ready: Invoke) -> None:
    assert "prometheus: address: none is configured" in ready("doctor", "--es-url", "http://127.0.0.1:1").out
    assert "elasticsearch: address: none" in ready("doctor", "--prometheus-url", "http://127.0.0.1:1").out


def test_the_doctor_tells_all_when_asked_to_say_more() -> None:
    checks = [
        Check("prometheus", "other packs", None, "1 doesn't apply: istio", more=("istio: no istio_requests",))
    ]
    assert _lines(checks, verbose=False).endswith("\n        why: --verbose")
    assert _lines(checks, verbose=True).endswith("\n        istio: no istio_requests")
    assert _document(checks[0])["facts"] == ["istio: no istio_requests"]


@pytest.mark.parametrize(
    ("checks", "result"),
    [
        ([Check("a", "b", ok=True, detail="")], "all is well"),
        (
            [Check("a", "b", ok=True, detail=""), Check("a", "c", None, "0 documents", "look")],
            "look at the 1 marked",
        ),
        ([Check("a", "b", ok=False, detail="", hint="mend"), Check("a", "c", None, "")], "1 of 2 checks failed"),
    ],
)
def test_all_is_well_only_where_no_note_asks_for_anything(checks: list[Check], result: str) -> None:
    assert result in _result(checks)
