from datetime import UTC, datetime, timedelta, timezone

from rca.model.times import moment, rfc3339

_AT = datetime(2026, 11, 22, 5, 11, 40, 123456, tzinfo=timezone(timedelta(hours=2)))


def test_times_are_told_in_utc() -> None:
    assert moment(_AT) == "2026-11-22 03:11:40 UTC"
    assert rfc3339(_AT) == "2026-11-22T03:11:40.123Z"


def test_machines_read_milliseconds_even_where_there_are_none() -> None:
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
