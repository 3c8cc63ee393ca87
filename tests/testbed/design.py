"""What a run will be: drawn from the fault's name and a seed, the same each time."""

import random
from dataclasses import dataclass
from operator import itemgetter

from tests.testbed.changes import Change
from tests.testbed.decoys import DECOYS
from tests.testbed.faults.base import Fault

TRACED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """How a run goes by, in seconds.

    Attributes:
        warm_up: After the start, before anything is recorded.
        before: Recorded before the onset.
        after: From the onset to the look at it.
        step: Resolution.
    """

    warm_up: float = 22.0
    before: float = 92.0
    after: float = 56.0
    step: int = 4

    @property
    def window(self) -> dict[str, str]:
        """The variables that fit `rca`'s windows, made for hours, to a run of minutes."""
        lead = self.before / 3
        minutes = {
            "LEAD": lead,
            "LAG": self.after + 4,
            "GUARD": self.step,
            "BASELINE": self.before - lead - 2 * self.step,
        }
        named = {f"RCA_WINDOW_{name}_MINUTES": f"{seconds / 60:.3f}" for name, seconds in minutes.items()}
        return named | {"RCA_WINDOW_STEP_SECONDS": str(self.step)}


RECORDED = Timing()


@dataclass(frozen=True, slots=True)
class Design:
    """One run's plan.

    Attributes:
        target: Where the fault strikes.
        decoys: Innocent changes, with their time in seconds from the onset.
        traced: Whether the run has spans; about half of them do.
    """

    fault: Fault
    seed: int
    target: str
    decoys: tuple[tuple[float, Change], ...]
    traced: bool

    @property
    def name(self) -> str:
        """As the recording is called."""
        place = self.target.replace(">", "-") if len(self.fault.targets) > 1 else ""
        return "-".join(filter(None, (self.fault.name, place)))

    @property
    def guilty(self) -> Change | None:
        """The change that brings the fault."""
        return self.fault.changes.get(self.target)

    @property
    def proxied(self) -> tuple[tuple[str, str], ...]:
        """Links that go through the proxy: that of a network fault, and one beside it."""
        if ">" not in self.target:
            return ()
        caller, _, callee = self.target.partition(">")
        return ((caller, callee),)


def draw(fault: Fault, seed: int) -> Design:
    """The run's plan; targets are taken in turn by the seed, the rest is drawn."""
    chance = random.Random(f"{fault.name}/{seed}")  # noqa: S311 - a plan, no secret
    target = fault.targets[(seed - 1) % len(fault.targets)]
    guilty = fault.changes.get(target)
    touched = {edit.path for edit in guilty.edits} if guilty else set()
    fitting = [
        change for change in DECOYS if not touched & {edit.path for edit in change.edits} and _suits(fault, change)
    ]
    count = {"quiet": 0, "quiet-surge": 1, "quiet-deploy": 2}.get(fault.name, chance.choice((1, 2, 2, 3)))
    chosen = chance.sample(fitting, min(count, len(fitting)))
    latest = {change: -8.0 if change.service in target else 25.0 for change in chosen}  # a restart would mend it
    times = [round(chance.uniform(-70.0, latest[change]), 1) for change in chosen]
    if fault.name == "quiet-deploy":
        times = [-55.0, 0.0][: len(chosen)]
    decoys = tuple(sorted(zip(times, chosen, strict=True), key=itemgetter(0)))
    return Design(fault, seed, target, decoys, traced=chance.random() < TRACED_SHARE)


def _suits(fault: Fault, change: Change) -> bool:
    if fault.name == "quiet-deploy":
        return change.kind == "deploy"
    if fault.name == "quiet-flag":
        return change.kind in {"flag", "none"}
    return True
