"""The constants of what is read from log lines: how bad they are, what is new, missing, slow or silent."""

from dataclasses import dataclass, field

from rca.model.tuning.constant import Origin, constant


@dataclass(frozen=True, slots=True)
class BurstTuning:
    """The constants of where a burst of lines, or of failed spans, begins."""

    few: int = constant(
        5,
        "Of fewer, where there were some before, nobody can say how close to each other they come.",
        Origin.STRUCTURE,
    )
    chain: float = constant(
        5.0,
        "Times the burst's mean distance that two of it may lie apart; a Poisson stream is silent for longer once "
        "in 150 times.",
        Origin.STATISTICS,
    )
    more: float = constant(
        3.0,
        "Times the rate before that has to be beaten; of a stream that only grew nobody can say when it did.",
        Origin.STRUCTURE,
    )


@dataclass(frozen=True, slots=True)
class LineTuning:
    """The constants of the readers of log lines. Severity goes from 0, calm, to 1, an error by its level.

    Attributes:
        bursts: Those of where a burst begins.
    """

    says_failure: float = constant(
        0.7,
        "Severity of a line that tells of a failure at a level that doesn't: errors logged at INFO exist.",
        Origin.STRUCTURE,
    )
    warning: float = constant(0.4, "Severity of a warning.", Origin.STRUCTURE)
    is_error: float = constant(0.5, "Severity from which a line counts as an error.", Origin.STRUCTURE)
    alike: float = constant(
        0.5,
        "Share of words that have to be equal for a message to join a template.",
        Origin.STRUCTURE,
    )
    name_letters: int = constant(
        3, "Letters from which a service's name is looked for in errors.", Origin.STRUCTURE
    )
    name_telling: int = constant(
        9,
        "Letters from which a name is no ordinary word, and counts wherever it stands.",
        Origin.STRUCTURE,
    )
    unresolved: float = constant(
        0.5,
        "Share of a caller's errors about a callee beyond which it is the name that can't be resolved.",
        Origin.STRUCTURE,
    )
    hole_seconds: float = constant(
        5.0,
        "Seconds without any line up to which nothing is missing of what was collected.",
        Origin.STRUCTURE,
    )
    hole_quantile: float = constant(
        0.95, "Quantile of the gaps between lines up to which one is usual.", Origin.STRUCTURE
    )
    hole_gaps: float = constant(
        4.0, "Times the longest usual gap up to which nothing is missing either.", Origin.STRUCTURE
    )
    unseen: float = constant(
        0.25,
        'Lines that are added to those of the baseline, so that "never" after a short look means little.',
        Origin.STRUCTURE,
    )
    prior_lines: float = constant(
        20.0,
        "Calm lines, at the usual rate, that are added where the change of traffic is judged by them.",
        Origin.STRUCTURE,
    )
    anomalous: float = constant(1.0, "Errors are beyond what was expected from this z on.", Origin.STRUCTURE)
    callee_explains: float = constant(
        2.0,
        "Times its own errors beyond what was expected that a callee explains of its caller's.",
        Origin.PROTOTYPE,
    )
    explained: float = constant(
        0.8,
        "Share of the errors that others explain that is taken away, as of symptoms.",
        Origin.PROTOTYPE,
    )
    alive: float = constant(
        0.6,
        "Share of an accusation that is taken away where the accused goes on logging as before.",
        Origin.STRUCTURE,
    )
    novelty_prior: float = constant(
        1.0,
        "Lines of each sort, new and known, that are added where novelty is estimated (Laplace's rule).",
        Origin.STATISTICS,
    )
    new_calm: float = constant(
        0.3,
        "Factor on untraced lines of templates that the baseline never saw: mostly they are harmless.",
        Origin.STRUCTURE,
    )
    min_traces: int = constant(
        3,
        "Traces from which it can be told what usually follows a line, and how fast.",
        Origin.STRUCTURE,
    )
    follow_share: float = constant(
        0.05,
        "Share of a line's traces in which another stands right behind it, from which that may follow it.",
        Origin.STRUCTURE,
    )
    follow_quantile: float = constant(
        0.95,
        "Quantile of the waits for the following lines after which one is overdue.",
        Origin.STRUCTURE,
    )
    follow_seconds: float = constant(30.0, "The longest such wait.", Origin.STRUCTURE)
    follow_most: float = constant(
        0.75,
        "Share of the baseline's traces in which a line has to follow for its absence to count.",
        Origin.STRUCTURE,
    )
    share_prior: float = constant(
        0.5,
        "Traces that are added to either side of a share of them (continuity correction).",
        Origin.STATISTICS,
    )
    vanished_called: float = constant(
        0.8,
        "Weight of a missing line where a caller wrote the one before: the call may not have arrived.",
        Origin.STRUCTURE,
    )
    vanished_across: float = constant(
        0.4,
        "The same where any other service wrote it, as on the way back from a callee.",
        Origin.STRUCTURE,
    )
    slow_quantile: float = constant(
        0.75,
        "Quantile of the usual gaps between two lines whose distance from their median measures their spread.",
        Origin.STRUCTURE,
    )
    slow_spread: float = constant(
        4.0, "Times this spread beyond the median from which a gap is slow.", Origin.STRUCTURE
    )
    slow_least: float = constant(0.25, "Least spread, as a share of the median.", Origin.STRUCTURE)
    slow_seconds: float = constant(0.001, "Least time beyond the median.", Origin.STRUCTURE)
    volume_bins: int = constant(
        120,
        "Stretches in which lines are counted where the source gave no counts.",
        Origin.STRUCTURE,
    )
    volume_seconds: float = constant(1.0, "Their least length.", Origin.STRUCTURE)
    volume_prior: float = constant(
        5.0,
        "Calm lines, at the usual rate, that are added where the change of traffic is judged by counts.",
        Origin.STRUCTURE,
    )
    volume_dispersion: float = constant(
        50.0,
        "Most that the variance of counts over their mean widens their z.",
        Origin.STRUCTURE,
    )
    silent_share: float = constant(
        0.2,
        "Share of the expected lines up to which a service fell silent.",
        Origin.STRUCTURE,
    )
    silent_prior: float = constant(
        0.5,
        "Lines that are added to the variance of how many were expected, as for any surprising count.",
        Origin.STATISTICS,
    )
    accused: float = constant(
        0.8,
        "Weight of errors in others' logs that name a service, beside its own errors.",
        Origin.STRUCTURE,
    )
    silent: float = constant(0.5, "Weight of a log that all but stopped, beside the same.", Origin.STRUCTURE)
    diverged: float = constant(
        0.6,
        "Weight of new calm lines that took the place of what used to follow in traces, beside the same.",
        Origin.STRUCTURE,
    )
    told: float = constant(1.0, "z from which the report tells something of a log.", Origin.STRUCTURE)
    told_calm: float = constant(
        0.5,
        "Severity that a calm line counts for among what is told.",
        Origin.STRUCTURE,
    )
    bursts: BurstTuning = field(default_factory=BurstTuning)
