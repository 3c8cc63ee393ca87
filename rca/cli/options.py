"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

_TIMES = "RFC 3339, now-2h, or 2026-11-22 03:10 with --timezone"

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
