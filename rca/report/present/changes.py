"""What changed: which of the triggers are shown with their reasons, which are only named, and which are left out.

All texts here are raw: they hold names and messages from the outside, which each format must defuse.
"""

from dataclasses import dataclass
from datetime import datetime

from rca.model.report import CHANGES, Report, TimelineEntry, Trigger
from rca.report.present.text import cut
from rca.report.present.units import clock, duration
from rca.report.present.view import began, first_day, name

NONE_ON_RECORD = "No deploy, configuration change, restart or scaling is on record in the window."
_SHA = 12
_SOON = 1.0  # seconds; closer ones happen at the same time
_SAME_ROLLOUT = 15.0  # seconds between a deploy and the restart that belongs to it
_OTHER = "other"  # the kind of a change of which nothing is known but its title
_NO_CHANGE = "unknown"  # the kind of trigger that stands for "none of the known changes"
# A lead over the next from which the first is called likely. In the labelled recordings all 27 changes with such a
# lead were guilty; of those with less there are too few (2) to call them more than possible.
_SURE = 0.5


@dataclass(frozen=True, slots=True)
class Changes:
    """The triggers as they are shown.

    Attributes:
        lead: One sentence in front of them; empty where the first speaks for itself.
        serious: Those that may have set it off, likeliest first.
        unlikely: Recorded changes that probably did not, likeliest first.
    """

    lead: str
    serious: tuple[Trigger, ...]
    unlikely: tuple[Trigger, ...]


def changes(report: Report) -> Changes:
    """Sort the triggers into those to think about and those to know of.

    What ranks below "none of the known changes" is unlikely. What else is on record of the same rollout, its
    restart above all, belongs to the likeliest of it. Where no service is singled out, what else it may be is left
    out: there is nothing that it would explain.
    """
    known = _leading(report.triggers)
    bar = next((i for i, trigger in enumerate(known) if trigger.kind == _NO_CHANGE), len(known))
    serious = tuple(trigger for trigger in known[:bar] if trigger.is_change or not report.unsure)
    unlikely = tuple(trigger for trigger in known[bar:] if trigger.is_change)
    return Changes(_lead(report, serious, unlikely), serious, unlikely)


def _lead(report: Report, serious: tuple[Trigger, ...], unlikely: tuple[Trigger, ...]) -> str:
    if any(trigger.is_change for trigger in serious):
        return ""
    if unlikely and report.unsure:
        return "No service is singled out that one of them could have set off."
    if unlikely:
        return "None of the known changes explains it."
    if any(entry.kind in CHANGES for entry in report.timeline):
        return "None of the changes on record is near it in time and place."
    return NONE_ON_RECORD


def _leading(triggers: tuple[Trigger, ...]) -> list[Trigger]:
    """The triggers without what belongs to another one."""
    return [
        trigger
        for place, trigger in enumerate(triggers)
        if not any(belongs_to(trigger, other) for other in triggers)
        and not any(_same_rollout(trigger, other) for other in triggers[:place])
    ]


def _same_rollout(one: Trigger, other: Trigger) -> bool:
    """Whether one is the platform's record, without a commit, of the deploy that the other is."""
    return (
        one.is_change
        and (one.kind, one.service) == (other.kind, other.service)
        and one.commit is None
        and _apart(one.at, other.at) <= _SAME_ROLLOUT
    )


def belongs_to(one: Trigger | TimelineEntry, other: Trigger | TimelineEntry) -> bool:
    """Whether one is the restart that came with the other, a deploy or a changed configuration."""
    return (
        one.kind == "restart"
        and other.kind in {"deploy", "config"}
        and one.service == other.service
        and _apart(one.at, other.at) <= _SAME_ROLLOUT
    )


def _apart(one: datetime | None, other: datetime | None) -> float:
    return abs((one - other).total_seconds()) if one and other else float("inf")


def is_likely(triggers: tuple[Trigger, ...], since: datetime | None) -> bool:
    """Whether the first trigger stands out so far that it may be called likely, rather than possible.

    Args:
        triggers: Likeliest first; one of which nobody knows what it changed can at most be possible.
        since: When the incident began: what came after it can at most be possible.
    """
    first, *others = _leading(triggers)
    late = first.at is not None and since is not None and (first.at - since).total_seconds() >= _SOON
    return (
        first.on_record and not late and first.score - max((other.score for other in others), default=0.0) >= _SURE
    )


def title(trigger: Trigger) -> str:
    """What changed, and where: `deploy of payments (commit 4f2a91c07d5e)`; or what it may be instead."""
    if not trigger.is_change:
        return f"something else: {trigger.why}" if trigger.why else f"something else: {trigger.kind}"
    commit = f" (commit {cut(trigger.commit, _SHA + 1).rstrip('…')})" if trigger.commit else ""
    return f"{_where(trigger)}{commit}"


def _where(trigger: Trigger) -> str:
    kind = "event" if trigger.kind == _OTHER else trigger.kind
    return f"{kind} of {name(trigger.service)}" if trigger.service else kind


def why(trigger: Trigger) -> str:
    """What speaks for and against it; empty where its title says all."""
    return trigger.why if trigger.is_change else ""


def when(trigger: Trigger, report: Report) -> str:
    """When it changed, and how long before or after the onset."""
    if trigger.at is None:
        return "time unknown"
    return f"{clock(trigger.at, first_day(report))}{apart(trigger.at, began(report))}"


def apart(at: datetime | None, onset: datetime | None) -> str:
    """How long before or after the onset something was: `, 2 s before it began`; empty where that isn't known."""
    if at is None or onset is None:
        return ""
    ahead = (onset - at).total_seconds()
    if abs(ahead) < _SOON:
        return ", right when it began"
    ahead = (onset.replace(microsecond=0) - at.replace(microsecond=0)).total_seconds()  # of the times as shown
    return f", {duration(abs(ahead))} {'before it began' if ahead > 0 else 'after the likeliest onset'}"


def heading(trigger: Trigger, report: Report) -> str:
    """A trigger in one line: what, where, when."""
    return f"{title(trigger)}, {when(trigger, report)}" if trigger.is_change else title(trigger)


def unlikely(report: Report) -> tuple[str, ...]:
    """The unlikely changes, a line each: what, where, when, and why not; the same at several times together."""
    times: dict[tuple[str, str], list[str]] = {}
    for trigger in changes(report).unlikely:
        at = clock(trigger.at, first_day(report)) if trigger.at else "time unknown"
        times.setdefault((_where(trigger), trigger.why), []).append(at)
    return tuple(
        f"{where}, {' and '.join(sorted(set(at)))}" + (f": {why}" if why else "")
        for (where, why), at in times.items()
    )


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The change that set it off, as a line under the verdict: label and text.

    Empty where it was none: the summary says that, and there is nothing to add.
    """
    if report.unsure or not report.triggers or not report.triggers[0].is_change:
        return ()
    surely = "" if is_likely(report.triggers, began(report)) else "possibly "
    return (("Set off by", f"{surely}{heading(report.triggers[0], report)}"),)
