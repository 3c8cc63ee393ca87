"""How changes reached production: which deploy carried which commit, and to which service."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rca.changes.diff import bare, is_ignored
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Commit, Event, EventKind

_COMMIT_KEYS = ("commit", "sha", "revision", "git_sha", "git_commit", "commit_sha", "vcs_revision")
_VERSION_KEYS = frozenset(
    {*_COMMIT_KEYS, "id", "image", "tag", "version", "release", "ref", "build", "to", "image_tag", "new_image"}
)
_HASH = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,40}(?![0-9a-zA-Z])")
_SUFFIX = re.compile(r"(?:service|server|svc|srv|api|app|backend)$")
_SHORT_SHA, _SHORT_NAME = 7, 4
_FLAG_WORDS = re.compile(
    r"\b(flag|feature|toggle|experiment|rollout|config|setting|enabled|disabled|off->on|on->off)\b", re.IGNORECASE
)
_FEWER = re.compile(r"(\d+)\s*(?:->|→|to|=>)\s*(\d+)")


class Reach(StrEnum):
    """How a change reached production."""

    DIRECT = "direct"
    CARRIED = "carried"
    SHARED = "shared"
    UNDEPLOYED = "undeployed"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change, at one service, at one time.

    Attributes:
        kind: `deploy`, `config`, `scale`, `restart`, `other`.
        service: Where it took effect.
        at: When it took effect, unix seconds.
        event: What recorded it; None for a commit of which no deploy is known.
        commit: Its content, where known.
    """

    kind: str
    service: str
    at: float
    reach: Reach
    event: Event | None = None
    commit: Commit | None = None


def candidates(
    events: Sequence[Event], commits: Sequence[Commit], services: Iterable[str], vocabulary: Vocabulary
) -> tuple[Candidate, ...]:
    """Every change with every way it may have reached production; the order of the input doesn't matter."""
    events = sorted(events, key=lambda event: (event.at, event.service, event.kind.value, event.title))
    commits = sorted(commits, key=lambda commit: (commit.at, commit.sha))
    deploys = [event for event in events if event.kind is EventKind.DEPLOY]
    names = sorted({*services, *(event.service for event in events)})
    by_sha = _ShaIndex(commits)
    direct: dict[str, list[Event]] = {}
    made: list[Candidate] = []
    for event in events:
        commit = by_sha.named_by(event)
        if commit is not None:
            direct.setdefault(commit.sha, []).append(event)
        reach = Reach.DIRECT if commit is not None else Reach.EVENT
        made.append(Candidate(event.kind.value, event.service, event.at.timestamp(), reach, event, commit))
    owners = Owners(
        names, [(commit, [e.service for e in direct[commit.sha]]) for commit in commits if commit.sha in direct]
    )
    made += [
        candidate
        for commit in commits
        if commit.sha not in direct
        for candidate in _carried(commit, deploys, owners, vocabulary)
    ]
    return tuple(made)


def commit_of(event: Event) -> str:
    """The commit that an event points to, or empty."""
    for key in _COMMIT_KEYS:
        value = event.details.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def revisions_of(event: Event) -> tuple[str, ...]:
    """Everything in an event that may name a revision, the surest first: a commit, a version, an image's tag."""
    found = [commit_of(event)]
    for key, value in sorted(event.details.items()):
        last = key.lower().rpartition(".")[2]
        if last in _VERSION_KEYS and isinstance(value, str):
            said = value.partition("@")[0]  # an image's digest names no revision
            found += [said, said.rpartition(":")[2], *_HASH.findall(said)]
    in_title = _HASH.findall(event.title)
    if len(set(in_title)) == 1:  # of two, nothing says which is the new one
        found.append(in_title[0])
    return tuple(dict.fromkeys(text for text in found if text))


def flag_of(event: Event) -> str:
    """The flag or setting that an event switched, or empty."""
    for key in ("flag", "feature", "key", "setting", "name"):
        value = event.details.get(key)
        if isinstance(value, str) and value:
            return value
    return event.title if event.kind is EventKind.CONFIG or _FLAG_WORDS.search(event.title) else ""


def fewer_replicas(event: Event) -> bool | None:
    """Whether a scaling went down; None when the event doesn't say."""
    old, new = event.details.get("from"), event.details.get("to")
    if isinstance(old, int | float) and isinstance(new, int | float):
        return new < old
    match = _FEWER.search(f"{event.title} {event.details.get('change', '')}")
    return int(match[2]) < int(match[1]) if match else None


class _ShaIndex:
    """Commits by their hash, whole or shortened, and by their tags."""

    def __init__(self, commits: Sequence[Commit]) -> None:
        self._whole = {commit.sha: commit for commit in commits}
        self._short: dict[str, Commit | None] = {}
        for commit in commits:
            key = commit.sha[:_SHORT_SHA]
            self._short[key] = None if key in self._short else commit
        self._tags: dict[str, Commit | None] = {}
        for commit in commits:
            for tag in commit.tags:
                self._tags[_bare(tag)] = None if _bare(tag) in self._tags else commit

    def named_by(self, event: Event) -> Commit | None:
        """The commit that an event names in any way; None when it names none that is known."""
        names = revisions_of(event)
        found = (self.find(name) or self._tags.get(_bare(name)) for name in names)
        return next((commit for commit in found if commit is not None), None)

    def find(self, sha: str) -> Commit | None:
        """The commit that a hash names; None for an unknown or an ambiguous one."""
        if sha in self._whole:
            return self._whole[sha]
        if len(sha) < _SHORT_SHA:
            return None
        commit = self._short.get(sha[:_SHORT_SHA])
        return (
            commit if commit is not None and (commit.sha.startswith(sha) or sha.startswith(commit.sha)) else None
        )


class Owners:
    """Whose path a file is.

    Args:
        services: Every service's name.
        learnt: Commits with the services to which they were deployed by themselves: their folders are theirs.
    """

    def __init__(self, services: Iterable[str], learnt: Iterable[tuple[Commit, Sequence[str]]]) -> None:
        self._names = {name: compact(name) for name in services}
        self._folders: dict[tuple[str, str], set[str]] = {}
        for commit, owners in learnt:
            for path in commit.files_changed:
                folder = path.rpartition("/")[0]
                if folder:
                    self._folders.setdefault((commit.repository, folder), set()).update(owners)

    def of_file(self, path: str, commit: Commit) -> tuple[str, ...]:
        """The services that a file of a commit belongs to, sorted; empty for one that several may share.

        What people wrote down is believed first, then a repository that has a service's name, then the path.
        """
        told = [(begin, name) for begin, name in commit.owners if not begin or f"{path}/".startswith(f"{begin}/")]
        if told:
            return (max(told, key=lambda entry: len(entry[0]))[1],)
        whole = compact(commit.repository) if commit.repository else ""
        mine = tuple(sorted(name for name, short in self._names.items() if short == whole))
        return mine or self.of(path, commit.repository)

    def of(self, path: str, repository: str = "") -> tuple[str, ...]:
        """The services that a path belongs to by its folders, sorted; empty for one that several may share."""
        segments = [compact(part) for part in path.split("/")[:-1]]
        exact = sorted(name for name, short in self._names.items() if short in segments)
        if exact:
            return tuple(exact)
        near = sorted(
            name
            for name, short in self._names.items()
            for part in segments
            if min(len(part), len(short)) >= _SHORT_NAME and (short.startswith(part) or part.startswith(short))
        )
        if len(set(near)) == 1:
            return (near[0],)
        return tuple(sorted(self._folders.get((repository, path.rpartition("/")[0]), ())))


def _bare(tag: str) -> str:
    """A tag without what release tools put in front: `v1.4.2`, `refs/tags/v1.4.2` and `1.4.2` are one."""
    last = tag.rpartition("/")[2]
    return last[1:] if last[:1] == "v" and last[1:2].isdigit() else last


@lru_cache(maxsize=20_000)
def compact(name: str) -> str:
    """A name without separators and the words that name no service: `ai-memory-svc` is `aimemory`."""
    whole = bare(name)
    return _SUFFIX.sub("", whole) or whole


def _carried(commit: Commit, deploys: Sequence[Event], owners: Owners, vocabulary: Vocabulary) -> list[Candidate]:
    """With the next deploy of each service whose code it touches; of every service, where it is nobody's."""
    at = commit.at.timestamp()
    live = [path for path in commit.files_changed if not is_ignored(path, vocabulary)] or list(
        commit.files_changed
    )
    mine = {service for path in live for service in owners.of_file(path, commit)}
    later = {event.service: event for event in reversed(deploys) if event.at >= commit.at}
    made = [
        Candidate(
            "deploy",
            service,
            event.at.timestamp(),
            Reach.CARRIED if service in mine else Reach.SHARED,
            event,
            commit,
        )
        for service, event in sorted(later.items())
        if service in mine or not mine
    ]
    if made:
        return made
    if not deploys:  # nobody records deploys here: what is merged is taken to be live
        return [Candidate("deploy", service, at, Reach.CARRIED, None, commit) for service in sorted(mine) or [""]]
    return [Candidate("commit", service, at, Reach.UNDEPLOYED, None, commit) for service in sorted(mine) or [""]]
