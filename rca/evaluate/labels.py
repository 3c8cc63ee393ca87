"""Labels: what really was the cause, beside the bundles and never in one."""

import csv
from dataclasses import dataclass
from pathlib import Path

from rca.errors import UsageError

FILE = "labels.csv"
_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one case.

    Attributes:
        services: The accepted answers; empty where nothing was wrong and the right answer is to abstain.
        type: What kind of fault.
    """

    case: str
    services: frozenset[str]
    type: str = ""


def read_labels(folder: Path) -> dict[str, Label]:
    """The labels of a set, by case.

    Raises:
        UsageError: The file can't be read or lacks a column.
    """
    path = folder / FILE
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} can't be read: {error}") from error
    if rows and not {"case", "root_cause_service"} <= rows[0].keys():
        raise UsageError(f"{path} lacks a column", hint="It needs case and root_cause_service.")
    return {
        row["case"]: Label(
            row["case"],
            frozenset(
                name.strip() for name in (row["root_cause_service"] or "").split(_SEPARATOR) if name.strip()
            ),
            row.get("root_cause_type") or "",
        )
        for row in rows
    }
