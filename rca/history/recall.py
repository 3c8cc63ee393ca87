"""A report -> the same report with the past incidents that resemble it."""

from dataclasses import replace
from pathlib import Path

from rca.errors import StoreError
from rca.history.fingerprint import fingerprint
from rca.history.match import Likeness, compare, rarity
from rca.history.store import IncidentStore, PastIncident
from rca.model.incident import Gap
from rca.model.report import Report, SimilarIncident

_ALIKE = 0.4  # below it, incidents of unrelated kinds begin to show up as "similar"
_MOST = 3


def recall(report: Report, path: Path) -> Report:
    """Add the nearest past incidents, or the fact that none is near.

    The incident itself, kept from an earlier run over the same bundle, is left out. A store that can't be read is
    a gap in the report, not the end of it.
    """
    try:
        with IncidentStore(path) as store:
            past = [one for one in store.all() if one.bundle_sha256 != report.bundle_sha256]
    except StoreError as error:
        gap = Gap("history", "similar past incidents", error.told)
        return replace(report, similar=None, gaps=(*report.gaps, gap))
    return replace(report, similar=tuple(nearest(report, past)), remembered=len(past))


def nearest(report: Report, past: list[PastIncident]) -> list[SimilarIncident]:
    """The past incidents that resemble the report, the likest first."""
    rarities = rarity([one.fingerprint for one in past])
    own = fingerprint(report)
    likenesses = [(compare(own, one.fingerprint, rarities), one) for one in past]
    alike = [(likeness, one) for likeness, one in likenesses if likeness.score >= _ALIKE]
    alike.sort(key=lambda pair: (-pair[0].score, not pair[1].confirmed, -pair[1].at.timestamp(), pair[1].id))
    return [_similar(likeness, one) for likeness, one in alike[:_MOST]]


def _similar(likeness: Likeness, one: PastIncident) -> SimilarIncident:
    return SimilarIncident(
        incident=one.id,
        similarity=likeness.score,
        why="; ".join(likeness.why),
        resolution=one.resolution,
        title=one.title,
        at=one.at,
        confirmed=one.confirmed,
    )
