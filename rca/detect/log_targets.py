"""Which other service an error line names: `timeout calling cart`, `No instances available for seat-service`."""

import re
from collections.abc import Sequence
from typing import Final

from rca.model.tuning.lines import LineTuning
from topology.names import other_spellings

_CUE_CHARS: Final = 32

_WORD = re.compile(r"\w+(?:[-.]\w+)*")
_SPECIAL = re.compile(r"[-_.\d]")
_DIGIT = re.compile(r"\d")
_CUE_BEFORE = re.compile(
    r"(?:(?<![\w-])(?:call(?:ing|s|ed)?|to|from|by|upstream|downstream|host|service|server|dial(?:ing)?|lookup"
    r"|resolv(?:e|ing)|for|at|connect(?:ing)?|reach(?:ing)?|contact(?:ing)?|backend|dependency|client|rpc|peer|target"
    r"|via|with|on)[\s:=\"'\[(]+(?:the )?(?:https?://)?|://)$"
)
_HOST_AFTER = re.compile(r":\d{2,5}\b|\.svc\b| service\b")
# The name as the subject of not answering; what fails or refuses may be anything ("cart refused the coupon").
_FAILS_AFTER = re.compile(
    r":?\s+(?:(?:has|have|is|was|are)\s+)?(?:timed[ -]?out|timeouts?\b|unreachable|unavailable|down\b|not\s+"
    r"(?:responding|answering|reachable|available)|(?:did|does)(?:n't|\s+not)\s+(?:answer|respond|reply)|no\s+"
    r"(?:answer|response|reply)|connection\s+(?:refused|reset|timed|closed|lost|failed|error)"
    r"|(?:refused|reset|closed|dropped)\s+(?:the\s+|our\s+)?connections?)"
)


class TargetFinder:
    """Finds the service, other than the speaker, that a text names as its counterpart.

    A name counts as a whole word, or as the first label of a host name. One that could be an ordinary word (short,
    without `-`, `_`, `.` or a digit) counts only after a word such as `calling`, `to`, `upstream`, or where a host
    stands (`http://name`, `name:8080`, `name.svc`), or where it is said not to answer: `name timed out`.
    A service may be called without its namespace, with or without a word that says it is one, if no other is.

    Args:
        services: The names, as data; the answer is a position in this sequence.
        tuning: The constants: from what length on a name is looked for, and is no ordinary word.
    """

    def __init__(self, services: Sequence[str], tuning: LineTuning) -> None:
        known = {name.lower(): i for i, name in enumerate(services)}
        spelt: dict[str, set[int]] = {}
        for name, i in known.items():
            for form in other_spellings(name):
                spelt.setdefault(form, set()).add(i)
        sole = {form: next(iter(of)) for form, of in spelt.items() if len(of) == 1}
        self._position = {name: i for name, i in {**sole, **known}.items() if len(name) >= tuning.name_letters}
        self._telling = {
            name for name in self._position if len(name) >= tuning.name_telling or _SPECIAL.search(name)
        }

    @property
    def needs_raw_text(self) -> bool:
        """True when masking would take a name apart, so that masked texts can't be searched."""
        return any(_DIGIT.search(name) for name in self._position)

    def find(self, text: str, speaker: int) -> int:
        """The position of the service that the text names first, the speaker left out; -1 when it names none."""
        lowered = text.lower()
        for match in _WORD.finditer(lowered):
            name = match.group()
            if name not in self._position:
                name = name.partition(".")[0]
            found = self._position.get(name, speaker)
            if found != speaker and (name in self._telling or _stands_as_host(lowered, match.start(), name)):
                return found
        return -1


def _stands_as_host(text: str, start: int, name: str) -> bool:
    before = text[max(0, start - _CUE_CHARS) : start]
    end = start + len(name)
    return bool(_CUE_BEFORE.search(before) or _HOST_AFTER.match(text, end) or _FAILS_AFTER.match(text, end))
