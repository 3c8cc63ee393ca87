"""A bundle from disk to its value."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

from rca.bundle import layout
from rca.bundle.archive import Contents, inflate, load
from rca.bundle.documents import content_hash
from rca.bundle.fields import Fields, decode_json, decode_text
from rca.bundle.header import FileRecord, Header, read_header
from rca.bundle.log_counts import derive_counts, read_counts
from rca.bundle.metrics import read_metrics
from rca.bundle.records import read_alerts, read_commits, read_events, read_logs, read_spans
from rca.errors import BundleError
from rca.model.incident import Bundle, Gap
from rca.model.logs import LogCounts, LogLine
from topology import ServiceGraph
from topology.document import from_document, unknown_fields
from topology.errors import TopologyError

_DAMAGED = "Nothing of it was used. Get it again from where it was made, or capture the incident again."


def read_bundle(path: Path) -> Bundle:
    """Read a bundle: a folder, a `.tar.gz` or a `.zip` (told by content, not by name).

    What had to be mended or left out is in the bundle's gaps. Kinds of series that nobody stated are left to be
    inferred (`SignalKey.declared`).

    Raises:
        BundleError: It isn't there, isn't a bundle, is damaged, or can't be trusted; nothing of it is used then.
    """
    try:
        contents = load(path)
        told = decode_json(decode_text(contents.files[layout.HEADER], layout.HEADER), layout.HEADER)
        return _Reader(contents, read_header(told, contents.name)).bundle()
    except BundleError as error:
        if error.hint:
            raise
        raise BundleError(error.message, hint=_DAMAGED) from error


class _Reader:
    """The state of one reading: files, what the header says of them, and what was noted."""

    def __init__(self, contents: Contents, header: Header) -> None:
        self._header = header.bundle
        self._notes: list[Gap] = []
        self._names = {layout.plain(name): name for name in contents.files}
        _check_hashes(contents.files, header.files)
        self._texts = _texts(contents.files)
        _check_rows(self._texts, header.files)
        if contents.ignored:
            some = ", ".join(contents.ignored)
            self._notes.append(Gap("bundle", f"files {some}"[:200], "unknown to this version, ignored"))

    def bundle(self) -> Bundle:
        """Every part, then the hash over all of them."""
        header, notes = self._header, self._notes
        logs = read_logs(*self._file(layout.LOGS), notes)
        bundle = replace(
            header,
            metrics=read_metrics(*self._file(layout.METRICS), self._series(), notes)
            if layout.METRICS in self._texts
            else None,
            logs=logs,
            log_counts=self._counts(logs),
            graph=self._graph(),
            events=read_events(*self._file(layout.EVENTS), notes),
            alerts=read_alerts(*self._file(layout.ALERTS, "[]"), notes),
            spans=read_spans(*self._file(layout.TRACES), notes),
            commits=read_commits(*self._file(layout.COMMITS), notes),
        )
        new = [gap for gap in dict.fromkeys(notes) if gap not in header.gaps]
        bundle = replace(bundle, gaps=(*header.gaps, *new))
        return replace(bundle, sha256=content_hash(bundle))

    def _file(self, name: str, default: str = "") -> tuple[str, str]:
        """The text of a file and the name under which it is stored."""
        return self._texts.get(name, default), self._names.get(name, name)

    def _series(self) -> Fields | None:
        if layout.SERIES not in self._texts:
            return None
        text, file = self._file(layout.SERIES)
        return Fields(file, 0, decode_json(text, file))

    def _counts(self, logs: tuple[LogLine, ...]) -> LogCounts | None:
        if layout.LOG_COUNTS in self._texts:
            return read_counts(*self._file(layout.LOG_COUNTS))
        if not logs:
            return None
        return derive_counts(logs, self._header.window.span, self._header.resolution_seconds, self._notes)

    def _graph(self) -> ServiceGraph:
        if layout.TOPOLOGY not in self._texts:
            return ServiceGraph()
        text, file = self._file(layout.TOPOLOGY)
        document = decode_json(text, file)
        try:
            graph = from_document(document, name=file)
        except TopologyError as error:
            raise BundleError(error.message, hint=error.hint) from None
        unknown = unknown_fields(document)
        if unknown:
            self._notes.append(Gap("bundle", f"{file}: {', '.join(unknown)}"[:200], "unknown fields, ignored"))
        return graph


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """The text of every file, by its name without `.gz`; all of them together are bounded."""
    left = layout.MAX_BYTES
    texts: dict[str, str] = {}
    for name, data in files.items():
        plain = inflate(data, name, left) if name.endswith(".gz") else data
        left -= len(plain)
        texts[layout.plain(name)] = decode_text(plain, name)
    return texts


def _check_hashes(files: Mapping[str, bytes], stated: Mapping[str, FileRecord]) -> None:
    for name, record in stated.items():
        if layout.plain(name) not in layout.OPTIONAL:
            continue
        if name not in files:
            raise BundleError(f"{name} is missing, though {layout.HEADER} lists it", hint="Ask for it again.")
        if record.sha256 and hashlib.sha256(files[name]).hexdigest() != record.sha256:
            raise BundleError(
                f"{name} isn't the file that was recorded: its SHA-256 differs from the one in {layout.HEADER}",
                hint="Ask for it again; one that was changed by hand needs its entry in `files` removed.",
            )


def _check_rows(texts: Mapping[str, str], stated: Mapping[str, FileRecord]) -> None:
    for name, record in stated.items():
        text = texts.get(layout.plain(name))
        if record.rows is None or text is None or layout.plain(name).endswith(".json"):
            continue
        try:
            found = _rows(text, table=layout.plain(name).endswith(".csv"))
        except csv.Error as error:
            raise BundleError(f"{name}: not CSV ({error})") from None
        if found != record.rows:
            raise BundleError(f"{name} has {found} rows, and {layout.HEADER} says {record.rows}")


def _rows(text: str, *, table: bool) -> int:
    if table and '"' in text:  # a quoted cell may hold a line break
        return sum(1 for row in csv.reader(StringIO(text, newline="")) if row) - 1
    return sum(1 for line in text.split("\n") if line.strip()) - table
