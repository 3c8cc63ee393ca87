"""How the accuracy moves when a constant of the ranking does, and what is left of it on a set it wasn't chosen on.

Each bundle is ranked once for each onset; for a changed constant only what depends on it is computed anew. The
constants that place candidate onsets and recent references need the whole ranking again and run with `--full`;
those of the confidence move no ranking and are left out.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from rca.analyze.core import AnalysisOptions, rank_bundle
from rca.analyze.prepare import Prepared, prepare
from rca.analyze.ranking import Ranked
from rca.bundle import read_bundle
from rca.detect import series
from rca.evaluate.labels import read_labels
from rca.evaluate.onset import Onset
from rca.evaluate.run import anonymous, case_name, find_cases, find_sets
from rca.model.incident import Bundle
from rca.model.scores import CHANNELS, Channel
from rca.model.tuning import Tuning
from rca.rank import mixture
from rca.rank.score import score as score_services

FACTORS = (0.5, 0.8, 1.25, 2.0)
ONSETS = ("given", "hidden")
OF_SERIES = ("prior_rows", "floor_ratio", "floor_full_scale", "floor_peers", "z_cap")
OF_SERVICES = (
    "rest",
    "off_alert",
    "entry",
    "leaf_latency",
    "least_traffic",
    "explain",
    "explain_gain",
    "explain_across",
    "explain_z",
    "alert_weight",
)
OF_ONSETS = (
    "local_seconds",
    "local_share",
    "local_min_rows",
    "back_seconds",
    "forward_seconds",
    "hidden_share",
    "grid_growth",
    "external",
    "hearsay",
)
SHARES = {"rest", "off_alert", "entry", "least_traffic", "explain", "explain_across"} | {
    "local_share",
    "hidden_share",
    "external",
    "hearsay",
}
GRID: Mapping[str, Sequence[float]] = {
    "explain": (0.5, 0.8, 1.0),
    "explain_across": (0.25, 0.6),
    "rest": (0.1, 0.2, 0.4),
    Channel.LOG_FAILURE.value: (1.0, 2.0),
    Channel.LATENCY.value: (0.6, 0.9),
}
_OF_LINES = np.array([c.value.startswith(("log_", "trace_")) for c in CHANNELS])


@dataclass(frozen=True)
class Case:
    """A bundle, ranked with the default constants for one onset, and the accepted answers."""

    set: str
    onset: str
    bundle: Bundle
    prepared: Prepared
    ranked: Ranked
    truth: frozenset[str]


def load(folder: Path, *, keep: bool) -> list[Case]:
    """Rank every fault of every set for each onset.

    Args:
        folder: A set, or a folder of sets.
        keep: Keep the bundles too, to rank them again.
    """
    cases: list[Case] = []
    for set_ in find_sets(folder):
        labels = read_labels(set_)
        for path in find_cases(set_):
            label = labels.get(case_name(path))
            if label is None or not label.services:
                continue
            given = anonymous(read_bundle(path))
            for onset in ONSETS:
                bundle = Onset.parse(onset).applied(given)
                if onset == "hidden" and given.window.onset is None:
                    cases.append(replace(cases[-1], onset=onset))  # hidden is its only form
                    continue
                prepared = prepare(bundle, Tuning().rows)
                ranked, _ = rank_bundle(bundle, prepared, AnalysisOptions())
                if ranked is not None:
                    empty = Bundle("", bundle.window)
                    kept = bundle if keep else empty
                    cases.append(Case(set_.name, onset, kept, prepared, ranked, label.services))
        print(f"{set_.name}: {sum(case.set == set_.name for case in cases)} rankings", file=sys.stderr, flush=True)
    return cases


def hit(case: Case, tuning: Tuning, *, stage: str) -> bool:
    """Whether the first service is right, from the given stage on computed with other constants."""
    ranked = case.ranked
    if stage == "onsets":
        again, _ = rank_bundle(case.bundle, case.prepared, AnalysisOptions(tuning=tuning))
        return again is not None and again.structure.services[again.order()[0]] in case.truth
    scored, extra = ranked.series, ranked.services.strength
    if stage == "series":
        scored = series.score(ranked.table, list(ranked.splits), tuning)
        extra = np.where(_OF_LINES, extra, 0.0)
    # The strength already holds what logs and spans say, and a maximum with itself changes nothing.
    services = score_services(ranked.table, scored, ranked.structure, extra, tuning)
    changed = replace(
        ranked, services=services, series=scored, mixed=mixture.mix(services, ranked.seconds, tuning)
    )
    return ranked.structure.services[changed.order()[0]] in case.truth


def accuracy(cases: Sequence[Case], tuning: Tuning, *, stage: str) -> dict[tuple[str, str], float]:
    """AC@1 by set and onset."""
    found: dict[tuple[str, str], list[bool]] = {}
    for case in cases:
        found.setdefault((case.set, case.onset), []).append(hit(case, tuning, stage=stage))
    return {key: sum(hits) / len(hits) for key, hits in found.items()}


def macro(found: Mapping[tuple[str, str], float], onset: str) -> float:
    """The mean over sets."""
    return float(np.mean([value for (_, told), value in found.items() if told == onset]))


def changed(name: str, value: float, plain: Tuning | None = None) -> Tuning:
    """Constants, by default those that ship, with one changed; a kind of evidence stands for its weight."""
    plain = plain or Tuning()
    if name in {channel.value for channel in Channel}:
        return replace(plain, weights={**plain.weights, Channel(name): value})
    return replace(plain, **{name: type(getattr(plain, name))(value)})


def value_of(name: str) -> float:
    """The constant's value."""
    return (
        float(getattr(Tuning(), name))
        if name in {f.name for f in fields(Tuning)}
        else Tuning().weights[Channel(name)]
    )


def moved(cases: Sequence[Case], *, full: bool) -> Iterator[tuple[str, ...]]:
    """A row for each constant: by how much the macro AC@1 of each onset moves for each factor."""
    plain = accuracy(cases, Tuning(), stage="services")
    shown = np.zeros(len(CHANNELS))
    for case in cases:
        shown = np.maximum(shown, case.ranked.services.strength.max(axis=(0, 1), initial=0.0))
    stages = [("services", name) for name in OF_SERVICES]
    stages += [("services", channel.value) for channel, most in zip(CHANNELS, shown, strict=True) if most > 0]
    stages += [("series", name) for name in OF_SERIES]
    stages += [("onsets", name) for name in OF_ONSETS] if full else []
    for stage, name in stages:
        cells = []
        for factor in FACTORS:
            value = value_of(name) * factor
            value = min(1.0, value) if name in SHARES else value
            found = accuracy(cases, changed(name, value), stage=stage)
            cells += [f"{macro(found, onset) - macro(plain, onset):+.3f}" for onset in ONSETS]
        # A weight's name says so; the order of the columns is that of the head.
        label = f"weight of {name}" if name in {channel.value for channel in Channel} else name
        print(label, *cells, file=sys.stderr, flush=True)
        yield (label, f"{value_of(name):g}", *cells)


def left_out(cases: Sequence[Case]) -> Iterator[tuple[str, ...]]:
    """For each set: its AC@1 as shipped, and with the constants of the grid that are best on the other sets."""
    combos = list(itertools.product(*GRID.values()))
    measured = []
    for combo in combos:
        tuning = Tuning()
        for name, value in zip(GRID, combo, strict=True):
            tuning = changed(name, value, tuning)
        measured.append(accuracy(cases, tuning, stage="services"))
    plain = accuracy(cases, Tuning(), stage="services")
    default = tuple(value_of(name) for name in GRID)
    for set_ in dict.fromkeys(case.set for case in cases):
        # The mean over the other sets and both onsets; of equals the one nearest to what is shipped.
        others = [np.mean([v for (name, _), v in found.items() if name != set_]) for found in measured]
        best = max(
            range(len(combos)),
            key=lambda i: (round(others[i], 9), -sum(a != b for a, b in zip(combos[i], default, strict=True))),
        )
        chosen = ", ".join(f"{name} {value:g}" for name, value in zip(GRID, combos[best], strict=True))
        row = [f"{found[set_, onset]:.2f}" for onset in ONSETS for found in (plain, measured[best])]
        print(set_, *row, chosen, file=sys.stderr, flush=True)
        yield (set_, *row, chosen)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a set with labels.csv, or a folder of sets")
    parser.add_argument("--full", action="store_true", help="also the constants that need the whole ranking again")
    arguments = parser.parse_args()
    cases = load(arguments.folder, keep=arguments.full)
    plain = accuracy(cases, Tuning(), stage="services")
    shipped = [
        (set_, *(f"{plain[set_, onset]:.2f}" for onset in ONSETS)) for set_ in dict.fromkeys(c.set for c in cases)
    ]
    print(table([("set", *ONSETS), *shipped, ("macro", *(f"{macro(plain, onset):.3f}" for onset in ONSETS))]))
    head = [f"{onset} x{factor:g}" for factor in FACTORS for onset in ONSETS]
    print(
        "\n"
        + table(
            [
                ("set", *(f"{o}, {w}" for o in ONSETS for w in ("shipped", "chosen without it")), "chosen"),
                *left_out(cases),
            ]
        )
    )
    print("\n" + table([("constant", "value", *head), *moved(cases, full=arguments.full)]))


if __name__ == "__main__":
    main()
