"""What varies from line to line is cut out of a log message, so that lines of one statement look alike.

A message goes through two steps. `headline` reduces what isn't one line of prose (JSON, logfmt, stack traces,
terminal colours) to the one line that says what happened. `Masker` replaces times, ids, addresses and numbers in
it by placeholders (`<time>`, `<id>`, `<ip>`, `<n>`, …). A placeholder masks to itself, so masking twice changes
nothing.

Kept on purpose: exception classes, and the digits of a status (`status=503`, `HTTP/1.1" 500`, `returned 502`),
since they tell a failure from a success.
"""

import json
import re
from typing import Any, Final

MAX_CHARS: Final = 600
"""How much of a line is looked at: a template's identity lies in its beginning."""
MAX_DOCUMENT_CHARS: Final = 16_384
"""How much of a message is searched for a JSON document or for the frames of a stack trace."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")

_MESSAGE_KEYS = ("message", "msg", "log", "event", "text", "short_message", "body")
_ERROR_KEYS = (
    "error",
    "err",
    "exception",
    "exc_info",
    "cause",
    "reason",
    "stack_trace",
    "stack",
    "status",
    "code",
)
_LOGFMT = re.compile(r"(?<![^\s])([A-Za-z_][\w.@-]*)=(\"(?:[^\"\\]|\\.)*\"|\S*)")

_EXCEPTION_LINE = re.compile(
    r"^[ \t]*(?:Caused by: |Exception in thread \"[^\"]*\" |Unhandled exception[.:] |panic: )?"
    r"((?:[A-Za-z_$][\w$]*[.:]{1,2})*[A-Z][\w$]*(?:Exception|Error|Throwable|Fault|Failure|Interrupt|Exit))"
    r"(?=$|[:\s])([^\n]*)",
    re.MULTILINE,
)
_FRAME = re.compile(r"^[ \t]+at (?:async )?([\w.$<>/\[\] ]+?)\s*\(", re.MULTILINE)
_PYTHON_FRAME = re.compile(r"^[ \t]+File \"([^\"\n]+)\", line \d+, in ([\w<>.]+)", re.MULTILINE)
_GO_FRAME = re.compile(r"^goroutine \d+ \[[^\]]*\]:\n([\w./*()\-]+)\(", re.MULTILINE)

# Alternatives are tried in this order at every position of a token; the name of the group that matched names the
# placeholder. `keep` is text that must survive although it has digits in it.
_VARIABLE = re.compile(
    r"(?P<keep>(?:(?i:status(?:[_-]?code)?|code|errno|sqlstate|exit(?:[_-]?code)?)[\"']?[=:][\"']?-?\d{1,5}\b"
    r"|HTTP/\d(?:\.\d)?))"
    r"|(?P<uuid>(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F]))"
    r"|(?P<time>\d{4}[-/]\d{2}[-/]\d{2}(?:[T_]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)"
    r"|\d{1,2}/[A-Z][a-z]{2}/\d{4}(?::\d{2}){0,3}"
    r"|(?<!\d)\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?(?!\d))"
    r"|(?P<ip>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?::\d{1,5})?(?![\w.]*\w)"
    r"|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:]))"
    r"|(?P<id>(?<=-)(?=[a-z]*\d)[a-z0-9]{8,10}-[a-z0-9]{5}(?![a-z0-9])"
    r"|(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?:0[xX][0-9a-fA-F]+|(?=[0-9]*[a-fA-F])[0-9a-fA-F]{7,}"
    r"|(?=(?:[A-Za-z_]*\d){3})(?=[0-9_]*[A-Za-z])[A-Za-z0-9_]{16,})(?![A-Za-z0-9])"
    r"|(?<=-)(?=[a-z]*\d)[bcdfghjklmnpqrstvwxz0-9]{5}(?![A-Za-z0-9]))"
    r"|(?P<dur>(?<![\w.])(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|min|s|m|h|d))+(?![A-Za-z0-9]))"
    r"|(?P<size>(?<![\w.])\d+(?:\.\d+)?(?:[kKMGTP]i?[bB]?|[bB]|bytes)(?![A-Za-z0-9]))"
    r"|(?P<n>(?<![A-Za-z0-9_.])[-+]?\d[\d_]*(?:[.,]\d+)*(?:[eE][-+]?\d+)?|(?<=[._])\d+|\d{2,})"
)
_URL_QUERY = re.compile(r"(?<=[\w/])\?[\w.~%+-]+=[^\s\"'<>)\]]*")
_QUOTED = re.compile(r"(?<![\w\\=:])\"([^\"\n]{1,200})\"|(?<![\w\\])'([^'\n]{1,200})'(?!\w)")
_SAYS_WHAT: Final = frozenset(
    ["message", "msg", "error", "err", "reason", "cause", "exception", "detail", "description"]
)
_STATUS_BEFORE = frozenset(
    [
        "status",
        "code",
        "status:",
        "code:",
        "status=",
        "code=",
        "http",
        "error",
        "returned",
        "returning",
        'http/1.0"',
        'http/1.1"',
        'http/2"',
        'http/2.0"',
        'http/3"',
        "response:",
        "response",
        "statuscode",
        "statuscode:",
        "->",
    ]
)
_STATUS_DIGITS: Final = 3
_TRACE_NOISE = re.compile(
    r"[\[({,]?[\"']?\b(?:dd\.|X-B3-)?(?:trace|span|parent)(?:[_.-]?id|parent)[\"']?\s?[:=]\s?[\"']?[\w-]*<(?:id|n|uuid|s)>"
    r"[^\s\])}]*[\])},]?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:[\[(]?(?:<time>[zZ]?|<n>(?=\s<time>)|TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?=\s+<n>))[\])]?(?:[\s:|-]+|$))+"
)
_CACHE: Final = 50_000


def headline(message: str) -> str:
    """The one line of a message that says what happened: `MAX_CHARS` at most, without control characters.

    A JSON document gives its message and error fields, a logfmt line its `msg` and `error`; a stack trace gives
    its first line, the root exception and the innermost frame. Anything else is kept as it is. Never raises.
    """
    if "\x1b" in message:
        message = _ANSI.sub("", message)
    text = message.strip()
    if text.startswith("{"):
        text = _from_json(text) or text
    elif "=" in text[:200] and ("msg=" in text or "message=" in text):
        text = _from_logfmt(text) or text
    if "\n" in text or "\r" in text:
        text = _from_lines(text[:MAX_DOCUMENT_CHARS])
    text = text[:MAX_CHARS]
    if text.isprintable():
        return text
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _from_json(text: str) -> str:
    if len(text) > MAX_DOCUMENT_CHARS:
        return ""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _said(document) if isinstance(document, dict) else ""


def _said(document: dict[str, Any]) -> str:
    """The message of a structured record, with what it says of the error; empty when it has no message."""
    texts = (document[key] for key in _MESSAGE_KEYS if key in document)
    message = next((text for text in texts if text and isinstance(text, str)), "")
    if not message:
        return ""
    parts = [message]
    for key in _ERROR_KEYS:
        if key not in document:
            continue
        value = document[key]
        if isinstance(value, dict):
            value = value.get("type") or value.get("message") or value.get("code")
        if isinstance(value, str | int) and value not in ("", message) and not isinstance(value, bool):
            parts.append(f"{key}={value}")
    return " ".join(parts)


def _from_logfmt(text: str) -> str:
    pairs = {key: value.strip('"') for key, value in _LOGFMT.findall(text[:MAX_DOCUMENT_CHARS])}
    return _said(pairs)


def _from_lines(text: str) -> str:
    """The first line, the root exception and the innermost frame of a message of several lines."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    exceptions = [f"{name}{said}".strip() for name, said in _EXCEPTION_LINE.findall(text)]
    if python := _PYTHON_FRAME.findall(text):
        path, function = python[-1]
        frame = f"{path.rsplit('/', 1)[-1]}:{function}"
    else:
        at = text.rfind("Caused by: ")
        found = _FRAME.search(text, max(at, 0)) or _FRAME.search(text) or _GO_FRAME.search(text)
        frame = found.group(1) if found else ""
    root = exceptions[-1] if exceptions else ""
    if root and first.startswith("Traceback"):
        first = root
    parts = [first]
    if root and root not in first:
        parts.append(root)
    if frame:
        parts.append(f"at {frame}")
    return " ".join(parts)


class Masker:
    """Masks messages; remembers the words it has seen, so that a repeated word costs a look-up.

    The memory is bounded and only a cache: what `mask` returns never depends on it.
    """

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._tidied: dict[str, str] = {}

    def mask(self, message: str) -> str:
        """The message's headline with everything variable replaced by placeholders, words parted by one space."""
        return self.mask_line(headline(message))

    def mask_line(self, text: str) -> str:
        """As `mask`, of a text that is a headline already."""
        if "'" in text or '"' in text:
            text = _QUOTED.sub(_mask_quoted, text)
        words = text.split()
        get = self._words.get
        masked = [get(word) or self._word(word) for word in words]
        if "<n>" in masked:
            _restore_statuses(words, masked)
        line = " ".join(masked)
        return self._tidied.get(line) or self._tidy(line)

    def _tidy(self, line: str) -> str:
        tidied = _tidy(line)
        if len(self._tidied) >= _CACHE:
            self._tidied.clear()
        self._tidied[line] = tidied
        return tidied

    def _word(self, word: str) -> str:
        masked = _mask_word(word)
        if len(self._words) >= _CACHE:
            self._words.clear()
        self._words[word] = masked
        return masked


def _tidy(line: str) -> str:
    """Without trace and span ids, the time and level in front, and repetitions of a placeholder in a row."""
    if "<" in line:
        line = _TRACE_NOISE.sub("", line)
    line = _LEAD.sub("", line, count=1) or line
    words: list[str] = []
    for word in line.split():
        if not (words and words[-1].rstrip(",") == word.rstrip(",") and word.startswith("<")):
            words.append(word)
    return " ".join(words)


def _mask_word(word: str) -> str:
    if "?" in word:
        word = _URL_QUERY.sub("?<q>", word)
    if word.isalpha() or not any(map(str.isdigit, word)):
        return word
    return _VARIABLE.sub(_placeholder, word)


def _placeholder(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return match.group() if kind == "keep" else f"<{kind}>"


def _mask_quoted(match: re.Match[str]) -> str:
    """A quoted value varies; a quoted sentence after a key such as `error` says what happened and stays."""
    text, before = match.group(), match.string[max(0, match.start() - 24) : match.start()]
    inner = match.group(1) or match.group(2)
    if inner.startswith("<") or " HTTP/" in inner:
        return text
    key = before.rstrip(" :=").rsplit(" ", 1)[-1].strip("\"'{,([").lower()
    if key in _SAYS_WHAT or match.string[match.end() : match.end() + 1] == ":":
        return text
    return f"{text[0]}<s>{text[-1]}"


def _restore_statuses(words: list[str], masked: list[str]) -> None:
    """Put back a three-digit status that stands by itself after a word that announces one."""
    for i, word in enumerate(words):
        if masked[i] == "<n>" and i and len(word) == _STATUS_DIGITS and words[i - 1].lower() in _STATUS_BEFORE:
            masked[i] = word
