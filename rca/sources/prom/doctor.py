"""The lines of `rca doctor` about Prometheus: what answers, who we are there, what was found, what is missing."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rca.config.settings import PrometheusSettings
from rca.errors import SourceError
from rca.model.times import moment
from rca.model.words import counted
from rca.sources.base import Check
from rca.sources.prom.client import PromClient
from rca.sources.prom.discover import discover
from rca.sources.prom.packs import Pack
from rca.sources.prom.plan import NAME, Plan
from rca.sources.prom.work import Crew, Grid

SKEW_SECONDS = 30.0
_SHOWN = 8


def checks(
    client: PromClient, crew: Crew, packs: Sequence[Pack], settings: PrometheusSettings, grid: Grid
) -> Iterator[Check]:
    """Every line, in the order in which things can go wrong; the first that can't be passed is the last."""
    try:
        backend = client.backend()
    except SourceError as error:
        yield _check("reachable", ok=False, detail=error.message, hint=error.hint)
        return
    yield _check(
        "reachable", ok=True, detail=f"{backend.name} {backend.version} at {client.address}".replace("  ", " ")
    )
    yield _check("credentials", ok=None, detail=identity(settings))
    try:
        yield _clock(client)
        plan = discover(client, crew, packs, grid)
    except SourceError as error:
        yield _check("queries", ok=False, detail=error.message, hint=error.hint)
        return
    yield from _found(plan, {pack.name: pack.description for pack in packs})
    yield from _held(client, plan)
    yield from _targets(client)


def _check(
    name: str, *, ok: bool | None, detail: str, hint: str = "", facts: Sequence[str] = (), more: Sequence[str] = ()
) -> Check:
    return Check(NAME, name, ok, detail, hint, tuple(facts), tuple(more))


def identity(settings: PrometheusSettings) -> str:
    """As whom we ask, without a secret: a header's value is one, except the tenant's name."""
    parts = []
    if settings.bearer_token:
        parts.append("a bearer token")
    elif settings.username is not None:
        parts.append(f"the user {settings.username}")
    if settings.client_cert is not None:
        parts.append(f"the client certificate {settings.client_cert.name}")
    for name, value in sorted(settings.headers.items()):
        parts.append(f"{name}: {value}" if name.lower() == "x-scope-orgid" else f"the header {name}")
    if not settings.verify_certs:
        parts.append("TLS certificates are not checked")
    return ", ".join(parts) or "nobody in particular: no credentials are set"


def _clock(client: PromClient) -> Check:
    """Compare its clock with ours, by its answer to `time()` without a time (its own now)."""
    before = time.time()
    theirs = client.now()
    skew = theirs - (before + time.time()) / 2
    if abs(skew) <= SKEW_SECONDS:
        return _check("clock", ok=True, detail=f"its clock and ours differ by {abs(skew):.0f} s")
    way = "ahead of" if skew > 0 else "behind"
    return _check(
        "clock", ok=False, detail=f"its clock is {abs(skew):.0f} s {way} ours",
        hint="set one of the two right, or give --since and --until",
    )  # fmt: skip


def _found(plan: Plan, descriptions: Mapping[str, str]) -> Iterator[Check]:
    for gap in plan.gaps:
        yield _check("gap", ok=None, detail=f"{gap.what}: {gap.why}")
    if not plan.applied:
        yield _check(
            "packs", ok=False, detail="no metric pack applies: none of the metrics they know is in the window",
            hint="is the window right? Else write a pack for your metrics (docs/packs.md); packs names its folder",
        )  # fmt: skip
    for pack, metrics in sorted(plan.applied.items()):
        services = plan.services.get(pack, ())
        labels = sorted({ask.labels.service for ask in plan.asks if ask.pack.name == pack})
        detail = (
            f"applies: {counted(len(metrics), 'metric')}, {counted(len(services), 'service')} by "
            f"{', '.join(labels)}, scraped every {plan.intervals[pack]} s ({descriptions[pack]})"
        )
        hint = "" if services else "its series lack these labels' values in the window"
        yield _check(f"pack {pack}", ok=bool(services) or None, detail=detail, hint=hint, facts=_few(services))
    if plan.refused:
        yield _check(
            "other packs", ok=None, detail=f"{len(plan.refused)} don't apply: {', '.join(sorted(plan.refused))}",
            more=tuple(f"{pack}: {why} ({descriptions[pack]})" for pack, why in sorted(plan.refused.items())),
        )  # fmt: skip
    if plan.watchers:
        yield _check(
            "exporters", ok=None,
            detail="the processes of exporters and monitors count as nobody's; they are scraped as",
            facts=_few(plan.watchers),
        )  # fmt: skip
    if plan.names.ambiguous:
        yield _check(
            "names", ok=None, detail="several namespaces have a service of these names: they keep their namespace",
            facts=_few(plan.names.ambiguous),
        )  # fmt: skip
    if plan.applied and "kube_pod_owner" not in plan.present and "kubernetes" in plan.applied:
        yield _check(
            "kube-state-metrics", ok=None, detail="no kube_pod_owner: pods become workloads by their names",
            hint="run kube-state-metrics for limits, restarts, deploys",
        )  # fmt: skip


def _few(names: Sequence[str]) -> tuple[str, ...]:
    rest = len(names) - _SHOWN
    return (*names[:_SHOWN], f"and {rest} more") if rest > 0 else tuple(names)


def _held(client: PromClient, plan: Plan) -> Iterator[Check]:
    """Whether there is data at both ends of the window: it may be younger, out of retention, or end too early."""
    metrics = sorted({metrics[0] for metrics in plan.applied.values()})
    if not metrics:
        return
    query = " or ".join(f"vector(1) and on () count({metric})" for metric in metrics[:5])
    start, end = plan.grid.first + plan.grid.step, plan.grid.last
    try:
        early, late = (bool(client.query(query, at).series) for at in (start, end))
        first = _first(client, query, plan.grid) if late and not early else None
    except SourceError as error:
        yield _check("retention", ok=False, detail=error.message, hint=error.hint)
        return
    if first is None:
        yield _sampled("start", start, there=early)
    else:  # nothing is broken: a young server, or one that keeps less, has the rest of the window
        yield _check(
            "data at the start", ok=None,
            detail=f"the window begins at {_at(plan.grid.first)}, the data at {_at(first)}",
            hint="the server is younger than the window, or keeps less: the baseline begins there, too",
        )  # fmt: skip
    yield _sampled("end", end, there=late)


def _first(client: PromClient, query: str, grid: Grid) -> int | None:
    """The first point of the grid at which the query has an answer."""
    series = client.query_range(query, grid.first, grid.last, grid.step).series
    return min((int(row["values"][0][0]) for row in series), default=None)


def _sampled(end: str, at: int, *, there: bool) -> Check:
    if there:
        return _check(f"data at the {end}", ok=True, detail=f"there are samples at {_at(at)}")
    hint = "the retention may be shorter than that, or the server had stopped scraping"
    return _check(f"data at the {end}", ok=False, detail=f"no sample at {_at(at)}", hint=hint)


def _at(seconds: int) -> str:
    return moment(datetime.fromtimestamp(seconds, UTC))


def _targets(client: PromClient) -> Iterator[Check]:
    try:
        targets = client.targets()
    except SourceError as error:
        yield _check("targets", ok=None, detail=f"can't be listed: {error.message}")
        return
    down = sorted(
        f"{target.get('labels', {}).get('job', '?')} {target.get('labels', {}).get('instance', '?')}"
        for target in targets
        if target.get("health") == "down"
    )
    if down:
        hint = "what they measure is missing from now on"
        yield _check(
            "targets",
            ok=False,
            detail=f"{len(down)} of {len(targets)} targets are down",
            hint=hint,
            facts=_few(down),
        )
    else:
        yield _check("targets", ok=True if targets else None, detail=f"{len(targets)} targets, none of them down")
