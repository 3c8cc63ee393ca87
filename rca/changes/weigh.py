"""Every change weighed as what may have set the incident off, beside what else it may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rca.changes.elsewhere import FLOOR, Elsewhere, hypotheses
from rca.changes.evidence import document_counts, listen
from rca.changes.facts import Facts
from rca.changes.findings import Content
from rca.changes.link import Candidate, candidates, commit_of
from rca.changes.scope import scope
from rca.changes.score import REACH, Incident, Sum, parts_of
from rca.changes.symptoms import reached, seen
from rca.changes.timing import timing
from rca.changes.vocabulary import Vocabulary, shipped
from rca.model.incident import Commit, Event
from rca.model.report import Trigger

_OUT = -3.0
"""Changes that score less by reach, place and time (those after the onset) aren't looked at."""
_JUDGED = 60
"""Changes whose diffs are read: the likeliest by reach, place and time."""
_LINES, _LEAST_LINES = 2_500, 40
"""Changed lines that are read of all of them together, and at least of each."""
_WITHIN_REACH = FLOOR - 3
_SHOWN = 10
_REASONS, _REASONS_AGAINST = 3, 2


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change with its score and the reasons that add up to it."""

    candidate: Candidate
    content: Content | None
    sum: Sum

    @property
    def score(self) -> float:
        """All of its reasons together."""
        return self.sum.score

    @property
    def key(self) -> str:
        """Tells it from other changes, and orders equals."""
        return _key(self.candidate)


def weigh_changes(
    facts: Facts,
    events: Sequence[Event],
    commits: Sequence[Commit],
    *,
    vocabulary: Vocabulary | None = None,
) -> tuple[Trigger, ...]:
    """Rank what may have set an incident off.

    Args:
        facts: The incident.
        events: Deploys, configuration changes, restarts, scalings, in any order.
        commits: What was changed, in any order.
        vocabulary: The words; None for those that ship.

    Returns:
        Triggers, best first. One in front that isn't a recorded change (`Trigger.is_change`) says that no
        known change explains the incident, and what it looks like instead. Empty when no onset is known.
    """
    if facts.onset is None:
        return ()
    words = vocabulary or shipped()
    weighed = weigh(facts, events, commits, words)
    reachable = [w.candidate.at for w in weighed if w.score > _WITHIN_REACH and w.candidate.service]
    others = hypotheses(facts, words, min(reachable, default=None))
    if not events and not commits:  # nothing is known of changes, so nothing can be said of them
        others = tuple(item for item in others if item.score > FLOOR)
    weighed = _explained_away(weighed, others)
    ranked: list[Weighed | Elsewhere] = [*_best_of_each(weighed), *others]
    ranked.sort(key=lambda item: -item.score)  # stable: a change comes before what is none
    return tuple(_trigger(rank, item) for rank, item in enumerate(ranked[:_SHOWN], start=1))


def weigh(
    facts: Facts, events: Sequence[Event], commits: Sequence[Commit], vocabulary: Vocabulary
) -> list[Weighed]:
    """Every change within reach with its score, best first."""
    rough = []
    for candidate in candidates(events, commits, facts.services, vocabulary):
        where = scope(candidate.service, facts)
        when = timing(candidate.at, candidate.service, facts, delayed=False)
        rough.append((REACH[candidate.reach] + where[0] + when.score, candidate, where))
    rough = [row for row in rough if row[0] > _OUT]
    rough.sort(key=lambda row: (-row[0], row[1].at, _key(row[1])))
    near = rough[:_JUDGED]
    commits_near = {c.commit.sha: c.commit for _, c, _ in near if c.commit is not None}
    most = _fair_share([_changed_lines(commit) for commit in commits_near.values()])
    judged = _judged(commits_near, vocabulary, most)
    counts = document_counts(judged.values())
    shown = {
        service: seen(facts, vocabulary, reached(service, facts)) for service in {c.service for _, c, _ in near}
    }
    incident = Incident(facts, vocabulary, shown, listen(facts, vocabulary.stop), counts, max(1, len(judged)))
    made = []
    for _, candidate, where in near:
        content = judged[candidate.commit.sha] if candidate.commit else None
        made.append(Weighed(candidate, content, parts_of(candidate, content, where, incident)))
    made.sort(key=lambda w: (-w.score, w.candidate.at, w.key))
    return made


def _explained_away(weighed: Sequence[Weighed], others: Sequence[Elsewhere]) -> list[Weighed]:
    """The changes, held against what is evident beside them; best first."""
    best = max(others, key=lambda item: item.score, default=None)
    if best is None:
        return list(weighed)
    what = best.why.partition(":")[0]
    held = [replace(item, sum=item.sum.explained_away(best.score, what)) for item in weighed]
    return sorted(held, key=lambda w: (-w.score, w.candidate.at, w.key))


def _judged(commits: Mapping[str, Commit], vocabulary: Vocabulary, most: int) -> dict[str, Content]:
    """What each commit's diff does."""
    if not commits:
        return {}
    from rca.changes.judge import judge  # noqa: PLC0415 - all the reading of code, and few incidents bring any

    return {sha: judge(commit, vocabulary, most) for sha, commit in commits.items()}


def _changed_lines(commit: Commit) -> int:
    return commit.diff.count("\n+") + commit.diff.count("\n-") if commit.diff else 0


def _fair_share(sizes: Sequence[int]) -> int:
    """The most lines to read of one commit, so that all together stay within what is read at all.

    Small ones are read whole; what they leave is shared by the large ones.
    """
    left, count = _LINES, len(sizes)
    for size in sorted(sizes):
        if size * count >= left:
            break
        left -= size
        count -= 1
    return max(_LEAST_LINES, left // max(1, count))


def _best_of_each(weighed: Sequence[Weighed]) -> list[Weighed]:
    """A commit that reached production in several ways is shown once, by its best."""
    seen_commits: set[str] = set()
    best = []
    for item in weighed:
        commit = item.candidate.commit
        if commit is not None:
            if commit.sha in seen_commits:
                continue
            seen_commits.add(commit.sha)
        best.append(item)
    return best


def _trigger(rank: int, item: Weighed | Elsewhere) -> Trigger:
    if isinstance(item, Elsewhere):
        at = datetime.fromtimestamp(item.at, UTC) if item.at is not None else None
        return Trigger(rank, item.kind, item.service, at, round(item.score, 4), item.why, None, item.reasons)
    candidate = item.candidate
    named = commit_of(candidate.event) if candidate.event else ""
    return Trigger(
        rank=rank,
        kind=candidate.kind,
        service=candidate.service,
        at=datetime.fromtimestamp(candidate.at, UTC),
        score=item.score,
        why=_why(item),
        commit=candidate.commit.sha if candidate.commit else named or None,
        reasons=tuple(f"{score:+.2f} {why}" for score, why in item.sum.parts),
        on_record=item.content is not None or candidate.kind == "scale",
    )


def _why(item: Weighed) -> str:
    """What the change was and the strongest reasons, what speaks against it first where that wins."""
    strongest = sorted(item.sum.parts, key=lambda part: -abs(part[0]))
    speaks = [why for score, why in strongest if score > 0][:_REASONS]
    against = [why for score, why in strongest if score < 0][:_REASONS_AGAINST]
    title = f"“{_title(item.candidate)}”"
    if item.score < FLOOR:
        return f"{title}: {'; '.join(against or speaks)}"
    doubt = f". Against it: {'; '.join(against)}" if against else ""
    return f"{title}: {'; '.join(speaks)}{doubt}"


def _title(candidate: Candidate) -> str:
    """Its first line, without the service's name, which stands before it anyway."""
    title = candidate.event.title if candidate.event else candidate.kind
    if candidate.commit is not None:
        title = (candidate.commit.message.strip() or candidate.commit.sha[:12]).splitlines()[0]
    return title.removeprefix(f"{candidate.service}: ")


def _key(candidate: Candidate) -> str:
    sha = candidate.commit.sha if candidate.commit else ""
    title = candidate.event.title if candidate.event else ""
    return f"{candidate.service} {candidate.kind} {sha} {title}"
