"""Changes that people hand over beside what the servers tell: repositories, and files of events."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rca.cli.given import read_given
from rca.cli.redact import redacted
from rca.errors import BundleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rca.cli.base import Run
    from rca.cli.options import Changes
    from rca.config.settings import Config
    from rca.model.incident import Bundle, Event
    from rca.sources.base import Source


def repositories(config: "Config") -> "list[Source]":
    """The configured Git repositories as a source; empty without any.

    Raises:
        ConfigError: One isn't a repository.
    """
    if not config.changes.repos:
        return []
    from rca.sources.git import GitSource  # noqa: PLC0415 - only where there are repositories

    return [GitSource(config.changes)]


def check_branch(given: "Changes", repos: "Sequence[Path]") -> None:
    """Refuse a branch of no repository.

    Raises:
        UsageError: `--branch` was given, and no repository is there that it could be one of.
    """
    if given.branch is not None and not repos:
        raise UsageError(
            f"--branch {given.branch} is of no use: no repository is given",
            hint="Name it with --repo PATH, or leave --branch out.",
        )


def given_events(config: "Config") -> "tuple[Event, ...]":
    """The events of the configured file; empty without one.

    Raises:
        UsageError: It can't be read, or one of them isn't an event.
    """
    return read_events(config.changes.events) if config.changes.events is not None else ()


def read_events(source: Path) -> "tuple[Event, ...]":
    """The events of a file, or of standard input for `-`: one JSON object a line, or one list.

    Raises:
        UsageError: It can't be read, or one of them isn't an event; with its line and the reason.
    """
    from rca.bundle.fields import decode_text  # noqa: PLC0415 - only where a file is given
    from rca.bundle.records import read_given_events  # noqa: PLC0415 - as above

    data, shown = read_given(str(source), "events")
    try:
        return read_given_events(decode_text(data, shown), shown)
    except BundleError as error:
        hint = (
            'An event is a line like {"timestamp": "2026-01-31T09:30:00Z", "service": "cart", "kind": "deploy"}.'
        )
        raise UsageError(error.message, hint=hint) from error


def with_given_changes(run: "Run", bundle: "Bundle", config: "Config", given: "Changes") -> "Bundle":
    """A recorded bundle with the commits and events that flags name, redacted as a capture is.

    Those that the configuration file names are for collecting: a replay doesn't depend on what they hold today.

    Raises:
        UsageError: A repository, its branch or the file of events can't be used.
    """
    check_branch(given, given.repo or ())
    if not given.repo and given.events is None:
        return bundle
    chosen = replace(config.changes, repos=config.changes.repos if given.repo else (), events=given.events)
    config = replace(config, changes=chosen)
    import time  # noqa: PLC0415 - only where changes are added

    from rca.bundle import seal  # noqa: PLC0415 - as above
    from rca.model.words import counted  # noqa: PLC0415 - as above
    from rca.sources.assemble import with_changes  # noqa: PLC0415 - as above
    from rca.sources.base import Request  # noqa: PLC0415 - as above
    from rca.sources.collect import within  # noqa: PLC0415 - as above

    sources, told = repositories(config), given_events(config)
    lookback = timedelta(hours=chosen.lookback_hours)
    request = Request(bundle.window.span, 1, time.monotonic() + config.time_budget_seconds, lookback)
    events, gaps = within(told, request.changes)
    pieces = [piece for source in sources for piece in source.harvest(request)]
    commits = [commit for piece in pieces for commit in piece.commits]
    gaps += [gap for piece in pieces for gap in piece.gaps]
    run.note(f"added to the recording: {counted(len(events), 'event')}, {counted(len(commits), 'commit')}")
    records = tuple(piece.record for piece in pieces if piece.record)
    more = with_changes(bundle, events, commits)
    more = replace(more, gaps=tuple(sorted({*more.gaps, *gaps})), sources=(*more.sources, *records))
    return seal(redacted(more, config, run)).bundle
