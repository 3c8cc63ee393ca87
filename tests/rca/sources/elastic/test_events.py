from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from rca.model.incident import EventKind, Interval
from rca.sources.elastic.client import Answer, ElasticClient, Search
from rca.sources.elastic.events import candidates, collect_events, kind_of, read_event
from rca.sources.elastic.schema import EventRole, Schema, load_schemas, merge

SCHEMA = load_schemas()
FIELDS = candidates(SCHEMA, {})

TIME = {"@timestamp": ["2026-02-03T04:05:06Z"]}


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["deployment-finished"], EventKind.DEPLOY),
        (["Rollback of cart"], EventKind.DEPLOY),
        (["ScalingReplicaSet"], EventKind.SCALE),
        (["BackOff", "release 3"], EventKind.RESTART),
        (["OOMKilling"], EventKind.RESTART),
        (["feature flag new-cart turned on"], EventKind.CONFIG),
        (["change", "ConfigMap edited"], EventKind.CONFIG),
        (["Promoted"], EventKind.DEPLOY),
        (["Unhealthy", "Readiness probe failed"], EventKind.RESTART),
        (["lunch"], EventKind.OTHER),
        ([], EventKind.OTHER),
    ],
)
def test_words_say_what_kind_of_change_it_was(texts: list[str], kind: EventKind) -> None:
    assert kind_of(texts, SCHEMA) is kind


def test_an_event_needs_a_time_and_a_service() -> None:
    assert read_event(TIME, FIELDS, SCHEMA) is None
    assert read_event({"service": ["cart"]}, FIELDS, SCHEMA) is None


def test_an_event_keeps_its_details_and_has_a_title() -> None:
    values = {**TIME, "service": ["cart"], "event.action": ["deploy"], "service.version": ["1.2"]}
    event = read_event(values, FIELDS, SCHEMA)
    assert event is not None
    assert (event.title, event.kind, event.details) == ("deploy", EventKind.DEPLOY, {"service.version": "1.2"})
    bare = read_event({**TIME, "app": ["cart"]}, FIELDS, SCHEMA)
    assert bare is not None
    assert (bare.title, bare.kind) == ("event", EventKind.OTHER)


def test_a_commit_is_told_under_one_name_whatever_the_field() -> None:
    event = read_event({**TIME, "app": ["cart"], "git.commit.id": ["abc1234"]}, FIELDS, SCHEMA)
    assert event is not None
    assert event.details == {"commit": "abc1234"}


def test_a_field_of_ones_own_choice_stands_alone_and_details_are_added() -> None:
    chosen = candidates(SCHEMA, {"service": "team.app", "details": "ticket"})
    assert chosen[EventRole.SERVICE] == ("team.app",)
    assert chosen[EventRole.DETAILS][0] == "ticket"
    assert "version" in chosen[EventRole.DETAILS]


def test_a_users_schema_says_what_values_of_the_kind_mean() -> None:
    mine = merge([{"event_kinds": {"Freeze": "config"}, "events": {"service": ["team"]}}])
    assert kind_of(["FREEZE"], mine) is EventKind.CONFIG
    assert mine.events[EventRole.SERVICE] == ("team",)
    assert Schema({}, {}, {}).events == {}


class Server:
    """A server that knows these fields, and answers every search alike."""

    def __init__(self, caps: dict[str, Any], hits: Sequence[dict[str, Any]] = (), total: int = 0) -> None:
        self._caps, self._answer = caps, Answer({"hits": {"total": {"value": total}, "hits": hits}})
        self.asked: list[Search] = []

    def field_caps(self, _indices: Sequence[str], _fields: Sequence[str]) -> dict[str, Any]:
        return self._caps

    def one(self, search: Search) -> Answer:
        self.asked.append(search)
        return self._answer


START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(minutes=10))
DATED: dict[str, Any] = {"@timestamp": {"date": {}}, "service": {"keyword": {}}}


def collected(server: Server, **overrides: str) -> tuple[list[str], list[str]]:
    events, gaps = collect_events(cast("ElasticClient", server), ["deploys"], SPAN, SCHEMA, overrides)
    return [event.service for event in events], [gap.what for gap in gaps]


def test_events_beyond_the_bound_and_without_a_service_are_gaps() -> None:
    hits: list[dict[str, Any]] = [
        {"fields": {"@timestamp": [START.isoformat()], "service": ["a"], "kind": ["deploy"]}},
        {"fields": {}},
    ]
    server = Server({"indices": ["deploys"], "fields": DATED}, hits, 9)
    assert collected(server) == (["a"], ["older events", "1 events"])
    assert server.asked[0].indices == ("deploys",)


def test_without_indices_nothing_is_asked_and_without_a_match_it_is_said() -> None:
    nobody = Server({"indices": []})
    assert collect_events(cast("ElasticClient", nobody), [], SPAN, SCHEMA, {}) == ([], [])
    assert collected(nobody) == ([], ["events"])
    assert nobody.asked == []


def test_an_index_without_a_date_or_a_service_is_a_gap() -> None:
    fields = {"@timestamp": {"date": {"indices": "a"}, "keyword": {"indices": ["b"]}}}
    server = Server({"indices": ["a", "b"], "fields": fields})
    assert collected(server) == ([], ["services of events", "events in b"])
    assert server.asked[0].indices == ("a",)
    assert collected(server, service="team") == ([], ["configured event service field team", "events in b"])
    assert collected(Server({"indices": "a", "fields": {}})) == ([], ["services of events", "events in a"])
