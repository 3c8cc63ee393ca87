"""Metric series: what they are called, what they measure, and their values on one time axis."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]
else:
    FloatArray = Any
"""Numbers in an array. The model imports no numpy: who fills an array has it, and the first question to a server
must not wait for it."""


class Kind(StrEnum):
    """What a series measures. Analysis knows kinds, never metric names."""

    LATENCY = "latency"
    ERRORS = "errors"
    TRAFFIC = "traffic"
    SATURATION = "saturation"
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK = "network"
    RESTARTS = "restarts"
    QUEUE = "queue"
    AVAILABILITY = "availability"
    OTHER = "other"


class Bad(StrEnum):
    """The direction in which a series gets worse."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class SignalKey:
    """The identity of one series.

    Attributes:
        service: The service it speaks of.
        metric: Its name within the service.
        instance: The pod, host or replica, or `None` when it is the service's own.
        kind: What it measures.
        bad: The direction in which it gets worse.
        unit: As a person would write it: `s`, `ms`, `%`, `ratio`, `bytes`, `1/s`; empty when unknown.
        query: The query that shows it, to be pasted into the source's own console.
        peer: The callee, for a series that a caller measured about one of its callees.
        declared: A pack or `series.json` stated `kind` and `bad`; False leaves them to be inferred from the name.
    """

    service: str
    metric: str
    instance: str | None = None
    kind: Kind = Kind.OTHER
    bad: Bad = Bad.BOTH
    unit: str = ""
    query: str = field(default="", compare=False)
    peer: str | None = None
    declared: bool = field(default=False, compare=False)

    @property
    def column(self) -> str:
        """The name in `metrics.csv`: `service|metric` or `service|metric|instance`."""
        parts = [self.service, self.metric] + ([self.instance] if self.instance else [])
        return "|".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class SignalFrame:
    """Series on a common time axis.

    Attributes:
        times: Shape `(n,)`, unix seconds, strictly increasing.
        values: Shape `(n, m)`; NaN where a point is missing. Never infinite.
        keys: `m` keys, one a column.

    Raises:
        ValueError: The shapes don't agree, or the times don't increase.
    """

    times: FloatArray
    values: FloatArray
    keys: tuple[SignalKey, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.keys)):
            raise ValueError(
                f"values are {self.values.shape}, with {len(self.times)} times and {len(self.keys)} keys"
            )
        if len(self.times) > 1 and not bool((self.times[1:] > self.times[:-1]).all()):
            raise ValueError("times do not strictly increase")

    @property
    def step(self) -> float:
        """The usual distance of two rows in seconds; 0 with fewer than two rows."""
        import numpy as np  # noqa: PLC0415 - as above

        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that has a series, sorted."""
        return tuple(sorted({key.service for key in self.keys}))
