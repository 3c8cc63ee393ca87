"""The source itself: which commits landed in time, with their diffs, and whose code they touch."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rca.config.settings import ChangesSettings
from rca.errors import SourceError
from rca.model.incident import Commit, Gap, Interval, SourceRecord
from rca.model.words import counted
from rca.sources.base import Check, Harvest, Request
from rca.sources.git.diffs import About, Diffs, about, read_diffs
from rca.sources.git.history import Landed, landed
from rca.sources.git.run import NAME, Git

_BEGINS = (
    "nothing stands before it (the first commit, or the edge of a shallow clone), so all of it would look new"
)
MOST_COMMITS = 400  # of one repository; the analysis reads the diffs of the likeliest few dozen


class GitSource:
    """Commits of local Git repositories, which are only read.

    Args:
        settings: Which repositories, which branch, and whose code is where.

    Raises:
        ConfigError: One of them isn't a repository, or git isn't there.
    """

    name = NAME
    measures = False

    def __init__(self, settings: ChangesSettings) -> None:
        self._settings = settings
        self._repositories = list(_named([Git(path) for path in settings.repos]))

    def harvest(self, request: Request) -> Iterator[Harvest]:
        """Yield a piece for every repository; one that fails is a gap."""
        count, details = len(self._repositories), {}
        for done, (name, git) in enumerate(self._repositories, start=1):
            try:
                commits, gaps, about_it = self._read(name, git, request)
            except SourceError as error:
                commits, gaps = (
                    (),
                    (Gap(NAME, f"the commits of {name}", error.told),),
                )
                about_it = {}
            details[name] = about_it
            record = SourceRecord(NAME, NAME, "", {}, dict(details)) if done == count else None
            yield Harvest(f"commits of {name}", done, count, commits=commits, gaps=gaps, record=record)

    def check(self, request: Request) -> Iterator[Check]:
        """Say what is looked at in each repository, and what its newest commit is."""
        for name, git in self._repositories:
            try:
                yield self._checked(name, git, request)
            except SourceError as error:
                yield Check(NAME, name, ok=False, detail=error.message, hint=error.hint)

    def close(self) -> None:
        """End what still runs."""
        for _, git in self._repositories:
            git.close()

    def _checked(self, name: str, git: Git, request: Request) -> Check:
        branch, tip = self._tip(git, request.deadline)
        if not tip:
            return Check(NAME, name, ok=False, detail=f"there is no {branch}", hint="See --branch.")
        found = landed(git, tip, now=time.time(), deadline=request.deadline)
        within = _within(found, request.changes)
        newest = f"newest {found[0].sha[:10]} of {_time(found[0].at)}"
        since = _time(request.changes.start.timestamp())
        detail = f"{branch}: {counted(len(within), 'commit')} since {since}; {newest}"
        return Check(NAME, name, ok=True, detail=detail, facts=("a shallow clone",) if git.shallow else ())

    def _tip(self, git: Git, deadline: float) -> tuple[str, str]:
        branch = self._settings.branch
        shown = f"branch {branch}" if branch else "what is checked out"
        return shown, git.resolve(branch, deadline=deadline)

    def _read(
        self, name: str, git: Git, request: Request
    ) -> tuple[tuple[Commit, ...], tuple[Gap, ...], Mapping[str, object]]:
        """Commits of the window, what is missing, and what to put on record."""
        branch, tip = self._tip(git, request.deadline)
        if not tip:
            why = f"there is no commit at {branch}; see --branch"
            return (), (Gap(NAME, f"the commits of {name}", why),), {}
        found = landed(git, tip, now=time.time(), deadline=request.deadline)
        within = _within(found, request.changes)
        chosen = within[:MOST_COMMITS]
        gaps = list(_history_gaps(name, git, found, within, request.changes))
        shas = [commit.sha for commit in chosen]
        told = about(git, shas, deadline=request.deadline) if shas else {}
        first = [sha for sha in shas if sha in told and told[sha].begins]
        wanted = [sha for sha in shas if sha not in first]
        read, why = Diffs(), "further than their total may be long"
        try:
            if wanted:
                read_diffs(git, wanted, read, deadline=request.deadline)
        except SourceError as error:
            why = error.told
        gaps += _diff_gaps(name, wanted, read, why)
        gaps += [Gap(NAME, f"what {sha[:10]} of {name} changed", _BEGINS) for sha in first]
        commits = tuple(self._commit(name, one, told[one.sha], read) for one in chosen if one.sha in told)
        return commits, tuple(gaps), {"branch": branch, "tip": tip, "commits": len(commits)}

    def _commit(self, name: str, one: Landed, said: About, read: Diffs) -> Commit:
        owners = {
            begin: service
            for begin, service in _owners(name, self._settings.services).items()
            if any(not begin or f"{path}/".startswith(f"{begin}/") for path in said.files)
        }
        return Commit(
            sha=one.sha,
            author=said.author,
            at=datetime.fromtimestamp(one.at, UTC),
            message=said.message,
            files_changed=said.files,
            diff=read.texts.get(one.sha),
            repository=name,
            owners=tuple(sorted(owners.items())),
            tags=said.tags,
        )


def _named(repositories: Sequence[Git]) -> Iterator[tuple[str, Git]]:
    """Each with a name that no other has."""
    seen: Counter[str] = Counter()
    for git in repositories:
        seen[git.name] += 1
        yield git.name if seen[git.name] == 1 else f"{git.name} ({seen[git.name]})", git


def _owners(name: str, services: Mapping[str, str]) -> dict[str, str]:
    """What the configuration says of this repository's paths; its own entries win over those for any."""
    anywhere, here = {}, {}
    for key, service in services.items():
        path = "/".join(part for part in key.split("/") if part not in {"", "."})
        repository, _, inside = path.partition("/")
        if repository == name:
            here[inside] = service
        else:
            anywhere[path] = service
    return anywhere | here


def _within(found: Sequence[Landed], span: Interval) -> list[Landed]:
    return [one for one in found if span.start.timestamp() <= one.at < span.end.timestamp()]


def _history_gaps(
    name: str, git: Git, found: Sequence[Landed], within: Sequence[Landed], span: Interval
) -> Iterator[Gap]:
    """What of the history isn't known."""
    asked = f"from {_time(span.start.timestamp())} to {_time(span.end.timestamp())}"
    if not within:
        newest = f"; the newest commit is of {_time(found[0].at)}" if found else ""
        yield Gap(NAME, f"commits of {name}", f"none landed {asked}{newest}")
    if len(within) > MOST_COMMITS:
        why = f"only the newest {MOST_COMMITS} are read; shorten --change-lookback"
        yield Gap(NAME, f"{counted(len(within) - MOST_COMMITS, 'older commit')} of {name}", why)
    if git.shallow and found and found[-1].at >= span.start.timestamp():
        why = "it is a shallow clone; deepen it (git fetch --deepen=…) to see what landed before"
        yield Gap(NAME, f"commits of {name} up to {_time(found[-1].at)}", why)
    odd = [one for one in within if one.shift]
    if odd:
        furthest = max(odd, key=lambda one: abs(one.shift))
        why = (
            f"they contradict the order of the history (most: {furthest.sha[:10]},"
            f" by {abs(furthest.shift) / 60:.0f} min); they are placed at the commit before them"
        )
        yield Gap(NAME, f"the clocks of {counted(len(odd), 'commit')} of {name}", why)


def _diff_gaps(name: str, shas: Sequence[str], read: Diffs, why: str) -> Iterator[Gap]:
    """What of the diffs isn't known; `why` some never came."""
    missing = [sha for sha in shas if sha not in read.texts]
    if missing:
        yield Gap(NAME, f"the diffs of {counted(len(missing), 'commit')} of {name}", why)
    if read.cut:
        some = ", ".join(sha[:10] for sha in shas if sha in read.cut)[:100]
        yield Gap(NAME, f"parts of the diffs of {counted(len(read.cut), 'commit')} of {name}", f"too long: {some}")
    if read.binary:
        yield Gap(
            NAME, f"{read.binary} binary files of {name}", "a diff of them tells nothing; they are named only"
        )


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
