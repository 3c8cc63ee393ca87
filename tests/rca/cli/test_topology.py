import json
from pathlib import Path

import pytest

from tests.command import Invoke

SHOP = """
services:
  gateway: {kind: gateway, owner: edge, calls: [checkout]}
  checkout: {kind: service, owner: shop, runbook: "https://runbooks.example/checkout", calls: [cart]}
  cart: {kind: service, owner: shop, calls: [redis]}
  redis: {kind: cache, owner: data}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def test_the_graph_of_a_file_is_shown_as_a_tree(invoke: Invoke, shop: Path) -> None:
    lines = invoke("topology", "show", shop).out.splitlines()
    assert [line.strip(" └─├│").split()[0] for line in lines if line.strip()][:4] == [
        "gateway",
        "checkout",
        "cart",
        "redis",
    ]


def test_the_tree_can_begin_at_one_service(invoke: Invoke, shop: Path) -> None:
    assert invoke("topology", "show", shop, "--service", "cart").out.startswith("cart")
    outcome = invoke("topology", "show", shop, "--service", "carts")
    assert outcome.code == 2
    assert "carts" in outcome.err


def test_the_graph_of_a_bundle_is_shown_too(invoke: Invoke, bundle: Path) -> None:
    assert "redis" in invoke("topology", "show", bundle).out


def test_the_configured_files_are_the_default(invoke: Invoke, shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f"[topology]\nfiles = ['{shop}']\n")
    assert "checkout" in invoke("topology", "show", "--config", path).out
    assert invoke("topology", "show").code == 2


@pytest.mark.parametrize(
    ("arguments", "sign"),
    [
        (("--to", "mermaid"), "flowchart"),
        (("--to", "dot"), "digraph"),
        (("--to", "graphml"), "<graphml"),
        ((), "flow"),
    ],
)
def test_a_graph_is_exported_for_other_tools(
    invoke: Invoke, shop: Path, arguments: tuple[str, ...], sign: str
) -> None:
    outcome = invoke("topology", "export", shop, *arguments)
    assert outcome.code == 0
    assert sign in outcome.out


def test_the_ending_decides_what_is_exported(invoke: Invoke, shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "graph.json"
    assert invoke("topology", "export", shop, "-o", target).code == 0
    json.loads(target.read_text())
    assert invoke("topology", "export", shop, "--to", "visio").code == 2


def test_an_ending_that_promises_another_format_is_refused_with_those_that_are_known(
    invoke: Invoke, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "graph.png"
    for command in (("export", shop), ("discover", "--prometheus-url", "http://127.0.0.1:1")):
        outcome = invoke("topology", *command, "-o", target)
        assert outcome.code == 2
        assert "no export ends in '.png'" in outcome.err
        assert ".mmd, .md, .dot, .gv, .graphml, .json, .txt" in outcome.err
    assert not target.exists()
    assert invoke("topology", "export", shop, "-o", target, "--to", "dot").code == 0
    assert target.read_text().startswith("digraph")
    monkeypatch.setenv("RCA_FORMAT", "html")
    tree = tmp_path / "graph.TXT"
    assert invoke("topology", "export", shop, "-o", tree).code == 0
    assert "flowchart" not in tree.read_text()


def test_a_sound_graph_is_valid_and_a_broken_file_is_refused(invoke: Invoke, shop: Path, tmp_path: Path) -> None:
    assert invoke("topology", "validate", shop).code == 0
    path = tmp_path / "bad.yaml"
    path.write_text("services: {a: {kind: databse}}")
    outcome = invoke("topology", "validate", path)
    assert outcome.code == 2
    assert "bad.yaml" in outcome.err
    assert "Traceback" not in outcome.err


def test_findings_come_as_json_too(invoke: Invoke, bundle: Path) -> None:
    findings = json.loads(invoke("topology", "validate", bundle, "--format", "json").out)
    assert all({"severity", "code", "services", "text", "hint"} == set(finding) for finding in findings)


def test_discovering_without_a_source_says_what_to_do(invoke: Invoke) -> None:
    outcome = invoke("topology", "discover")
    assert outcome.code == 2
    assert "rca config init" in outcome.err
