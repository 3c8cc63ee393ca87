"""The tables of docs/sensitivity.md, from what `python -m benchmarks.sensitivity` has measured."""

import argparse
import itertools
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.sensitivity import (
    FACTORS,
    GRID,
    OF_CONFIDENCE,
    OF_WORDS,
    ONSETS,
    Moved,
    names,
    read_results,
    value_of,
)

LEAST = 0.005  # of a mean over sets: less is shown as no movement
RECORDINGS = frozenset({"testbed", "shop"})  # the sets that ship with the project
HEAD = """# When a constant of the ranking moves

Every constant of `rca/model/tuning/` ([what each means](constants.md)) is halved and doubled: whole numbers are
rounded and move by one at least; what would exceed 1, and doesn't as it ships, goes half of the way there, but for
weights. Shown is by how much AC@1 moves, the mean over the sets: {public} as it ships, with the onset given and
hidden, over the {sets} public ones of [evaluation.md](evaluation.md), {recorded} over those in `fixtures/`.
One case of a set of 25 is .008 of the mean over five: what is smaller than about .02 is noise. Made by
`python -m benchmarks.sensitivity DIR... --results FILE` and `python -m benchmarks.sensitivity_table FILE`.
"""
WITHOUT = """\
For each set, which parts of the structure take part (explaining away, in a class and across; the other kinds of
evidence beside the best; less for an entry's symptoms, and for those that the alert isn't about; slow edges;
failures in logs) and the weight of latency are chosen anew, by the mean of both onsets over the other sets (of
equals the combination nearest to what ships); AC@1 is measured on the set itself.
"""


def shares(results: Sequence[Moved], hit: Callable[[Moved], bool | None]) -> dict[tuple[str, str], float]:
    """By set and onset, the share of the incidents for which something holds; None leaves one out."""
    found: dict[tuple[str, str], list[bool]] = {}
    for moved in results:
        held = hit(moved)
        if held is not None:
            found.setdefault((moved.set, moved.onset), []).append(held)
    # Where hidden is the only form, it stands for both.
    for set_, onset in list(found):
        if onset == "hidden":
            found.setdefault((set_, "given"), found[set_, onset])
    return {key: sum(held) / len(held) for key, held in found.items()}


def mean(found: Mapping[tuple[str, str], float], onset: str) -> float:
    """The mean over sets."""
    values = [value for (_, told), value in found.items() if told == onset]
    return sum(values) / len(values) if values else 0.0


def accuracy(results: Sequence[Moved], name: str = "", factor: int = 0) -> list[float]:
    """AC@1 for each of `ONSETS`, as shipped or with a constant at one of `FACTORS`."""

    def hit(moved: Moved) -> bool | None:
        return (moved.rights[name][factor] if name in moved.rights else moved.right) if moved.faulty else None

    found = shares(results, hit)
    return [mean(found, onset) for onset in ONSETS]


def abstaining(results: Sequence[Moved], name: str = "", factor: int = 0, *, faulty: bool) -> list[float]:
    """The share on which nobody is named, of incidents with a fault or without, for each of `ONSETS`."""

    def hit(moved: Moved) -> bool | None:
        if moved.faulty is not faulty:
            return None
        return moved.abstentions[name][factor] if name in moved.abstentions else moved.abstained

    found = shares(results, hit)
    return [mean(found, onset) for onset in ONSETS]


def cell(change: float) -> str:
    """A movement, empty where there is none to speak of."""
    return f"{change:+.3f}" if abs(change) >= LEAST else ""


def of_ranking(public: Sequence[Moved], recorded: Sequence[Moved]) -> dict[str, list[float]]:
    """By constant, how AC@1 moves: public sets and recordings, for each factor and onset."""
    plain = [accuracy(some) for some in (public, recorded)]
    return {
        name: [
            now - before
            for some, was in zip((public, recorded), plain, strict=True)
            for factor in range(len(FACTORS))
            for now, before in zip(accuracy(some, name, factor), was, strict=True)
        ]
        for name in names()
        if name not in OF_CONFIDENCE
    }


def of_confidence(results: Sequence[Moved]) -> dict[str, list[float]]:
    """By constant, how the shares move that are wrongly and rightly abstained on, for each factor and onset."""
    plain = {faulty: abstaining(results, faulty=faulty) for faulty in (True, False)}
    return {
        name: [
            now - before
            for faulty in (True, False)
            for factor in range(len(FACTORS))
            for now, before in zip(abstaining(results, name, factor, faulty=faulty), plain[faulty], strict=True)
        ]
        for name in names()
        if name in OF_CONFIDENCE
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def columns(*groups: str) -> list[str]:
    """The heads of the columns: each group at each factor and onset."""
    return [f"{group} {onset} x{factor:g}" for group in groups for factor in FACTORS for onset in ONSETS]


def rows_of(moved: Mapping[str, Sequence[float]]) -> list[list[str]]:
    """Those that move anything, what moves most first."""
    shown = [name for name in moved if any(cell(change) for change in moved[name])]
    shown.sort(key=lambda name: (-max(abs(change) for change in moved[name]), name))
    return [[f"`{name}`", f"{value_of(name):g}", *map(cell, moved[name])] for name in shown]


def unmoved(moved: Mapping[str, Sequence[float]], among: Collection[str]) -> str:
    """Those of some that move nothing, as a list."""
    return listed([name for name in moved if name in among and not any(map(cell, moved[name]))])


def listed(some: Sequence[str]) -> str:
    """Names of constants in a sentence."""
    return ", ".join(f"`{name}`" for name in some)


def chosen_without(results: Sequence[Moved]) -> Iterator[list[str]]:
    """For each set: its AC@1 as shipped, and with the constants of the grid that are best on the other sets."""
    combos = list(itertools.product(*GRID.values()))
    plain = shares(results, lambda moved: moved.right if moved.faulty else None)
    measured = [
        shares(results, lambda moved, i=i: moved.grid[i] if moved.grid else None)  # type: ignore[misc] # bound here
        for i in range(len(combos))
    ]
    shipped = tuple(value_of(name) for name in GRID)
    for set_ in dict.fromkeys(name for name, _ in plain):
        # The mean over the other sets and both onsets; of equals the one nearest to what ships.
        def worth(i: int, without: str = set_) -> tuple[float, int]:
            others = [value for (name, _), value in measured[i].items() if name != without]
            far = sum(a != b for a, b in zip(combos[i], shipped, strict=True))
            return round(sum(others) / len(others), 9), -far

        best = max(range(len(combos)), key=worth)
        values = ", ".join(f"{name} {value:g}" for name, value in zip(GRID, combos[best], strict=True))
        yield [
            set_,
            *(f"{found[set_, onset]:.2f}" for onset in ONSETS for found in (plain, measured[best])),
            values,
        ]


def document(results: Sequence[Moved]) -> str:
    """The whole of docs/sensitivity.md."""
    public = [moved for moved in results if moved.set not in RECORDINGS]
    recorded = [moved for moved in results if moved.set in RECORDINGS]
    ranking, confidence = of_ranking(public, recorded), of_confidence(public)
    seen = {name for moved in results for name in moved.rights}
    told = [" and ".join(f"{share:.3f}" for share in accuracy(some)) for some in (public, recorded)]
    sets = len({moved.set for moved in public if moved.faulty})
    wrong, right = (
        " and ".join(f"{share:.2f}" for share in abstaining(public, faulty=faulty)) for faulty in (True, False)
    )
    without = [f"{onset}, {what}" for onset in ONSETS for what in ("shipped", "chosen without it")]
    parts = [
        HEAD.format(public=told[0], recorded=told[1], sets=sets),
        "## The ranking\n",
        table(["constant", "value", *columns("public,", "recordings,")], rows_of(ranking)),
        f"\nAn empty cell: less than .005. These move nothing by as much anywhere: {unmoved(ranking, seen)}.",
        "\n## Saying nothing\n",
        f"These order nobody. Shown is by how much the share of the faults moves on which it abstains ({wrong} as",
        f"it ships, given and hidden), and that of the windows without a fault ({right}).\n",
        table(["constant", "value", *columns("faults,", "none,")], rows_of(confidence)),
        f"\nThese move nothing: {unmoved(confidence, confidence)}." if unmoved(confidence, confidence) else "",
        f"\nThese choose words, of the confidence and of several causes: {listed(sorted(OF_WORDS))}.",
        "\n## Chosen without the set\n",
        WITHOUT,
        table(["set", *without, "chosen"], list(chosen_without(public))),
    ]
    never = [name for name in ranking if name not in seen]
    if never:
        parts.append(f"\nNone of these incidents has what these are about: {listed(never)}.")
    return "\n".join(part for part in parts if part) + "\n"


def main() -> None:
    """Print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="what `python -m benchmarks.sensitivity` wrote")
    sys.stdout.write(document(read_results(parser.parse_args().results)))


if __name__ == "__main__":
    main()
