"""What a fault is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.testbed.changes import Change
from tests.testbed.stand import Stand


def nothing(_stand: Stand, _target: str) -> None:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the system.

    Attributes:
        name: As on the command line.
        kind: The root cause's type, as labels name it; `normal` for a run without a fault.
        summary: The mechanism, in a sentence.
        remedy: What an engineer would do.
        targets: Where it can strike; a link is written `caller>callee`.
        begin: Break it, at the onset. What a guilty change alone breaks needs nothing more.
        heal: Make it possible to end the run quickly; the system goes away then.
        changes: The guilty change by target, for faults that a change brings.
        lead: Seconds from the guilty change to the harm.
        late: Whether the harm's beginning is known only from the alerts.
        roots: The services a label accepts, by target; the target itself where it isn't named.
        first: The first failing service by target, where it isn't the root.
    """

    name: str
    kind: str
    summary: str
    remedy: str
    targets: tuple[str, ...]
    begin: Callable[[Stand, str], None] = nothing
    heal: Callable[[Stand, str], None] = nothing
    changes: Mapping[str, Change] = field(default_factory=dict)
    lead: float = 0.0
    late: bool = False
    roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_normal(self) -> bool:
        """Whether nothing breaks."""
        return self.kind == "normal"

    def accepted(self, target: str) -> tuple[str, ...]:
        """The services a label accepts as the root cause."""
        if self.is_normal:
            return ()
        return self.roots.get(target, (target,))
