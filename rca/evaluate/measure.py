"""Accuracy of rankings against labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rca.evaluate.baselines import RANDOM, chance, chance_of_reciprocal
from rca.evaluate.interval import Range, of_mean, wilson
from rca.evaluate.labels import Label
from rca.model.report import Confidence

DEPTHS = range(1, 6)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the analysis said of one case. It is complete before any label is read.

    Attributes:
        ranking: Services, best first.
        trigger: The commit of the first trigger.
        blames_change: The first trigger is a recorded change, with a commit or without.
        seconds: Reading and analysis together.
        baselines: The orders of the rankers it is compared with, by name.
    """

    set: str
    case: str
    ranking: tuple[str, ...]
    abstained: bool
    confidence: Confidence
    trigger: str | None
    seconds: float
    blames_change: bool = False
    baselines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rank_of(self, label: Label) -> int | None:
        """The place of the first accepted service, from 1; None when it isn't ranked, or nothing was wrong."""
        return rank_of(self.ranking, label)

    def blames_rightly(self, label: Label) -> bool | None:
        """Whether the first trigger is the guilty change, or none where none is; None where nobody knows."""
        if label.change is None:
            return None
        return self.trigger == label.change if label.change else not self.blames_change


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far up the causes stand.

    Attributes:
        ac: AC@k by k: the share of faults whose cause is among the first k; None without faults.
        mrr: Mean reciprocal rank.
    """

    ac: Mapping[int, float | None]
    mrr: float | None

    @property
    def avg5(self) -> float | None:
        """Mean of AC@1 to AC@5."""
        return known_mean(list(self.ac.values()))

    @classmethod
    def of(cls, places: Sequence[int | None]) -> "Accuracy":
        """Of the causes' places, None being nowhere."""
        return cls(
            {k: _mean([place is not None and place <= k for place in places]) for k in DEPTHS},
            _mean([1 / place if place else 0.0 for place in places]),
        )

    @classmethod
    def of_chance(cls, faults: Sequence[CaseResult], labels: Mapping[str, Label]) -> "Accuracy":
        """What random orders of the ranked services would reach on average."""
        sizes = [(len(r.ranking), len(labels[r.case].services.intersection(r.ranking))) for r in faults]
        return cls(
            {k: _mean([chance(*size, k) for size in sizes]) for k in DEPTHS},
            _mean([chance_of_reciprocal(*size) for size in sizes]),
        )

    @classmethod
    def mean(cls, many: Sequence["Accuracy"]) -> "Accuracy":
        """The mean of several, each counting the same."""
        return cls({k: known_mean([a.ac[k] for a in many]) for k in DEPTHS}, known_mean([a.mrr for a in many]))


@dataclass(frozen=True, slots=True)
class SetScore:
    """Accuracy over a set's cases. Those without a fault count for abstaining alone.

    Attributes:
        cases: How many were run and labelled.
        faults: How many of them have a cause to find.
        accuracy: Over the faults.
        ranges: 95 % intervals of AC@k by k; empty without faults.
        abstained: Share of all cases in which nobody was named.
        rightly_abstained: The same of the cases without a fault; None without such cases.
        wrongly_abstained: The same of the faults.
        trigger: Share of the cases with a known change, or known to have none, whose first trigger says so.
        decoy: Share of the cases with decoys whose first trigger is one.
        baselines: The accuracy of what it is compared with, by name.
        types: Each type of fault by itself, by name, without baselines.
    """

    name: str
    cases: int
    faults: int
    accuracy: Accuracy
    ranges: Mapping[int, Range]
    abstained: float | None
    rightly_abstained: float | None
    wrongly_abstained: float | None
    trigger: float | None
    decoy: float | None
    seconds_per_case: float
    baselines: Mapping[str, Accuracy] = field(default_factory=dict)
    types: Mapping[str, "SetScore"] = field(default_factory=dict)

    @property
    def ac(self) -> Mapping[int, float | None]:
        """AC@k by k."""
        return self.accuracy.ac


def measure(name: str, results: Sequence[CaseResult], labels: Mapping[str, Label]) -> SetScore:
    """Accuracy of a set; cases without a label are left out."""
    known = [result for result in results if result.case in labels]
    types = sorted({labels[r.case].type for r in known if labels[r.case].services and labels[r.case].type})
    return _score(
        name,
        known,
        labels,
        types={kind: _score(kind, [r for r in known if labels[r.case].type == kind], labels) for kind in types},
    )


def _score(
    name: str,
    known: Sequence[CaseResult],
    labels: Mapping[str, Label],
    types: Mapping[str, SetScore] | None = None,
) -> SetScore:
    faults = [result for result in known if labels[result.case].services]
    calm = [result for result in known if not labels[result.case].services]
    places = [result.rank_of(labels[result.case]) for result in faults]
    blamed = [result.blames_rightly(labels[result.case]) for result in known]
    lured = [result.trigger in labels[result.case].decoys for result in known if labels[result.case].decoys]
    hits = {k: sum(place is not None and place <= k for place in places) for k in DEPTHS}
    return SetScore(
        name=name,
        cases=len(known),
        faults=len(faults),
        accuracy=Accuracy.of(places),
        ranges={k: wilson(hits[k], len(faults)) for k in DEPTHS} if faults else {},
        abstained=_mean([result.abstained for result in known]),
        rightly_abstained=_mean([result.abstained for result in calm]),
        wrongly_abstained=_mean([result.abstained for result in faults]),
        trigger=_mean([right for right in blamed if right is not None]),
        decoy=_mean(lured),
        seconds_per_case=_mean([result.seconds for result in known]) or 0.0,
        baselines=_baselines(faults, labels) if types is not None else {},
        types=types or {},
    )


def _baselines(faults: Sequence[CaseResult], labels: Mapping[str, Label]) -> dict[str, Accuracy]:
    if not faults:
        return {}
    names = sorted({name for result in faults for name in result.baselines})
    found = {
        name: Accuracy.of([rank_of(r.baselines.get(name, ()), labels[r.case]) for r in faults]) for name in names
    }
    return {**found, RANDOM: Accuracy.of_chance(faults, labels)}


def rank_of(ranking: Sequence[str], label: Label) -> int | None:
    """The place of the first accepted service in an order, from 1; None when it isn't there."""
    return next((i for i, name in enumerate(ranking, start=1) if name in label.services), None)


def macro(scores: Sequence[SetScore]) -> SetScore:
    """The mean over sets, each counting the same; a set without the figure is left out of it."""

    def mean(of: Callable[[SetScore], float | None]) -> float | None:
        return known_mean([of(score) for score in scores])

    faulty = [score for score in scores if score.faults]
    names = sorted({name for score in faulty for name in score.baselines})
    return SetScore(
        name="macro",
        cases=sum(score.cases for score in scores),
        faults=sum(score.faults for score in scores),
        accuracy=Accuracy.mean([score.accuracy for score in scores]),
        ranges={
            k: of_mean([score.ac[k] or 0.0 for score in faulty], [score.ranges[k] for score in faulty])
            for k in DEPTHS
            if faulty
        },
        abstained=mean(lambda score: score.abstained),
        rightly_abstained=mean(lambda score: score.rightly_abstained),
        wrongly_abstained=mean(lambda score: score.wrongly_abstained),
        trigger=mean(lambda score: score.trigger),
        decoy=mean(lambda score: score.decoy),
        seconds_per_case=mean(lambda score: score.seconds_per_case) or 0.0,
        baselines={
            name: Accuracy.mean([score.baselines[name] for score in faulty if name in score.baselines])
            for name in names
        },
    )


def known_mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that aren't None; None without any."""
    return _mean([value for value in values if value is not None])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
