"""From a bundle to a report on standard output or in a file."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rca.cli.base import Run, choose_format
from rca.config.load import Loaded, config_hash, data_dir
from rca.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rca.analyze import AnalysisOptions
    from rca.changes.vocabulary import Vocabulary
    from rca.config.settings import Config
    from rca.model.incident import Bundle
    from rca.model.report import Report


def make_report(
    bundle: "Bundle", loaded: Loaded, *, replayed: bool, words: "Vocabulary | None" = None
) -> "Report":
    """Analyse a bundle; add the past incidents that resemble it, and the alert it began with in their light.

    Args:
        bundle: What the sources answered.
        loaded: The configuration.
        replayed: Whether the bundle was read from disk.
        words: The user's own, where they were read already.

    Raises:
        ConfigError: A file of the user's own words can't be used.
    """
    from rca import __version__  # noqa: PLC0415 - reading the installed metadata takes a while
    from rca.analyze import analyze  # noqa: PLC0415 - numpy, and only where a report is made
    from rca.history import recall  # noqa: PLC0415 - only where a report is made
    from rca.model.report import ToolInfo  # noqa: PLC0415 - as above

    tool = ToolInfo(__version__, config_hash(loaded.config))
    report = analyze(bundle, tool=tool, options=analysis_options(loaded.config, words), replayed=replayed)
    report = recall(report, data_dir(loaded.config) / "incidents.sqlite")
    if bundle.symptom is None:
        return report
    from rca.alerts import alert_context, alert_of  # noqa: PLC0415 - only where something was reported

    alert = alert_of(bundle.symptom)
    return replace(report, alert_context=alert_context(report, alert)) if alert else report


def analysis_options(config: "Config", words: "Vocabulary | None" = None) -> "AnalysisOptions":
    """What the configuration chooses about an analysis.

    Args:
        config: The configuration.
        words: The user's own, where they were read already.

    Raises:
        ConfigError: A file of the user's own words can't be used.
    """
    from rca.analyze import AnalysisOptions  # noqa: PLC0415 - numpy, and only where something is analysed

    return AnalysisOptions(guard_seconds=60.0 * config.window.guard_minutes, vocabulary=words or own_words(config))


def own_words(config: "Config") -> "Vocabulary | None":
    """The vocabulary with the user's own words in it; None where only what ships is used.

    Raises:
        ConfigError: A file of it can't be used.
    """
    if config.changes.vocabulary is None:
        return None
    from rca.changes.vocabulary import load  # noqa: PLC0415 - only where there is one

    return load(config.changes.vocabulary)


def emit(report: "Report", run: Run) -> None:
    """Write the report in the chosen format to standard output, or atomically to the file of `-o`.

    Raises:
        UsageError: The file can't be written.
    """
    from rca.report import render  # noqa: PLC0415 - only where a report is made

    name = choose_format(run)
    to_terminal = run.output is None and sys.stdout.isatty()
    text = render(name, report, width=_width(), color=to_terminal and not run.plain)
    emit_text(text, run)


def emit_text(text: str, run: Run) -> None:
    """Write a finished text to standard output, or atomically to the file of `-o`.

    Raises:
        UsageError: The file can't be written.
    """
    if not text.endswith("\n"):
        text += "\n"
    if run.output is None:
        sys.stdout.write(text)
        return
    write_atomically(run.output, text)
    run.note(f"written: {run.output}")


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part.

    With `private`, only its owner may read it.

    Raises:
        UsageError: It can't be written.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.touch(mode=0o600 if private else 0o666)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(
            f"{path} can't be written: {error.strerror}", hint="Choose another place with -o."
        ) from error


def verdict_code(report: "Report", *, wanted: bool, interrupted: bool = False) -> ExitCode:
    """The exit code of a command that made a report."""
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.INCONCLUSIVE if wanted and report.verdict.abstained else ExitCode.OK


def _width() -> int:
    """The terminal's width, and 100 columns where there is none, so that files and pipes don't depend on it."""
    import shutil  # noqa: PLC0415 - only where a report is made

    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
