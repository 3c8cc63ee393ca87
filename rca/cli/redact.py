"""`rca redact`, and what every capture does: secrets and personal data out of a bundle."""

from typing import TYPE_CHECKING

import typer

from rca.cli import options
from rca.cli.base import Run, command
from rca.errors import UsageError

if TYPE_CHECKING:
    from rca.config.settings import Config
    from rca.model.incident import Bundle


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "redact")(redact)


def redact(run: Run, bundle: options.BundlePath, *, force: options.Overwrite = False) -> None:
    """Cut secrets and personal data out of a bundle, an old one too, before it is shared."""
    from dataclasses import replace  # noqa: PLC0415 - only when the command runs

    from rca.bundle import check_target, content_hash, read_bundle, write_bundle  # noqa: PLC0415 - as above
    from rca.redact import redact_bundle  # noqa: PLC0415 - as above

    if run.output is None:
        raise UsageError("-o is missing", hint="Say where to: -o redacted.tar.gz (or a folder, or .zip).")
    check_target(run.output, overwrite=force)
    before = read_bundle(bundle)
    after = redact_bundle(before)
    write_bundle(replace(after, sha256=content_hash(after)), run.output, overwrite=force)
    found = {kind: count - before.redactions.get(kind, 0) for kind, count in sorted(after.redactions.items())}
    cut = ", ".join(f"{count} {kind}" for kind, count in found.items() if count)
    run.note(f"redacted: {cut or 'nothing was found'}\nwritten: {run.output}")


def redacted(bundle: "Bundle", config: "Config", run: Run) -> "Bundle":
    """The bundle without secrets and personal data, unless they are to be kept; how many there were is noted."""
    if not config.redact:
        return bundle
    from rca.redact import redact_bundle  # noqa: PLC0415 - only where something is cut out

    before = sum(bundle.redactions.values())
    bundle = redact_bundle(bundle)
    total = sum(bundle.redactions.values()) - before
    if total:
        run.note(f"redacted: {total} secrets or personal data in the captured text (--no-redact keeps them)")
    return bundle
