"""Callers that can't even find a callee: a wrong or unknown host name is theirs (or the resolver's), not its."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rca.detect.log_aside import aside
from rca.detect.log_severity import severity
from rca.detect.log_targets import TargetFinder
from rca.model.logs import LogLine
from rca.model.tuning.lines import LineTuning

_UNRESOLVED: Final = (
    "name or service not known",
    "nodename nor servname",
    "no such host",
    "could not resolve",
    "couldn't resolve",
    "failed to resolve",
    "cannot resolve",
    "nxdomain",
    "unknown host",
    "unknownhost",
    "nameresolution",
    "getaddrinfo",
    "temporary failure in name resolution",
    "name does not resolve",
)


def is_unresolved(text: str) -> bool:
    """Whether a text says that a host's name could not be resolved.

    >>> is_unresolved("dial tcp: lookup cart: no such host"), is_unresolved("10.0.0.7: connection refused")
    (True, False)
    """
    lowered = text.lower()  # all lines are searched: forty times faster than by a pattern
    return any(phrase in lowered for phrase in _UNRESOLVED)


def unresolved(
    lines: Sequence[LogLine], services: Sequence[str], tuning: LineTuning
) -> frozenset[tuple[str, str]]:
    """Pairs of a caller and a callee whose name most of the caller's errors about it could not resolve.

    Args:
        lines: Lines of any services.
        services: The names that lines may speak of.
        tuning: The constants.
    """
    texts = [f"{line.message}\n{aside(line)}" if line.fields else line.message for line in lines]
    if not is_unresolved("\n".join(texts)):  # one search: next to no incident has any
        return frozenset()
    finder = TargetFinder(services, tuning)
    position = {name: number for number, name in enumerate(services)}
    failed: Counter[tuple[str, str]] = Counter()
    every: Counter[tuple[str, str]] = Counter()
    for line, text in zip(lines, texts, strict=True):
        if severity(line.level.upper(), line.message, tuning) < tuning.is_error:
            continue
        target = finder.find(text, position.get(line.service, -1))
        if target >= 0:
            pair = (line.service, services[target])
            every[pair] += 1
            failed[pair] += is_unresolved(text)
    return frozenset(pair for pair, count in every.items() if failed[pair] > tuning.unresolved * count)
