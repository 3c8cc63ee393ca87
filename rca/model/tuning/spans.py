"""The constants of what is read from spans: failures where they start, own time and waits, the slowest path."""

from dataclasses import dataclass

from rca.model.tuning.constant import Origin, constant


@dataclass(frozen=True, slots=True)
class SpanTuning:
    """The constants of the readers of spans."""

    min_spans: int = constant(
        3,
        "Spans of an operation, before and after, from which its own time can be compared.",
        Origin.STRUCTURE,
    )
    min_calls: int = constant(
        3,
        "Calls from which it can be told how others fare with a callee, or that a caller never called it before.",
        Origin.STRUCTURE,
    )
    star: int = constant(
        3,
        "Callees that a caller waits for, from which it may be slow itself.",
        Origin.STRUCTURE,
    )
    unseen: float = constant(
        0.25,
        'Errors that are added to those of the baseline, so that "never" after a short look means little.',
        Origin.STRUCTURE,
    )
    own_floor: float = constant(
        0.1,
        "Floor of the scale of own time, in its logarithm: less than a tenth is no change.",
        Origin.STRUCTURE,
    )
    told_of_callee: float = constant(
        0.5,
        "Share of the blame from which the report tells a failed call of the callee.",
        Origin.STRUCTURE,
    )
    path_min: int = constant(
        3,
        "Requests before, slow ones, and usual spans of the last step, that the slowest path takes.",
        Origin.STRUCTURE,
    )
    path_slow: float = constant(
        0.95,
        "Quantile of a request's usual durations beyond which one is slow.",
        Origin.STRUCTURE,
    )
    path_often: float = constant(
        3.0,
        "Times the share that lies beyond it anyway, from which there are slow requests.",
        Origin.STRUCTURE,
    )
    path_most: float = constant(
        0.5,
        "Share of what a span waited that the longest one below has to take, or all of them are told together.",
        Origin.STRUCTURE,
    )
    path_more: float = constant(
        1.5,
        "Times what is usual, from which the last step takes the time.",
        Origin.STRUCTURE,
    )
