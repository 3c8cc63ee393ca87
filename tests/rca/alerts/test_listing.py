import json
from collections.abc import Callable

from markdown_it import MarkdownIt

from rca.alerts import group_alerts
from rca.alerts.listing import FORMATS, as_json, as_markdown, as_terminal
from rca.model.incident import Alert
from topology import ServiceGraph

Make = Callable[..., Alert]


def test_the_text_names_counts_reasons_and_the_first_alert(make: Make, shop: ServiceGraph) -> None:
    alerts = [make("Slow", "cart", 40), make("Slow", "cart", 41), make("Down", "cache", 0, prometheus_replica="a")]
    alerts += [make("Down", "cache", 1, prometheus_replica="b"), make("Late", "index", 0, 60), make("Odd", None)]
    alerts += [make("Late", "index", at, at + 60) for at in (600, 1200)]
    alerts += [make("Again", "search", at, at + 60) for at in (0, 7200)]
    lines = as_terminal(group_alerts(alerts, shop)).split("\n")
    assert lines[0] == "10 alerts -> 5 without duplicates -> 3 incidents, 1 flapping"
    text = "\n".join(lines)
    assert "Down of cache, since 2026-11-22 03:00:00 UTC (2 alerts, 2 services, fires)" in text
    assert "cart depends on cache, and their alerts began within 40 s" in text
    assert "fires, 2 replicas" in text
    assert "over, flapping, 3 times" in text
    assert "over, 2 times" in text
    assert "graph doesn't know" not in text


def test_what_makes_it_weaker_is_said(make: Make, shop: ServiceGraph) -> None:
    alerts = [make("Slow", "cart"), make("Slow", "mail")]
    assert "no dependency graph" in as_terminal(group_alerts(alerts))
    assert "the graph doesn't know mail" in as_terminal(group_alerts(alerts, shop))
    assert ", weak)" in as_terminal(group_alerts(alerts))
    assert as_terminal(group_alerts([])) == "0 alerts -> 0 without duplicates -> 0 incidents"


def test_the_json_holds_everything_and_is_ascii(make: Make, shop: ServiceGraph) -> None:
    text = as_json(group_alerts([make("Slöw", "cart", 40), make("Down", "cache", 0, 60, node="n-1")], shop))
    document = json.loads(text)
    assert text.isascii()
    assert document["schema_version"] == 1
    assert document["counts"] == {"received": 2, "folded": 2, "incidents": 1, "flapping": 0}
    (incident,) = document["incidents"]
    assert incident["root"] == {"alertname": "Down", "service": "cache"}
    down, slow = incident["alerts"]
    assert down["episodes"] == [{"start": "2026-11-22T03:00:00.000Z", "end": "2026-11-22T03:01:00.000Z"}]
    assert slow["episodes"] == [{"start": "2026-11-22T03:00:40.000Z", "end": None}]
    assert (slow["fires"], down["fires"], down["labels"]["node"]) == (True, False, "n-1")


def test_hostile_names_stay_text_in_every_format(make: Make) -> None:
    hostile = "a|b\n# H <script>x</script> [l](javascript:x) \x1b[31m `c`"
    grouping = group_alerts([make(hostile, "**s**"), make("Slow", "cart", 10)])
    for render in FORMATS.values():
        assert "\x1b" not in render(grouping)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(as_markdown(grouping))
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not {"html_inline", "link_open", "strong_open", "code_inline"} & set(inner)
    assert not [token for token in tokens if token.type == "html_block"]
    assert sum(token.type == "tr_open" for token in tokens) == 3
    assert sum(token.type == "heading_open" for token in tokens) == 2
