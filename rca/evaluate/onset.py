"""What the analysis is told of the onset: the truth, nothing, or a time that is off."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from rca.errors import UsageError
from rca.model.incident import Bundle

_SHIFT = re.compile(r"(?P<count>[+-]\d+)(?P<unit>s|m|rows?)")
_SECONDS = {"s": 1, "m": 60}


@dataclass(frozen=True, slots=True)
class Onset:
    """What the analysis is told of the onset.

    Attributes:
        told: False hides it.
        shift: Added to the bundle's.
        rows: Added as well, in rows of the bundle's metrics.
    """

    told: bool = True
    shift: timedelta = timedelta(0)
    rows: int = 0

    @classmethod
    def parse(cls, text: str) -> "Onset":
        """Read `given`, `hidden`, or a shift such as `+90s`, `-2m` or `+1row`.

        Raises:
            UsageError: It is none of these.
        """
        if text == "given":
            return cls()
        if text == "hidden":
            return cls(told=False)
        match = _SHIFT.fullmatch(text)
        if match is None:
            raise UsageError(
                f"the onset can't be {text!r}", hint="Use given, hidden, or a shift such as +90s or +1row."
            )
        count = int(match["count"])
        if match["unit"] in _SECONDS:
            return cls(shift=timedelta(seconds=count * _SECONDS[match["unit"]]))
        return cls(rows=count)

    def applied(self, bundle: Bundle) -> Bundle:
        """The bundle with its onset as it is told."""
        if bundle.window.onset is None:
            return bundle
        onset = bundle.window.onset + self.shift + timedelta(seconds=self.rows * _step(bundle))
        return replace(bundle, window=replace(bundle.window, onset=onset if self.told else None))


def _step(bundle: Bundle) -> float:
    """The usual distance of two rows in seconds: one that occurs, so never a mean of two."""
    times = bundle.metrics.times if bundle.metrics else np.empty(0)
    return float(np.quantile(np.diff(times), 0.5, method="lower")) if len(times) > 1 else bundle.resolution_seconds
