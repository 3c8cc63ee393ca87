"""Alerts that fired in the window, from the series that the server itself records of them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import numpy as np

from rca.model.incident import Alert
from rca.model.signals import FloatArray
from rca.sources.prom.assemble import points
from rca.sources.prom.client import Answer
from rca.sources.prom.work import Grid

FIRING = 'ALERTS{alertstate="firing"}'
SINCE = "ALERTS_FOR_STATE"
_NOT_OF_THE_ALERT = frozenset({"__name__", "alertstate"})
_TEMPLATE = "{{"
# What a template says of a label: `{{ $labels.service }}`, `{{.Labels.service}}`, `{{ index $labels "service" }}`.
_OF_A_LABEL = re.compile(
    r"\{\{-?\s*(?:(?:\$labels|\.Labels)\.(\w+)|index\s+(?:\$labels|\.Labels)\s+[\"`](\w+)[\"`])\s*-?\}\}"
)
_FNV_OFFSET, _FNV_PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF


def fingerprint(labels: Mapping[str, str]) -> str:
    """An alert's fingerprint as Alertmanager makes it: FNV-1a over its sorted labels (prometheus/common)."""
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode("utf-8", "replace") + b"\xff":
            value = ((value ^ byte) * _FNV_PRIME) & _MASK
    return f"{value:016x}"


def alerts(
    firing: Answer, since: Answer | None, rules: Sequence[Mapping[str, Any]], grid: Grid, address: str
) -> tuple[Alert, ...]:
    """One alert for each stretch of firing, by beginning.

    Args:
        firing: The series of `FIRING` on the grid.
        since: Those of `SINCE`: their value is when the alert's condition began to hold.
        rules: The alerting rules as they are now, for queries and links; may be empty.
        grid: The points in time.
        address: The server's address, for the link to the alert's query.
    """
    begins = {_identity(row["metric"]): points(row["values"], grid) for row in (since.series if since else ())}
    by_name: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for rule in rules:
        by_name[str(rule.get("name"))].append(rule)
    found: list[Alert] = []
    for row in firing.series:
        identity = _identity(row["metric"])
        labels = dict(identity)
        its_rules = _rules_of(labels, by_name.get(labels.get("alertname", ""), ()))
        for first, last in _stretches(points(row["values"], grid)):
            begin = float(grid.times[first])
            known = begins.get(identity)
            if known is not None and np.isfinite(known[first]) and 0 < known[first] <= begin:
                begin = float(known[first])
            ended = last < grid.count - 1
            found.append(
                Alert(
                    labels=labels,
                    annotations=_annotations(its_rules, labels),
                    starts_at=datetime.fromtimestamp(begin, UTC),
                    ends_at=datetime.fromtimestamp(grid.times[last] + grid.step, UTC) if ended else None,
                    fingerprint=fingerprint(labels),
                    state="resolved" if ended else "active",
                    generator_url=_link(address, its_rules),
                )
            )
    return tuple(sorted(found, key=lambda alert: (alert.starts_at, alert.fingerprint)))


def _identity(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(item for item in labels.items() if item[0] not in _NOT_OF_THE_ALERT))


def _stretches(values: FloatArray) -> Iterator[tuple[int, int]]:
    """First and last index of each run of points; a single missing point doesn't end one."""
    there = np.flatnonzero(np.isfinite(values) & (values > 0))
    if not len(there):
        return
    for run in np.split(there, np.flatnonzero(np.diff(there) > 2) + 1):  # noqa: PLR2004 - 2: one point is missing
        yield int(run[0]), int(run[-1])


def _rules_of(labels: Mapping[str, str], rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rules of its name whose own labels the alert has: often one name has a rule for each severity."""
    return [
        rule
        for rule in rules
        if all(
            _TEMPLATE in str(value) or labels.get(str(name)) == value
            for name, value in (rule.get("labels") or {}).items()
        )
    ]


def _annotations(rules: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> dict[str, str]:
    """What its rules agree to say, with its labels filled in.

    A text with another template in it is left out: the value that it told then is lost.
    """
    said = [
        {str(name): _filled(str(text), labels) for name, text in (rule.get("annotations") or {}).items()}
        for rule in rules
    ]
    first = said[0] if said else {}
    agreed = {name: text for name, text in first.items() if all(each.get(name) == text for each in said)}
    return {name: text for name, text in sorted(agreed.items()) if text is not None}


def _filled(template: str, labels: Mapping[str, str]) -> str | None:
    """The text with the labels' values in their places; None when it holds more than labels that are there."""
    named = [one or other for one, other in _OF_A_LABEL.findall(template)]
    if _TEMPLATE in _OF_A_LABEL.sub("", template) or any(name not in labels for name in named):
        return None
    return _OF_A_LABEL.sub(lambda found: labels[found[1] or found[2]], template)


def _link(address: str, rules: Sequence[Mapping[str, Any]]) -> str:
    queries = {str(rule.get("query") or "") for rule in rules}
    query = queries.pop() if len(queries) == 1 else ""
    return f"{address}/graph?g0.expr={quote(query, safe='')}&g0.tab=1" if query else ""
