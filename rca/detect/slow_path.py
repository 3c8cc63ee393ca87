"""The way that the time goes in slow traces: from the request down to who takes the time, against what is usual.

In each slow trace the longest span below is followed for as long as it takes most of the time of the one above.
The way on which most time was lost is told, with the medians of its times.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rca.detect.span_tree import Node
from rca.model.report import PathStep, SlowPath
from rca.model.tuning.spans import SpanTuning

_Kind = tuple[str, str, str, bool]
_Key = tuple[str, str, str]
_Way = tuple[tuple[str, ...], str, bool]


@dataclass(frozen=True, slots=True)
class _Slow:
    """A slow request: the spans on its way, the first of each service, and the last one.

    Attributes:
        calls: How many calls the last one waited for, where no single one of them took most of its time; else 0.
        excess: Milliseconds beyond what such requests usually take.
    """

    steps: tuple[Node, ...]
    last: Node
    calls: int
    excess: float

    @property
    def way(self) -> _Way:
        return tuple(node.span.service for node in self.steps), self.last.callee, self.calls > 0

    @property
    def ms(self) -> float:
        """What the last one took: by itself, or with all its calls."""
        return self.last.span.duration_ms if self.calls else self.last.own_ms


def slow_path(
    nodes: Sequence[Node],
    split: float,
    tuning: SpanTuning,
    *,
    baseline: tuple[float, float] | None = None,
    end: float = np.inf,
) -> SlowPath | None:
    """The way of most slow requests after `split`.

    Args:
        nodes: All spans, as `span_tree.nodes` gives them.
        split: The onset, unix seconds; the incident is `split <= t < end`.
        tuning: The constants, `path_…`.
        baseline: What is usual, half open; None for all before `split`.
        end: Where the incident ends.

    Returns:
        None where requests aren't slower than usual, or too few were traced to tell.
    """
    low, high = baseline or (-np.inf, split)
    old = [node for node in nodes if low <= node.span.start.timestamp() < high]
    new = [node for node in nodes if split <= node.span.start.timestamp() < end]
    spans = {_key(node): node for node in new}
    slow = [_walk(root, spans, excess, tuning) for root, excess in _slow_roots(old, new, spans, tuning)]
    if not slow:
        return None
    by_way: dict[_Way, list[_Slow]] = defaultdict(list)
    for found in slow:
        by_way[found.way].append(found)
    way = min(by_way, key=lambda way: (-round(sum(found.excess for found in by_way[way]), 6), way))
    return _told(by_way[way], old, len(slow), tuning)


def _slow_roots(
    old: Sequence[Node], new: Sequence[Node], spans: Mapping[_Key, Node], tuning: SpanTuning
) -> list[tuple[Node, float]]:
    """Requests that took longer than nearly all of their kind did, and by how much more than is usual.

    Empty where no more of them did than anyway do.
    """
    usual: dict[tuple[str, str], list[float]] = defaultdict(list)
    for node in old:
        usual[node.span.service, node.span.operation].append(node.span.duration_ms)
    below = {(c.trace_id, c.span_id, c.service) for node in spans.values() for c in node.waited}
    roots = [n for n in new if _key(n) not in below and len(usual.get(_operation(n), ())) >= tuning.path_min]
    kinds = {_operation(root) for root in roots}
    limits = {kind: np.quantile(usual[kind], (0.5, tuning.path_slow)).tolist() for kind in kinds}
    slow = [
        (root, root.span.duration_ms - limits[_operation(root)][0])
        for root in roots
        if root.waited and root.span.duration_ms > limits[_operation(root)][1]
    ]
    anyway = 1 - tuning.path_slow
    return slow if len(slow) >= max(tuning.path_min, tuning.path_often * anyway * len(roots)) else []


def _walk(root: Node, spans: Mapping[_Key, Node], excess: float, tuning: SpanTuning) -> _Slow:
    at, steps, calls = root, [root], 0
    for _ in range(len(spans)):
        below = [spans[key] for c in at.waited if (key := (c.trace_id, c.span_id, c.service)) in spans]
        longest = max(below, key=lambda node: (node.span.duration_ms, node.span.span_id), default=None)
        waited = at.span.duration_ms - at.own_ms
        if longest is None or waited <= at.own_ms:
            break
        if longest.span.duration_ms < tuning.path_most * waited:
            calls = len(below)
            break
        if longest.span.duration_ms <= at.own_ms:
            break
        at = longest
        if at.span.service != steps[-1].span.service:
            steps.append(at)
    return _Slow(tuple(steps), at, calls, excess)


def _told(slow: Sequence[_Slow], old: Sequence[Node], of: int, tuning: SpanTuning) -> SlowPath | None:
    """The steps of requests that go the same way, by the medians of their times."""
    last, calls = slow[0].last, slow[0].calls > 0
    times: dict[_Kind, list[float]] = defaultdict(list)
    for node in old:
        times[_kind(node)].append(node.span.duration_ms if calls else node.own_ms)
    usual = [
        float(np.median(times[kind]))
        for found in slow
        if len(times.get(kind := _kind(found.last), ())) >= tuning.path_min
    ]
    taken = float(np.median([found.ms for found in slow]))
    if not usual or taken < tuning.path_more * float(np.median(usual)):
        return None
    steps = tuple(
        PathStep(nodes[0].span.service, float(np.median([node.span.duration_ms for node in nodes])))
        for nodes in zip(*(found.steps for found in slow), strict=True)
    )
    return SlowPath(
        steps=steps,
        callee=last.callee,
        answered=last.answered,
        calls=int(np.median([found.calls for found in slow])),
        own_ms=taken,
        usual_ms=float(np.median(usual)),
        traces=len(slow),
        slow=of,
    )


def _key(node: Node) -> _Key:
    return node.span.trace_id, node.span.span_id, node.span.service


def _operation(node: Node) -> tuple[str, str]:
    return node.span.service, node.span.operation


def _kind(node: Node) -> _Kind:
    return node.span.service, node.span.operation, node.callee, node.answered
