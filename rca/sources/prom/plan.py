"""What the harvest will ask, once it is known what there is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rca.model.incident import Gap
from rca.sources.prom.names import Labels, Names, Owners
from rca.sources.prom.packs import EdgeRule, Pack, Part
from rca.sources.prom.promql import METRIC_NAME
from rca.sources.prom.work import Grid

NAME = "prometheus"
MAX_SERIES = 4_000  # of one query's answer


def is_pattern(part: Part) -> bool:
    """Whether the part is asked for every metric that a pattern matches."""
    return bool(part.requires) and not METRIC_NAME.fullmatch(part.requires[0]) and "$m" in template_of(part)


def template_of(part: Part) -> str:
    """The template of a part: of an edge rule, that of its calls."""
    return part.calls if isinstance(part, EdgeRule) else part.query


@dataclass(frozen=True, slots=True)
class Ask:
    """One part of a pack, ready to be asked.

    Attributes:
        metric: The metric that the labels were read from; what `$m` stands for.
        window: The rate window, seconds.
        top: The histogram's highest finite bucket bound, for a quantile.
        wide: More pods than an answer may have: the server folds them into workloads.
        watchers: Rows that aren't the service's own: identities (`Labels.identity`) of exporters and monitors.
    """

    pack: Pack
    part: Part
    metric: str
    labels: Labels
    window: int
    top: float = float("inf")
    wide: bool = False
    watchers: frozenset[tuple[str, ...]] = frozenset()

    @property
    def name(self) -> str:
        """The metric's name in the bundle."""
        stem = re.sub(r"_(bucket|total|count|sum)$", "", self.metric)
        return f"{stem}:{self.part.name}" if is_pattern(self.part) else self.part.name


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the harvest needs to know before it asks.

    Attributes:
        applied: By pack, the metrics that made it apply.
        refused: By pack, why it doesn't.
        services: By pack, the services it speaks of.
        intervals: By pack, the scrape interval in seconds.
        watchers: The names under which exporters and monitors are scraped: their own, or those of what they watch.
        present: Every asked-for metric name that is there.
    """

    grid: Grid
    asks: tuple[Ask, ...]
    owners: Owners
    names: Names
    applied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    intervals: Mapping[str, int] = field(default_factory=dict)
    watchers: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
