"""What landed on a branch, and when: the first parents' chain, with clocks that can't be right put in order."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rca.sources.git.run import Git

_FURTHEST = 20_000  # commits that are walked; dates alone, so that it takes a fraction of a second
_TOLD = 60  # seconds by which a clock must be off to be worth a word


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit of the branch itself: one that was made on it, or a merge.

    Attributes:
        at: When it came to the branch, unix seconds.
        shift: By how much its own clock says otherwise, in seconds; 0 when it fits.
    """

    sha: str
    at: int
    shift: int


def landed(git: Git, tip: str, *, now: float, deadline: float) -> list[Landed]:
    """The branch's commits, newest first, as far as is looked back at all.

    Raises:
        SourceError: Git failed.
    """
    walk = ("log", "--first-parent", "--no-notes", f"--max-count={_FURTHEST}", "--format=%H %ct", tip, "--")
    rows = [line.split() for line in git.text(walk, deadline=deadline).splitlines()]
    stated = [int(seconds) for _, seconds in reversed(rows)]
    times = in_order(stated, int(now))
    found = [
        Landed(sha, at, own - at if abs(own - at) > _TOLD else 0)
        for (sha, _), at, own in zip(reversed(rows), times, stated, strict=True)
    ]
    return found[::-1]


def in_order(stated: Sequence[int], now: int) -> list[int]:
    """Times that never fall, oldest commit first.

    The longest run of commits whose clocks agree with the order of the history is believed (a longest
    non-decreasing subsequence). Every other one, and any from the future, gets the time of the believed one
    before it.

    Args:
        stated: What each commit says, unix seconds.
        now: The present.
    """
    tails: list[int] = []  # the smallest last time of a run of each length, and whose it is
    owners: list[int] = []
    before = [-1] * len(stated)
    for place, at in enumerate(stated):
        if at > now:
            continue
        length = bisect_right(tails, at)
        before[place] = owners[length - 1] if length else -1
        tails[length : length + 1] = [at]
        owners[length : length + 1] = [place]
    believed = set()
    place = owners[-1] if owners else -1
    while place >= 0:
        believed.add(place)
        place = before[place]
    last = min((stated[place] for place in believed), default=now)
    made = []
    for place, at in enumerate(stated):
        last = at if place in believed else last
        made.append(last)
    return made
