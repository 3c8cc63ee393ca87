"""Reports to render: a rich incident, an abstention, nothing at all, hostile text, 500 services."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rca.model.incident import Gap, Interval, SourceRecord
from rca.model.report import (
    Confidence,
    Evidence,
    EvidenceKind,
    OnsetEstimate,
    PathStep,
    Report,
    Role,
    SimilarIncident,
    SlowPath,
    Suspect,
    TimelineEntry,
    ToolInfo,
    Trigger,
    Verdict,
)
from rca.model.signals import Kind

T0 = datetime(2026, 11, 22, 3, 11, 40, tzinfo=UTC)

# Every trick at once: markup of rich, HTML, Markdown and Mermaid, escape sequences, a bidirectional override,
# a zero-width space, a mention, links, an issue number, a shortcode, line breaks, a lone surrogate.
HOSTILE = (
    "[red]x[/red] <script>alert(1)</script> a|b `c` ```d``` \x1b[31mred\x1b[0m \x1b]8;;http://e.vil\x07 "
    "\u202eevil\u202c\u200b ![i](http://e.vil/i.png) [l](javascript:x) @everyone #12 :fire: {{7*7}} "
    "<!-- \r\n# H\n- li\n\ud800 "
    "\"quoted\" 'single' &amp; $x$ *b* _i_ ~~s~~ \\| https://e.vil/?a=b&c=d www.e.vil"
)


def _at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def _step(low: float, high: float, onset: float) -> tuple[tuple[float, float], ...]:
    """A made-up series that rises smoothly at an onset, with a ripple, every 30 s over an hour."""
    start = _at(-2700).timestamp()
    points = []
    for index in range(120):
        elapsed = index * 30 - 2700 - onset
        level = low + (high - low) / (1 + math.exp(-elapsed / 20)) if elapsed > -600 else low
        points.append((start + index * 30, round(level * (1 + 0.06 * math.sin(index * 1.7)), 6)))
    return tuple(points)


def _evidence() -> tuple[Evidence, ...]:
    return (
        Evidence(
            id="E1",
            kind=EvidenceKind.METRIC,
            service="orders-db",
            text="p99 latency x12, 40 ms to 480 ms",
            query='histogram_quantile(0.99, sum by (le) (rate(pg_query_seconds_bucket{service="orders-db"}[2m])))',
            baseline=0.04,
            observed=0.48,
            unit="s",
            onset=T0,
            strength=0.94,
            signal=Kind.LATENCY,
            points=_step(0.04, 0.48, 0),
        ),
        Evidence(
            id="E2",
            kind=EvidenceKind.LOG,
            service="orders-db",
            text='new message, 412 times: "remaining connection slots are reserved for <*>"',
            query='service.name:"orders-db" AND message:"remaining connection slots are reserved"',
            baseline=0,
            observed=412,
            onset=_at(12),
            strength=0.81,
            template="remaining connection slots are reserved for <*>",
        ),
        Evidence(
            id="E3",
            kind=EvidenceKind.METRIC,
            service="orders",
            text="error ratio x5.2, 0.4 % to 2.1 %",
            query='sum(rate(http_requests_total{service="orders",code=~"5.."}[2m]))'
            ' / sum(rate(http_requests_total{service="orders"}[2m]))',
            baseline=0.004,
            observed=0.021,
            unit="ratio",
            onset=_at(35),
            strength=0.62,
            signal=Kind.ERRORS,
            points=_step(0.004, 0.021, 35),
        ),
        Evidence(
            id="E4",
            kind=EvidenceKind.METRIC,
            service="checkout",
            text="traffic falls to a third",
            query='sum(rate(http_requests_total{service="checkout"}[2m]))',
            baseline=120,
            observed=41.2,
            unit="1/s",
            onset=_at(60),
            strength=0.4,
            signal=Kind.TRAFFIC,
            points=_step(120, 41.2, 60),
        ),
        Evidence(
            id="E5",
            kind=EvidenceKind.EVENT,
            service="search",
            text="restarted once",
            onset=_at(240),
            strength=0.1,
        ),
    )


def incident() -> Report:
    """A rich incident."""
    path = ("orders-db", "orders", "gateway", "checkout")
    return Report(
        tool=ToolInfo(version="0.1.0", config_hash="9f3a61c2"),
        bundle_id="2026-11-22-checkout",
        bundle_title="Checkout errors",
        bundle_sha256="c0ffee" * 10 + "c0ff",
        span=Interval(_at(-2700), _at(900)),
        baseline=Interval(_at(-2700), _at(-120)),
        onset=OnsetEstimate(at=T0, earliest=_at(-25), latest=_at(20), given=_at(200)),
        verdict=Verdict(
            abstained=False,
            confidence=Confidence.HIGH,
            summary="orders-db ran out of connections; orders and checkout fail behind it since 03:11:40 UTC.",
            reasons=("it departed 35 s before any other service", "every failing service depends on it"),
        ),
        suspects=(
            Suspect(
                1,
                "orders-db",
                0.914,
                Role.CAUSE,
                path,
                ("E1", "E2"),
                "Slow and refusing connections, first of all.",
            ),
            Suspect(2, "orders", 0.41, Role.SYMPTOM, path[1:], ("E3",), "Fails because orders-db does."),
            Suspect(3, "checkout", 0.22, Role.SYMPTOM, path[3:], ("E4",), "Where it was noticed."),
            Suspect(4, "search", 0.05, Role.BYSTANDER, (), ("E5",), "One restart, after the onset."),
            *(Suspect(5 + index, f"quiet-{index}", 0.0, Role.BYSTANDER) for index in range(38)),
        ),
        evidence=_evidence(),
        triggers=(
            Trigger(
                1,
                "deploy",
                "orders",
                _at(-148),
                0.83,
                "Raised the pool from 20 to 200 connections.",
                "4f2a91c07d5e",
            ),
            Trigger(2, "config", "gateway", None, 0.1, "Its time is not on record."),
        ),
        first_failure=("orders-db", T0),
        impact=("orders-db", "orders", "checkout"),
        healthy_on_path=("gateway",),
        slow_path=SlowPath(
            (PathStep("gateway", 2100.0), PathStep("checkout", 2000.0), PathStep("orders", 1950.0)),
            "orders-db",
            answered=False,
            calls=0,
            own_ms=1900.0,
            usual_ms=40.0,
            traces=12,
            slow=14,
        ),
        gaps=(
            Gap("elasticsearch", "logs of search", "one shard failed; ask again when the cluster is green"),
            Gap("elasticsearch", "logs of ads", "one shard failed; ask again when the cluster is green"),
            Gap("prometheus", "container metrics", "no pack matched; see `rca doctor`"),
        ),
        similar=(
            SimilarIncident(
                incident="INC-118",
                similarity=0.87,
                why="same service and log template, same way of spreading",
                resolution="Lowered the pool to 20 and restarted orders.",
                title="Connection pool exhausted",
                at=datetime(2026, 8, 3, tzinfo=UTC),
                confirmed=True,
            ),
        ),
        timeline=(
            TimelineEntry(_at(-148), "deploy of orders, 4f2a91c07d5e"),
            TimelineEntry(T0, "orders-db: p99 latency rises", "E1"),
            TimelineEntry(_at(35), "orders: error ratio rises", "E3"),
            TimelineEntry(_at(200), "alert CheckoutErrors fires"),
        ),
        simple_ranking=("orders-db", "checkout", "orders"),
        sources=(
            SourceRecord(
                "elasticsearch",
                "elasticsearch",
                "8.15.3",
                {"counts": "POST /logs-*/_search"},
                {"fields": {"service": "service.name"}},
            ),
            SourceRecord("prometheus", "mimir", "2.14", {"latency": "up", "errors": "up == 0"}),
        ),
        redactions={"token": 3, "email": 2, "card": 0},
        alert_context="CheckoutErrors of checkout: goes with trouble in orders-db, one hop down.",
        replayed=True,
    )


def abstained() -> Report:
    """The same, where no service is singled out."""
    rich = incident()
    return replace(
        rich,
        verdict=Verdict(
            abstained=True,
            confidence=Confidence.LOW,
            summary="Three services depart within the same 30 s and none explains the others.",
            reasons=("two suspects score within 5 % of each other",),
        ),
        onset=OnsetEstimate(at=T0, earliest=_at(-400), latest=_at(400)),
        similar=(),
        triggers=(),
        alert_context="",
        simple_ranking=("checkout", "orders-db"),
        replayed=False,
    )


def minimal() -> Report:
    """A report with next to nothing in it."""
    return Report(
        tool=ToolInfo(version="0.1.0", config_hash=""),
        bundle_id="empty",
        bundle_title="",
        bundle_sha256="",
        span=Interval(_at(-60), _at(60)),
        baseline=None,
        onset=OnsetEstimate(at=None),
        verdict=Verdict(abstained=True, confidence=Confidence.LOW, summary=""),
        suspects=(),
    )


def hostile(text: str = HOSTILE) -> Report:
    """The rich incident with the given text wherever text can come from outside."""
    rich = incident()
    bad_path = (text, f"{text}2", "gateway")
    return replace(
        rich,
        bundle_id=text,
        bundle_title=text,
        bundle_sha256=text,
        tool=ToolInfo(text, text),
        verdict=replace(rich.verdict, summary=text, reasons=(text,)),
        suspects=(
            Suspect(1, text, 0.9, Role.CAUSE, bad_path, ("E1", text), text),
            Suspect(2, f"{text}4", 0.25, Role.BYSTANDER, (), (text,), text),
            Suspect(3, f"{text}2", 0.2, Role.SYMPTOM, bad_path[1:], (), text),
            Suspect(4, f"{text}3", 0.0, Role.BYSTANDER),
        ),
        evidence=(
            replace(rich.evidence[0], service=text, text=text, query=text, unit=text, metric=f"as {text}"),
            Evidence(
                text,
                EvidenceKind.LOG,
                text,
                text,
                text,
                1.0,
                2.0,
                text,
                template=text,
                points=((0.0, math.nan), (1.0, math.inf)),
            ),
        ),
        triggers=(
            Trigger(1, text, text, T0, 0.5, text, text),
            Trigger(2, text, text, T0, 0.5, text),
            Trigger(3, "unknown", text, None, 0.4, text),
            Trigger(4, "deploy", text, T0, 0.1, text, text),
        ),
        first_failure=(text, None),
        impact=(text, f"{text}2"),
        user_facing=(f"{text}2",),
        healthy_on_path=(f"{text}5",),
        slow_path=SlowPath(
            (PathStep(text, 9.0), PathStep(f"{text}2", 8.0)),
            text,
            answered=True,
            calls=0,
            own_ms=7.0,
            usual_ms=1.0,
            traces=3,
            slow=4,
        ),
        gaps=(Gap(text, text, text),),
        similar=(SimilarIncident(text, 0.5, text, text, text),),
        timeline=(
            TimelineEntry(T0, text, text),
            TimelineEntry(T0, text, None, "deploy", text),
            TimelineEntry(T0, text, None, "alert", text),
            TimelineEntry(T0, text, text, "evidence", text),
        ),
        simple_ranking=(text,),
        sources=(SourceRecord(text, text, text, {text: text}, {text: text}),),
        redactions={text: 1},
        alert_context=text,
    )


def crowd() -> Report:
    """500 services, 60 of them with evidence."""
    rich = incident()
    names = [
        f"svc-{index:03d}-with-a-rather-long-name-of-a-deployment-in-a-cluster-{index:03d}" for index in range(500)
    ]
    evidence = tuple(
        replace(rich.evidence[index % 5], id=f"E{index + 1}", service=names[index]) for index in range(60)
    )
    suspects = tuple(
        Suspect(
            rank=index + 1,
            service=name,
            score=round(0.9 / (index + 1), 4) if index < 60 else 0.0,
            role=Role.CAUSE if index == 0 else Role.SYMPTOM if index < 60 else Role.BYSTANDER,
            path=tuple(names[index : index + 7]) if index < 60 else (),
            evidence=(f"E{index + 1}",) if index < 60 else (),
        )
        for index, name in enumerate(names)
    )
    gaps = tuple(Gap("elasticsearch", f"logs of {name}", "the service wrote none") for name in names[60:])
    return replace(
        rich, suspects=suspects, evidence=evidence, impact=tuple(names[:60]), gaps=gaps, healthy_on_path=()
    )
