"""How the accuracy moves when a constant of the ranking does, and what is left of it on a set it wasn't chosen on.

Each incident is ranked once for each onset, and again for each constant at each factor; what doesn't depend on the
constant is kept. Results are written incident by incident, as lines of JSON: a run that was stopped goes on.
`python -m benchmarks.sensitivity_table FILE` makes the tables of docs/sensitivity.md from them.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar, cast

from rca.analyze.assess import AnalysisOptions, assess, rank_bundle, usable
from rca.analyze.memo import Memo
from rca.analyze.ranking import Ranked
from rca.analyze.verdict import abstains
from rca.bundle import read_bundle
from rca.evaluate.labels import read_labels
from rca.evaluate.onset import Onset
from rca.evaluate.run import anonymous, case_name, find_cases, find_sets
from rca.model.incident import Bundle
from rca.model.scores import Channel
from rca.model.tuning import Tuning
from rca.model.tuning.causes import CauseTuning
from rca.model.tuning.constant import described
from rca.rank import mixture
from rca.rank.score import score as score_services

T = TypeVar("T")
FACTORS = (0.5, 2.0)
ONSETS = ("given", "hidden")
WEIGHT = "weight of "
# These take part once the series are scored: all before that is kept.
OF_SERVICES = frozenset(
    {"rest", "off_alert", "entry", "leaf_latency", "least_traffic", "explain", "explain_gain", "explain_across"}
    | {"explain_z", "explain_told_z", "arrived", "edge_star", "alert_weight", "candidate_seconds"}
)
# These order nobody; what moves is whether a service is named.
OF_CONFIDENCE = frozenset(
    {"pseudo_ends", "pseudo_growth", "pseudo_rows", "pseudo_from", "pseudo_share", "onset_fits", "corroborate"}
    | {"usual_quantile", "usual_elsewhere", "usual_prior", "confidence_offset", "abstain_below"}
)
# These choose the word for the confidence, or whether several causes are told; nobody is named or not for them.
OF_WORDS = frozenset(
    {"medium_from", "high_from", "high_windows", "clear_lead"}
    | {one.name for one in described(CauseTuning(), "causes.")}
)
# Parts of the structure, each switched off by a 0 or a 1, and one constant of which more than its order is open.
GRID: Mapping[str, Sequence[float]] = {
    "explain": (0.0, 0.8),
    "explain_across": (0.0, 0.6),
    "rest": (0.0, 0.2),
    "entry": (0.7, 1.0),
    "off_alert": (0.5, 1.0),
    WEIGHT + Channel.EDGE: (0.0, 1.0),
    WEIGHT + Channel.LOG_FAILURE: (0.0, 2.0),
    WEIGHT + Channel.LATENCY: (0.6, 0.9),
}
_OF_LINES = ("lines.", "collected.", WEIGHT + "log_")
_OF_SPANS = ("spans.", WEIGHT + "trace_")


@dataclass(frozen=True)
class Work:
    """One incident of one set.

    Attributes:
        set: The set's name.
        path: Of the bundle.
        truth: The accepted services; none where nothing is wrong.
        asked: The constants that are to be moved.
    """

    set: str
    path: Path
    truth: frozenset[str]
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """What was found for one incident and onset.

    Attributes:
        set: The set's name.
        case: The bundle's.
        onset: What was told of it.
        faulty: Whether something is wrong in it.
        right: Whether the first service is right.
        abstained: Whether nobody was named.
        asked: The constants that were to be moved.
        rights: By constant, the same at each of `FACTORS`; only of what can take part in this incident.
        abstentions: By constant of the confidence, the same.
        grid: Whether the first service is right, for each combination of `GRID`.
    """

    set: str
    case: str
    onset: str
    faulty: bool
    right: bool
    abstained: bool
    asked: Sequence[str]
    rights: Mapping[str, Sequence[bool]]
    abstentions: Mapping[str, Sequence[bool]]
    grid: Sequence[bool]


def names() -> tuple[str, ...]:
    """Every constant that can move a ranking or who is named, and the weight of every kind of evidence."""
    constants = (one.name for one in described(Tuning()) if one.name not in OF_WORDS)
    return (*constants, *(WEIGHT + channel.value for channel in Channel))


def value_of(name: str) -> float:
    """The constant's value as it ships."""
    if name.startswith(WEIGHT):
        return Tuning().weights[Channel(name.removeprefix(WEIGHT))]
    return next(float(one.value) for one in described(Tuning()) if one.name == name)


def moved_value(name: str, factor: float) -> float:
    """The value times the factor.

    Whole numbers are rounded and move by one at least. What would exceed 1, and doesn't as it ships, goes half of
    the way there, but for weights.
    """
    value = value_of(name)
    if isinstance(_held(name), int):
        near = round(value * factor)
        return near if near != value else value + (1 if factor > 1 else -1)
    share = value < 1 < factor * value and not name.startswith(WEIGHT)
    return (1 + value) / 2 if share else value * factor


def changed(name: str, value: float, plain: Tuning | None = None) -> Tuning:
    """Constants, by default those that ship, with one changed."""
    plain = plain or Tuning()
    if name.startswith(WEIGHT):
        return replace(plain, weights={**plain.weights, Channel(name.removeprefix(WEIGHT)): value})
    return _with(plain, name.split("."), value)


def _with(constants: T, path: Sequence[str], value: float) -> T:
    held: Any = getattr(constants, path[0])
    inner = _with(held, path[1:], value) if path[1:] else type(held)(value)
    return cast("T", replace(cast("Any", constants), **{path[0]: inner}))


def _held(name: str) -> object:
    if name.startswith(WEIGHT):
        return value_of(name)
    return reduce(getattr, name.split("."), Tuning())


def applies(name: str, bundle: Bundle) -> bool:
    """Whether a constant can take part at all: those of lines where there are lines, those of spans likewise."""
    if name.startswith(_OF_LINES):
        return bool(bundle.logs) or bundle.log_counts is not None
    # Failed spans come in bursts, too, whose beginning is told by the same constants as that of lines.
    return bool(bundle.spans) if name.startswith(_OF_SPANS) else True


def services_again(ranked: Ranked, tuning: Tuning) -> Ranked:
    """The ranking with other constants of the services' scores."""
    scored = score_services(ranked.table, ranked.series, ranked.structure, ranked.services.extra, tuning)
    return replace(ranked, services=scored, mixed=mixture.mix(scored, ranked.seconds, tuning))


def ranked_with(bundle: Bundle, tuning: Tuning, memo: Memo) -> Ranked | None:
    """The whole ranking with other constants."""
    used, prepared = usable(bundle, tuning, memo)
    return rank_bundle(used, prepared, AnalysisOptions(tuning=tuning), memo)[0]


def first(ranked: Ranked | None) -> str | None:
    """The first service; None without a ranking."""
    return ranked.structure.services[ranked.order()[0]] if ranked else None


def measure(work: Work) -> list[Moved]:
    """Rank an incident with every constant moved, for each onset."""
    given = anonymous(read_bundle(work.path))
    onsets = ONSETS if given.window.onset is not None or not work.truth else ("hidden",)
    return [_measure(work, Onset.parse(told).applied(given), told) for told in onsets]


def _measure(work: Work, bundle: Bundle, told: str) -> Moved:
    memo = Memo()
    plain = assess(bundle, AnalysisOptions(), memo)
    abstained = plain.stood is None or abstains(plain.stood, Tuning())

    def right(ranked: Ranked | None) -> bool:
        return first(ranked) in work.truth

    rights: dict[str, list[bool]] = {}
    abstentions: dict[str, list[bool]] = {}
    for name in work.asked:
        if not applies(name, bundle) or plain.ranked is None:
            continue
        tunings = [changed(name, moved_value(name, factor)) for factor in FACTORS]
        if name in OF_CONFIDENCE:
            stood = [assess(bundle, AnalysisOptions(tuning=tuning), memo.fork()).stood for tuning in tunings]
            abstentions[name] = [s is None or abstains(s, t) for s, t in zip(stood, tunings, strict=True)]
        elif work.truth and (name in OF_SERVICES or name.startswith(WEIGHT)):
            rights[name] = [right(services_again(plain.ranked, tuning)) for tuning in tunings]
        elif work.truth:
            rights[name] = [right(ranked_with(bundle, tuning, memo.fork())) for tuning in tunings]
    grid = [right(services_again(plain.ranked, tuning)) for tuning in combinations()] if plain.ranked else []
    return Moved(
        work.set,
        case_name(work.path),
        told,
        bool(work.truth),
        right(plain.ranked),
        abstained,
        work.asked,
        rights,
        abstentions,
        grid if work.truth else [],
    )


def combinations() -> Iterator[Tuning]:
    """The constants at each combination of `GRID`."""
    for combo in itertools.product(*GRID.values()):
        tuning = Tuning()
        for name, value in zip(GRID, combo, strict=True):
            tuning = changed(name, value, tuning)
        yield tuning


def find_work(folders: Sequence[Path]) -> list[Work]:
    """Every labelled incident of the sets in some folders."""
    found = []
    for set_ in (set_ for folder in folders for set_ in find_sets(folder)):
        labels = read_labels(set_)
        cases = [(path, labels.get(case_name(path))) for path in find_cases(set_)]
        found += [Work(set_.name, path, label.services, names()) for path, label in cases if label is not None]
    return found


def read_results(file: Path) -> list[Moved]:
    """What runs have written, an incident a line; one that was cut off is left out.

    What was measured of an incident at several times is put together, the last counting.
    """
    found: dict[tuple[str, str, str], Moved] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for line in filter(None, lines):
        try:
            for new in (Moved(**moved) for moved in json.loads(line)):
                key = new.set, new.case, new.onset
                found[key] = joined(found[key], new) if key in found else new
        except ValueError:
            print("a line that was cut off is measured again", file=sys.stderr)
    return list(found.values())


def joined(old: Moved, new: Moved) -> Moved:
    """What was measured of the same incident at two times."""
    return replace(
        new,
        asked=[*old.asked, *(name for name in new.asked if name not in old.asked)],
        rights={**old.rights, **new.rights},
        abstentions={**old.abstentions, **new.abstentions},
    )


def missing(work: Sequence[Work], results: Sequence[Moved]) -> list[Work]:
    """What of some work isn't in the results yet."""
    known: dict[tuple[str, str], set[str]] = {}
    for moved in results:
        known.setdefault((moved.set, moved.case), set()).update(moved.asked)
    left = (
        replace(one, asked=tuple(n for n in one.asked if n not in known.get((one.set, case_name(one.path)), ())))
        for one in work
    )
    return [one for one in left if one.asked]


def main() -> None:
    """Measure what isn't measured yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="a set with labels.csv, or a folder of sets")
    parser.add_argument(
        "--results", type=Path, required=True, help="lines of JSON; what is there isn't measured again"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    arguments = parser.parse_args()
    left = missing(find_work(arguments.folder), read_results(arguments.results))
    with get_context("spawn").Pool(arguments.jobs) as pool, arguments.results.open("a", encoding="utf-8") as out:
        for number, some in enumerate(pool.imap_unordered(measure, left), 1):
            out.write("\n" + json.dumps([asdict(moved) for moved in some]))  # what was cut off before stays alone
            out.flush()
            print(f"{number} of {len(left)}: {some[0].set} {some[0].case}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
