"""Run the analysis over sets of bundles, then, and only then, look at the labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rca.analyze import AnalysisOptions, analyze
from rca.analyze.prepare import prepare
from rca.bundle import read_bundle
from rca.errors import UsageError
from rca.evaluate import baselines
from rca.evaluate.interval import Range
from rca.evaluate.labels import FILE, Label, read_labels
from rca.evaluate.measure import Accuracy, CaseResult, SetScore, macro, measure
from rca.evaluate.onset import Onset
from rca.model.incident import Bundle
from rca.model.report import Report, ToolInfo
from rca.model.tuning.rows import RowTuning

SCHEMA_VERSION = 1
_ARCHIVES = (".tar.gz", ".tgz", ".zip")

Progress = Callable[[int, int, str], None]  # how many are done, of how many, and what comes next


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

    @property
    def without_bundle(self) -> tuple[tuple[str, str], ...]:
        """Set and case of each label that has no bundle: no accuracy counts it."""
        return tuple(sorted(self.labels.keys() - self._cases))

    @property
    def without_label(self) -> tuple[tuple[str, str], ...]:
        """Set and case of each bundle that no label speaks of: no accuracy counts it."""
        return tuple(sorted(self._cases - self.labels.keys()))

    @property
    def _cases(self) -> set[tuple[str, str]]:
        return {(result.set, result.case) for result in self.results}

    def to_json(self) -> dict[str, Any]:
        """The contract of `rca eval --format json`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "sets": [_set(score) for score in self.sets],
            "macro": _set(self.macro),
            "cases": [self._case(result) for result in self.results],
        }

    def _case(self, result: CaseResult) -> dict[str, Any]:
        label = self.labels.get((result.set, result.case))
        return {
            "set": result.set,
            "case": result.case,
            "type": label.type if label else "",
            "truth": sorted(label.services) if label else [],
            "ranking": list(result.ranking),
            "abstained": result.abstained,
            "confidence": result.confidence.value,
            "rank_of_truth": result.rank_of(label) if label else None,
            "trigger": result.trigger,
            "trigger_right": result.blames_rightly(label) if label else None,
            "seconds": round(result.seconds, 4),
        }


def evaluate(
    folder: Path,
    *,
    tool: ToolInfo,
    onset: Onset | None = None,
    options: AnalysisOptions | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Rank every bundle of one set, or of a folder of sets, and compare with the labels.

    Args:
        folder: A folder with a `labels.csv`, or a folder of such folders.
        tool: What is measured.
        onset: What the analysis is told of the onset; the bundle's by default.
        options: Choices of the analysis.
        progress: Called before each case is run.

    Raises:
        UsageError: There is no set, or a set's labels can't be used.
        BundleError: A bundle can't be read.
    """
    told = onset or Onset()
    folders = find_sets(folder)
    cases = [(set_, path) for set_ in folders for path in find_cases(set_)]
    results = []
    for done, (set_, path) in enumerate(cases):
        if progress is not None:
            progress(done, len(cases), f"{set_.name}/{path.name}")
        results.append(_ranked(set_.name, path, tool, told, options))
    # Every ranking is final; from here on the labels may be seen.
    labels = {set_.name: read_labels(set_) for set_ in folders}
    return Evaluation(
        results=tuple(results),
        labels={(name, case): label for name, by_case in labels.items() for case, label in by_case.items()},
        sets=tuple(measure(name, [r for r in results if r.set == name], labels[name]) for name in labels),
    )


def find_sets(folder: Path) -> list[Path]:
    """The labelled sets in a folder, which may be one itself.

    Raises:
        UsageError: There is none.
    """
    folder = folder.absolute()
    if (folder / FILE).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{FILE}")) if folder.is_dir() else []
    if not found:
        raise UsageError(
            f"there is no labelled set in {folder}",
            hint=f"A set is a folder of bundles with a {FILE} beside them.",
        )
    return found


def find_cases(set_: Path) -> list[Path]:
    """The bundles of a set: folders and archives."""
    return [
        path
        for path in sorted(set_.iterdir())
        if not path.name.startswith(".") and (path.is_dir() or path.name.endswith(_ARCHIVES))
    ]


def anonymous(bundle: Bundle) -> Bundle:
    """The bundle without what its author called it, where a label could hide."""
    return replace(bundle, id="", title="", system="", notes="", sources=())


def case_name(path: Path) -> str:
    """A bundle's name in the labels: the folder's, or the archive's without its ending."""
    ending = next((e for e in _ARCHIVES if path.is_file() and path.name.endswith(e)), "")
    return path.name.removesuffix(ending)


def _ranked(set_: str, path: Path, tool: ToolInfo, onset: Onset, options: AnalysisOptions | None) -> CaseResult:
    started = time.perf_counter()
    bundle = anonymous(onset.applied(read_bundle(path)))
    report = analyze(bundle, tool=tool, options=options, replayed=True)
    seconds = time.perf_counter() - started
    first = report.triggers[0] if report.triggers else None
    return CaseResult(
        set=set_,
        case=case_name(path),
        ranking=tuple(suspect.service for suspect in report.suspects),
        abstained=report.verdict.abstained,
        confidence=report.verdict.confidence,
        trigger=first.commit if first else None,
        blames_change=first is not None and first.is_change,
        seconds=seconds,
        baselines=_baselines(bundle, report),
    )


def _baselines(bundle: Bundle, report: Report) -> dict[str, tuple[str, ...]]:
    """What simple rankers say of the same rows; where no onset is told, they get the one that was found."""
    frame = prepare(bundle, RowTuning()).frame
    at = bundle.window.onset or report.onset.at
    onset = at.timestamp() if at else None
    return {
        baselines.LARGEST_Z: baselines.largest_z(frame, onset),
        baselines.BARO: baselines.baro(frame, onset),
    }


def _set(score: SetScore) -> dict[str, Any]:
    return {
        "name": score.name,
        "cases": score.cases,
        "faults": score.faults,
        **_accuracy(score.accuracy),
        "ac@1_interval": _range(score.ranges.get(1)),
        "ac@3_interval": _range(score.ranges.get(3)),
        "abstained": _rounded(score.abstained),
        "rightly_abstained": _rounded(score.rightly_abstained),
        "wrongly_abstained": _rounded(score.wrongly_abstained),
        "trigger": _rounded(score.trigger),
        "decoy": _rounded(score.decoy),
        "seconds_per_case": _rounded(score.seconds_per_case),
        "baselines": [{"name": name, **_accuracy(one)} for name, one in score.baselines.items()],
        "types": [
            {
                "name": name,
                "cases": one.cases,
                **_accuracy(one.accuracy),
                "ac@1_interval": _range(one.ranges.get(1)),
                "wrongly_abstained": _rounded(one.wrongly_abstained),
            }
            for name, one in score.types.items()
        ],
    }


def _accuracy(accuracy: Accuracy) -> dict[str, float | None]:
    found = {f"ac@{k}": accuracy.ac[k] for k in (1, 3, 5)} | {"avg@5": accuracy.avg5, "mrr": accuracy.mrr}
    return {name: _rounded(value) for name, value in found.items()}


def _range(found: Range | None) -> Sequence[float] | None:
    return [round(value, 4) for value in found] if found else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
