"""Numbers, times and durations as a person would say them."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

_DIGITS = 3
_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 86400.0
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024.0
_THOUSAND = 1000.0
_BIG = 1e15  # from here on, and below _TINY, only a power of ten tells anything
_PLAIN_LIMIT = 1e5
_LETTERS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_TINY = 1e-4


def number(value: float) -> str:
    """Three significant digits: `0.0042`, `12.5`, `1,480`, `2.5 M`; `n/a` for what is no number."""
    if not math.isfinite(value):
        return "n/a"
    size = abs(float(f"{value:.{_DIGITS}g}"))  # as it will be shown: 999.6 is a thousand
    if size >= _BIG or 0 < size < _TINY:
        return f"{value:.{_DIGITS - 1}e}"
    if size >= _PLAIN_LIMIT:
        factor, letter = next(pair for pair in _LETTERS if size >= pair[0])
        return f"{number(value / factor)} {letter}"
    if size >= _THOUSAND:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    places = max(_DIGITS - 1 - math.floor(math.log10(size)), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit, scaled to what reads well; empty when there is none.

    >>> quantity(0.0042, "ratio"), quantity(0.48, "s"), quantity(3e9, "bytes"), quantity(12, "1/s")
    ('0.42 %', '480 ms', '2.79 GiB', '12/s')
    """
    if value is None:
        return ""
    if not math.isfinite(value):
        return "n/a"
    unit = unit.strip()
    if scaled := _SCALED.get(unit.lower()):
        return scaled(value)
    return f"{number(value)}{unit[1:]}" if unit.startswith("1/") else f"{number(value)} {unit}".rstrip()


def _seconds(value: float) -> str:
    size = abs(value)
    if 2 * _MINUTE <= size < _BIG:
        return ("-" if value < 0 else "") + duration(size)
    if size >= 1 or value == 0:
        return f"{number(value)} s"
    if size >= 1e-3:  # noqa: PLR2004 - a millisecond
        return f"{number(value * 1e3)} ms"
    return f"{number(value * 1e6)} µs"


def _bytes(value: float) -> str:
    power = 0
    while abs(value) >= _STEP and power < len(_BINARY) - 1:
        value /= _STEP
        power += 1
    return f"{number(value)} {_BINARY[power]}"


_SCALED: Mapping[str, Callable[[float], str]] = {
    "ratio": lambda value: f"{number(value * 100)} %",
    "s": _seconds,
    "seconds": _seconds,
    "ms": lambda value: _seconds(value / _THOUSAND),
    "bytes": _bytes,
    "bytes/s": lambda value: f"{_bytes(value)}/s",
}


def duration(seconds: float) -> str:
    """A length of time in its two largest parts: `45 s`, `2 min 30 s`, `1 h 30 min`, `3 d 4 h`."""
    whole = round(abs(seconds))
    parts = []
    for size, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1.0, "s")):
        count, whole = int(whole // size), int(whole % size)
        parts.append((count, name))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {name}" for count, name in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


def clock(at: datetime, day: date) -> str:
    """A time of the given day, in UTC: `03:11:40`, with the date before it on another day."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}" if utc.date() == day else f"{utc:%Y-%m-%d %H:%M:%S}"
