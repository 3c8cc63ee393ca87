"""Times and windows: what a person types becomes aware instants, or an error that says how to type it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rca.config.settings import WindowSettings
from rca.errors import WindowError
from rca.model.incident import Interval, Window

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_RELATIVE = re.compile(r"now(?:\s*([+-])\s*(\S+))?", re.IGNORECASE)
_STEPS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_TARGET_ROWS = 240
_MAX_ROWS = 50_000
_FORMS = "RFC 3339 (2026-11-22T03:10:00Z), 'now-2h', or '2026-11-22 03:10' or '03:10' with --timezone"
_CLOCK = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_UNIX = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")  # seconds or milliseconds, since 1973
_LENGTH = re.compile(r"(\d+)\s*([smhdw])[a-z]*", re.IGNORECASE)  # of `90min`, `2 hours ago`, `-30m`


@dataclass(frozen=True, slots=True)
class Asked:
    """The times as they were typed; None where a flag was not given."""

    at: str | None = None
    since: str | None = None
    until: str | None = None
    baseline_since: str | None = None
    baseline_until: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to collect, and how to look at it.

    Attributes:
        window: Where the incident is sought.
        span: What is collected: the window and the baseline.
        step_seconds: The resolution of what is collected.
    """

    window: Window
    span: Interval
    step_seconds: int


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90m`, `1h30m`, `2d`.

    Raises:
        WindowError: It isn't one, it is zero, or it is longer than ten years.
    """
    compact = text.strip().lower().replace(" ", "")
    if not _DURATION.fullmatch(compact):
        raise WindowError(f"'{text}' is not a duration", hint="Write it as 90m, 2h, 1h30m or 3d.")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact))
    if not 0 < seconds <= 10 * 365 * 86400:
        raise WindowError(f"the duration '{text}' is zero or out of range", hint="Write it as 90m, 2h or 3d.")
    return timedelta(seconds=seconds)


def load_timezone(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        WindowError: There is no such zone.
    """
    if name.upper() in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WindowError(
            f"there is no time zone '{name}'", hint="Use an IANA name such as Europe/Berlin, or UTC."
        ) from error


def parse_time(text: str, *, now: datetime, timezone: str = "") -> datetime:
    """Read an instant and return it in UTC.

    Args:
        text: RFC 3339, `now`, `now-2h`, or a naive local time when `timezone` is given; `03:10`, also with an
            offset, is the last time that the clocks there showed it.
        now: The present (aware).
        timezone: The IANA zone for a time without an offset; empty refuses one.

    Raises:
        WindowError: It can't be read, or it is naive and no zone was given.
    """
    stripped = text.strip()
    relative = _RELATIVE.fullmatch(stripped)
    if relative:
        sign, amount = relative.groups()
        if amount is None:
            return now.astimezone(UTC)
        shift = parse_duration(amount)
        return (now - shift if sign == "-" else now + shift).astimezone(UTC)
    if of_day := _CLOCK.fullmatch(stripped):
        return _last_shown(of_day[1], of_day[2] or "", text, now, timezone)
    try:
        moment = datetime.fromisoformat(stripped)
    except ValueError as error:
        raise WindowError(f"'{text}' is not a time", hint=_meant(stripped)) from error
    if moment.tzinfo is None:
        moment = _localise(moment, text, timezone)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise WindowError(f"'{text}' is out of range", hint=f"Write it as {_FORMS}.") from error


def _is_day(text: str) -> bool:
    """Whether it names a day that exists, and no time of it."""
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _meant(text: str) -> str:
    """How to write what was probably meant."""
    unix = _UNIX.fullmatch(text)
    if unix:
        return f"As a unix time that is {_shown(datetime.fromtimestamp(int(unix[1]), UTC))}: write it so."
    length = _LENGTH.fullmatch(re.sub(r"^-|\s*ago$", "", text.strip(), flags=re.IGNORECASE))
    if length:
        short = f"{length[1]}{length[2].lower()}"
        return f"Write now-{short}; or {short} with --since, for the stretch up to --until."
    return f"Write it as {_FORMS}."


def _shown(moment: datetime) -> str:
    """An instant as it can be typed, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _last_shown(clock: str, offset: str, text: str, now: datetime, timezone: str) -> datetime:
    """The last instant at which the clocks of an offset, or else of a zone, showed a time of day."""
    padded = clock.zfill(5) if clock.count(":") == 1 else clock.zfill(8)
    try:
        at = time.fromisoformat(f"{padded}{offset.upper()}")
    except ValueError as error:
        raise WindowError(f"'{text}' is not a time", hint=_meant(clock)) from error
    today = now.astimezone(at.tzinfo or (load_timezone(timezone) if timezone else UTC)).date()
    for day in (today, today - timedelta(days=1)):
        moment = datetime.combine(day, at)
        moment = moment if at.tzinfo else _localise(moment, text, timezone)
        if moment <= now:
            break
    return moment.astimezone(UTC)


def _localise(moment: datetime, text: str, timezone: str) -> datetime:
    if not timezone:
        raise WindowError(
            f"'{text}' has no time zone, so it could mean several instants",
            hint="Add an offset (2026-11-22T03:10:00Z) or say --timezone Europe/Berlin.",
        )
    zone = load_timezone(timezone)
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise WindowError(
            f"no clock in {timezone} showed '{text}': they were put forward then",
            hint=f"{_shown(second)} was just before, {_shown(first)} just after.",
        )
    raise WindowError(
        f"'{text}' is ambiguous in {timezone}: the clocks were put back then",
        hint=f"Say which: {first.isoformat()} or {second.isoformat()}.",
    )


def plan_window(
    asked: Asked, settings: WindowSettings, *, now: datetime, alerted_at: datetime | None = None
) -> Plan:
    """Turn what was typed into what to collect.

    `--at` (or an alert's time) is looked around and told to the analysis as a hint of the onset; `--since` and
    `--until` bound the search and leave the onset to the data. The baseline before the window is collected too,
    unless it was placed by hand.

    Args:
        asked: The flags.
        settings: How far to look around a single time, and how much baseline to take.
        now: The present (aware); nothing is collected beyond it.
        alerted_at: When an alert fired, if one was given.

    Raises:
        WindowError: The times contradict each other, lie in the future, or none was given.
    """
    if asked.at and (asked.since or asked.until):
        raise WindowError(
            "--at and --since/--until say the same thing twice",
            hint="Give --at for one moment, or --since and --until for a stretch.",
        )
    if asked.at and _is_day(asked.at.strip()):
        raise WindowError(
            f"'{asked.at}' is a day, and --at wants a moment",
            hint=f"Add the time ('{asked.at} 03:10'); or look over the day: --since {asked.at} --until ….",
        )
    onset = parse_time(asked.at, now=now, timezone=settings.timezone) if asked.at else alerted_at
    if asked.since or asked.until:
        focus = _stretch(asked, settings, now)
        onset = onset if onset and focus.start <= onset <= focus.end else None
    elif onset is not None:
        focus = _around(onset, settings, now)
    else:
        raise WindowError(
            "no time was given", hint="Say when: --at now-30m, --since 90m, or --since now-3h --until now-2h."
        )
    baseline = _baseline(asked, settings, now)
    lead = timedelta(minutes=settings.baseline_minutes + settings.guard_minutes)
    start = min(focus.start, baseline.start) if baseline else focus.start - lead
    end = max(focus.end, baseline.end) if baseline else focus.end
    step = settings.step_seconds or _choose_step((end - start).total_seconds())
    span = _aligned(start, end, step)
    if span.seconds / step > _MAX_ROWS:
        raise WindowError(
            f"{span.seconds / 86400:.0f} days at a step of {step} s are too many points",
            hint="Ask for a shorter window, or a longer --step.",
        )
    return Plan(Window(focus, onset, baseline), span, step)


def _stretch(asked: Asked, settings: WindowSettings, now: datetime) -> Interval:
    until = parse_time(asked.until, now=now, timezone=settings.timezone) if asked.until else now.astimezone(UTC)
    if asked.since is None:
        raise WindowError("--until needs --since", hint="Say when to begin: --since now-2h, or --since 90m.")
    if _DURATION.fullmatch(asked.since.strip().lower()):
        since = until - parse_duration(asked.since)
    else:
        since = parse_time(asked.since, now=now, timezone=settings.timezone)
    if until <= since:
        raise WindowError(
            f"the window is empty: --until ({_shown(until)}) is not after --since ({_shown(since)})",
            hint="Swap them, or check the dates and time zones.",
        )
    if since >= now:
        raise WindowError(
            f"--since ({_shown(since)}) lies in the future; it is {_shown(now)} now",
            hint="Check the date and the time zone.",
        )
    return Interval(since, min(until, max(now.astimezone(UTC), since + timedelta(seconds=1))))


def _around(onset: datetime, settings: WindowSettings, now: datetime) -> Interval:
    if onset > now:
        raise WindowError(
            f"{_shown(onset)} lies in the future; it is {_shown(now)} now",
            hint="Check the date and the time zone, or this machine's clock.",
        )
    start = onset - timedelta(minutes=settings.lead_minutes)
    end = min(onset + timedelta(minutes=settings.lag_minutes), now.astimezone(UTC))
    return Interval(start, max(end, onset + timedelta(seconds=1)))


def _baseline(asked: Asked, settings: WindowSettings, now: datetime) -> Interval | None:
    if not (asked.baseline_since or asked.baseline_until):
        return None
    if not (asked.baseline_since and asked.baseline_until):
        raise WindowError(
            "--baseline-since and --baseline-until go together", hint="Give both ends of the baseline."
        )
    start = parse_time(asked.baseline_since, now=now, timezone=settings.timezone)
    end = parse_time(asked.baseline_until, now=now, timezone=settings.timezone)
    if end <= start:
        raise WindowError(
            f"the baseline is empty: it would end at {_shown(end)}, not after {_shown(start)}",
            hint="Swap --baseline-since and --baseline-until.",
        )
    return Interval(start, end)


def _choose_step(seconds: float) -> int:
    """The shortest usual step that gives at most about 240 rows."""
    return next((step for step in _STEPS if seconds / step <= _TARGET_ROWS), _STEPS[-1])


def _aligned(start: datetime, end: datetime, step: int) -> Interval:
    """Widen to whole steps, so that repeated runs ask for the same points and caches can serve them."""
    first = int(start.timestamp() // step * step)
    last = -int(-end.timestamp() // step * step)
    return Interval(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(max(last, first + step), UTC))
