"""Labels: what really was the cause, beside the bundles and never in one."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rca.errors import UsageError

FILE = "labels.csv"
_SEPARATOR = ";"
_NO_CHANGE = "none"


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one case.

    Attributes:
        services: The accepted answers; empty where nothing was wrong and the right answer is to abstain.
        type: What kind of fault.
        change: The commit that caused it; empty where no change did; None where the label doesn't say.
        decoys: Commits that look guilty and aren't.
    """

    case: str
    services: frozenset[str]
    type: str = ""
    change: str | None = None
    decoys: frozenset[str] = frozenset()


def read_labels(folder: Path) -> dict[str, Label]:
    """The labels of a set, by case.

    Columns: `case` and `root_cause_service` (several accepted ones separated by `;`, empty for none), and where
    there are any `root_cause_type`, `root_cause_change` (a commit, or `none`) and `decoys`. Others are ignored.

    Raises:
        UsageError: The file can't be read, lacks a column, or names a case twice.
    """
    path = folder / FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} can't be read: {error}") from error
    if not {"case", "root_cause_service"} <= columns:
        raise UsageError(f"{path} lacks a column", hint="It needs case and root_cause_service.")
    labels: dict[str, Label] = {}
    for row in rows:
        label = _label(row)
        if label.case in labels:
            raise UsageError(f"{path} names the case {label.case} twice")
        labels[label.case] = label
    return labels


def _label(row: Mapping[str, str | None]) -> Label:
    change = (row.get("root_cause_change") or "").strip()
    return Label(
        (row["case"] or "").strip(),
        _names(row["root_cause_service"]),
        (row.get("root_cause_type") or "").strip(),
        None if not change else "" if change.lower() == _NO_CHANGE else change,
        _names(row.get("decoys")),
    )


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name.strip() for name in (text or "").split(_SEPARATOR) if name.strip())
