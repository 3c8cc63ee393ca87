from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.config.settings import WindowSettings
from rca.errors import ExitCode, WindowError
from rca.window import Asked, parse_duration, parse_time, plan_window

NOW = datetime(2026, 11, 22, 4, 0, 30, tzinfo=UTC)
SETTINGS = WindowSettings()


def refusal(asked: Asked, settings: WindowSettings = SETTINGS) -> WindowError:
    with pytest.raises(WindowError) as caught:
        plan_window(asked, settings, now=NOW)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint, "an error says what to do next"
    return caught.value


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90m", 90), ("2h", 120), ("1h30m", 90), ("3d", 4320), ("1w", 10080), ("0.5h", 30), ("60S", 1)],
)
def test_a_duration_is_read(text: str, minutes: float) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "90", "m", "-5m", "0m", "5 parsecs", "99999999d", "1h-5m"])
def test_what_is_not_a_usable_duration_is_refused(text: str) -> None:
    with pytest.raises(WindowError):
        parse_duration(text)


@given(st.integers(86_400, 4_102_444_800), st.integers(-14 * 60, 14 * 60))
def test_rfc_3339_is_read_whatever_its_offset(second: int, offset: int) -> None:
    moment = datetime.fromtimestamp(second, UTC)
    sign = "+" if offset >= 0 else "-"
    local = (moment + timedelta(minutes=offset)).strftime("%Y-%m-%dT%H:%M:%S")
    assert parse_time(f"{local}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}", now=NOW) == moment


def test_relative_times_count_from_now() -> None:
    assert parse_time("now", now=NOW) == NOW
    assert parse_time("now-2h", now=NOW) == NOW - timedelta(hours=2)
    assert parse_time("NOW + 5m", now=NOW) == NOW + timedelta(minutes=5)


def test_a_naive_time_is_refused_and_the_error_says_how_to_write_it() -> None:
    with pytest.raises(WindowError, match="no time zone") as caught:
        parse_time("2026-11-22 03:10", now=NOW)
    assert "--timezone" in caught.value.hint


def test_a_naive_time_is_local_to_the_stated_zone() -> None:
    assert parse_time("2026-11-22 03:10", now=NOW, timezone="Europe/Berlin") == datetime(
        2026, 11, 22, 2, 10, tzinfo=UTC
    )


def test_a_time_that_happens_twice_when_the_clocks_change_is_refused() -> None:
    with pytest.raises(WindowError, match="ambiguous"):
        parse_time("2026-10-25 02:30", now=NOW, timezone="Europe/Berlin")


def test_a_time_that_no_clock_showed_is_refused_with_the_instants_around_it() -> None:
    with pytest.raises(WindowError, match="no clock in Europe/Berlin showed") as caught:
        parse_time("2026-03-29 02:30", now=NOW, timezone="Europe/Berlin")
    assert caught.value.hint == "2026-03-29T00:30:00Z was just before, 2026-03-29T01:30:00Z just after."


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("03:10", "UTC", "2026-11-22T03:10:00Z"),
        ("4:00:30", "UTC", "2026-11-22T04:00:30Z"),
        ("23:50", "UTC", "2026-11-21T23:50:00Z"),
        ("03:10", "Europe/Berlin", "2026-11-22T02:10:00Z"),
        ("05:10", "Europe/Berlin", "2026-11-21T04:10:00Z"),
        ("23:50", "America/New_York", "2026-11-21T04:50:00Z"),
        ("03:10Z", "", "2026-11-22T03:10:00Z"),
        ("03:10z", "Europe/Berlin", "2026-11-22T03:10:00Z"),
        ("05:10+02:00", "", "2026-11-22T03:10:00Z"),
        ("01:10:05+0530", "", "2026-11-21T19:40:05Z"),
    ],
)
def test_a_time_of_day_is_the_last_time_that_the_clocks_showed_it(text: str, zone: str, moment: str) -> None:
    assert parse_time(text, now=NOW, timezone=zone) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["03:10", "25:10", "03:61"])
def test_a_time_of_day_without_a_zone_or_that_no_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(WindowError):
        parse_time(text, now=NOW)


@given(st.times(), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]))
def test_a_time_of_day_lies_within_the_last_day(clock: time, zone: str) -> None:
    moment = parse_time(f"{clock:%H:%M:%S}", now=NOW, timezone=zone)
    assert NOW - timedelta(days=1) < moment <= NOW
    assert f"{moment.astimezone(ZoneInfo(zone)):%H:%M:%S}" == f"{clock:%H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1770089000", "As a unix time that is 2026-02-03T03:23:20Z: write it so."),
        ("1770089000123", "As a unix time that is 2026-02-03T03:23:20Z: write it so."),
        ("30m ago", "Write now-30m; or 30m with --since, for the stretch up to --until."),
        ("-2 hours", "Write now-2h; or 2h with --since, for the stretch up to --until."),
        ("yesterday", "RFC 3339"),
    ],
)
def test_what_was_probably_meant_is_told(text: str, hint: str) -> None:
    with pytest.raises(WindowError, match="is not a time") as caught:
        parse_time(text, now=NOW)
    assert hint in caught.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(WindowError):
        parse_time("2026-11-22 03:10", now=NOW, timezone=zone)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "1700000000", "now-", "now*2h", "", "\x00"])
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(WindowError):
        parse_time(text, now=NOW)


def test_at_looks_around_the_moment_and_tells_it_as_the_onset() -> None:
    plan = plan_window(Asked(at="2026-11-22T03:00:00Z"), SETTINGS, now=NOW)
    onset = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert plan.window.onset == onset
    assert plan.window.span.start == onset - timedelta(minutes=30)
    assert plan.window.span.end == onset + timedelta(minutes=15)
    assert plan.span.start <= onset - timedelta(minutes=92), "the baseline is collected too"


def test_at_a_moment_ago_ends_now_and_not_in_the_future() -> None:
    assert plan_window(Asked(at="now-5m"), SETTINGS, now=NOW).window.span.end == NOW


def test_since_alone_may_be_a_duration() -> None:
    plan = plan_window(Asked(since="90m"), SETTINGS, now=NOW)
    assert plan.window.span.start == NOW - timedelta(minutes=90)
    assert plan.window.span.end == NOW
    assert plan.window.onset is None, "the data say when it began"


def test_an_alert_gives_the_moment_when_no_time_was_typed() -> None:
    fired = NOW - timedelta(minutes=20)
    assert plan_window(Asked(), SETTINGS, now=NOW, alerted_at=fired).window.onset == fired


def test_an_alert_outside_the_typed_window_is_no_onset() -> None:
    fired = NOW - timedelta(days=1)
    assert plan_window(Asked(since="1h"), SETTINGS, now=NOW, alerted_at=fired).window.onset is None


def test_a_baseline_placed_by_hand_may_lie_after_the_incident() -> None:
    asked = Asked(since="now-3h", until="now-2h", baseline_since="now-1h", baseline_until="now-30m")
    plan = plan_window(asked, SETTINGS, now=NOW)
    assert plan.window.baseline is not None
    assert plan.window.baseline.start == NOW - timedelta(hours=1)
    assert plan.span.end >= plan.window.baseline.end
    assert plan.span.start <= plan.window.span.start


def test_a_day_is_no_moment_but_may_bound_a_stretch() -> None:
    berlin = replace(SETTINGS, timezone="Europe/Berlin")
    assert "is a day" in refusal(Asked(at="2026-11-21"), berlin).message
    assert "is not a time" in refusal(Asked(at="2026-13-01"), berlin).message
    plan = plan_window(Asked(since="2026-11-20", until="2026-11-21"), berlin, now=NOW)
    assert plan.window.span.start == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_times_that_make_no_window_are_refused_with_the_reason() -> None:
    assert "no time" in refusal(Asked()).message
    assert "twice" in refusal(Asked(at="now", since="1h")).message
    assert "empty" in refusal(Asked(since="now-1h", until="now-2h")).message
    assert "empty" in refusal(Asked(since="now-1h", until="now-1h")).message
    assert "--since" in refusal(Asked(until="now")).message
    assert "future" in refusal(Asked(since="now+1h", until="now+2h")).message
    assert "future" in refusal(Asked(at="now+1h")).message
    assert "go together" in refusal(Asked(since="1h", baseline_since="now-3h")).message
    assert (
        "baseline is empty" in refusal(Asked(since="1h", baseline_since="now-2h", baseline_until="now-3h")).message
    )
    assert "too many points" in refusal(Asked(since="52w"), WindowSettings(step_seconds=15)).message


@given(st.integers(60, 30 * 86400))
def test_the_step_keeps_the_rows_few_and_the_span_whole(seconds: int) -> None:
    plan = plan_window(Asked(since=f"{seconds}s"), SETTINGS, now=NOW)
    assert plan.span.seconds % plan.step_seconds == 0
    assert plan.span.start.timestamp() % plan.step_seconds == 0, "caches serve only aligned queries"
    assert plan.span.seconds / plan.step_seconds <= max(243, plan.span.seconds / 3600 + 1)


def test_the_step_can_be_set() -> None:
    assert plan_window(Asked(since="1h"), WindowSettings(step_seconds=5), now=NOW).step_seconds == 5
