"""Times and numbers as a person says them."""

from collections.abc import Sequence
from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def lasting(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `2 days`."""
    whole = round(abs(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{round(whole / _MINUTE)} min"
    return f"{round(whole / _HOUR)} h" if whole < 2 * _DAY else f"{round(whole / _DAY)} days"


def within(seconds: float) -> str:
    """`within 40 s`, or `at once`."""
    return f"within {lasting(seconds)}" if round(seconds) else "at once"


def after(at: datetime, reference: datetime) -> str:
    """`40 s later`, `12 min earlier`, `at the same time`: when `at` was, seen from `reference`."""
    seconds = round((at - reference).total_seconds())
    if seconds == 0:
        return "at the same time"
    return f"{lasting(seconds)} {'later' if seconds > 0 else 'earlier'}"


def number_word(count: int) -> str:
    """`two` for 2; digits from eleven on."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else str(count)


def listed(names: Sequence[str], most: int = 6) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(([", ".join(names[:-1])] if len(names) > 1 else []) + [*names[-1:]])
