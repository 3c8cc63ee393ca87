"""`rca alerts`: many alerts into few incidents."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rca.cli import options
from rca.cli.base import Run, command
from rca.cli.tables import choose_format
from rca.errors import ConfigError, NoDataError, UsageError

if TYPE_CHECKING:
    from rca.config.settings import Config
    from rca.model.incident import Alert, Bundle
    from rca.window import Asked
    from topology import ServiceGraph


def register(app: typer.Typer) -> None:
    """Add the group."""
    own = typer.Typer(help="Alerts: which of them are one incident.", no_args_is_help=True)
    command(own, "group")(group)
    app.add_typer(own, name="alerts")


def group(
    run: Run,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-]",
            help="Alerts as JSON, in any format of docs/alerts.md; - for standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    topology: options.TopologyFiles = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", metavar="BUNDLE", envvar="RCA_BUNDLE", help="A recording: its graph, and its alerts."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="ALERTMANAGER",
            help="Ask Alertmanager for what fires now. (env var: RCA_ALERTMANAGER_URL)",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", envvar="RCA_SINCE", help="Ask Prometheus what fired since then."),
    ] = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
) -> None:
    """Group alerts into incidents by dependency, time and shared cause, each with its reason."""
    from rca.alerts import group_alerts  # noqa: PLC0415 - only when the command runs
    from rca.alerts.listing import FORMATS  # noqa: PLC0415 - as above
    from rca.bundle import read_bundle  # noqa: PLC0415 - as above
    from rca.cli.alerts import alerts_from  # noqa: PLC0415 - as above
    from rca.cli.collecting import declared_graph  # noqa: PLC0415 - as above
    from rca.cli.reporting import emit_text  # noqa: PLC0415 - as above
    from rca.window import Asked  # noqa: PLC0415 - as above

    render = FORMATS[choose_format(run, "alerts group", tuple(FORMATS))]
    if until and not since:
        raise UsageError("--until needs --since", hint="Say when to begin: --since now-2h, or --since 90m.")
    settings = {"window.timezone": timezone, "topology.files": topology or None, "alertmanager.url": url}
    config = run.load(settings).config
    recorded = read_bundle(bundle) if bundle else None
    alerts: list[Alert] = []
    if file:
        alerts += alerts_from(file)
    if since:
        alerts += _past(run, config, Asked(since=since, until=until))
    if url or not (file or since or recorded):
        alerts += _live(config)
    if recorded and not (file or since or url):
        alerts += recorded.alerts
    if not alerts:
        raise NoDataError("no alert fires there", hint="Look at a past window: --since now-2h with Prometheus.")
    emit_text(render(group_alerts(alerts, _graph(declared_graph(config), recorded))), run)


def _graph(declared: "ServiceGraph | None", recorded: "Bundle | None") -> "ServiceGraph | None":
    from topology.merge import merge  # noqa: PLC0415 - only when the command runs

    graphs = [graph for graph in (declared, recorded.graph if recorded else None) if graph is not None]
    return merge(*graphs).graph if graphs else None


def _live(config: "Config") -> "list[Alert]":
    """What Alertmanager has now.

    Raises:
        ConfigError: Its address isn't known.
        SourceError: It can't be asked.
    """
    if not config.alertmanager.url:
        raise ConfigError(
            "no alerts were given",
            hint="Name a file or -, or --bundle, or --url (Alertmanager), or --since (Prometheus).",
        )
    from rca.alerts import read_alerts  # noqa: PLC0415 - only when asked for
    from rca.sources.alertmanager import fetch_alerts  # noqa: PLC0415 - its client is heavy

    return read_alerts(fetch_alerts(config.alertmanager), "Alertmanager's answer")


def _past(run: Run, config: "Config", asked: "Asked") -> "Iterator[Alert]":
    """What Prometheus recorded as firing; what it couldn't say is noted.

    Raises:
        UsageError: The times can't be used.
        SourceError: It can't be asked.
    """
    from rca.sources.base import Request  # noqa: PLC0415 - only when asked for
    from rca.sources.prom.firings import past_alerts  # noqa: PLC0415 - its client is heavy
    from rca.window import plan_window  # noqa: PLC0415 - as above

    plan = plan_window(asked, config.window, now=datetime.now(UTC))
    request = Request(plan.window.span, plan.step_seconds, time.monotonic() + config.time_budget_seconds)
    piece = past_alerts(config.prometheus, request)
    for gap in piece.gaps:
        run.note(f"gap: {gap.source}: {gap.what}: {gap.why}")
    yield from piece.alerts
