"""The timeline, folded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rca.model.report import Report, TimelineEntry, Trigger
from rca.report.present.timeline import Moment, timeline

AT = datetime(2026, 11, 22, 3, 11, 40, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def sign(service: str, seconds: float, text: str, proof: str) -> TimelineEntry:
    return TimelineEntry(at(seconds), f"{service}: {text}", proof, kind="evidence", service=service)


def told(report: Report, *entries: TimelineEntry, most: int = 40) -> list[str]:
    return [moment.what for moment in timeline(replace(report, timeline=entries), most=most).moments]


def test_what_happens_to_a_service_in_a_second_is_one_line(incident: Report) -> None:
    entries = (
        sign("orders", 1.9, "errors", "E3"),
        sign("orders", 1.2, "latency", "E4"),
        sign("orders", 1.3, "CPU", "E5"),
        sign("orders", 2.0, "memory", "E6"),
    )
    found = timeline(replace(incident, timeline=entries), most=9).moments
    assert found[0] == Moment(at(1.2), "orders: errors; latency; and 1 more", ("E3", "E4", "E5"))
    assert found[1].what == "orders: memory"


def test_alerts_of_one_name_are_one_line(incident: Report) -> None:
    fired = [
        TimelineEntry(at(i), "alert: Errors", kind="alert", service=s) for i, s in enumerate(("web", "db", "web"))
    ]
    assert told(incident, *fired) == ["alert: Errors (web, db; 3 times until 03:11:42)"]
    assert told(incident, fired[0]) == ["alert: Errors (web)"]
    assert told(incident, replace(fired[0], service="")) == ["alert: Errors"]


def test_a_crash_loop_is_one_line(incident: Report) -> None:
    crashes = [
        TimelineEntry(at(20 * i), "restart of web: started", kind="restart", service="web") for i in range(3)
    ]
    assert told(incident, *crashes) == ["restart of web: started (3 times until 03:12:20)"]


def test_bystanders_and_the_restarts_of_deploys_are_left_out(incident: Report) -> None:
    deploy = TimelineEntry(at(-9), "deploy of web: v2", kind="deploy", service="web")
    restart = TimelineEntry(at(-8), "restart of web: started", kind="restart", service="web")
    crash = TimelineEntry(at(30), "restart of web: started", kind="restart", service="web")
    assert told(incident, deploy, restart, sign("search", 0, "restarted once", "E5"), crash) == [
        deploy.what,
        crash.what,
    ]


def test_within_a_second_the_order_is_that_of_cause_and_effect(incident: Report) -> None:
    entries = (
        TimelineEntry(at(0.1), "alert: Errors", kind="alert"),
        sign("checkout", 0.2, "traffic", "E4"),
        sign("orders-db", 0.5, "latency", "E1"),
        TimelineEntry(at(0.5), "likeliest onset", kind="onset"),
        TimelineEntry(at(0.9), "deploy of orders-db: v2", kind="deploy", service="orders-db"),
    )
    assert told(incident, *entries) == [
        "deploy of orders-db: v2",
        "likeliest onset",
        "orders-db: latency",
        "checkout: traffic",
        "alert: Errors",
    ]


def test_where_there_are_too_many_what_matters_most_is_kept(incident: Report) -> None:
    guilty = TimelineEntry(at(-9), "deploy of orders: v2", kind="deploy", service="orders")
    innocent = [
        TimelineEntry(at(-99 - i), f"config of mail: {i}", kind="config", service="mail") for i in range(9)
    ]
    entries = (
        *innocent,
        guilty,
        TimelineEntry(AT, "likeliest onset", kind="onset"),
        sign("orders-db", 0, "latency", "E1"),
        *(sign("orders-db", 5 + i, "latency", "E2") for i in range(9)),
        sign("orders", 60, "errors", "E3"),
    )
    report = replace(incident, timeline=entries, triggers=(Trigger(1, "deploy", "orders", guilty.at, 2.0, ""),))
    found = timeline(report, most=4)
    assert [moment.what for moment in found.moments] == [
        guilty.what,
        "likeliest onset",
        "orders-db: latency",
        "orders: errors",
    ]
    assert found.more == len(entries) - 4
