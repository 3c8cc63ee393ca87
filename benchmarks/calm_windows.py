"""How often calm windows are taken for incidents, and faults for calm: how the confidence is calibrated.

Beside the labelled bundles themselves, windows in which nothing happened yet are cut out of the rows before each
labelled onset, with their logs and spans, and ranked as if they were incidents. Bundles that share a baseline give
each cut once.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.sensitivity_table import table
from rca.analyze.assess import AnalysisOptions, assess
from rca.analyze.confidence import Standing
from rca.analyze.verdict import abstains, confidence_word
from rca.bundle import read_bundle
from rca.evaluate.labels import read_labels
from rca.evaluate.onset import Onset
from rca.evaluate.run import anonymous, case_name, find_cases, find_sets
from rca.model.incident import Bundle, Interval
from rca.model.logs import LogCounts
from rca.model.report import Confidence
from rca.model.signals import SignalFrame
from rca.model.tuning import Tuning

ONSETS = ("given", "late", "hidden")
_LATE = 90.0  # seconds, or a row where rows are longer
_CALM = ("given", "hidden")  # how calm windows are ranked: they have no onset to be late about
_LEAST_BEFORE = 4  # rows of a baseline
# (end, length, baseline): shares of the calm rows, of the incident's rows, and of what lies before the cut.
_SHAPES = ((1.0, 1.0, 1.0), (0.75, 0.5, 1.0), (0.6, 1.0, 0.5))
_SHARED = 0.5  # of a cut's series, from which another one is the same again
_FIRST = 0.4  # of a window whose onset nobody knows: what is taken for calm
_LINES = 20  # before an onset, from which they are worth a cut of their own
_ALIKE = 0.5  # of the services of two sets, from which they are of one system


Values = tuple[list[float], list[float]]  # of the faults of a system, and of its calm windows


@dataclass(frozen=True)
class Case:
    """What came of one ranking.

    Attributes:
        set: The folder.
        name: The bundle's, for a calm window that of the bundle which it was cut from.
        onset: What was told of it.
        cut: Whether it is a calm window that was cut out.
        fault: Whether something was wrong.
        right: Whether the first service was the cause.
        services: All that were ranked.
        standing: How far it stands out.
    """

    set: str
    name: str
    onset: str
    cut: bool
    fault: bool
    right: bool
    services: frozenset[str]
    standing: Standing

    @property
    def value(self) -> float:
        """The confidence; 0 where nothing departs at all."""
        return self.standing.value if self.standing.first > 0 else 0.0


def cuts(bundle: Bundle) -> Iterator[Bundle]:
    """Windows of the rows before the onset, each as a bundle that claims an incident."""
    frame = bundle.metrics
    if frame is None or len(frame.times) < _LEAST_BEFORE:
        return
    times, step = frame.times, float(np.median(np.diff(frame.times)))
    onset = bundle.window.onset
    if onset is None:
        calm = int(len(times) * _FIRST)
        rows = max(calm // 4, 1)  # nobody knows how long the incident was
    else:
        calm = int(np.searchsorted(times + step, onset.timestamp() + 1e-6, side="right"))
        rows = max(len(times) - calm, 1)
    for share, length, kept in _SHAPES:
        end = int(calm * share)
        start = end - max(1, min(round(rows * length), end // 3))
        first = round(start * (1 - kept))
        if start - first >= _LEAST_BEFORE:
            yield cut(bundle, first, float(times[start]), min(float(times[end - 1]) + step, float(times[end])))
    if onset is not None:
        yield from _of_lines(bundle, onset.timestamp())


def _of_lines(bundle: Bundle, onset: float) -> Iterator[Bundle]:
    """Where lines were kept from shortly before the onset only: their later half against the earlier one."""
    assert bundle.metrics is not None
    lines = [line.at.timestamp() for line in bundle.logs if line.at.timestamp() < onset]
    if len(lines) < _LINES or min(lines) < (float(bundle.metrics.times[0]) + onset) / 2:
        return
    middle = (min(lines) + onset) / 2
    before, there = np.searchsorted(bundle.metrics.times, (middle, onset))
    if before >= _LEAST_BEFORE and there > before:
        yield cut(bundle, 0, middle, onset)


def cut(bundle: Bundle, first: int, onset: float, end: float) -> Bundle:
    """What a bundle held before `end`, without its alert and changes, as an incident that began at `onset`.

    Args:
        bundle: The recording.
        first: The first row that is kept.
        onset: Unix seconds.
        end: Unix seconds; not in it any more.
    """
    assert bundle.metrics is not None
    frame = bundle.metrics
    kept = (np.arange(len(frame.times)) >= first) & (frame.times < end)
    metrics: SignalFrame = replace(frame, times=frame.times[kept], values=frame.values[kept])
    begin = float(metrics.times[0])
    window = bundle.window
    collected = window.onset is not None and window.span.start.timestamp() > float(frame.times[0])
    start = max(begin, 2 * onset - end) if collected else begin
    return replace(
        bundle,
        metrics=metrics,
        logs=tuple(line for line in bundle.logs if begin <= line.at.timestamp() < end),
        spans=tuple(span for span in bundle.spans if begin <= span.start.timestamp() < end),
        log_counts=_counts(bundle.log_counts, begin, end),
        symptom=None,
        alerts=(),
        events=(),
        commits=(),
        window=replace(window, span=Interval(_at(start), _at(end)), onset=_at(onset), baseline=None),
    )


def _counts(counts: LogCounts | None, begin: float, end: float) -> LogCounts | None:
    """Whole buckets only."""
    if counts is None or not len(counts.times):
        return None
    width = float(np.median(np.diff(counts.times))) if len(counts.times) > 1 else 0.0
    kept = (counts.times >= begin) & (counts.times + width <= end)
    return replace(counts, times=counts.times[kept], counts=counts.counts[kept]) if kept.any() else None


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def series_of(bundle: Bundle) -> set[str]:
    """A hash of each series that moves: cuts from a baseline that two bundles share have the same."""
    assert bundle.metrics is not None
    values = np.nan_to_num(bundle.metrics.values)
    moving = values[:, np.ptp(values, axis=0) > 0].T
    return {hashlib.sha256(np.ascontiguousarray(row).tobytes()).hexdigest() for row in moving}


@dataclass(frozen=True)
class Told:
    """A bundle that is to be ranked, and what is known of it."""

    set: str
    name: str
    truth: frozenset[str]
    bundle: Bundle
    cut: bool = False


def bundles(folder: Path) -> Iterator[Told]:
    """The labelled bundles of a set or of a folder of sets, and the calm windows cut out of them."""
    seen: set[str] = set()
    for set_ in find_sets(folder):
        labels = read_labels(set_)
        for path in find_cases(set_):
            label = labels.get(case_name(path))
            if label is None:
                continue
            given = anonymous(read_bundle(path))
            yield Told(set_.name, label.case, label.services, given)
            for calm in cuts(given):
                held = series_of(calm)
                new = len(held & seen) < _SHARED * max(len(held), 1)
                seen |= held
                if new:
                    yield Told(set_.name, label.case, frozenset(), calm, cut=True)


def measure(folders: Sequence[Path]) -> list[Case]:
    """Rank all of them, with an onset told and without."""
    options = AnalysisOptions()
    cases: list[Case] = []
    for told in (told for folder in folders for told in bundles(folder)):
        forms = _CALM if told.cut else ONSETS
        for onset in forms if told.bundle.window.onset is not None else ("hidden",):
            ranked = assess(_told(onset, told.bundle), options)
            if ranked.stood is None:
                continue
            fault, right = bool(told.truth), ranked.order[0] in told.truth
            services = frozenset(ranked.order)
            cases.append(Case(told.set, told.name, onset, told.cut, fault, right, services, ranked.stood))
        print(told.set, told.name, "calm" if told.cut else "", file=sys.stderr, flush=True)
    return cases


def _told(name: str, bundle: Bundle) -> Bundle:
    """The bundle with its onset as it is told."""
    if name != "late":
        return Onset.parse(name).applied(bundle)
    assert bundle.metrics is not None
    step = float(np.median(np.diff(bundle.metrics.times)))
    return Onset.parse(f"+{round(max(step, _LATE))}s").applied(bundle)


def systems(cases: Sequence[Case]) -> list[str]:
    """What each case is left out with: its set, or for one without faults the set whose services it has."""
    services: dict[str, set[str]] = {}
    for case in cases:
        if case.fault:
            services.setdefault(case.set, set()).update(case.services)

    def alike(case: Case, other: str) -> float:
        return len(case.services & services[other]) / max(len(case.services | services[other]), 1)

    def system(case: Case) -> str:
        nearest = max(sorted(services), key=lambda other: alike(case, other), default=case.set)
        return nearest if case.set not in services and alike(case, nearest) >= _ALIKE else case.set

    return [system(case) for case in cases]


def shares(values: Mapping[str, Values], below: float) -> tuple[float, float]:
    """The means over systems of the faults and of the calm windows whose confidence is below."""
    faults, calm = zip(*values.values(), strict=True)
    wrongly, rightly = (
        float(np.mean([np.mean(np.array(v) < below) for v in side if v])) for side in (faults, calm)
    )
    return wrongly, rightly


def choose(values: Mapping[str, Values]) -> float:
    """The threshold with the least sum of both errors, each system counting the same; of equals the lowest."""
    tried = sorted({value for sides in values.values() for side in sides for value in side})

    def errors(below: float) -> float:
        wrongly, rightly = shares(values, below)
        return round(wrongly + 1 - rightly, 9)

    return min(tried, key=errors)


def left_out(cases: Sequence[Case], shipped: float) -> Iterator[tuple[str, ...]]:
    """For each system: what it abstains on with the threshold that is best on the others, and with what ships.

    Nothing for a system alone.
    """
    values: dict[str, Values] = {}
    told = [case for case in cases if case.onset in _CALM]
    for case, system in zip(told, systems(told), strict=True):
        values.setdefault(system, ([], []))[0 if case.fault else 1].append(case.value)
    values = {name: sides for name, sides in values.items() if all(sides)}
    if len(values) < 2:  # noqa: PLR2004 - a system and another
        return
    rows = []
    for name, sides in values.items():
        below = choose({other: them for other, them in values.items() if other != name})
        at = [*shares({name: sides}, below), *shares({name: sides}, shipped)]
        rows.append(at)
        yield (name, f"{len(sides[0])} / {len(sides[1])}", f"{below:.2f}", *_pairs(at))
    yield ("mean", "", "", *_pairs(np.mean(rows, axis=0).tolist()))


def _pairs(shares: Sequence[float]) -> tuple[str, str]:
    return f"{shares[0]:.2f} / {shares[1]:.2f}", f"{shares[2]:.2f} / {shares[3]:.2f}"


def by_set(cases: Sequence[Case], tuning: Tuning) -> Iterator[tuple[str, ...]]:
    """For each set and onset: the share that is abstained on, of faults, of labelled calm windows, and of cuts."""
    for name in dict.fromkeys(case.set for case in cases):
        row = [name]
        for kind in (lambda c: c.fault, lambda c: not c.fault and not c.cut, lambda c: c.cut):
            told = [
                [abstains(c.standing, tuning) for c in cases if (c.set, c.onset) == (name, o) and kind(c)]
                for o in ONSETS
            ]
            row.append(" / ".join(f"{np.mean(quiet):.2f}" if quiet else "-" for quiet in told))
        yield tuple(row)


def reliability(cases: Sequence[Case], tuning: Tuning) -> Iterator[tuple[str, ...]]:
    """For each word: how often the first service was the cause, and how many calm windows get it."""
    said = [None if abstains(case.standing, tuning) else confidence_word(case.standing, tuning) for case in cases]
    for word in (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW, None):
        labelled = [case for case, told in zip(cases, said, strict=True) if told is word and not case.cut]
        calm = sum(told is word and case.cut for case, told in zip(cases, said, strict=True))
        right, quiet = sum(case.right for case in labelled), sum(not case.fault for case in labelled)
        share = f"{right} of {len(labelled)} ({right / max(len(labelled), 1):.0%})"
        yield (word.value if word else "(abstained)", share, str(quiet), str(calm))


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="sets with labels.csv, or folders of sets")
    cases = measure(parser.parse_args().folders)
    tuning = Tuning()
    faults, calm = "abstained: faults / calm", "calm windows cut out"
    head = ("system", "rankings: faults / calm", "threshold from the others", faults, f"{faults}, as shipped")
    print(table(head, list(left_out(cases, tuning.abstain_below))))
    told = " / ".join(ONSETS)
    print("\n" + table(("abstained, " + told, "faults", "labelled calm", calm), list(by_set(cases, tuning))))
    words = ("word", "the first service was the cause", "of these without a fault", calm)
    print("\n" + table(words, list(reliability(cases, tuning))))


if __name__ == "__main__":
    main()
