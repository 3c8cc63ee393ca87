"""Ways through the graph: how far trouble reaches, and along which path it went.

Trouble travels from a callee to its callers: a slow database makes everything slow that waits for it.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from topology.graph import ServiceGraph

_QUIET_HOP = 3.0
"""What a hop through a service without anomalies costs; through the most anomalous one it costs 1."""


def explaining_path(
    graph: ServiceGraph, source: str, target: str, weight: Mapping[str, float] | None = None
) -> tuple[str, ...]:
    """The path along which trouble most plausibly spread, from a suspect up to where the symptom was seen.

    The cheapest path against the calls, by Dijkstra's algorithm, where a hop costs from 1 (onto the most anomalous
    service) to 3 (onto a quiet one): a detour is taken when it explains more of what was seen. Of equally cheap
    paths, the first by name.

    Args:
        graph: Who calls whom.
        source: The suspect, a (transitive) callee of `target`.
        target: Where the symptom was seen.
        weight: How anomalous each service is, 0 or more; those not named are quiet.

    Returns:
        The services from `source` to `target`, both included; empty when no calls lead from `target` to `source`.
    """
    if source not in graph or target not in graph:
        return ()
    cost = _hop_costs(weight or {})
    left = _cheapest(graph, target, source, cost)
    if source not in left:
        return ()
    path = [source]
    while path[-1] != target:
        here = path[-1]
        onwards = [caller for caller in graph.callers(here) if caller in left]
        path.append(min(onwards, key=lambda caller: (cost(caller) + left[caller], caller)))
    return tuple(path)


def _hop_costs(weight: Mapping[str, float]) -> Callable[[str], float]:
    usable = {name: value for name, value in weight.items() if math.isfinite(value) and value > 0}
    top = max(usable.values(), default=1.0)

    def cost(name: str) -> float:
        return _QUIET_HOP - (_QUIET_HOP - 1) * usable.get(name, 0.0) / top

    return cost


def _cheapest(graph: ServiceGraph, target: str, source: str, cost: Callable[[str], float]) -> dict[str, float]:
    """What is left to pay from each service to `target`, as far out as `source`."""
    left: dict[str, float] = {}
    queue = [(0.0, target)]
    while queue:
        paid, name = heapq.heappop(queue)
        if name in left:
            continue
        left[name] = paid
        if name == source:
            break
        onto = paid + cost(name)
        for callee in graph.callees(name):
            if callee not in left:
                heapq.heappush(queue, (onto, callee))
    return left


def caller_distances(graph: ServiceGraph, service: str) -> dict[str, int]:
    """Hops from a service to each direct or indirect caller, itself (0) included; nearest first, then by name."""
    return _distances(graph, service, graph.callers)


def callee_distances(graph: ServiceGraph, service: str) -> dict[str, int]:
    """Hops from a service to each direct or indirect callee, itself (0) included; nearest first, then by name."""
    return _distances(graph, service, graph.callees)


def _distances(graph: ServiceGraph, start: str, step: Callable[[str], Iterable[str]]) -> dict[str, int]:
    """Breadth first; empty for a service the graph doesn't know."""
    if start not in graph:
        return {}
    reached = {start: 0}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for other in step(name):
            if other not in reached:
                reached[other] = reached[name] + 1
                queue.append(other)
    return dict(sorted(reached.items(), key=lambda item: (item[1], item[0])))
