"""Log evidence: built once for a bundle, then evaluated at as many candidate onsets as the ranking wants.

```python
index = LogIndex.build(bundle.logs, LineTuning(), counts=bundle.log_counts, graph=bundle.graph)
evidence = index.evidence(onset)              # unix seconds; everything before is the baseline
evidence.failing, evidence.slow               # arrays by index.services
index.findings(onset, "checkout", limit=5)    # for people
```

An evaluation costs a few passes over integer arrays (about a millisecond for 10,000 lines).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rca.detect.log_evidence import Evaluation, LogEvidence, Parts, evaluate
from rca.detect.log_findings import FindingKind, LogFinding, describe
from rca.detect.log_flow import build_follows, build_hops, sequences
from rca.detect.log_table import LogTable, Texts, build_table, read_lines
from rca.detect.log_volume import volume
from rca.model.logs import LogCounts, LogLine
from rca.model.tuning.lines import LineTuning
from topology import ServiceGraph

__all__ = ["FindingKind", "LogEvidence", "LogFinding", "LogIndex"]


@dataclass(frozen=True, eq=False)
class LogIndex:
    """The lines and counts of a bundle, arranged for evaluation at many onsets. Make it with `build`.

    Attributes:
        services: The names that the arrays of `LogEvidence` go by, sorted: everyone who logs or is counted, the
            nodes of the graph, and the further services given.
        texts: The lines, read.
    """

    services: tuple[str, ...]
    texts: Texts
    _parts: Parts
    _last: list[Evaluation] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def build(
        cls,
        lines: Sequence[LogLine],
        tuning: LineTuning,
        *,
        counts: LogCounts | None = None,
        graph: ServiceGraph | None = None,
        services: Iterable[str] = (),
        like: "LogIndex | None" = None,
    ) -> "LogIndex":
        """Arrange the lines and counts.

        Args:
            lines: Lines in any order.
            tuning: The constants.
            counts: Exact counts, where the source gave them.
            graph: Who calls whom, for telling inherited errors from own ones.
            services: Further services, which may be silent from the start, or be named by others' errors.
            like: The same lines, counts and constants with another graph: no line is read twice.
        """
        graph = graph or ServiceGraph()
        names = {line.service for line in lines} | set(services) | {node.name for node in graph.nodes()}
        names |= set(counts.services if counts is not None else ())
        ordered = tuple(sorted(names))
        position = {name: i for i, name in enumerate(ordered)}
        calls = np.array(
            [
                (position[edge.caller], position[edge.callee])
                for edge in graph.edges()
                if edge.caller != edge.callee
            ],
            dtype=np.intp,
        ).reshape(-1, 2)
        if like is not None and like.services == ordered:
            return cls(ordered, like.texts, replace(like._parts, calls=calls))  # noqa: SLF001 - of its own class
        texts = read_lines(lines, tuning) if like is None else like.texts
        table = build_table(texts, ordered, tuning)
        rows = sequences(table)
        hops, follows = build_hops(table, rows), build_follows(table, rows, tuning)
        return cls(ordered, texts, Parts(table, volume(table, counts, tuning), calls, hops, follows, tuning))

    @property
    def table(self) -> LogTable:
        """The lines as arrays, with their templates and event types."""
        return self._parts.table

    @cached_property
    def end(self) -> float:
        """A moment after the last line and bucket, unix seconds; 0 without any."""
        table, counts = self._parts.table, self._parts.counts
        ends = [float(table.times[-1])] if len(table.times) else []
        ends += [float(counts.times[-1]) + counts.width] if len(counts.times) else []
        return max(ends, default=0.0) + 1e-3

    def evidence(
        self,
        split: float,
        *,
        baseline: tuple[float, float] | None = None,
        end: float = np.inf,
    ) -> LogEvidence:
        """What the logs say if the incident began at `split`.

        Args:
            split: The onset, unix seconds; the incident is `split <= t < end`.
            baseline: What to compare with, half open, before or after the incident; None for all before `split`.
            end: Where the incident ends.
        """
        return self._at(split, baseline, end).evidence

    def findings(
        self,
        split: float,
        service: str,
        *,
        baseline: tuple[float, float] | None = None,
        end: float = np.inf,
        limit: int = 5,
    ) -> tuple[LogFinding, ...]:
        """The strongest things to tell a person about a service at a split, strongest first; empty for none."""
        if service not in self.services:
            return ()
        at = self._at(split, baseline, end)
        return describe(self._parts, at, self.services.index(service))[:limit]

    def _at(self, split: float, baseline: tuple[float, float] | None, end: float) -> Evaluation:
        """The evaluation at a split; the last one is kept, as every service's findings are asked of the same."""
        before, after = baseline or (-np.inf, split), (split, max(split, min(end, self.end)))
        if not self._last or (self._last[0].before, self._last[0].after) != (before, after):
            self._last[:] = [evaluate(self._parts, before, after)]
        return self._last[0]
