"""When no change did it: what it looks like instead, scored like the changes."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rca.changes.facts import Anomaly, Facts, NewLines
from rca.model.signals import Kind

FLOOR = 0.4
_START = -1.0
_TELLING = 0.5
_PROVIDERS = re.compile(
    r"\b(aws|amazonaws|s3|dynamodb|sqs|kinesis|gcs|googleapis|azure|cloudflare|fastly|akamai|stripe|paypal|adyen|braintree"
    r"|twilio|sendgrid|mailgun|okta|auth0|github|slack|openai|anthropic|salesforce|snowflake|third[- ]party|vendor"
    r"|external|provider|partner|saas)\b",
    re.IGNORECASE,
)
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.){1,}(?:com|net|org|io|dev|cloud|co|app|ai|eu|us|de|uk)\b", re.IGNORECASE)
_THEIR_FAULT = re.compile(
    r"\b50[0-4]\b|service ?unavailable|internal ?(server )?error|bad gateway|gateway timeout|time[d]? ?-?out|refused|reset"
    r"|unreachable|outage|incident|unavailable|degraded|EOF|latency|slow ?down",
    re.IGNORECASE,
)
_OUR_FAULT = re.compile(
    r"throttl|ProvisionedThroughput|\b4(0[0134]|22|29)\b|too many requests|rate.?limit|quota|invalid|denied|unauthori",
    re.IGNORECASE,
)
_NODE = re.compile(
    r"\bnode\b.{0,60}(pressure|not ?ready|load|contend|condition|drain|reboot|cordon|evict|unreachable)|memorypressure|diskpressure"
    r"|pidpressure|notready|noisy|co-?tenant|neighbou?r|kernel|hypervisor|preempt|spot (instance|interruption)|steal|hardware"
    r"|\boom_reaper|cpu[- ](starv|contend)|runqueue|eviction|availability zone|\bzone\b.{0,30}(down|outage|impair)",
    re.IGNORECASE,
)
_PLATFORM = re.compile(
    r"kubelet|kube-|scheduler|node|systemd|kernel|containerd|dockerd|cloud|autoscaler|hypervisor", re.IGNORECASE
)
_HOSTLIKE = re.compile(r"(^|[_.-])(node|host|machine|vm|instance)([_.-]|$)", re.IGNORECASE)
_BY_WORDS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("certificate", "a certificate", re.compile(
        r"x509|certificate (has )?(expired|is not yet valid|verify failed)|cert(ificate)? .*(expired|expir)|not yet valid|PKIX|certificate_expired|CERT_HAS_EXPIRED", re.I)),
    ("dns", "name resolution", re.compile(
        r"no such host|NXDOMAIN|SERVFAIL|name resolution|ENOTFOUND|EAI_AGAIN|getaddrinfo|UnknownHost|coredns|could not resolve", re.I)),
    ("network", "the network", re.compile(
        r"packet loss|no route to host|network (is )?(unreachable|partition)|link (is )?down|\bBGP\b|\bMTU\b|retransmi|interface .* down|split[- ]brain|(network|nodes?) partition(ed)?\b", re.I)),
    ("clock", "a clock", re.compile(
        r"clock (skew|drift|jump|is)|\bNTP\b|chrony|time (drift|skew)|RequestTimeTooSkewed|token used before issued|iat in the future|leap second", re.I)),
    ("storage", "storage", re.compile(
        r"no space left|ENOSPC|read-only file system|I/O error|disk (is )?(full|failure)|volume .*(detach|fail|degraded)|\bEBS\b|\bIOPS\b|\bfilesystem\b|\bSMART (error|status)|\braid\b", re.I)),
    ("job", "a scheduled job", re.compile(
        r"\bcron\w*|scheduled (job|task|run)|nightly|backup (started|running|in progress)|batch job|\betl\b|vacuum|compaction (started|running)|reindex|snapshot (started|running)|report (run|job)", re.I)),
    ("capacity", "a limit that was reached", re.compile(
        r"quota|limit (of .* )?(reached|exceeded)|max(imum)? .* reached|capacity (reached|exceeded)|too many open files|connection slots|disk full|sequence .* (exhausted|reached)|out of range for type|integer out of range|id space|no (more|free) (ports|addresses|IPs?)|conntrack|ip exhaustion|table full", re.I)),
)  # fmt: skip
_ID = re.compile(
    r"\b(?:[a-z_]*(?:id|key|sku|uuid|no|number|offset|partition|account|tenant|customer|user|order|record|message)[a-z_]*)[=:# ]+[\"']?([\w-]*\d[\w-]*)",
    re.IGNORECASE,
)
_RECORD_FAULT = re.compile(
    r"parse|decode|deseriali|unmarshal|invalid|malformed|corrupt|unexpected|nil|null|index|out of|poison|dead.?letter|schema|convert",
    re.IGNORECASE,
)
_MANY = 4


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A cause that is none of the changes."""

    kind: str
    service: str
    score: float
    why: str
    reasons: tuple[str, ...]
    at: float | None = None


def hypotheses(facts: Facts, first_change: float | None) -> tuple[Elsewhere, ...]:
    """Everything else that it may be, the floor included, best first.

    Args:
        facts: The incident.
        first_change: When the earliest change within reach took effect, unix seconds; None without any.
    """
    found = [_external(facts), _traffic(facts), _node(facts), _poison(facts), _growth(facts, first_change)]
    found += [_by_words(facts, kind, what, pattern) for kind, what, pattern in _BY_WORDS]
    made = [item for item in found if item is not None and item.score > _START]
    made.append(
        Elsewhere(
            "unknown", facts.first_failing, FLOOR, "None of the known changes explains it.", ("a floor",), None
        )
    )
    return tuple(sorted(made, key=lambda item: (-item.score, item.kind)))


def _trouble(facts: Facts) -> list[NewLines]:
    return [line for line in facts.lines if line.level >= 0.4]  # noqa: PLR2004 - a warning


def _own(facts: Facts) -> list[NewLines]:
    return [line for line in _trouble(facts) if line.service == facts.first_failing]


def _share(lines: list[NewLines], fits: Callable[[NewLines], bool]) -> float:
    total = sum(line.count for line in lines)
    return sum(line.count for line in lines if fits(line)) / total if total else 0.0


def _external(facts: Facts) -> Elsewhere | None:
    """Its own errors are another's failures: server errors of one outside host."""
    reasons: list[str] = []
    score = _START
    own = _own(facts)
    hosts = Counter(
        host.lower() for line in _trouble(facts) for host in {*_HOST.findall(line.text)} if not _known(host, facts)
    )

    def outside(line: NewLines) -> bool:
        return (
            bool(_THEIR_FAULT.search(line.text))
            and bool(_PROVIDERS.search(line.text) or any(not _known(h, facts) for h in _HOST.findall(line.text)))
            and not line.accused
            and (not _OUR_FAULT.search(line.text) or bool(re.search(r"\b50[0-4]\b", line.text)))
        )

    share = _share(own, outside)
    if share > 0:
        score += 1.8 * share
        reasons.append(f"{share:.0%} of its new lines are failures of something outside (+{1.8 * share:.1f})")
    peers = {span.peer for span in facts.spans if span.deepest and span.peer and not _known(span.peer, facts)}
    if peers:
        score += 1.2
        reasons.append(f"the deepest failing span calls {min(peers)} (+1.2)")
    callers = {line.service for line in _trouble(facts) if outside(line)}
    if share > 0 and len(callers) > 1:
        score += 0.8
        reasons.append(f"{len(callers)} services fail at it alike (+0.8)")
    if not reasons:
        return None
    name = hosts.most_common(1)[0][0] if hosts else (min(peers) if peers else "something outside")
    return Elsewhere(
        "external", facts.first_failing, score, f"A third party: calls to {name} fail.", tuple(reasons)
    )


def _known(name: str, facts: Facts) -> bool:
    bare = re.sub(r"[^a-z0-9]", "", name.lower().split(".")[0])
    return any(
        bare == re.sub(r"[^a-z0-9]", "", service.lower())
        for service in (*facts.services, *(node.name for node in facts.graph.nodes()))
    )


def _traffic(facts: Facts) -> Elsewhere | None:
    """More came in first, and the rest followed."""
    ups = [a for a in facts.anomalies if a.kind is Kind.TRAFFIC and a.up and a.ratio >= 1.3]  # noqa: PLR2004 - a third more
    others = [
        a
        for a in facts.anomalies
        if a.kind in {Kind.LATENCY, Kind.ERRORS, Kind.AVAILABILITY, Kind.SATURATION, Kind.QUEUE}
    ]
    if not ups:
        return None
    first = min(ups, key=lambda a: (a.at, a.service, a.metric))
    harm = min((a.at for a in others), default=facts.onset or first.at)
    score, reasons = _START, []
    if first.at <= harm + facts.step / 2:
        gain = min(1.3, 0.5 + 0.5 * (max(a.ratio for a in ups) - 1))
        score += gain
        reasons.append(f"{first.metric} of {first.service} rose x{first.ratio:.1f} before the rest (+{gain:.1f})")
    entries = {a.service for a in ups}
    if len(entries) > 1:
        score += 0.5
        reasons.append(f"it rose at {len(entries)} services (+0.5)")
    if not facts.graph.callers(first.service) and first.service in facts.graph:
        score += 0.4
        reasons.append(f"{first.service} is where requests come in (+0.4)")
    words = re.compile(
        r"surge|flash sale|campaign|bot|scrap|ddos|spike|crawl|thundering|queue full|overload|shed|429|too many",
        re.IGNORECASE,
    )
    if any(words.search(line.text) for line in _trouble(facts)):
        score += 0.5
        reasons.append("lines tell of too much load (+0.5)")
    return (
        Elsewhere(
            "traffic",
            first.service,
            score,
            f"A surge: {first.metric} of {first.service} rose first.",
            tuple(reasons),
            first.at,
        )
        if reasons
        else None
    )


def _node(facts: Facts) -> Elsewhere | None:
    """The machine below: co-located services, the platform's own lines, the node's own series."""
    score, reasons = _START, []
    said = [line for line in facts.lines if _NODE.search(line.text)]
    platform = [line for line in said if _PLATFORM.search(line.service)]
    if platform:
        score += 1.3
        reasons.append(f"{platform[0].service} says so: {_cut(platform[0].text)} (+1.3)")
    elif said:
        share = _share(_trouble(facts), lambda line: bool(_NODE.search(line.text)))
        score += 1.2 * max(share, 0.3)
        reasons.append(f"lines speak of the machine: {_cut(said[0].text)} (+{1.2 * max(share, 0.3):.1f})")
    machine = [
        a
        for a in facts.anomalies
        if _HOSTLIKE.search(a.metric)
        and a.kind in {Kind.CPU, Kind.MEMORY, Kind.DISK, Kind.SATURATION, Kind.NETWORK}
    ]
    early = [a for a in machine if facts.onset is None or a.at <= facts.onset + 2 * facts.step]
    if early:
        score += 1.1
        reasons.append(f"{early[0].metric} of {early[0].service} departed by then (+1.1)")
    if any(_NODE.search(span.text) for span in facts.spans):
        score += 0.4
        reasons.append("failing spans name it (+0.4)")
    together = _co_located(facts)
    if together:
        score += 0.7
        reasons.append(f"{', '.join(together[1][:3])} share {together[0]} (+0.7)")
    if not reasons:
        return None
    where = together[0] if together else (early[0].service if early else facts.first_failing)
    return Elsewhere("node", where, score, "A machine: what runs on it fails, not one service.", tuple(reasons))


def _co_located(facts: Facts) -> tuple[str, list[str]] | None:
    by_host: dict[str, set[str]] = {}
    for anomaly in facts.anomalies:
        host = facts.hosts.get(anomaly.service)
        if host:
            by_host.setdefault(host, set()).add(anomaly.service)
    groups = [(host, sorted(services)) for host, services in sorted(by_host.items()) if len(services) > 1]
    unrelated = [
        (host, services)
        for host, services in groups
        if not any(b in facts.graph.callees(a) for a in services for b in services)
    ]
    return unrelated[0] if unrelated and len(by_host) > 1 else None


def _poison(facts: Facts) -> Elsewhere | None:
    """The same record in most errors."""
    lines = [line for line in _own(facts) if _RECORD_FAULT.search(line.text)]
    total = sum(line.count for line in lines)
    if total < _MANY:
        return None
    ids: Counter[str] = Counter()
    for line in lines:
        for found in {*_ID.findall(line.text)}:
            ids[found] += int(line.count)
    if not ids:
        return None
    record, count = ids.most_common(1)[0]
    if count / total < 0.6 or len(record) < 3:  # noqa: PLR2004 - most of them; a short id is a status code
        return None
    return Elsewhere(
        "data", facts.first_failing, _START + 1.9, f"Bad data: {record} is in most of the errors.",
        (f"{count / total:.0%} of the errors name {record} (+1.9)",),
    )  # fmt: skip


def _growth(facts: Facts, first_change: float | None) -> Elsewhere | None:
    """A long ramp that began before every change."""
    kinds = {Kind.DISK, Kind.SATURATION, Kind.MEMORY, Kind.QUEUE, Kind.OTHER}
    ramps = [
        a
        for a in facts.anomalies
        if a.ramp and a.up and a.kind in kinds and a.service == facts.first_failing
        and (facts.onset or a.at) - a.began >= 10 * facts.step
        and (first_change is None or a.began < first_change - 2 * facts.step)
    ]  # fmt: skip
    if not ramps:
        return None
    one = max(ramps, key=lambda a: (a.strength, a.metric))
    gain = 1.6 if one.kind in {Kind.DISK, Kind.SATURATION, Kind.MEMORY} else 1.0
    return Elsewhere(
        "capacity", one.service, _START + gain, f"Growth to a limit: {one.metric} of {one.service} rose for long.",
        (f"{one.metric} had been growing before any change (+{gain:.1f})",), one.began,
    )  # fmt: skip


def _by_words(facts: Facts, kind: str, what: str, pattern: re.Pattern[str]) -> Elsewhere | None:
    lines = _trouble(facts)
    if kind == "job":
        lines = list(facts.lines)
    said = [line for line in lines if pattern.search(line.text)]
    if not said:
        return None
    own = _own(facts) or lines
    share = max(
        _share(own, lambda line: bool(pattern.search(line.text))),
        0.5 * _share(lines, lambda line: bool(pattern.search(line.text))),
    )
    early = any(facts.onset is None or line.first <= facts.onset + 2 * facts.step for line in said)
    gain = (1.9 if kind != "capacity" else 1.3) * max(share, 0.35 if kind == "job" else 0.0) + (
        0.3 if early else 0.0
    )
    if len({line.service for line in said}) > 1:
        gain += 0.4
    return Elsewhere(
        kind, facts.first_failing, _START + gain, f"It looks like {what}: {_cut(said[0].text)}",
        (f"{share:.0%} of the new lines speak of {what} (+{gain:.1f})",),
    )  # fmt: skip


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 90 else text[:89] + "…"  # noqa: PLR2004 - a line of a terminal


__all__ = ["FLOOR", "Anomaly", "Elsewhere", "hypotheses"]
