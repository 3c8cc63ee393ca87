"""Accuracy of rankings against labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rca.evaluate.labels import Label
from rca.model.report import Confidence

_DEPTH = 5


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the analysis said of one case. It is complete before any label is read.

    Attributes:
        ranking: Services, best first.
        trigger: The commit of the first trigger.
        seconds: Reading and analysis together.
        simple: The simple ranker's order, for comparison.
    """

    set: str
    case: str
    ranking: tuple[str, ...]
    abstained: bool
    confidence: Confidence
    trigger: str | None
    seconds: float
    simple: tuple[str, ...] = ()

    def rank_of(self, label: Label) -> int | None:
        """The place of the first accepted service, from 1; None when it isn't ranked, or nothing was wrong."""
        return next((i for i, name in enumerate(self.ranking, start=1) if name in label.services), None)


@dataclass(frozen=True, slots=True)
class SetScore:
    """Accuracy over a set's cases. Those without a fault count for abstaining alone.

    Attributes:
        cases: How many were run and labelled.
        faults: How many of them have a cause to find.
        ac: AC@k by k: the share of faults whose cause is among the first k; None without faults.
        avg5: Mean of AC@1 to AC@5.
        mrr: Mean reciprocal rank.
        abstained: Share of all cases in which nobody was named.
        rightly_abstained: The same of the cases without a fault; None without such cases.
        wrongly_abstained: The same of the faults.
        simple_ac1: AC@1 of the simple ranker that runs beside.
    """

    name: str
    cases: int
    faults: int
    ac: Mapping[int, float | None]
    avg5: float | None
    mrr: float | None
    abstained: float | None
    rightly_abstained: float | None
    wrongly_abstained: float | None
    seconds_per_case: float
    simple_ac1: float | None = None


def measure(name: str, results: Sequence[CaseResult], labels: Mapping[str, Label]) -> SetScore:
    """Accuracy of a set; cases without a label are left out."""
    known = [result for result in results if result.case in labels]
    faults = [result for result in known if labels[result.case].services]
    calm = [result for result in known if not labels[result.case].services]
    places = [result.rank_of(labels[result.case]) for result in faults]
    ac = {k: _mean([place is not None and place <= k for place in places]) for k in range(1, _DEPTH + 1)}
    return SetScore(
        name=name,
        cases=len(known),
        faults=len(faults),
        ac=ac,
        avg5=_mean([value for value in ac.values() if value is not None]),
        mrr=_mean([1 / place if place else 0.0 for place in places]),
        abstained=_mean([result.abstained for result in known]),
        rightly_abstained=_mean([result.abstained for result in calm]),
        wrongly_abstained=_mean([result.abstained for result in faults]),
        seconds_per_case=_mean([result.seconds for result in known]) or 0.0,
        simple_ac1=_mean([bool(r.simple) and r.simple[0] in labels[r.case].services for r in faults]),
    )


def macro(scores: Sequence[SetScore]) -> SetScore:
    """The mean over sets, each counting the same; a set without the figure is left out of it."""
    return SetScore(
        name="macro",
        cases=sum(score.cases for score in scores),
        faults=sum(score.faults for score in scores),
        ac={k: _known([score.ac[k] for score in scores]) for k in range(1, _DEPTH + 1)},
        avg5=_known([score.avg5 for score in scores]),
        mrr=_known([score.mrr for score in scores]),
        abstained=_known([score.abstained for score in scores]),
        rightly_abstained=_known([score.rightly_abstained for score in scores]),
        wrongly_abstained=_known([score.wrongly_abstained for score in scores]),
        seconds_per_case=_mean([score.seconds_per_case for score in scores]) or 0.0,
        simple_ac1=_known([score.simple_ac1 for score in scores]),
    )


def _known(values: Sequence[float | None]) -> float | None:
    return _mean([value for value in values if value is not None])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
