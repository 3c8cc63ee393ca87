"""The constants of what is read from metrics: rows as they come, who fell silent, and when all was calm again."""

from dataclasses import dataclass

from rca.model.tuning.constant import Origin, constant


@dataclass(frozen=True, slots=True)
class RowTuning:
    """The constants of the readers of rows; those of a series' departure itself are `Tuning`'s own."""

    clock_seconds: float = constant(
        30.0,
        "Least distance of the rows that are made up where only logs and spans are.",
        Origin.STRUCTURE,
    )
    clock_rows: int = constant(120, "Most of these rows.", Origin.STRUCTURE)
    counter_rising: float = constant(
        0.95,
        "Share of a counter's steps that may not fall; in the first half more than the rest have to rise.",
        Origin.STRUCTURE,
    )
    counter_rises: int = constant(
        3,
        "Rises from which a series named a total that hardly falls is a counter of rare events.",
        Origin.STRUCTURE,
    )
    host_distinct: int = constant(
        4,
        "Distinct values from which a series that equals another service's isn't so by chance.",
        Origin.STRUCTURE,
    )
    host_share: float = constant(
        0.5,
        "Share of a metric's services beyond which such equality makes it the host's.",
        Origin.STRUCTURE,
    )
    recent_quantile: float = constant(
        0.75,
        "Quantile of the recent rows that has to be beaten too; downwards as far from the other end.",
        Origin.PROTOTYPE,
    )
    ratio_usual: float = constant(
        0.05,
        "Share of the median that is added before a logarithm is taken, so that zeros stay finite.",
        Origin.STRUCTURE,
    )
    ratio_observed: float = constant(0.01, "The same, as a share of what was observed.", Origin.STRUCTURE)
    recurrence_from: float = constant(
        0.5,
        "A departure of fewer scales isn't held against those of the baseline: it is worth little, and usual.",
        Origin.STRUCTURE,
    )
    recurrence_longest: float = constant(
        0.5,
        "Longest window in which the baseline may have departed as far by itself, as a share of it.",
        Origin.STRUCTURE,
    )
    recurrence_stride: float = constant(0.5, "Distance of these windows, as a share of one.", Origin.STRUCTURE)
    unseen_failure: float = constant(
        0.5,
        "Of a failed call is added to those of the baseline: none in a short look isn't none (Jeffreys' prior).",
        Origin.STATISTICS,
    )
    shared: float = constant(
        0.5,
        "Share of the rows in which the usual series has a value, up to which rows are put together.",
        Origin.STRUCTURE,
    )
    silence_present: float = constant(
        0.5,
        "Share of the series that have to be there, or the row is a hole in the scraping.",
        Origin.STRUCTURE,
    )
    silence_always: float = constant(
        0.8,
        "Share of the baseline in which a series has to be there for its end to count.",
        Origin.STRUCTURE,
    )
    silence_missing: float = constant(
        0.5,
        "Share of the incident in which it has to be missing.",
        Origin.STRUCTURE,
    )
    silence_series: float = constant(
        0.5,
        "Share of a service's series, by weight, that have to have stopped.",
        Origin.STRUCTURE,
    )
    silence_late: int = constant(
        1,
        "Rows that may be missing because they haven't come yet.",
        Origin.STRUCTURE,
    )
    silence_prior: float = constant(
        1.0,
        "Rows of each kind, there and missing, that are added to the baseline's (Laplace's rule).",
        Origin.STATISTICS,
    )
    silence_asked: float = constant(
        0.25,
        "Weight of a count of requests beside a resource's: nobody may have called.",
        Origin.STRUCTURE,
    )
    silence_others: float = constant(
        2.0,
        "Factor on the share of other services that stopped with it, which is taken away.",
        Origin.STRUCTURE,
    )
    recovery_min_rows: int = constant(5, "Rows that it takes to say what is usual.", Origin.STRUCTURE)
    recovery_floor: float = constant(
        0.05,
        "Least scale of a departure from it, as a share of the level.",
        Origin.STRUCTURE,
    )
    recovery_out: float = constant(3.0, "A value counts as departed from this z on.", Origin.STRUCTURE)
    recovery_cap: float = constant(30.0, "Beyond this z it counts no more.", Origin.STRUCTURE)
    recovery_stretch: float = constant(
        0.25,
        "Share of the way from the usual to the loudest row: what is louder belongs to the incident.",
        Origin.STRUCTURE,
    )
    recovery_calm: float = constant(
        0.1,
        "Share of that way up to which what follows is calm.",
        Origin.STRUCTURE,
    )
    recovery_after_rows: int = constant(3, "Rows that have to follow.", Origin.STRUCTURE)
    recovery_after_share: float = constant(
        0.5,
        "The same, as a share of the incident's.",
        Origin.STRUCTURE,
    )
