"""What counts can't show by themselves: services that fall silent, lines without a service."""

from datetime import UTC, datetime

from rca.model.incident import Gap
from rca.model.logs import LogCounts
from rca.sources.elastic.client import NAME
from rca.sources.elastic.fields import listed
from rca.sources.elastic.layers import Census

_STEADY = 0.8
_MIN_BUCKETS = 5
_SILENT_SHARE = 0.15


def silent_services(counts: LogCounts) -> list[Gap]:
    """Services that log steadily, and for a good part of the window's begin or end not at all.

    "No logs" is never "no errors": the service, its shipper or its index may have failed.
    """
    import numpy as np  # noqa: PLC0415 - the first questions to the server needn't wait for it

    active = counts.counts.sum(axis=2) > 0
    buckets = len(counts.times)
    bound = max(_MIN_BUCKETS, int(np.ceil(_SILENT_SHARE * buckets)))
    late: list[str] = []
    gone: list[str] = []
    for j, service in enumerate(counts.services):
        where = np.flatnonzero(active[:, j])
        if len(where) < _MIN_BUCKETS or len(where) < _STEADY * (where[-1] - where[0] + 1):
            continue
        if where[0] >= bound:
            late.append(f"{service} before {_clock(counts.times[where[0]])}")
        if buckets - 1 - where[-1] >= bound:
            step = counts.times[1] - counts.times[0]
            gone.append(f"{service} from {_clock(counts.times[where[-1]] + step)} on")
    why = (
        "none arrived, which doesn't mean no errors: the service, its shipper or its index mapping may have failed"
    )
    return [Gap(NAME, f"logs of {listed(found)}", why) for found in (late, gone) if found]


def unassigned(census: Census) -> list[Gap]:
    """Lines that name no service, and lines whose level no field holds."""
    gaps = []
    located = sum(sum(layer.services.values()) for layer in census.layers)
    missing = census.total - located
    if missing > 0:
        share = _percent(missing, census.total)
        why = "no field names their service, so they were left out; name the field in elasticsearch.fields.service"
        gaps.append(Gap(NAME, f"{missing} of {census.total} lines ({share}) without a service", why))
    for cohort, documents in census.totals:
        named = sum(sum(layer.services.values()) for layer in census.layers if layer.cohort is cohort)
        if cohort.conflicting and named < documents:
            why = "another type there (text or object) than elsewhere makes it useless; fix the index template"
            gaps.append(Gap(NAME, f"service field {cohort.conflicting[0]} in {listed(cohort.indices)}", why))
    plain = sum(sum(layer.services.values()) for layer in census.layers if layer.level is None)
    if plain:
        share = _percent(plain, max(1, located))
        why = (
            "no field holds it: a pattern on the message decides for sampled lines, the exact counts have no level"
        )
        gaps.append(Gap(NAME, f"level of {plain} lines ({share})", why))
    return gaps


def _percent(part: int, whole: int) -> str:
    value = 100 * part / max(1, whole)
    return f"{value:.1f} %" if value >= 0.1 else "<0.1 %"  # noqa: PLR2004 - one digit is what is shown


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(float(seconds), UTC):%H:%M:%S} UTC"
