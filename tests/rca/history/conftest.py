from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rca.model.incident import Interval
from rca.model.report import (
    Confidence,
    Evidence,
    EvidenceKind,
    OnsetEstimate,
    Report,
    Role,
    Suspect,
    ToolInfo,
    Verdict,
)
from rca.model.signals import Kind

ReportMaker = Callable[..., Report]


def _line(number: int, service: str, kind: Kind, before: float, after: float | None) -> Evidence:
    text = f"{kind} of {service} moved"
    return Evidence(
        f"E{number}",
        EvidenceKind.METRIC,
        service,
        text,
        baseline=before,
        observed=after,
        strength=0.8,
        signal=kind,
    )


@pytest.fixture
def make_report() -> ReportMaker:
    """A report of a small incident; its parts can be set."""

    def make(
        *,
        cause: str = "cart",
        kinds: tuple[Kind, ...] = (Kind.LATENCY, Kind.ERRORS),
        log: str = "connection pool exhausted after <num> ms",
        hit: tuple[str, ...] = ("checkout", "gateway"),
        sha: str = "a" * 64,
        day: int = 1,
        abstained: bool = False,
    ) -> Report:
        at = datetime(2026, 11, day, 3, tzinfo=UTC)
        lines = [_line(n, cause, kind, 1.0, 5.0) for n, kind in enumerate(kinds, 1)]
        lines.append(Evidence("E9", EvidenceKind.LOG, cause, "new", strength=0.6, template=log))
        suspects = [Suspect(1, cause, 4.0, Role.CAUSE)]
        suspects += [Suspect(n, name, 4.0 / n, Role.SYMPTOM) for n, name in enumerate(hit, 2)]
        suspects.append(Suspect(9, "idle", 0.0, Role.BYSTANDER))
        return Report(
            tool=ToolInfo("0", "x"),
            bundle_id=f"incident-{day}",
            bundle_title=f"Incident {day}",
            bundle_sha256=sha,
            span=Interval(at, at + timedelta(hours=1)),
            baseline=None,
            onset=OnsetEstimate(at),
            verdict=Verdict(abstained, Confidence.LOW if abstained else Confidence.HIGH, f"{cause} failed"),
            suspects=tuple(suspects),
            evidence=tuple(lines),
            impact=(cause, *hit),
        )

    return make
