"""Reading packs: every pack that comes with the tool, and everything that can be wrong with one."""

from importlib import resources
from pathlib import Path

import pytest

from rca.errors import ConfigError
from rca.model.incident import EventKind
from rca.model.signals import Bad, Kind
from rca.sources.prom.packfile import load_packs, parse_pack, unit_of
from rca.sources.prom.packs import Across, Pack, Rule
from rca.sources.prom.promql import METRIC_NAME, faults

HEAD = 'name = "mine"\ndescription = "ours"\nrequires = ["calls_total"]\nservice_labels = ["service"]\n'
SIGNAL = "[[signals]]\nname = \"calls\"\nrate = 'calls_total{$F}'\n"
OWN = load_packs()


@pytest.mark.parametrize("pack", OWN, ids=lambda pack: pack.name)
def test_a_pack_that_comes_with_the_tool_is_sound(pack: Pack) -> None:
    assert pack.origin == f"{pack.name}.toml"
    for part in pack.parts:
        assert part.naming.service
        assert not faults(part.calls if hasattr(part, "calls") else part.query)
        for name in part.requires:
            assert METRIC_NAME.fullmatch(name) or "$m" in (part.calls if hasattr(part, "calls") else part.query)
    for signal in pack.signals:
        assert (signal.bad is Bad.UP) or signal.kind not in (Kind.ERRORS, Kind.LATENCY), signal.name
        assert signal.unit or signal.kind is not Kind.LATENCY or "$m" in signal.query, signal.name


def test_every_file_of_the_folder_is_a_pack() -> None:
    files = {entry.name for entry in (resources.files("rca") / "packs").iterdir() if entry.name.endswith(".toml")}
    assert {pack.origin for pack in OWN} == files
    assert len(files) > 20


def test_the_forms_stand_for_their_queries() -> None:
    pack = parse_pack(
        HEAD
        + SIGNAL
        + """
        [[signals]]
        name = "failing"
        ratio = { bad = 'calls_total{code="5",$F}', all = 'calls_total{$F}' }
        floor = 0.5
        [[signals]]
        name = "took"
        quantiles = 'took_milliseconds_bucket{$F}'
        [[signals]]
        name = "mean"
        mean = { sum = 'took_sum{$F}', count = 'took_count{$F}' }
        unit = "s"
        """,
        "mine.toml",
    )
    by_name = {signal.name: signal for signal in pack.signals}
    assert by_name["calls"].query == "sum by ($S) (rate(calls_total{$F}[$w]))"
    assert (by_name["calls"].kind, by_name["calls"].across) == (Kind.TRAFFIC, Across.SUM)
    assert by_name["failing"].query == (
        '(sum by ($S) (rate(calls_total{code="5",$F}[$w])) or 0 * sum by ($S) (rate(calls_total{$F}[$w])))'
        " / (sum by ($S) (rate(calls_total{$F}[$w])) > 0.5)"
    )
    assert by_name["failing"].requires == ("calls_total",)
    assert {"took_p50", "took_p95", "took_p99"} < set(by_name)
    assert (by_name["took_p99"].unit, by_name["took_p99"].buckets) == ("ms", "took_milliseconds_bucket")
    assert by_name["mean"].requires == ("took_sum", "took_count")
    assert pack.metrics == ("calls_total", "took_count", "took_milliseconds_bucket", "took_sum")


def test_an_event_and_an_edge_are_read() -> None:
    pack = parse_pack(
        HEAD
        + """
        [[edges]]
        name = "calls"
        peer_labels = ["peer"]
        calls = 'sum by ($S) (rate(calls_total{$F}[$w]))'
        [[events]]
        name = "new"
        rule = "appears"
        event = "deploy"
        subject = "version"
        query = 'max by ($S, version) (build_info{$F})'
        title = "{service}: {old} became {new}"
        """,
        "mine.toml",
    )
    assert (pack.edges[0].failures, pack.edges[0].requires) == ("", ("calls_total",))
    assert (pack.events[0].rule, pack.events[0].event) == (Rule.APPEARS, EventKind.DEPLOY)


EVENT = "[[events]]\nname = \"e\"\nquery = 'x{$F}'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not TOML"),
        (SIGNAL, "name must be a text and is missing"),
        (HEAD.replace("mine", "Mine!"), "must be lower case"),
        (HEAD, "has no signals, edges or events"),
        (HEAD.replace("calls_total", "(") + SIGNAL, "is not a pattern"),
        (HEAD.replace("calls_total", "(?!x).+_total") + SIGNAL, "RE2 cannot"),
        (HEAD.replace("calls_total", ".+") + SIGNAL, "would match nearly every metric"),
        (HEAD.replace('["calls_total"]', "[]") + SIGNAL, "requires names no metric"),
        (HEAD.replace('["calls_total"]', '"calls_total"') + SIGNAL, "requires must be a list of texts"),
        (HEAD + 'about_target = "yes"\n' + SIGNAL, "about_target must be true or false"),
        (HEAD.replace('["service"]', '["a-b"]') + SIGNAL, "'a-b' is not a label's name"),
        (HEAD.replace("service_labels", "servise_labels") + SIGNAL, "no service_labels"),
        (HEAD + 'colour = "red"\n' + SIGNAL, "unknown key 'colour'"),
        (HEAD + 'node_kind = "toaster"\n' + SIGNAL, "node_kind is 'toaster', not one of"),
        (HEAD + "signals = 3\n", "signals must be tables"),
        (HEAD + SIGNAL + 'kind = "speed"\n', "signals 1: calls: kind is 'speed'"),
        (HEAD + SIGNAL + "scale = -1\n", "scale must be a number"),
        (HEAD + SIGNAL + "scale = true\n", "scale must be a number"),
        (HEAD + SIGNAL + "query = 'x{$F}'\n", "needs exactly one of query, rate, ratio"),
        (HEAD + SIGNAL.replace("{$F}", ""), "rate: no selector"),
        (HEAD + SIGNAL.replace("calls_total{$F}", "$m{$F}"), "requires is needed"),
        (HEAD + "[[signals]]\nname = \"r\"\nratio = 'x{$F}'\n", "ratio must be a table with bad and all"),
        (HEAD + "[[edges]]\nname = \"e\"\ncalls = 'x{$F}'\n", "needs service_labels (the caller) and peer_labels"),
        (HEAD + EVENT + 'title = "x"\n', "rule must be one of"),
        (HEAD + EVENT + 'title = "{pod}"\nrule = "rises"\n', "title may hold"),
        (HEAD + EVENT + 'title = "x"\nrule = "appears"\n', "rule appears needs subject"),
        (
            HEAD.replace('["service"]', "[]") + EVENT + 'title = "x"\nrule = "rises"\n',
            "no service_labels",
        ),
    ],
)
def test_a_wrong_pack_is_refused_with_the_file_and_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_pack(text, "mine.toml")
    assert str(raised.value).startswith("mine.toml")
    assert said in str(raised.value)


def test_the_users_packs_come_to_the_others_and_replace_those_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + SIGNAL)
    (tmp_path / "b.toml").write_text(HEAD.replace("mine", "istio") + SIGNAL.replace("calls", "own_calls", 1))
    (tmp_path / "notes.txt").write_text("not a pack")
    packs = {pack.name: pack for pack in load_packs(tmp_path)}
    assert set(packs) == {pack.name for pack in OWN} | {"mine"}
    assert packs["istio"].description == "ours"


def test_a_signals_name_belongs_to_one_pack(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + SIGNAL.replace("calls", "istio_requests", 1))
    with pytest.raises(ConfigError, match="'istio_requests' is also in"):
        load_packs(tmp_path)


def test_two_packs_of_one_name_in_a_folder_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(HEAD + SIGNAL)
    with pytest.raises(ConfigError, match="is also in"):
        load_packs(tmp_path)


def test_a_folder_or_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        load_packs(tmp_path / "nowhere")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_packs(tmp_path)


@pytest.mark.parametrize(
    ("metric", "unit"), [("a_seconds_bucket", "s"), ("a_ms_sum", "ms"), ("a_us", "us"), ("a_bucket", "")]
)
def test_a_durations_unit_is_in_its_name(metric: str, unit: str) -> None:
    assert unit_of(metric) == unit


def test_what_the_shipped_packs_count_of_restarts_says_per_what() -> None:
    counted = [signal for pack in load_packs() for signal in pack.signals if signal.kind is Kind.RESTARTS]
    assert counted
    assert {signal.unit for signal in counted} == {"1/min"}
