import pytest

from rca.model.incident import EventKind
from rca.sources.elastic.events import kind_of, read_event

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
        (["lunch"], EventKind.OTHER),
        ([], EventKind.OTHER),
    ],
)
def test_words_say_what_kind_of_change_it_was(texts: list[str], kind: EventKind) -> None:
    assert kind_of(texts) is kind


def test_an_event_needs_a_time_and_a_service() -> None:
    assert read_event(TIME) is None
    assert read_event({"service": ["cart"]}) is None


def test_an_event_keeps_its_details_and_has_a_title() -> None:
    event = read_event({**TIME, "service": ["cart"], "event.action": ["deploy"], "service.version": ["1.2"]})
    assert event is not None
    assert (event.title, event.kind, event.details) == ("deploy", EventKind.DEPLOY, {"service.version": "1.2"})
    bare = read_event({**TIME, "app": ["cart"]})
    assert bare is not None
    assert (bare.title, bare.kind) == ("event", EventKind.OTHER)
