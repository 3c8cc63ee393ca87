"""How bad a log line is: by its level, or by what it says when its level is absent or says nothing."""

import re
from typing import Final

from rca.model.tuning.lines import LineTuning

ERROR: Final = 1.0
CALM: Final = 0.0

_ERROR_LEVELS: Final = frozenset(
    [
        "ERROR",
        "ERR",
        "E",
        "FATAL",
        "F",
        "CRITICAL",
        "CRIT",
        "SEVERE",
        "PANIC",
        "EMERGENCY",
        "EMERG",
        "ALERT",
        "DPANIC",
        "3",
        "2",
        "1",
        "0",
    ]
)
_WARN_LEVELS: Final = frozenset(["WARN", "WARNING", "W", "4"])
_QUIET_LEVELS: Final = frozenset(["DEBUG", "TRACE", "D", "T", "FINE", "FINER", "FINEST", "VERBOSE", "V", "7"])

_LEVEL_IN_TEXT = re.compile(
    r"(?<![\w.])(?:(ERROR|FATAL|CRITICAL|SEVERE|PANIC|EMERG)|(WARN(?:ING)?)|(DEBUG|TRACE))(?![\w=.])"
    r"|(?i:\b(?:level|severity)[\"']?[:=][\"']?(?:(error|fatal|critical|panic)|(warn)|(debug|trace)))"
)
_LEVEL_CHARS: Final = 160

_FAILURE = re.compile(
    r"\b[\w.$]*(?:[a-z]Exception|[a-z]Error|Throwable|OutOfMemory\w*)\b"
    r"|Traceback \(most recent|\bpanic: |\bOOM ?[Kk]ill|\b[Ss]egmentation fault"
    r"|(?:(?i:status(?:[ _-]?code)?|code|returned|response)[\"']?[ :=]+[\"']?|HTTP/\d(?:\.\d)?\"? )5\d\d\b"
    r"|(?i:\b(?:timed[ -]out|timeout (?:exceeded|waiting|while|after|calling|of|on|during|from|expired)"
    r"|connection (?:refused|reset|closed|aborted)|unreachable|unavailable|deadlock|out of memory|no such host"
    r"|broken pipe|circuit[ -]?breaker (?:is |now )?open|deadline exceeded|too many (?:connections|requests|open)"
    r"|no instances? available|refused to|could not|cannot (?:connect|acquire|allocate|reach)|unable to"
    r"|quota exceeded|limit exceeded|exhausted|crash(?:ed|loop\w*)|aborted)\b)"
    r"|(?i:(?<!no )(?<!without )(?<!<n> )(?<!0 )\b(?:errors?|fail(?:ed|ure|ures)?)\b"
    r"(?!(?:[\"']?[=:]\s*[\"']?(?:0|<n>|null|none|nil|false|<s>|\"\"|''))"
    r"|[-_ ](?:rate|count|budget|handler|over)))"
)


def severity(level: str, text: str, tuning: LineTuning) -> float:
    """Between 0 (calm) and 1 (an error), from a line's level and its masked or raw text.

    A level that names an error or a warning is believed, and so are DEBUG and TRACE; at any other one (INFO,
    absent) the text decides: a level written in it, else words that tell of a failure.
    """
    if level in _ERROR_LEVELS:
        return ERROR
    if level in _QUIET_LEVELS:
        return CALM
    if level in _WARN_LEVELS:
        return tuning.warning
    if not level and (match := _LEVEL_IN_TEXT.search(text[:_LEVEL_CHARS])):
        is_error, is_warning, is_quiet = (match.group(i) or match.group(i + 3) for i in (1, 2, 3))
        if is_error or is_quiet:
            return ERROR if is_error else CALM
        if is_warning:
            return tuning.warning
    return tuning.says_failure if _FAILURE.search(text) else CALM
