"""What is kept of an incident to recognise it again: who failed, how, how it spread, what the logs said."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rca.errors import StoreError
from rca.model.report import Evidence, EvidenceKind, Report, Role

FORMAT = 1
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{2,}")
_MAX_WORDS = 400


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The comparable form of an incident.

    What happened is kept beside whom it happened to, so that the same failure of another service is recognised.

    Attributes:
        cause: The service held responsible; empty when the verdict abstained.
        profiles: For each service, how it failed: `kind:direction` of its metrics, or `log`, `edge`, `trace`, with
            strengths 0 to 1.
        hit: The services hit, with 1 for the cause and less for those less sure.
        words: Words of the log templates, each once.
    """

    cause: str
    profiles: Mapping[str, Mapping[str, float]]
    hit: Mapping[str, float]
    words: frozenset[str]

    @property
    def failure(self) -> Mapping[str, float]:
        """How the cause failed."""
        return self.profiles.get(self.cause, {})

    @property
    def symptoms(self) -> dict[str, float]:
        """The strongest sign of each sort, over all services."""
        strongest: dict[str, float] = {}
        for profile in self.profiles.values():
            for sort, strength in profile.items():
                strongest[sort] = max(strongest.get(sort, 0.0), strength)
        return strongest

    def to_document(self) -> dict[str, Any]:
        """A JSON document, the same bytes for the same fingerprint."""
        return {
            "format": FORMAT,
            "cause": self.cause,
            "profiles": {name: dict(sorted(self.profiles[name].items())) for name in sorted(self.profiles)},
            "hit": dict(sorted(self.hit.items())),
            "words": sorted(self.words),
        }

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Fingerprint":
        """Read what `to_document` wrote.

        Raises:
            StoreError: It is of another format, or not a fingerprint.
        """
        try:
            if document["format"] != FORMAT:
                raise StoreError(
                    f"an incident's fingerprint has format {document['format']}, this version reads {FORMAT}",
                    hint="Upgrade rca, or add the incident again from its bundle.",
                )
            return Fingerprint(
                cause=str(document["cause"]),
                profiles={str(name): _weights(profile) for name, profile in document["profiles"].items()},
                hit=_weights(document["hit"]),
                words=frozenset(str(word) for word in document["words"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(
                "an incident's fingerprint can't be read", hint="Add the incident again from its bundle."
            ) from error


def fingerprint(report: Report, *, cause: str | None = None) -> Fingerprint:
    """Take an incident's fingerprint from its report.

    Args:
        report: The report.
        cause: The service that people confirmed; None for the first suspect, unless the report abstained.
    """
    blamed = cause or ("" if report.unsure else report.suspects[0].service)
    involved = [suspect for suspect in report.suspects if suspect.role is not Role.BYSTANDER]
    top = max((suspect.score for suspect in involved), default=0.0) or 1.0
    hit = {suspect.service: round(max(suspect.score / top, 0.1), 3) for suspect in involved}
    hit |= {service: max(hit.get(service, 0.0), 0.5) for service in report.impact}
    if blamed:
        hit[blamed] = 1.0
    return Fingerprint(
        cause=blamed,
        profiles=_profiles(report.evidence),
        hit=hit,
        words=_words(report.evidence),
    )


def _profiles(lines: Iterable[Evidence]) -> dict[str, dict[str, float]]:
    """The strongest evidence of each sort, by service."""
    profiles: dict[str, dict[str, float]] = {}
    for line in lines:
        profile, sort = profiles.setdefault(line.service, {}), _sort(line)
        profile[sort] = max(profile.get(sort, 0.0), round(min(max(line.strength, 0.05), 1.0), 3))
    return profiles


def _sort(line: Evidence) -> str:
    if line.kind is not EvidenceKind.METRIC or line.signal is None:
        return str(line.kind)
    if line.baseline is None or line.observed is None or line.baseline == line.observed:
        return f"{line.signal}:gone" if line.observed is None else str(line.signal)
    return f"{line.signal}:{'up' if line.observed > line.baseline else 'down'}"


def _words(lines: Iterable[Evidence]) -> frozenset[str]:
    words: set[str] = set()
    for line in lines:
        if line.kind is EvidenceKind.LOG:
            words |= {word.lower() for word in _WORD.findall(line.template or line.text)}
    return frozenset(sorted(words)[:_MAX_WORDS])


def _weights(document: Mapping[str, Any]) -> dict[str, float]:
    weights = {str(name): float(value) for name, value in document.items()}
    if not all(math.isfinite(value) and value >= 0 for value in weights.values()):
        raise ValueError("a weight is negative or not finite")
    return weights
