"""From an ask to the text of its query, for all services or for one of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rca.sources.prom.names import STEM_RE2
from rca.sources.prom.packs import Across, Signal
from rca.sources.prom.plan import Ask
from rca.sources.prom.promql import matchers, quote, render
from topology.names import pod_stem

MAX_ALTERNATIVES = 20
WORKLOAD = "rca_workload"
AGGREGATIONS = {Across.MAX: "max", Across.MIN: "min", Across.SUM: "sum", Across.MEAN: "avg"}


def for_all(ask: Ask, template: str, window: int | None = None) -> str:
    """The query that the harvest sends: every service at once.

    Where there are more pods than an answer may have, the server folds them into workloads by their names.
    """
    labels = ask.labels
    by = list(labels.by)
    query = render(
        template, window=window or ask.window, by=by, where=labels.mine, metric=ask.metric
    )  # fmt: skip
    if not ask.wide or not isinstance(ask.part, Signal):
        return query
    folded = ", ".join(label for label in (labels.namespace, WORKLOAD) if label)
    stem = f'label_replace({query}, "{WORKLOAD}", "$1", "{labels.service}", {quote(STEM_RE2)})'
    return f"{AGGREGATIONS[ask.part.across]} by ({folded}) ({stem})"


def for_one(ask: Ask, template: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The query restricted to the series that these rows came from, to be pasted into a console.

    Args:
        ask: What was asked.
        template: Its template.
        rows: The label sets of one service's answers (of one instance's, of one peer's).
    """
    labels = ask.labels
    query = render(template, window=ask.window, by=labels.by, where=_where(ask, rows), metric=ask.metric)
    by = [label for label in labels.by if label != labels.replica]
    if labels.replica:
        query = f"max by ({', '.join(by)}) ({query})"
    return query


def folded(across: Across, queries: Sequence[str], series: int) -> str:
    """One query for what the harvest made one series of.

    Args:
        across: How they became one.
        queries: The queries of its parts; more than one where a metric's series differ in their labels.
        series: How many series these give.
    """
    query = " or ".join(queries)
    return query if series <= 1 else f"{AGGREGATIONS[across]} ({query})"


def _where(ask: Ask, rows: Sequence[Mapping[str, Any]]) -> str:
    labels = ask.labels
    wanted: dict[str, Iterable[str]] = {}
    pattern = ""
    for label in labels.by:
        values = sorted({str(row.get(label, "")) for row in rows})
        if label == labels.replica:
            continue
        if label == labels.instance and len(values) > 1 and not _shared(ask, rows):
            continue
        if label == labels.service and not any(values):  # the server folded the pods: only the workload is known
            values = sorted({str(row.get(WORKLOAD, "")) for row in rows})
            pattern = _any_pod(labels.service, values)
        elif label == labels.service and labels.is_pod and len(values) > MAX_ALTERNATIVES:
            pattern = _any_pod(label, sorted({pod_stem(value) for value in values}))
        else:
            wanted[label] = values
    lacking = ",".join(f'{label}=""' for label in labels.without)
    return ",".join(part for part in (matchers(wanted), pattern, lacking) if part)


def _shared(ask: Ask, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an exporter is scraped under the name of these rows' service: then its replicas must be named."""
    labels = ask.labels
    at = [label for label in labels.by if label != labels.replica].index(labels.service)
    return bool({row.get(labels.service, "") for row in rows} & {identity[at] for identity in ask.watchers})


def _any_pod(label: str, stems: Sequence[str]) -> str:
    r"""A matcher for every pod of these workloads: `pod=~"cart(-[^-]+){1,2}"`."""
    escaped = "|".join(stem.replace("\\", r"\\").replace(".", r"\.") for stem in stems)
    return f"{label}=~{quote(f'(?:{escaped})(?:-[a-z0-9]+){{1,2}}')}"
