import json
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology import Edge, Node, NodeKind, Provenance, ServiceGraph
from topology.declared import MAX_BYTES, TopologyError, load_topology, parse_topology

FRIENDLY = """
services:
  checkout:
    kind: service
    owner: team-pay
    runbook: https://wiki.example/checkout
    host: node-3
    labels: {tier: 1, since: 2024-01-02, regions: [eu, us], more: {a: 1.5}}
    calls:
      - payments
      - {to: orders-db, weight: 12.5}
  orders-db: {kind: database}
  payments: [orders-db]
  idle:
"""
HERE = (Provenance("declared", "deps.yaml"),)


def refusal(text: str, form: Literal["yaml", "json"] = "yaml") -> TopologyError:
    with pytest.raises(TopologyError) as caught:
        parse_topology(text, name=f"deps.{form}", format=form)
    return caught.value


def test_the_friendly_form_gives_kinds_owners_links_and_calls() -> None:
    graph = parse_topology(FRIENDLY, name="deps.yaml")
    assert graph.node("checkout") == Node(
        "checkout", NodeKind.SERVICE, "team-pay", "https://wiki.example/checkout", "node-3", provenance=HERE
    )
    assert graph.node("orders-db").kind is NodeKind.DATABASE
    assert "idle" in graph
    assert list(graph.edges()) == [
        Edge("checkout", "orders-db", 12.5, None, HERE),
        Edge("checkout", "payments", 1.0, None, HERE),
        Edge("payments", "orders-db", 1.0, None, HERE),
    ]


def test_labels_become_what_json_can_hold() -> None:
    labels = parse_topology(FRIENDLY).node("checkout").labels
    assert labels == {"tier": 1, "since": "2024-01-02", "regions": ["eu", "us"], "more": {"a": 1.5}}
    assert json.loads(json.dumps(labels)) == labels


def test_services_may_be_a_list_with_names() -> None:
    graph = parse_topology("services: [{name: a, kind: Gateway, calls: [b]}, {name: c}]")
    assert graph.node("a").kind is NodeKind.GATEWAY
    assert [node.name for node in graph.nodes()] == ["a", "b", "c"]


def test_anchors_and_merge_keys_work() -> None:
    graph = parse_topology("""
services:
  a: &team {owner: t1, kind: service}
  b: {<<: *team, kind: cache}
""")
    assert (graph.node("b").owner, graph.node("b").kind) == ("t1", NodeKind.CACHE)


def test_a_bundles_form_is_read_and_counts_as_declared() -> None:
    text = '{"edges": [["a", "b"], {"caller": "b", "callee": "c", "weight": 2, "errors": 0.5, "source": "istio"}]}'
    graph = parse_topology(text, name="deps.yaml", format="json")
    assert graph.edge("a", "b").provenance == HERE
    assert graph.edge("b", "c") == Edge("b", "c", 2.0, 0.5, (Provenance("istio"),))


def test_a_file_is_read_by_its_ending(tmp_path: Path) -> None:
    yaml, as_json = tmp_path / "deps.yaml", tmp_path / "deps.JSON"
    yaml.write_bytes(b"\xef\xbb\xbf" + FRIENDLY.encode())
    as_json.write_text('{"services": {"a": {"calls": ["b"]}}}')
    assert load_topology(yaml) == parse_topology(FRIENDLY, name="deps.yaml")
    assert load_topology(str(as_json)).callees("a") == ("b",)


@pytest.mark.parametrize(
    ("text", "where", "says", "hint"),
    [
        ("services:\n  a:\n    calls: [no]", "line 3, services.a.calls[0]", "truth value false", "quotes"),
        ("services:\n  12: {}", "line 2, services.12", "the number 12", "quotes"),
        ("services:\n  ~: {}", "services.None", "nothing", ""),
        ("services: {'': {}}", "services.", "empty", "name the service"),
        ('services: {"a\\e[31m": {}}', "services", "control characters", "remove"),
        ("services: [{kind: cache}]", "services[0].name", "nothing", ""),
        ("services: [3]", "services[0]", "a service is a mapping", ""),
        ("services: 3", "services", "services is a mapping", ""),
        ("services:\n  a: {knd: cache}", "line 2, services.a.knd", "unknown key 'knd'", "'kind'"),
        ("services:\n  a: {zzz: cache}", "services.a.zzz", "unknown key 'zzz'", "kind, owner"),
        ("services:\n  a: {kind: db}", "services.a.kind", "no kind 'db'", "did you mean database?"),
        ("services:\n  a: {kind: gatewya}", "services.a.kind", "no kind", "did you mean gateway?"),
        ("services:\n  a: {kind: xyzzy}", "services.a.kind", "no kind", "kinds are service, gateway"),
        ("services:\n  a: {kind: 3}", "services.a.kind", "the number 3", "quotes"),
        ("services:\n  a: {owner: [x]}", "services.a.owner", "a list", ""),
        ("services:\n  a: {calls: b}", "services.a.calls", "calls is a list", ""),
        ("services:\n  a:\n    calls:\n    - b\n    - a", "line 5, services.a.calls[1]", "calls itself", "remove"),
        ("services: {a: [b, b]}", "services.a.calls[1]", "'a' calls 'b' twice", "keep one"),
        ("services: {a: {calls: [{to: b, wieght: 3}]}}", "calls[0].wieght", "unknown key", "'weight'"),
        ("services: {a: {calls: [{to: b, weight: -1}]}}", "calls[0].weight", "number -1", ""),
        ("services: {a: {calls: [{to: b, weight: .inf}]}}", "calls[0].weight", "number inf", ""),
        ("services: {a: {calls: [{to: b, weight: .nan}]}}", "calls[0].weight", "number nan", ""),
        ("services: {a: {calls: [{to: b, weight: yes}]}}", "calls[0].weight", "truth value", ""),
        (f"services: {{a: {{calls: [{{to: b, weight: 1{'0' * 400}}}]}}}}", "calls[0].weight", "too large", ""),
        ("services: {a: {labels: {x: .nan}}}", "services.a.labels.x", "can't be the number nan", "quotes"),
        ("services: {a: {labels: {x: !!binary aGk=}}}", "services.a.labels.x", "bytes", "quotes"),
        ("services:\n  a: {}\n  a: {}", "line 3, services", "'a' is there twice", "keep one"),
        ("services: [{name: a}, {name: a}]", "services[1]", "declared twice", "keep one"),
        ("service: {}", "service", "unknown key", "'services'"),
        ("services: {}\nedges: []", "edges", "unknown key", ""),
        ("{}", "deps.yaml", "has no services", "services:"),
        ("", "deps.yaml", "is empty", "services:"),
        ("- a", "deps.yaml", "a list", "services:"),
        ("edges: [[a, a]]", "line 1, edges[0]", "calls itself", "remove"),
        ("edges: [[a, b], [a, b]]", "edges[1]", "there twice", "keep one"),
        ("edges: [{caller: a, calle: b}]", "edges[0].calle", "unknown key", "'callee'"),
        ("nodes: [a, {service: a}]", "nodes[1]", "there twice", "keep one"),
        ("nodes: [{service: a, ownr: x}]", "nodes[0].ownr", "unknown key", "'owner'"),
        ("nodes: [{service: a, kind: lambda}]", "nodes[0].kind", "no kind", ""),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_a_way_out(text: str, where: str, says: str, hint: str) -> None:
    error = refusal(text)
    assert error.message.startswith("deps.yaml")
    assert where in error.message
    assert says in error.message
    assert hint in error.hint
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services:\n  a:\n   b: c\n  d", "line 4: is not YAML"),
        ("a: \x00", "is not YAML"),
        ("a: 1\n---\nb: 1", "but found another document"),
        ("a: !!python/object:os.system x", "constructor"),
        ("? [a]\n: b", "is not YAML"),
        ("a: &x [*x]", "too deeply"),
        ("a: " + "[" * 50 + "]" * 50, "too deeply"),
        ("[\n" * 2_000, "too deeply"),
        ("services: {a: {labels: {x: 2026-13-01}}}", "month must be"),
    ],
)
def test_text_that_is_no_sound_yaml_is_refused(text: str, says: str) -> None:
    assert says in refusal(text).message


def test_aliases_that_multiply_are_refused_before_they_do() -> None:
    doubling = [f"x{step}: &x{step} [{', '.join([f'*x{step - 1}'] * 9)}]" for step in range(1, 12)]
    assert "too many values" in refusal("\n".join(["x0: &x0 [a]", *doubling])).message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"services": ', "line 1: is not JSON"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('{"services": NaN}', "has NaN"),
        ("[" * 100_000, "too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "can't be used"),
        ('{"edges": [["a"]]}', "deps.json, edges[0]: an edge is a pair of names, and this has 1"),
    ],
)
def test_text_that_is_no_sound_json_is_refused(text: str, says: str) -> None:
    assert says in refusal(text, "json").message


def test_the_hint_for_broken_json_says_where_to_look() -> None:
    assert "brackets" in refusal('{"services": ', "json").hint


def test_a_file_that_is_absent_binary_or_huge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="can't be read: No such file"):
        load_topology(tmp_path / "absent.yaml")
    binary = tmp_path / "deps.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TopologyError, match=r"deps\.yaml: is not text in UTF-8"):
        load_topology(binary)
    binary.write_text("x" * 1000)
    with pytest.raises(TopologyError) as caught:
        load_topology(binary)
    assert len(caught.value.message) < 150
    with pytest.raises(TopologyError, match="is too large"):
        parse_topology("x" * (MAX_BYTES + 1))
    binary.write_bytes("é".encode() * (MAX_BYTES // 2 + 1))
    with pytest.raises(TopologyError, match="is too large"):
        load_topology(binary)


@given(st.text(max_size=60))
def test_any_text_is_a_graph_or_a_topology_error(text: str) -> None:
    for form in ("yaml", "json"):
        with suppress(TopologyError):
            assert isinstance(parse_topology(text, format=form), ServiceGraph)
