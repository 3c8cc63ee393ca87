"""Values in code: durations, sizes and numbers made comparable, whatever they are written in."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rca.changes.vocabulary import Quantity, Vocabulary

OPEN, CLOSE = "⟦", "⟧"
_SECONDS = {
    "ns": 1e-9, "nano": 1e-9, "nanos": 1e-9, "nanosecond": 1e-9, "nanoseconds": 1e-9,
    "us": 1e-6, "µs": 1e-6, "micro": 1e-6, "micros": 1e-6, "microsecond": 1e-6, "microseconds": 1e-6,
    "ms": 1e-3, "msec": 1e-3, "milli": 1e-3, "millis": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0, "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_BYTES = {
    "b": 1.0, "k": 1024.0, "kb": 1024.0, "ki": 1024.0, "kib": 1024.0,
    "m": 2.0**20, "mb": 2.0**20, "mi": 2.0**20, "mib": 2.0**20, "g": 2.0**30, "gb": 2.0**30, "gi": 2.0**30,
    "gib": 2.0**30, "t": 2.0**40, "tb": 2.0**40, "ti": 2.0**40, "tib": 2.0**40,
}  # fmt: skip
_THOUSANDS = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_NAMED = {"cpu": "cores", "share": "%"}
_NUMBER = r"\d[\d_]*(?:\.\d+)?"
_UNIT = "|".join(sorted({*_SECONDS}, key=len, reverse=True))
_DURATIONS = (
    (
        re.compile(rf"({_NUMBER})\s*\*\s*(?:time|chrono)(?:\.|::)(\w*(?:second|minute|hour))s?\b", re.IGNORECASE),
        (1, 2),
    ),
    (re.compile(rf"\btime\.(\w*(?:Second|Minute|Hour))\s*\*\s*({_NUMBER})"), (2, 1)),
    (
        re.compile(
            rf"\bDuration(?:\.|::)(?:of|from|from_|of_)_?({_UNIT})\(\s*({_NUMBER})[Ll]?\s*\)", re.IGNORECASE
        ),
        (2, 1),
    ),
    (re.compile(rf"\bTimeSpan\.From({_UNIT})\(\s*({_NUMBER})\s*\)", re.IGNORECASE), (2, 1)),
    (re.compile(rf"\bchrono::({_UNIT})\(\s*({_NUMBER})\s*\)", re.IGNORECASE), (2, 1)),
    (re.compile(rf"\btimedelta\(\s*({_UNIT})\s*=\s*({_NUMBER})\s*\)", re.IGNORECASE), (2, 1)),
    (re.compile(rf"({_NUMBER})[Ll]?\s*,\s*(?:TimeUnit|ChronoUnit)\.({_UNIT})\b", re.IGNORECASE), (1, 2)),
    (re.compile(rf"({_NUMBER})\.({_UNIT})\b(?!\s*\()", re.IGNORECASE), (1, 2)),
)
_MAY_BE_DURATION = re.compile(
    r"time\.|uration|TimeSpan|timedelta|TimeUnit|ChronoUnit|chrono|\d\.(?:milli|second|minute|hour|day)"
)
_LONE_UNIT = re.compile(r"\btime\.(Millisecond|Second|Minute|Hour)\b(?!\s*\*)")
_XM = re.compile(r"-Xm[xsn](\d+)([kmgKMG])")
_PRODUCT = re.compile(r"(?<![\w.])\d[\d_]*[lL]?(?:\s*(?:\*|<<)\s*\d[\d_]*[lL]?)+(?![\w.])")
_PLAIN = re.compile(
    rf"(?<![\w.$#~-])(?<!\d:)(-?{_NUMBER})(ns|us|µs|ms|min|sec|[KMGT]i?B?|[kmgt]i?b|[kmgsdhwt]|%|[lLfFuU])?(?![\w]|\.\d|:\d|-\d|/\d|\.[A-Za-z])"
)
_TIME_WORDS = re.compile(r"\b(ns|us|ms|millis\w*|micros\w*|nanos\w*|secs?|seconds?|minutes?|mins?|hours?|days?)\b")
_ALWAYS_TIME = frozenset({"ns", "us", "µs", "ms", "min", "sec", "s", "h", "d", "w"})


@dataclass(frozen=True, slots=True)
class Value:
    """A number with the family of its unit.

    Attributes:
        family: `time` in seconds, `size` in bytes, `cpu` in cores, `share` in percent, or `count`.
    """

    family: str
    number: float

    def text(self) -> str:
        """As a person would write it."""
        if self.family == "time":
            for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3)):
                if abs(self.number) >= seconds * (2 if unit in {"d", "h", "min"} else 1):
                    return f"{self.number / seconds:.4g} {unit}"
            return f"{self.number:.4g} s"
        if self.family == "size":
            for unit, size in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
                if abs(self.number) >= size:
                    return f"{self.number / size:.4g} {unit}"
            return f"{self.number:.4g} B"
        if self.family in _NAMED:
            return f"{self.number:.4g} {_NAMED[self.family]}"
        return f"{self.number:,.10g}" if abs(self.number) >= 10_000 else f"{self.number:.6g}"  # noqa: PLR2004 - for eyes


def quantity_of(words: str, vocabulary: Vocabulary) -> Quantity | None:
    """What the numbers of a line are, by its words; None when nothing says so."""
    return next((quantity for quantity in vocabulary.quantities if quantity.words.search(words)), None)


@lru_cache(maxsize=50_000)
def canonical(code: str, family: str, unit: str) -> str:
    """Code with its numbers in one form each, such as `⟦time~5.0⟧`.

    Args:
        code: A line.
        family: How a suffix that may mean several things is read (`m`: minutes, mebibytes, millicores).
        unit: The unit that the line's words name for a time, or empty.
    """
    if not any(ch.isdigit() for ch in code) and "time." not in code:
        return code
    for pattern, (number, unit_at) in _DURATIONS if _MAY_BE_DURATION.search(code) else ():
        code = pattern.sub(
            lambda match, n=number, u=unit_at: _mark("time", _float(match[n]) * _SECONDS[_single(match[u])]),  # type: ignore[misc]  # mypy can't infer a lambda's defaults
            code,
        )
    code = _LONE_UNIT.sub(lambda match: _mark("time", _SECONDS[match[1].lower()]), code)
    code = _XM.sub(lambda match: "-Xmx " + _mark("size", _float(match[1]) * _BYTES[match[2].lower()]), code)
    code = _PRODUCT.sub(lambda match: _product(match[0]), code)
    return _PLAIN.sub(lambda match: _plain(match[1], match[2] or "", family, unit), code)


def unit_in(words: str) -> str:
    """The unit of time that words name (`timeout ms` names `ms`), or empty."""
    match = _TIME_WORDS.search(words)
    return _single(match[1]) if match else ""


def value_of(token: str) -> Value | None:
    """What a canonical token holds; None for any other token."""
    if not token.startswith(OPEN):
        return None
    family, _, number = token[1:-1].partition("~")
    return Value(family, float(number))


def _single(unit: str) -> str:
    low = unit.lower()
    return low if low in _SECONDS else low.rstrip("s")


def _float(text: str) -> float:
    return float(text.replace("_", "").rstrip("lL"))


def _mark(family: str, number: float) -> str:
    return f"{OPEN}{family}~{round(number, 9)!r}{CLOSE}"


def _product(text: str) -> str:
    parts = re.split(r"\s*(\*|<<)\s*", text)
    number = int(_float(parts[0]))
    for operator, part in zip(parts[1::2], parts[2::2], strict=True):
        other = int(_float(part))
        number = number * other if operator == "*" else number << min(other, 64)
    return str(number) if number < 10**15 else text


def _plain(number: str, suffix: str, family: str, unit: str) -> str:
    value, low = _float(number), suffix.lower()
    if suffix in _ALWAYS_TIME and not (family == "size" and low == "b"):
        return _mark("time", value * _SECONDS[suffix])
    if family == "time" and (low == "m" or (low in {"", "l"} and unit)):
        return _mark("time", value * _SECONDS["m" if low == "m" else unit])
    if family == "cpu":
        return _mark("cpu", value / 1000 if suffix == "m" else value)
    if low in _BYTES and (family == "size" or low not in _THOUSANDS):
        return _mark("size", value * _BYTES[low])
    if low == "%":
        return _mark("share", value)
    return _mark("count", value * (_THOUSANDS.get(low, 1.0) if family == "count" else 1.0))
