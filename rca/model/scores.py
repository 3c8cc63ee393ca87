"""What detection hands to ranking: how far each series, and each service's log, departed at a candidate onset."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rca.model.signals import FloatArray, SignalKey


class Side(StrEnum):
    """Where a series was measured."""

    OWN = "own"
    CLIENT = "client"
    CALLER = "caller"
    EDGE = "edge"
    HOST = "host"


class Channel(StrEnum):
    """What kind of evidence something is; each has a weight of its own."""

    LATENCY = "latency"
    EDGE = "edge"
    ERRORS = "errors"
    AVAILABILITY = "availability"
    CPU = "cpu"
    MEMORY = "memory"
    SATURATION = "saturation"
    RESTARTS = "restarts"
    QUEUE = "queue"
    DISK = "disk"
    IO = "io"
    CLIENT = "client"
    CLIENT_ERRORS = "client_errors"
    TRAFFIC = "traffic"
    OTHER = "other"
    HOST = "host"
    LOG_FAILURE = "log_failure"
    LOG_SLOWNESS = "log_slowness"
    TRACE_FAILURE = "trace_failure"
    TRACE_SLOWNESS = "trace_slowness"
    SILENCE = "silence"


CHANNELS: tuple[Channel, ...] = tuple(Channel)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesScores:
    """Every series against one candidate onset, or several.

    Attributes:
        z: Shape `(c, m)`, how far each of `m` series departed at each of `c` candidates, in robust sigmas;
            0 where it didn't or can't be told.
        before: Shape `(c, m)`, the median before.
        after: Shape `(c, m)`, the median from the candidate on.
    """

    z: FloatArray
    before: FloatArray
    after: FloatArray

    @property
    def change(self) -> FloatArray:
        """Shape `(c, m)`, after minus before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, eq=False)
class SeriesTable:
    """The series that are scored, by columns.

    Attributes:
        times: Shape `(n,)`, unix seconds.
        values: Shape `(m, n)`; NaN where missing. One row a series, unlike `SignalFrame`.
        keys: `m` keys; `key.service` is whom the evidence accuses.
        channels: Shape `(m,)`, index into `CHANNELS`.
        sides: `m` sides.
        stems: `m` names without a peer.
        quantiles: `m` quantiles, or empty.
        direction: Shape `(m,)`: 1 worse upwards, -1 downwards, 0 either.
        proportional: Shape `(m,)`: ratios count, not only differences (latency, errors).
        full_scale: Shape `(m,)`: the largest possible value, where there is one; else 0.
        reference: Shape `(m,)`: a level whose noise the series has, though its own level is smaller; else 0.
        groups: Shape `(m,)`: the series that measure the same thing elsewhere share a number.
        derived: Shape `(m,)`: made of two columns of the bundle (the network's share of a call).
    """

    times: FloatArray
    values: FloatArray
    keys: tuple[SignalKey, ...]
    channels: NDArray[np.intp]
    sides: tuple[Side, ...]
    stems: tuple[str, ...]
    quantiles: tuple[str, ...]
    direction: FloatArray
    proportional: NDArray[np.bool_]
    full_scale: FloatArray
    reference: FloatArray
    groups: NDArray[np.intp]
    derived: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)
