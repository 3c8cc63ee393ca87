"""The constants of what tells a name that only collects lines from a service."""

from dataclasses import dataclass

from rca.model.tuning.constant import Origin, constant


@dataclass(frozen=True, slots=True)
class CollectedTuning:
    """The constants of the reader of collectors' lines."""

    services: int = constant(
        3,
        "Known services without lines, for each name of no known service that lines stand under, from which it is "
        "taken for a collector's.",
        Origin.STRUCTURE,
    )
    heard: float = constant(
        0.1,
        "Largest share of the known services with lines of their own, for that.",
        Origin.STRUCTURE,
    )
    first_words: int = constant(
        12,
        "Words of a collector's line among which its service's name is looked for.",
        Origin.STRUCTURE,
    )
    same_place: float = constant(
        0.8,
        "Share of its lines with a service's name at the same place from which that says whose a line is.",
        Origin.STRUCTURE,
    )
