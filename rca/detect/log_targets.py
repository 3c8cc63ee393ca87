"""Which other service an error line names: `timeout calling cart`, `No instances available for seat-service`."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_CUE: Final = (
    r"(?:call(?:ing|s|ed)?|to|from|by|upstream|downstream|host|service|server|dial(?:ing)?|lookup|resolv(?:e|ing)|for|at"
    r"|connect(?:ing)?|reach(?:ing)?|contact(?:ing)?|backend|dependency|client|rpc|peer|target|via|with|on)"
)
_DIGIT = re.compile(r"\d")
_MIN_NAME: Final = 3
_TELLING_NAME: Final = 9


class TargetFinder:
    """Finds the service, other than the speaker, that a text names as its counterpart.

    A name counts as a whole word. One that could be an ordinary word (short, without `-`, `_`, `.` or a digit)
    counts
    only after a word such as `calling`, `to`, `upstream`, or where a host stands: `http://name`, `name:8080`,
    `name.namespace`.

    Args:
        services: The names, as data; the answer is a position in this sequence.
        aliases: Further names a service answers to, by the name to its position.
    """

    def __init__(self, services: Sequence[str], aliases: Mapping[str, int] | None = None) -> None:
        names = {name.lower(): i for i, name in enumerate(services)} | {
            alias.lower(): i for alias, i in (aliases or {}).items()
        }
        self._position = {name: i for name, i in names.items() if len(name) >= _MIN_NAME}
        telling = [name for name in self._position if len(name) >= _TELLING_NAME or re.search(r"[-_.\d]", name)]
        plain = [name for name in self._position if name not in set(telling)]
        self._patterns = [
            re.compile(pattern)
            for pattern in (
                _alternatives(telling, r"(?<![\w-])(", r")(?![\w-]|\.\w+\()"),
                _alternatives(
                    plain, rf"(?:(?<![\w-]){_CUE}[\s:=\"'\[(]+(?:the )?(?:https?://)?|://)(", r")(?![\w-])"
                ),
                _alternatives(plain, r"(?<![\w./-])(", r")(?=:\d{2,5}\b|\.svc\b| service\b| unavailable\b)"),
            )
            if pattern
        ]

    @property
    def needs_raw_text(self) -> bool:
        """True when masking would take a name apart, so that masked texts can't be searched."""
        return any(_DIGIT.search(name) for name in self._position)

    def find(self, text: str, speaker: int) -> int:
        """The position of the service that the text names first, the speaker left out; -1 when it names none."""
        best, where = -1, len(text) + 1
        lowered = text.lower()
        for pattern in self._patterns:
            for match in pattern.finditer(lowered):
                found = self._position[match.group(1)]
                if found != speaker and match.start(1) < where:
                    best, where = found, match.start(1)
                    break
        return best


def _alternatives(names: Sequence[str], before: str, after: str) -> str:
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return before + "|".join(map(re.escape, ordered)) + after if ordered else ""
