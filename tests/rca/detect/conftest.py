from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pytest

from rca.model.signals import FloatArray, SignalFrame, SignalKey

MakeFrame: TypeAlias = Callable[[Mapping[str, Sequence[float] | FloatArray]], SignalFrame]


@pytest.fixture
def make_frame() -> MakeFrame:
    """A frame of one row a minute from columns named `service|metric`."""

    def make(series: Mapping[str, Sequence[float] | FloatArray]) -> SignalFrame:
        values = np.array([np.asarray(column, dtype=np.float64) for column in series.values()]).T
        keys = tuple(SignalKey(name.split("|")[0], name.split("|")[1]) for name in series)
        return SignalFrame(60.0 * np.arange(len(values), dtype=np.float64), values, keys)

    return make
