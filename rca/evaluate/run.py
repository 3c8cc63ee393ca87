"""Run the analysis over sets of bundles, then, and only then, look at the labels."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rca.analyze import AnalysisOptions, analyze
from rca.bundle import read_bundle
from rca.errors import UsageError
from rca.evaluate.labels import FILE, Label, read_labels
from rca.evaluate.measure import CaseResult, SetScore, macro, measure
from rca.model.incident import Bundle
from rca.model.report import ToolInfo

_SHIFT = re.compile(r"(?P<sign>[+-])(?P<seconds>\d+)s")
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Onset:
    """What the analysis is told of the onset.

    Attributes:
        told: False hides it.
        shift: Added to the bundle's.
    """

    told: bool = True
    shift: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str) -> "Onset":
        """Read `given`, `hidden`, or a shift such as `+90s`.

        Raises:
            UsageError: It is none of these.
        """
        if text == "given":
            return cls()
        if text == "hidden":
            return cls(told=False)
        if match := _SHIFT.fullmatch(text):
            return cls(shift=timedelta(seconds=int(match["sign"] + match["seconds"])))
        raise UsageError(f"the onset can't be {text!r}", hint="Use given, hidden, or a shift such as +90s.")

    def applied(self, bundle: Bundle) -> Bundle:
        """The bundle with its onset as it is told."""
        if bundle.window.onset is None:
            return bundle
        onset = bundle.window.onset + self.shift if self.told else None
        return replace(bundle, window=replace(bundle.window, onset=onset))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Rankings of all sets and their accuracy."""

    results: tuple[CaseResult, ...]
    labels: dict[tuple[str, str], Label]
    sets: tuple[SetScore, ...]

    @property
    def macro(self) -> SetScore:
        """The mean over sets."""
        return macro(self.sets)

    def to_json(self) -> dict[str, Any]:
        """The contract of `rca eval --format json`."""
        return {
            "schema_version": _SCHEMA,
            "sets": [_score(score) for score in self.sets],
            "macro": _score(self.macro),
            "cases": [self._case(result) for result in self.results],
        }

    def _case(self, result: CaseResult) -> dict[str, Any]:
        label = self.labels.get((result.set, result.case))
        return {
            "set": result.set,
            "case": result.case,
            "ranking": list(result.ranking),
            "abstained": result.abstained,
            "confidence": result.confidence.value,
            "rank_of_truth": result.rank_of(label) if label else None,
            "type": label.type if label else "",
            "trigger": result.trigger,
            "seconds": round(result.seconds, 4),
        }


def evaluate(
    folder: Path,
    *,
    tool: ToolInfo,
    onset: Onset | None = None,
    options: AnalysisOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Rank every bundle of one set, or of a folder of sets, and compare with the labels.

    Args:
        folder: A folder with a `labels.csv`, or a folder of such folders.
        tool: What is measured.
        onset: What the analysis is told of the onset; the bundle's by default.
        options: Choices of the analysis.
        progress: Called with each case's name before it is run.

    Raises:
        UsageError: There is no set.
        BundleError: A bundle can't be read.
    """
    told = onset or Onset()
    folders = _sets(folder)
    ranked = {set_.name: tuple(_ranked(set_, tool, told, options, progress)) for set_ in folders}
    # Every ranking is final; from here on the labels may be seen.
    labels = {set_.name: read_labels(set_) for set_ in folders}
    return Evaluation(
        results=tuple(result for results in ranked.values() for result in results),
        labels={(name, case): label for name, by_case in labels.items() for case, label in by_case.items()},
        sets=tuple(measure(name, results, labels[name]) for name, results in ranked.items()),
    )


def _sets(folder: Path) -> list[Path]:
    if (folder / FILE).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{FILE}")) if folder.is_dir() else []
    if not found:
        raise UsageError(
            f"there is no labelled set in {folder}",
            hint=f"A set is a folder of bundles with a {FILE} beside them.",
        )
    return found


def _ranked(
    set_: Path,
    tool: ToolInfo,
    onset: Onset,
    options: AnalysisOptions | None,
    progress: Callable[[str], None] | None,
) -> Iterator[CaseResult]:
    for path in sorted(set_.iterdir()):
        if path.name == FILE or path.name.startswith(".") or not (path.is_dir() or _is_archive(path)):
            continue
        if progress is not None:
            progress(f"{set_.name}/{path.name}")
        started = time.perf_counter()
        report = analyze(onset.applied(read_bundle(path)), tool=tool, options=options, replayed=True)
        seconds = time.perf_counter() - started
        yield CaseResult(
            set=set_.name,
            case=_case_name(path),
            ranking=tuple(suspect.service for suspect in report.suspects),
            abstained=report.verdict.abstained,
            confidence=report.verdict.confidence,
            trigger=report.triggers[0].commit if report.triggers else None,
            seconds=seconds,
            simple=report.simple_ranking,
        )


def _is_archive(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz", ".zip"))


def _case_name(path: Path) -> str:
    for ending in (".tar.gz", ".tgz", ".zip"):
        if path.is_file() and path.name.endswith(ending):
            return path.name.removesuffix(ending)
    return path.name


def _score(score: SetScore) -> dict[str, Any]:
    rounded = {
        "ac@1": score.ac[1],
        "ac@3": score.ac[3],
        "ac@5": score.ac[5],
        "avg@5": score.avg5,
        "mrr": score.mrr,
        "abstained": score.abstained,
        "rightly_abstained": score.rightly_abstained,
        "wrongly_abstained": score.wrongly_abstained,
        "simple_ac@1": score.simple_ac1,
        "seconds_per_case": score.seconds_per_case,
    }
    return {
        "name": score.name,
        "cases": score.cases,
        **{name: None if value is None else round(value, 4) for name, value in rounded.items()},
    }
