"""What the source says of itself: the fields it chose and why, and queries to paste."""

import json
from collections.abc import Mapping
from typing import Any

from rca.config.settings import ElasticsearchSettings
from rca.model.incident import SourceRecord
from rca.sources.elastic.client import NAME
from rca.sources.elastic.counts import Grid, search_of
from rca.sources.elastic.fields import Resolution
from rca.sources.elastic.layers import Census, Layer
from rca.sources.elastic.queries import log_query
from rca.sources.elastic.schema import Role, Schema

_IN_TEXT = "from the message, where it names one"
_READ = (Role.TIMESTAMP, Role.MESSAGE, Role.TRACE, Role.SPAN, Role.INSTANCE)


def describe(
    settings: ElasticsearchSettings,
    resolution: Resolution,
    census: Census,
    schema: Schema,
    version: str,
    grid: Grid,
) -> SourceRecord:
    """The record of one harvest.

    Its queries are `log counts` (a search to send as it stands) and, by service, `error lines of NAME` (KQL).
    """
    queries = {}
    for layer in census.layers[:1]:
        search = search_of(layer, tuple(layer.services), grid)
        queries["log counts"] = f"POST /{','.join(search.indices)}/_search {json.dumps(search.body)}"
    for service in sorted(census.services):
        found = log_query(census.layers, schema, service, "ERROR")
        if found:
            queries[f"error lines of {service}"] = found
    details = {
        "indices": list(settings.indices),
        "indices_matched": len(resolution.matched),
        "lines": census.total,
        "services": len(census.services),
        "fields": [chosen(layer, census, settings.fields) for layer in census.layers],
    }
    return SourceRecord(NAME, "elasticsearch", version, queries, details)


def chosen(layer: Layer, census: Census, overrides: Mapping[str, str]) -> dict[str, Any]:
    """The fields by which some of the documents are read, how many those are, and who chose."""
    lines = sum(layer.services.values())
    fields: dict[str, Any] = {"service": layer.service, "level": layer.level or "(from the message)"}
    for role in _READ:
        fields[role.value] = _fields(role, layer, census)
    configured = sorted(role for role in overrides if role in fields)
    why = f"{lines} of {census.total} lines have them; the first in the order of preference that hold values"
    return fields | {"lines": lines, "why": why} | ({"configured": configured} if configured else {})


def _fields(role: Role, layer: Layer, census: Census) -> str:
    """The fields that play a role. Ids are read in messages, too: many systems have them there alone."""
    candidates = layer.cohort.fields[role]
    if role is Role.TIMESTAMP:
        return layer.timestamp
    named = ", ".join(candidates)
    if role not in {Role.TRACE, Role.SPAN}:
        return named or "(none)"
    if not candidates:
        return f"(no field: {_IN_TEXT})"
    traced = {name for (cohort, name), documents in census.traced if documents and cohort == layer.cohort}
    if role is Role.TRACE and traced.isdisjoint(candidates):
        return f"({named}, which hardly any line has: else {_IN_TEXT})"
    return named
