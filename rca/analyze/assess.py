"""A bundle ranked, and how far the first suspect stands out: before anything is put in words."""

from dataclasses import dataclass, field

from rca.analyze import logs_and_spans
from rca.analyze.arrange import arrange
from rca.analyze.collected import told_apart
from rca.analyze.confidence import Standing, standing
from rca.analyze.logs_and_spans import LogsAndSpans
from rca.analyze.memo import NO_MEMO, Memo
from rca.analyze.prepare import Prepared, prepare
from rca.analyze.ranking import Ranked, Search, rank
from rca.analyze.recovered import until_recovery
from rca.analyze.spellings import with_one_name_each
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Bundle
from rca.model.tuning import Tuning


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What can be chosen about an analysis.

    Attributes:
        tuning: The constants of detection and ranking.
        guard_seconds: The gap that is left between the baseline and the onset, where the baseline is long enough.
        vocabulary: The words that changes are judged by; None for those that ship.
    """

    tuning: Tuning = field(default_factory=Tuning)
    guard_seconds: float = 120.0
    vocabulary: Vocabulary | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Assessed:
    """A bundle ranked, before anything is put in words.

    Attributes:
        ranked: None when the window is too short for any candidate onset.
        logs_and_spans: Arranged; None without any.
        order: Services, best first; by name without a ranking.
        stood: How far the first stands out; None without a ranking.
    """

    bundle: Bundle
    prepared: Prepared
    ranked: Ranked | None
    logs_and_spans: LogsAndSpans | None
    order: tuple[str, ...]
    stood: Standing | None


def assess(bundle: Bundle, options: AnalysisOptions, memo: Memo = NO_MEMO) -> Assessed:
    """Rank a bundle's services, and see how far the first stands out.

    Args:
        bundle: What the sources answered.
        options: The choices of the analysis.
        memo: What was worked out of its variants: what is the same in them is worked out once.
    """
    bundle, prepared = usable(bundle, options.tuning, memo)
    ranked, evidence = rank_bundle(bundle, prepared, options, memo)
    if ranked is None:
        named = {key.service for key in prepared.frame.keys} | {line.service for line in bundle.logs}
        named |= {span.service for span in bundle.spans}
        return Assessed(bundle, prepared, None, evidence, tuple(sorted(named)), None)
    order = tuple(ranked.structure.services[i] for i in ranked.order())
    stood = standing(ranked, evidence, options.tuning, memo)
    return Assessed(bundle, prepared, ranked, evidence, order, stood)


def usable(bundle: Bundle, tuning: Tuning, memo: Memo = NO_MEMO) -> tuple[Bundle, Prepared]:
    """What of a bundle is ranked: each service under one name, lines told apart, the window cut at recovery.

    Args:
        bundle: What the sources answered.
        tuning: The constants.
        memo: What was worked out of its variants.

    Returns:
        The bundle as it is ranked, and the usable part of it.
    """
    bundle = with_one_name_each(bundle, memo)
    prepared = prepare(bundle, tuning.rows, memo)
    bundle = told_apart(bundle, prepared, tuning.collected, memo)
    shorter = until_recovery(bundle, prepared, tuning)
    return (bundle, prepared) if shorter is bundle else (shorter, prepare(shorter, tuning.rows, memo))


def rank_bundle(
    bundle: Bundle, prepared: Prepared, options: AnalysisOptions, memo: Memo = NO_MEMO
) -> tuple[Ranked | None, LogsAndSpans | None]:
    """The ranking that a report rests on, and the evidence of logs and spans beside it.

    What explains a ranking, or measures how its constants matter, calls this too, so that they can't disagree.

    Args:
        bundle: What the sources answered.
        prepared: The usable part of it.
        options: The choices of the analysis.
        memo: What was worked out of its variants.

    Returns:
        The ranking, None when the window is too short for any candidate onset; and the evidence, None when the
        bundle holds neither lines nor spans.
    """
    tuning = options.tuning
    table, structure, unresolved = arrange(bundle, prepared.frame, prepared.graph, tuning, memo)
    evidence = logs_and_spans.build(bundle, prepared, structure, unresolved, tuning, memo)
    search = Search.of(bundle.window, table.times, options.guard_seconds)
    return rank(table, structure, search, evidence.at if evidence else None, tuning, memo), evidence
