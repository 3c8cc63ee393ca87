"""Who calls whom, from the mean rates of the whole window."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rca.sources.prom.client import Answer
from rca.sources.prom.packs import EdgeRule
from rca.sources.prom.plan import Ask, Plan
from topology import Edge, Node, NodeKind, Provenance, ServiceGraph


def edges(
    ask: Ask, rule: EdgeRule, calls: Answer, failures: Answer | None, plan: Plan, query: str
) -> ServiceGraph:
    """The edges of one rule.

    Args:
        ask: What was asked.
        rule: Its edge rule.
        calls: Calls a second, by caller and callee.
        failures: Failed ones; None when they weren't asked for.
        plan: Names and owners.
        query: The query of the calls, for the provenance.

    Returns:
        A graph without callees that nobody could name ("unknown") and services that call themselves.
    """
    rates = _rates(ask, calls.series, plan)
    failed = _rates(ask, failures.series, plan) if failures is not None else {}
    found = []
    for (caller, callee), rate in sorted(rates.items()):
        share = min(1.0, failed.get((caller, callee), 0.0) / rate) if failures is not None else None
        found.append(Edge(caller, callee, rate, share, (Provenance(rule.name.replace("_", "-"), query),)))
    return ServiceGraph(edges=found)


def _rates(ask: Ask, rows: Sequence[Mapping[str, Any]], plan: Plan) -> dict[tuple[str, str], float]:
    """Rates above zero by caller and callee; what two Prometheus servers scraped alike counts once."""
    twins: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], float]] = defaultdict(dict)
    for row in rows:
        labels = row["metric"]
        who, whom = ask.labels.identify(labels, plan.owners), ask.labels.identify_peer(labels)
        rate = float(row["value"][1])
        if who is None or whom is None or not math.isfinite(rate) or rate <= 0:
            continue
        pair = plan.names.of(*who), plan.names.of(*whom)
        raw = tuple(sorted(item for item in labels.items() if item[0] != ask.labels.replica))
        if pair[0] != pair[1]:
            twins[pair][raw] = max(rate, twins[pair].get(raw, 0.0))
    return {pair: sum(found[raw] for raw in sorted(found)) for pair, found in twins.items()}


def node_kinds(plan: Plan) -> ServiceGraph:
    """The nodes whose kind their exporter tells: a cache, a database, a queue, a host."""
    kinds: dict[str, NodeKind] = {}
    packs = {ask.pack.name: ask.pack for ask in plan.asks}
    for name in sorted(packs):
        kind = packs[name].node_kind
        if kind is not None:
            kinds.update({service: kinds.get(service, kind) for service in plan.services.get(name, ())})
    return ServiceGraph(nodes=[Node(service, kind) for service, kind in sorted(kinds.items())])
