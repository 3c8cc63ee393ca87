"""The whole source over answers recorded by hand: what happens when one part of it fails."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from rca.config.settings import ElasticsearchSettings
from rca.errors import SourceAuthError, SourceError, SourceQueryError, SourceUnreachableError
from rca.model.incident import Gap, Interval
from rca.model.logs import LogCounts
from rca.sources.base import Check, Harvest, Request
from rca.sources.elastic import ElasticsearchSource
from rca.sources.elastic.client import Answer, Search
from rca.sources.elastic.connection import Budget
from rca.sources.elastic.silence import silent_services

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(minutes=30))
MILLIS = START.timestamp() * 1000
CAPS: dict[str, Any] = {
    "indices": ["logs-a"],
    "fields": {
        "@timestamp": {"date": {"aggregatable": True}},
        "service.name": {"keyword": {"aggregatable": True}},
        "log.level": {"keyword": {"aggregatable": True}},
        "message": {"text": {"aggregatable": False}},
        "trace.id": {"keyword": {"aggregatable": True}},
    },
}


def buckets(*items: tuple[Any, int], **more: Any) -> dict[str, Any]:
    return {"buckets": [{"key": key, "doc_count": count, **more} for key, count in items]}


def total(count: int, **aggregations: Any) -> Answer:
    return Answer({"hits": {"total": {"value": count}}, "_shards": {"total": 1}, "aggregations": aggregations})


def hit(number: int) -> dict[str, Any]:
    fields = {"@timestamp": [(START + timedelta(seconds=number)).isoformat()], "service.name": ["a"]}
    return {"_index": "logs-a", "_id": str(number), "fields": fields | {"log.level": ["error"], "message": ["x"]}}


class Recorded:
    """Answers by a search's purpose; an error in their place is the answer's."""

    where = "http://recorded"

    def __init__(self, lines: int = 2, caps: Mapping[str, Any] = CAPS) -> None:
        self.budget = Budget()
        self.caps = caps
        self.closed = False
        self.who: Callable[[], Mapping[str, Any]] = lambda: {"username": "me", "roles": ["reader"]}
        times = {"buckets": [{"doc_count": 0 if place else lines} for place in range(int(SPAN.seconds // 60))]}
        self.answers: dict[str, Answer | SourceError] = {
            "log counts": total(0, services=buckets(("a", lines), levels=buckets(("error", lines), times=times))),
            "log messages": Answer({"hits": {"hits": [hit(i) for i in range(min(lines, 5))]}}),
            "events": total(0),
            "spans": total(0),
        }
        self.lines = lines

    def census(self, search: Search) -> Answer:
        if "services" not in search.body.get("aggs", {}):
            return total(self.lines)
        return total(self.lines, services=buckets(("a", self.lines)), level_0=buckets(("error", self.lines)))

    def search(self, searches: Sequence[Search]) -> list[Answer]:
        found = []
        for search in searches:
            answer = self.answers.get(search.purpose)
            if isinstance(answer, SourceUnreachableError):
                raise answer
            if isinstance(answer, SourceError):
                answer = Answer({}, answer)
            found.append(answer or (self.census(search) if search.purpose == "log census" else total(1)))
        return found

    def one(self, search: Search) -> Answer:
        answer = self.search([search])[0]
        if answer.error:
            raise answer.error
        return answer

    def field_caps(self, indices: Sequence[str], fields: Sequence[str]) -> Mapping[str, Any]:
        assert indices
        assert fields
        return self.caps

    def whoami(self) -> Mapping[str, Any]:
        return self.who()

    def version(self) -> str:
        return ""

    def close(self) -> None:
        self.closed = True


def source_of(recorded: Recorded, **settings: Any) -> ElasticsearchSource:
    given = {"span_indices": ()} | settings
    source = ElasticsearchSource(ElasticsearchSettings(url="http://recorded:1", **given))
    source._client = cast("Any", recorded)
    return source


def pieces(recorded: Recorded, **settings: Any) -> list[Harvest]:
    return list(source_of(recorded, **settings).harvest(Request(SPAN, 60, time.monotonic() + 9)))


def gaps_of(found: Sequence[Harvest]) -> dict[str, str]:
    return {gap.what: gap.why for piece in found for gap in piece.gaps}


def test_pieces_arrive_in_order_with_the_record_first() -> None:
    found = pieces(Recorded())
    assert [piece.what for piece in found] == [
        "fields and services",
        "log counts",
        "log counts",
        "log messages",
        "spans",
        "events",
    ]
    assert found[0].record is not None
    assert "error lines of a" in found[0].record.queries
    assert [len(piece.logs) for piece in found] == [0, 0, 0, 2, 0, 0]
    assert gaps_of(found) == {}


def test_the_query_for_a_services_lines_is_known_after_the_harvest() -> None:
    source = source_of(Recorded())
    assert source.log_query("a") == ""
    list(source.harvest(Request(SPAN, 60, time.monotonic() + 9)))
    assert source.log_query("a", "ERROR") == 'service.name: "a" and log.level: "error"'


@pytest.mark.parametrize("error", [SourceQueryError("broken", hint="mend it"), SourceUnreachableError("gone")])
@pytest.mark.parametrize("part", ["log counts", "log messages", "events"])
def test_a_part_that_fails_is_a_gap_and_the_others_come(error: SourceError, part: str) -> None:
    recorded = Recorded()
    recorded.answers[part] = error
    found = pieces(recorded, event_indices=("events-*",))
    assert any(error.message in why for why in gaps_of(found).values())
    assert any(piece.logs for piece in found) == (part != "log messages")
    assert any(piece.log_counts is not None for piece in found) == (part != "log counts")


def test_a_pattern_of_the_users_own_that_matches_nothing_is_a_gap() -> None:
    recorded = Recorded()
    recorded.answers["index cart-*"] = Answer({"_shards": {"total": 0}})
    recorded.answers["index pay-*"] = SourceAuthError("403", hint="ask")
    found = gaps_of(pieces(recorded, indices=("logs-*", "cart-*", "pay-*")))
    assert set(found) == {"logs in cart-*", "logs"}
    assert found["logs"] == "403. Ask."
    assert (
        "no index matched"
        in gaps_of(pieces(Recorded(caps={"indices": [], "fields": {}}), indices=("x",)))["logs in x"]
    )


def test_spans_that_can_not_be_had_are_a_gap() -> None:
    class Spanless(Recorded):
        def field_caps(self, indices: Sequence[str], fields: Sequence[str]) -> Mapping[str, Any]:
            if indices[0].startswith("traces"):
                raise SourceAuthError("no", hint="ask for read")
            return super().field_caps(indices, fields)

    assert gaps_of(pieces(Spanless(), span_indices=("traces-*",))) == {"spans": "no. Ask for read."}


def test_nothing_can_be_had_when_the_census_is_refused() -> None:
    recorded = Recorded()
    recorded.answers["log census"] = SourceQueryError("refused")
    with pytest.raises(SourceQueryError, match="refused"):
        pieces(recorded)


def test_weights_fall_back_on_totals_where_counts_are_missing() -> None:
    recorded = Recorded(lines=20_000)
    slot = {"key": MILLIS, "doc_count": 9, "lines": {"hits": {"hits": [hit(1), hit(2)]}}}
    drawn = {"services": {"buckets": [{"key": "a", "doc_count": 9, "times": {"buckets": [slot]}}]}}
    recorded.answers["error messages"] = total(0, drawn=drawn)
    recorded.answers["log messages"] = SourceQueryError("refused")
    found = pieces(recorded)
    assert [line.weight for piece in found for line in piece.logs] == [10_000.0, 10_000.0]
    recorded.answers["log counts"] = SourceQueryError("no")
    assert [line.weight for piece in pieces(recorded) for line in piece.logs] == [10_000.0, 10_000.0]


def test_a_caller_that_stops_listening_stops_the_source() -> None:
    recorded = Recorded()
    source = source_of(recorded)
    harvest = source.harvest(Request(SPAN, 60, time.monotonic() + 9))
    next(harvest)
    next(harvest)
    cast("Any", harvest).close()
    source.close()
    source.close()
    assert recorded.closed


def test_a_sample_of_no_lines_asks_for_none() -> None:
    assert not any(piece.logs for piece in pieces(Recorded(), sample_lines=0))


def test_a_broken_step_of_the_check_is_its_last_line_and_says_what_to_do() -> None:
    def refuse() -> Mapping[str, Any]:
        raise SourceAuthError("401", hint="check the password")

    recorded = Recorded()
    recorded.who = refuse
    found = list(source_of(recorded).check(Request(SPAN, 60, time.monotonic() + 9)))
    assert [(check.name, check.ok, check.hint) for check in found] == [("sign-in", False, "Check the password.")]


def test_the_check_goes_step_by_step() -> None:
    recorded = Recorded()
    newest = {"@timestamp": [(datetime.now(UTC) - timedelta(hours=5)).isoformat()]}
    recorded.answers["the newest document"] = Answer({"hits": {"hits": [{"fields": newest}]}})
    recorded.answers["index logs-*"] = replace(total(2), gaps=(Gap("elasticsearch", "partial", "slow"),))
    found = list(source_of(recorded, indices=("logs-*",)).check(Request(SPAN, 60, time.monotonic() + 9)))
    said = {check.name: check for check in found}
    assert said["connection"].detail == "http://recorded, version not shown to us"
    assert said["sign-in"].detail == "me (unknown), roles: reader"
    assert said["indices"].facts == ("logs-*: 2 documents in the window", "partial: slow")
    assert said["fields"].detail == "service in service.name, level in log.level"
    assert said["levels"].detail == "ERROR 2"
    assert said["newest document"].detail.endswith("5.0 h ago")
    assert said["newest document"].ok is True
    assert said["spans"].ok is None


def test_the_check_tells_a_window_that_lies_after_the_newest_document() -> None:
    recorded = Recorded(lines=0)
    newest = {"@timestamp": [(START - timedelta(days=9)).isoformat()]}
    recorded.answers["the newest document"] = Answer({"hits": {"hits": [{"fields": newest}]}})
    found = {check.name: check for check in source_of(recorded).check(Request(SPAN, 60, 9e9))}
    assert found["fields"].detail.endswith("mapped: service.name")
    assert "days" in found["newest document"].detail
    assert "after it" in found["newest document"].hint


def test_lines_that_name_no_service_fail_the_check_of_fields() -> None:
    recorded = Recorded()
    recorded.census = lambda search: total(0 if "services" in search.body["aggs"] else 5)  # type: ignore[method-assign]  # the stub's own answer
    found = {check.name: check for check in source_of(recorded).check(Request(SPAN, 60, 9e9))}
    assert (found["fields"].ok, found["fields"].detail) == (False, "no field names the service")
    assert found["lines without a service"].detail == "5 of 5 lines name no service"


def check_of_services(*names: tuple[str, int]) -> Check:
    """What the check says of services where the lines stand under these names."""
    recorded, many = Recorded(), sum(lines for _, lines in names)

    def census(search: Search) -> Answer:
        if "services" not in search.body["aggs"]:
            return total(many)
        return total(many, services=buckets(*names), level_0=buckets(("error", many)))

    recorded.census = census  # type: ignore[method-assign]  # the stub's own answer
    return {check.name: check for check in source_of(recorded).check(Request(SPAN, 60, 9e9))}["services"]


def test_a_name_that_has_nearly_all_lines_may_be_a_collectors() -> None:
    found = check_of_services(("a", 96), ("b", 4))
    assert found.ok is None
    assert found.hint.startswith(
        "a has nearly all lines: if it only collects them, set elasticsearch.fields.service"
    )
    spread = check_of_services(("a", 90), ("b", 10))
    assert (spread.ok, spread.hint) == (True, "")


def test_a_pattern_that_may_not_be_read_is_named_by_the_check() -> None:
    recorded = Recorded()
    recorded.answers["index logs-*"] = SourceAuthError("403", hint="ask for `read`")
    found = {
        check.name: check for check in source_of(recorded, span_indices=("t-*",)).check(Request(SPAN, 60, 9e9))
    }
    assert (found["indices"].ok, found["indices"].hint) == (False, "Ask for `read`.")


def test_the_check_of_an_empty_cluster_says_so() -> None:
    recorded = Recorded(caps={"indices": [], "fields": {}})
    found = {check.name: check for check in source_of(recorded).check(Request(SPAN, 60, 9e9))}
    assert found["fields"].detail == "nothing lies in the window to choose them by"
    assert found["newest document"].detail == "there is none"
    assert found["services"].hint


def counts(active: Mapping[str, range]) -> LogCounts:
    values = np.zeros((40, len(active), 1))
    for j, where in enumerate(active.values()):
        values[list(where), j, 0] = 1
    return LogCounts(MILLIS / 1000 + 60 * np.arange(40.0), tuple(active), ("",), values)


def test_services_that_begin_late_or_fall_silent_are_named() -> None:
    active = {"all": range(40), "gone": range(20), "late": range(20, 40), "rare": range(0, 20, 5), "few": range(3)}
    assert [gap.what for gap in silent_services(counts(active))] == [
        "logs of late before 04:20:00 UTC",
        "logs of gone from 04:20:00 UTC on",
    ]
