"""The constants of several causes at once: a further fault beside the first, and what close suspects share."""

from dataclasses import dataclass

from rca.model.tuning.constant import Origin, constant


@dataclass(frozen=True, slots=True)
class CauseTuning:
    """The constants of what is said of several causes; how plain a further one must be is `Tuning.high_from`."""

    close: float = constant(
        0.5,
        "Share of the first suspect's score from which another one is close to it.",
        Origin.STRUCTURE,
    )
    looked_at: int = constant(
        8,
        "Suspects that are looked at: further down nobody is close to the first.",
        Origin.STRUCTURE,
    )
    calm: float = constant(
        0.25,
        "Share of the first suspect's score below which a service is calm.",
        Origin.STRUCTURE,
    )
    most: float = constant(
        0.5,
        "Share from which what explains a symptom says whose it is.",
        Origin.STRUCTURE,
    )
    fewest: int = constant(2, "Close suspects, and callers, that it takes to share something.", Origin.STRUCTURE)
    shows_z: float = constant(
        3.0,
        "z from which a symptom, or a resource that ran out, is plain.",
        Origin.STRUCTURE,
    )
