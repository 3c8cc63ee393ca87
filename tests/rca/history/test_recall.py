from collections.abc import Callable
from pathlib import Path

from rca.history import IncidentStore, PastIncident, fingerprint, recall
from rca.model.report import Report
from rca.model.signals import Kind


def keep(path: Path, report: Report, *, resolution: str = "", confirmed: bool = False) -> None:
    past = PastIncident(
        id=f"{report.bundle_id}-x",
        title=report.bundle_title,
        at=report.span.start,
        bundle_id=report.bundle_id,
        bundle_sha256=report.bundle_sha256,
        cause="cart",
        resolution=resolution,
        confirmed=confirmed,
        summary="",
        fingerprint=fingerprint(report),
    )
    with IncidentStore(path) as store:
        store.put([past])


def test_an_empty_memory_says_not_seen_before(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    assert recall(make_report(), tmp_path / "none.sqlite").similar == ()


def test_a_like_incident_is_named_with_what_fixed_it(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    path = tmp_path / "i.sqlite"
    keep(path, make_report(day=1, sha="1" * 64), resolution="raised the pool", confirmed=True)
    keep(path, make_report(day=2, sha="2" * 64, cause="mail", kinds=(Kind.DISK,), log="inode", hit=("smtp",)))
    (similar,) = recall(make_report(day=9, sha="9" * 64), path).similar or ()
    assert similar.incident == "incident-1-x"
    assert similar.resolution == "raised the pool"
    assert similar.confirmed
    assert similar.similarity == 1.0
    assert similar.why


def test_an_incident_does_not_resemble_itself(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    path = tmp_path / "i.sqlite"
    keep(path, make_report())
    assert recall(make_report(), path).similar == ()


def test_the_order_of_keeping_does_not_show(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    reports = [make_report(day=day, sha=str(day) * 64) for day in range(1, 6)]
    for name, order in (("a", reports), ("b", reports[::-1])):
        for report in order:
            keep(tmp_path / name, report)
    now = make_report(day=9, sha="9" * 64)
    assert recall(now, tmp_path / "a").similar == recall(now, tmp_path / "b").similar
    assert len(recall(now, tmp_path / "a").similar or ()) == 3


def test_a_memory_that_cannot_be_read_is_a_gap_in_the_report(
    tmp_path: Path, make_report: Callable[..., Report]
) -> None:
    path = tmp_path / "i.sqlite"
    path.write_text("not a database " * 100)
    report = recall(make_report(), path)
    assert report.similar is None
    assert [gap.source for gap in report.gaps] == ["history"]
