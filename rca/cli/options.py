"""Options that several commands take: each written once, and in groups where they go together.

A command takes a group as one parameter (`moments: options.Moments`), and `rca.cli.base.command` makes flags of
its fields.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rca.window import Asked

_TIMES = "RFC 3339, now-2h, or, with --timezone, 2026-11-22 03:10 or 03:10"

At = Annotated[
    str | None, typer.Option("--at", metavar="T", envvar="RCA_AT", help=f"When it was noticed: {_TIMES}.")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="T", envvar="RCA_SINCE", help="Where to begin looking; 90m for the last 90 minutes."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="T", envvar="RCA_UNTIL", help="Where to end; now by default.")
]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="For times without an offset. (env var: RCA_WINDOW_TIMEZONE)"),
]
BaselineSince = Annotated[
    str | None,
    typer.Option("--baseline-since", metavar="T", envvar="RCA_BASELINE_SINCE", help="Where normal begins."),
]
BaselineUntil = Annotated[
    str | None,
    typer.Option(
        "--baseline-until",
        metavar="T",
        envvar="RCA_BASELINE_UNTIL",
        help="Where it ends; may lie after the incident.",
    ),
]
Step = Annotated[
    int | None,
    typer.Option(
        "--step",
        metavar="SECONDS",
        min=1,
        help="Resolution; chosen from the window by default. (env var: RCA_WINDOW_STEP_SECONDS)",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--time-budget",
        metavar="SECONDS",
        min=1,
        help="Collecting ends by then, with what has come. (env var: RCA_TIME_BUDGET_SECONDS)",
    ),
]
TopologyFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--topology",
        metavar="FILE",
        envvar="RCA_TOPOLOGY",
        help="A declared dependency graph, YAML or JSON; repeatable.",
    ),
]
Repos = Annotated[
    list[Path] | None,
    typer.Option(
        "--repo",
        metavar="PATH",
        envvar="RCA_REPO",
        help="A local Git repository whose commits may be the cause, only read; repeatable.",
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch",
        metavar="NAME",
        help="Whose history counts; what is checked out by default. (env var: RCA_CHANGES_BRANCH)",
    ),
]
ChangeLookback = Annotated[
    float | None,
    typer.Option(
        "--change-lookback",
        metavar="HOURS",
        min=0,
        help="How long before what is collected a change may lie; 24 by default."
        " (env var: RCA_CHANGES_LOOKBACK_HOURS)",
    ),
]
Events = Annotated[
    Path | None,
    typer.Option(
        "--events",
        metavar="FILE|-",
        help="Deploys and other changes, one JSON object a line. (env var: RCA_CHANGES_EVENTS)",
    ),
]
Vocabulary = Annotated[
    Path | None,
    typer.Option(
        "--vocabulary",
        metavar="FOLDER",
        help="Your own words for judging changes; see docs/changes.md. (env var: RCA_CHANGES_VOCABULARY)",
    ),
]
Service = Annotated[
    str | None, typer.Option("--service", metavar="S", envvar="RCA_SERVICE", help="Where the symptom was seen.")
]
NoRedact = Annotated[
    bool,
    typer.Option(
        "--no-redact", envvar="RCA_NO_REDACT", help="Keep secrets and personal data in what is captured."
    ),
]
Overwrite = Annotated[bool, typer.Option("--force", envvar="RCA_FORCE", help="Replace what is there.")]
BundlePath = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A folder, .tar.gz or .zip.", show_default=False)
]
ExitCodeFlag = Annotated[
    bool,
    typer.Option(
        "--exit-code", envvar="RCA_EXIT_CODE", help="Exit with 10 when the verdict is that nothing stands out."
    ),
]


@dataclass(frozen=True, slots=True)
class Moments:
    """Where to look."""

    at: At = None
    since: Since = None
    until: Until = None
    baseline_since: BaselineSince = None
    baseline_until: BaselineUntil = None

    def asked(self) -> "Asked":
        """The times as they were typed."""
        from rca.window import Asked  # noqa: PLC0415 - only when a command runs

        return Asked(self.at, self.since, self.until, self.baseline_since, self.baseline_until)


@dataclass(frozen=True, slots=True)
class Recent:
    """A stretch of time to look over, the last hour by default, and what is known of it beforehand."""

    since: Since = "1h"
    until: Until = None
    timezone: Timezone = None
    time_budget: Budget = None
    topology: TopologyFiles = None

    def asked(self) -> "Asked":
        """The times as they were typed."""
        from rca.window import Asked  # noqa: PLC0415 - only when a command runs

        return Asked(since=self.since, until=self.until)

    def settings(self) -> dict[str, Any]:
        """The configuration keys behind the flags; None where a flag was not given."""
        return {
            "window.timezone": self.timezone,
            "time_budget_seconds": self.time_budget,
            "topology.files": self.topology or None,
        }


@dataclass(frozen=True, slots=True)
class Collecting:
    """How to collect an incident."""

    timezone: Timezone = None
    step: Step = None
    topology: TopologyFiles = None
    time_budget: Budget = None
    no_redact: NoRedact = False

    def settings(self) -> dict[str, Any]:
        """The configuration keys behind the flags; None where a flag was not given."""
        return {
            "window.timezone": self.timezone,
            "window.step_seconds": self.step,
            "topology.files": self.topology or None,
            "time_budget_seconds": self.time_budget,
            "redact": False if self.no_redact else None,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """Where changes are known from beside the servers."""

    repo: Repos = None
    branch: Branch = None
    change_lookback: ChangeLookback = None
    events: Events = None

    def settings(self) -> dict[str, Any]:
        """The configuration keys behind the flags; None where a flag was not given."""
        return {
            "changes.repos": self.repo or None,
            "changes.branch": self.branch,
            "changes.lookback_hours": self.change_lookback,
            "changes.events": self.events,
        }
