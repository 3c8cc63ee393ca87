from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rca.detect.log_aside import aside
from rca.detect.log_resolving import unresolved
from rca.detect.logs import LogIndex
from rca.model.logs import LogLine
from rca.model.tuning.lines import LineTuning
from rca.redact import redact_line
from rca.redact.redactor import Redactor

START = datetime(2026, 3, 1, tzinfo=UTC)
PYTHON = "Traceback (most recent call last):\n  File x\nredis.ConnectionError: Error 111 connecting to redis:6379"
JAVA = "x.FooException: no\n\tat a.b(C.java:1)\nCaused by: java.net.ConnectException: sessions:80"


def error(second: int = 0, message: str = "GET failed", **fields: Any) -> LogLine:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return LogLine(START + timedelta(seconds=second), "cart", "ERROR", message, fields=named)


def named(line: LogLine) -> str:
    table = LogIndex.build((line,), LineTuning(), services=("cart", "redis", "sessions")).table
    target = int(table.event_target[table.event[0]])
    return table.services[target] if target >= 0 else ""


@pytest.mark.parametrize(
    ("fields", "whom"),
    [
        ({"server__address": "sessions"}, "sessions"),
        ({"peer__service": "sessions"}, "sessions"),
        ({"server__address": "10.0.0.7", "db__system": "redis"}, "redis"),
        ({"server": {"address": "redis.prod.svc"}}, "redis"),
        ({"error__message": "Error 111 connecting to redis:6379. Connection refused."}, "redis"),
        ({"error__stack_trace": PYTHON}, "redis"),
        ({"error__stack_trace": JAVA}, "sessions"),
        ({"error__stack_trace": "Error: no\n    at sessions:80 (client.js:1)"}, ""),
        ({"error__message": "redis could not be resolved: Name or service not known for redis:6379"}, ""),
        ({"server__address": "cart"}, ""),
        ({"http__route": "sessions"}, ""),
        ({"error__code": 111}, ""),
    ],
)
def test_fields_name_whom_an_error_is_about(fields: dict[str, Any], whom: str) -> None:
    assert named(error(**fields)) == whom


def test_the_message_goes_first() -> None:
    assert named(error(message="timeout calling redis", server__address="sessions")) == "redis"


def test_calm_lines_name_nobody() -> None:
    line = LogLine(START, "cart", "INFO", "served", fields={"server.address": "redis"})
    assert named(line) == ""


def test_errors_whose_fields_name_a_store_accuse_it() -> None:
    calm = [LogLine(START + timedelta(seconds=i), "cart", "INFO", "served") for i in range(1200)]
    bad = [error(600 + 5 * i, error__message="Error 111 connecting to redis:6379.") for i in range(60)]
    index = LogIndex.build(tuple(calm + bad), LineTuning(), services=("cart", "redis"))
    seen = index.evidence((START + timedelta(seconds=600)).timestamp())
    failing = dict(zip(index.services, seen.failing.tolist(), strict=True))
    assert failing["redis"] > failing["cart"]


def test_a_name_that_only_a_field_says_cannot_be_resolved() -> None:
    line = error(error__message="getaddrinfo ENOTFOUND sessions:80")
    assert unresolved((line,), ("cart", "sessions"), LineTuning()) == {("cart", "sessions")}


def test_an_error_that_repeats_the_message_says_nothing_more() -> None:
    assert aside(error(message="no", error__message="no")) == ""


def test_fields_are_redacted_as_messages_are() -> None:
    secret = "postgres://app:hunter2secret@orders-db/shop"
    line = redact_line(error(error__message=f"can't reach {secret}"), Redactor())
    assert "hunter2secret" not in line.fields["error.message"]
