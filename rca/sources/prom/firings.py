"""The alerts of a past window, asked of the server that evaluated them: in a harvest, or by themselves."""

from rca.config.settings import PrometheusSettings
from rca.errors import SourceError
from rca.model.incident import Gap
from rca.sources.base import Harvest, Request
from rca.sources.prom.alerts import FIRING, SINCE, alerts
from rca.sources.prom.client import Answer, PromClient
from rca.sources.prom.plan import NAME
from rca.sources.prom.work import Grid


def past_alerts(settings: PrometheusSettings, request: Request) -> Harvest:
    """Every alert that fired in the span, and nothing else of it.

    Raises:
        SourceError: The server can't be reached, refuses us or doesn't answer in time.
    """
    client = PromClient(settings)
    try:
        client.until(request.deadline)
        client.backend()
        return recorded(client, Grid.of(request))
    finally:
        client.close()


def recorded(client: PromClient, grid: Grid) -> Harvest:
    """The alerts that fired on the grid; when their conditions began and their rules where those can be had.

    Raises:
        SourceError: What fired can't be had.
    """
    firing = client.query_range(FIRING, grid.first, grid.last, grid.step)
    gaps = list(warned("alerts", firing))
    if not firing.series:
        return Harvest(gaps=tuple(gaps))
    since, rules = None, []
    try:
        since = client.query_range(SINCE, grid.first, grid.last, grid.step)
        groups = (client.data("rules?type=alert") or {}).get("groups") or ()
        rules = [rule for group in groups for rule in group.get("rules") or ()]
    except SourceError as error:
        gaps.append(Gap(NAME, "when alerts began, or their rules", str(error)))
    return Harvest(alerts=alerts(firing, since, rules, grid, client.address), gaps=tuple(gaps))


def warned(what: str, answer: Answer) -> tuple[Gap, ...]:
    """What the server warned of, as gaps."""
    return tuple(Gap(NAME, f"parts of {what}", f"the server warns: {text}") for text in answer.warnings)
