"""Many alerts into few incidents, each with its reason. Pure: the order of the input and names change nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rca.alerts.cells import Cell, cells
from rca.alerts.fold import Folded, fold
from rca.alerts.labels import severity
from rca.alerts.relate import Link, Shared, explanations, shared_causes, titles
from rca.alerts.words import after, within
from rca.model.incident import Alert
from rca.model.words import counted
from topology import ServiceGraph

_ALONE = "nothing that it depends on or that depends on it fired near it in time"
_ALONE_WITHOUT_GRAPH = "nothing of the same service, machine or namespace fired near it in time"


@dataclass(frozen=True, slots=True)
class Member:
    """An alert of a group, and why it is in it."""

    folded: Folded
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that most likely have one cause.

    Attributes:
        number: From 1, by beginning.
        root: The likely first alert: deepest in the graph, then earliest.
        members: The root first, then by time.
        services: The root's first, then by time.
        reason: Why they belong together, in plain words.
        weak: Only time ties some of them together.
    """

    number: int
    root: Folded
    members: tuple[Member, ...]
    services: tuple[str, ...]
    reason: str
    weak: bool

    @property
    def start(self) -> datetime:
        """When the first of them fired."""
        return min(member.folded.start for member in self.members)

    @property
    def fires(self) -> bool:
        """Whether one of them still fires."""
        return any(member.folded.fires for member in self.members)


@dataclass(frozen=True, slots=True)
class Grouping:
    """All incidents.

    Attributes:
        received: Alerts before folding.
        folded: Alerts after folding.
        graph: How many services the graph had; 0 without one.
        unplaced: Services that alert and that the graph doesn't know, or all when there is none.
    """

    groups: tuple[Group, ...]
    received: int
    folded: int
    graph: int
    unplaced: tuple[str, ...]

    @property
    def flapping(self) -> tuple[Folded, ...]:
        """The alerts that flap."""
        return tuple(member.folded for group in self.groups for member in group.members if member.folded.flapping)


def group_alerts(alerts: Iterable[Alert], graph: ServiceGraph | None = None) -> Grouping:
    """Fold duplicates, then put together what has one cause and keep apart what has not.

    Alerts of one service that are near in time form a cell. A cell is explained by one below it (what it calls,
    directly or not; the machine it runs on) that is near in time; of several, by the nearest. What nothing
    explains begins an incident, unless several of those share a machine, a zone or a dependency without an alert.
    Without a graph, only labels and time are left, and the groups say so.

    Args:
        alerts: Of any sender, in any order.
        graph: Who calls whom; None or empty when nobody knows.
    """
    everything = list(alerts)
    graph = graph if graph is not None and len(graph) else None
    names = [node.name for node in graph.nodes()] if graph else []
    folded = fold(everything, frozenset(names))
    found = cells(folded, graph)
    links = explanations(found, graph)
    chosen = _parents(found, links)
    ties = list(shared_causes([cell for cell in found if cell not in chosen], graph))
    gathered = _gathered(found, chosen, ties)
    order = sorted(gathered, key=lambda own: min(cell.key for cell in own))
    of = {cell: number for number, own in enumerate(order, start=1) for cell in own}
    alone = _ALONE if graph else _ALONE_WITHOUT_GRAPH
    groups = tuple(
        _group(number, own, chosen, links, ties, of, alone) for number, own in enumerate(order, start=1)
    )
    unplaced = sorted({one.service for one in folded if one.service and one.service not in names})
    return Grouping(groups, len(everything), len(folded), len(names), tuple(unplaced))


def _parents(found: Sequence[Cell], links: Mapping[Cell, Sequence[Link]]) -> dict[Cell, Link]:
    """For each cell the likeliest of its explanations; what would explain itself in the end is left out."""
    chosen: dict[Cell, Link] = {}
    for cell in found:
        for link in links.get(cell, ()):
            above: Cell | None = link.cause
            while above is not None and above is not cell:
                above = chosen[above].cause if above in chosen else None
            if above is None:
                chosen[cell] = link
                break
    return chosen


def _gathered(found: Sequence[Cell], chosen: Mapping[Cell, Link], ties: Sequence[Shared]) -> list[list[Cell]]:
    """The connected ones together, each list by time."""
    leader = {cell: cell for cell in found}

    def top(cell: Cell) -> Cell:
        while leader[cell] is not cell:
            cell = leader[cell]
        return cell

    for effect, link in chosen.items():
        leader[top(effect)] = top(link.cause)
    for tie in ties:
        for other in tie.cells[1:]:
            first, second = sorted((top(tie.cells[0]), top(other)), key=lambda cell: cell.key)
            leader[second] = first
    together: dict[Cell, list[Cell]] = {}
    for cell in found:
        together.setdefault(top(cell), []).append(cell)
    return list(together.values())


def _group(
    number: int,
    own: Sequence[Cell],
    chosen: Mapping[Cell, Link],
    links: Mapping[Cell, Sequence[Link]],
    ties: Sequence[Shared],
    of: Mapping[Cell, int],
    alone: str,
) -> Group:
    roots = [cell for cell in own if cell not in chosen]
    root = min(roots, key=lambda cell: cell.key)
    tied = [tie for tie in ties if of[tie.cells[0]] == number]
    members = []
    for cell in own:
        for one in cell.members:
            why = _why(one, cell, own, chosen, tied)
            if one is cell.lead:
                why += _elsewhere(number, links.get(cell, ()), of)
            members.append(Member(one, why))
    members.sort(
        key=lambda one: (one.folded is not root.lead, one.folded.start, severity(one.folded.alert), one.why)
    )
    services = dict.fromkeys([root.service, *(cell.service for cell in own)])
    return Group(
        number,
        root.lead,
        tuple(members),
        tuple(name for name in services if name),
        _reason(own, root, chosen, tied, alone),
        weak=any(tie.weak for tie in tied),
    )


def _why(one: Folded, cell: Cell, own: Sequence[Cell], chosen: Mapping[Cell, Link], tied: Sequence[Shared]) -> str:
    if one is not cell.lead:
        return f"also of {cell.title}, {after(one.start, cell.start)}"
    if cell in chosen:
        return chosen[cell].why
    first = all(cell.start <= other.start for other in own)
    if any(link.cause is cell for link in chosen.values()):
        return "deepest in the graph, and first to fire" if first else "deepest in the graph of those that fired"
    if len(own) == 1:
        return "first to fire" if len(cell.members) > 1 else "alone"
    if first:
        return "first to fire"
    tie = next(tie for tie in tied if cell in tie.cells)
    return f"{after(cell.start, own[0].start)}; only its time ties it to the others" if tie.weak else tie.why


def _elsewhere(number: int, links: Sequence[Link], of: Mapping[Cell, int]) -> str:
    """The other incidents that would explain it too."""
    others = sorted({of[link.cause] for link in links} - {number})
    return f"; incident {', '.join(map(str, others))} would explain it too" if others else ""


def _reason(
    own: Sequence[Cell], root: Cell, chosen: Mapping[Cell, Link], tied: Sequence[Shared], alone: str
) -> str:
    parts = []
    effects = [cell for cell in own if cell in chosen]
    if effects:
        span = max(abs((cell.start - chosen[cell].cause.start).total_seconds()) for cell in effects)
        verb = "depends" if len({cell.title for cell in effects}) == 1 else "depend"
        below = titles({chosen[cell].cause for cell in effects} - set(effects)) or root.title
        parts.append(f"{titles(effects)} {verb} on {below}, and their alerts began {within(span)}")
    parts += dict.fromkeys(tie.why for tie in tied)
    if not parts and len(root.members) > 1:
        wide = (root.members[-1].start - root.start).total_seconds()
        parts.append(f"{counted(len(root.members), 'alert')} of {root.title}, begun {within(wide)}")
    flapping = [one for cell in own for one in cell.members if one.flapping]
    text = "; ".join(parts) or alone
    if flapping:
        text += f"; {counted(len(flapping), 'alert')} flapping"
    return text
