"""`rca doctor` for Elasticsearch: one line a step, each with what to do when it fails."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rca.config.settings import ElasticsearchSettings
from rca.errors import SourceAuthError, SourceError
from rca.model.words import percent
from rca.sources.base import Check, Request
from rca.sources.elastic.client import NAME, Answer, ElasticClient, Search
from rca.sources.elastic.counts import Grid
from rca.sources.elastic.events import collect_events
from rca.sources.elastic.fields import Resolution, resolve, wanted
from rca.sources.elastic.layers import Census, in_window, take_census
from rca.sources.elastic.lines import read_time, text_of
from rca.sources.elastic.record import chosen
from rca.sources.elastic.sample import TRACED_ENOUGH, trace_place
from rca.sources.elastic.schema import Role, Schema
from rca.sources.elastic.text_traces import ids_in_text

_AHEAD = timedelta(minutes=2)
_SHOWN = 10
_NEARLY_ALL = 0.95  # of the lines; more is hardly one service's beside others


class Doctor:
    """The steps, each building on the one before.

    Args:
        client: The connection.
        settings: What was configured.
        schema: The merged schemas.
    """

    def __init__(self, client: ElasticClient, settings: ElasticsearchSettings, schema: Schema) -> None:
        self._client = client
        self._settings = settings
        self._schema = schema

    def run(self, request: Request) -> Iterator[Check]:
        """Every step until one fails that the others need."""
        step = "connection"
        try:
            yield from self._connection()
            step = "indices"
            yield from self._indices(request)
            step = "fields"
            resolution = self._resolution()
            census = take_census(self._client, resolution.cohorts, request.span)
            yield from self._fields(resolution, census)
            if census.total:
                step = "traces"
                yield self._traces(census, request)
            step = "services"
            yield from self._services(census)
            step = "clock"
            yield from self._clock(resolution, request)
            step = "spans and events"
            yield from self._others(request)
        except SourceError as error:
            name = "sign-in" if isinstance(error, SourceAuthError) else step
            yield Check(NAME, name, ok=False, detail=error.message, hint=error.hint)

    def _connection(self) -> Iterator[Check]:
        who = self._client.whoami()
        version = self._client.version()
        detail = f"{self._client.where}" + (f", version {version}" if version else ", version not shown to us")
        yield Check(NAME, "connection", ok=True, detail=detail)
        user = who.get("username")
        if user is None:
            yield Check(NAME, "sign-in", ok=None, detail="the server checks no users, or won't say who we are")
            return
        roles = ", ".join(who.get("roles") or ()) or "none"
        kind = who.get("authentication_type") or "unknown"
        yield Check(NAME, "sign-in", ok=True, detail=f"{user} ({kind}), roles: {roles}")

    def _indices(self, request: Request) -> Iterator[Check]:
        """Documents in the window, pattern by pattern."""
        patterns = self._settings.indices
        query = {"bool": {"filter": [in_window("@timestamp", request.span)]}}
        body = {"size": 0, "track_total_hits": True, "query": query}
        answers = self._client.search([Search(f"index {name}", (name,), body) for name in patterns])
        refused = [answer.error for answer in answers if answer.error is not None]
        facts = tuple(f"{name}: {_found(answer)}" for name, answer in zip(patterns, answers, strict=True))
        facts += tuple(f"{gap.what}: {gap.why}" for answer in answers for gap in answer.gaps)
        if refused:
            yield Check(NAME, "indices", ok=False, detail=refused[0].message, hint=refused[0].hint, facts=facts)
            return
        if not any(answer.shards for answer in answers):
            hint = "See GET _cat/indices for the names this user may see, and set elasticsearch.indices."
            yield Check(NAME, "indices", ok=False, detail=f"no index matched {', '.join(patterns)}", hint=hint)
            return
        total = sum(answer.total for answer in answers)
        hint = "" if total else "The window may be wrong, or the timestamp is in another field; see below."
        yield Check(
            NAME,
            "indices",
            ok=total > 0 or None,
            detail=f"{total:,} documents in the window",
            hint=hint,
            facts=facts,
        )

    def _resolution(self) -> Resolution:
        names = wanted(self._schema, self._settings.fields)
        fields = sorted({name for candidates in names.values() for name in candidates})
        caps = self._client.field_caps(self._settings.indices, fields)
        return resolve(caps, self._schema, self._settings.fields, tuple(self._settings.indices))

    def _fields(self, resolution: Resolution, census: Census) -> Iterator[Check]:
        facts = []
        for layer in census.layers:
            picked = chosen(layer, census, self._settings.fields)
            facts.append(
                "; ".join(f"{key}: {value}" for key, value in picked.items() if key not in {"lines", "why"})
            )
            facts.append(f"  {picked['why']}")
        facts += [f"{gap.what}: {gap.why}" for gap in resolution.gaps]
        if not census.total:
            usual = [name for cohort in resolution.cohorts if (name := cohort.first(Role.SERVICE))]
            detail = "nothing lies in the window to choose them by" + (f"; mapped: {usual[0]}" if usual else "")
            yield Check(NAME, "fields", ok=None, detail=detail, facts=tuple(facts))
            return
        usable = bool(census.layers)
        detail = (
            f"{len(census.layers)} ways of naming service and level" if usable else "no field names the service"
        )
        if len(census.layers) == 1:
            only = census.layers[0]
            detail = f"service in {only.service}, level in {only.level or 'the message alone'}"
        hint = "" if usable else "Set elasticsearch.fields.service to the field that holds the service's name."
        state = (None if resolution.gaps else True) if usable else False
        yield Check(NAME, "fields", ok=state, detail=detail, hint=hint, facts=tuple(facts))

    def _traces(self, census: Census, request: Request) -> Check:
        """Where the ids of traces stand: by them lines are drawn that belong together."""
        grid = Grid.over(request.span, request.step_seconds)
        if found := trace_place(census, grid):
            place = found[1]
            share = min(1.0, place.documents / census.total)
            return Check(
                NAME, "traces", ok=True, detail=f"ids in {place.field}, of about {percent(share)} of the lines"
            )
        in_text, gaps = ids_in_text(self._client, census, grid, TRACED_ENOUGH)
        if in_text:
            detail = "ids in the text of messages, in no field: whole traces are searched for by them"
            return Check(NAME, "traces", ok=True, detail=detail)
        for gap in gaps:
            why, _, advice = gap.why.partition("; ")
            return Check(NAME, "traces", ok=None, detail=why, hint=advice)
        return Check(
            NAME, "traces", ok=None, detail="hardly any line has the id of a trace, as field or in its text"
        )

    def _services(self, census: Census) -> Iterator[Check]:
        services = census.services
        top = tuple(f"{name}: {lines:,} lines" for name, lines in list(services.items())[:_SHOWN])
        hint = "" if services else "Check the window and elasticsearch.fields.service."
        if alone := _has_nearly_all(services):
            hint = (
                f"{alone} has nearly all lines: if it only collects them, set elasticsearch.fields.service to the "
                "field that holds the service's name."
            )
        yield Check(
            NAME,
            "services",
            ok=(bool(services) and not alone) or None,
            detail=f"{len(services)} in the window",
            hint=hint,
            facts=top,
        )
        levels: Counter[str] = Counter()
        for layer in census.layers:
            for raw, lines in layer.levels.items():
                levels[self._schema.level(layer.level or "", raw)] += lines
            levels["(none)"] += sum(layer.services.values()) if layer.level is None else 0
        said = ", ".join(f"{level} {lines:,}" for level, lines in levels.most_common() if lines)
        yield Check(NAME, "levels", ok=bool(said) or None, detail=said or "none found")
        located = sum(services.values())
        if census.total > located:
            detail = f"{census.total - located:,} of {census.total:,} lines name no service"
            hint = "Name the field in elasticsearch.fields.service."
            yield Check(NAME, "lines without a service", ok=None, detail=detail, hint=hint)

    def _clock(self, resolution: Resolution, request: Request) -> Iterator[Check]:
        """The newest document against this machine's clock."""
        now = datetime.now(UTC)
        newest: list[datetime] = []
        for cohort in resolution.cohorts:
            timestamp = cohort.first(Role.TIMESTAMP)
            if timestamp is None:
                continue
            shape: dict[str, Any] = {"size": 1, "_source": False, "track_total_hits": False}
            shape["fields"] = [{"field": timestamp, "format": "strict_date_optional_time_nanos"}]
            shape["sort"] = [{timestamp: {"order": "desc", "unmapped_type": "date"}}]
            answer = self._client.one(Search("the newest document", cohort.indices, shape))
            times = (read_time(text_of(hit.get("fields") or {}, [timestamp])) for hit in answer.hits)
            newest += [at for at in times if at is not None]
        if not newest:
            yield Check(NAME, "newest document", ok=None, detail="there is none")
            return
        ahead = max(newest) - now
        detail = f"{max(newest):%Y-%m-%d %H:%M:%S} UTC, {_ago(ahead)}"
        if max(newest) < request.span.start:
            hint = "The whole window lies after it: is the window right, and do logs still arrive?"
            yield Check(NAME, "newest document", ok=None, detail=detail, hint=hint)
            return
        skewed = ahead > _AHEAD
        hint = (
            "A clock is wrong, or times are stored without their zone: choose windows by the documents' own times."
        )
        yield Check(
            NAME, "newest document", ok=None if skewed else True, detail=detail, hint=hint if skewed else ""
        )

    def _others(self, request: Request) -> Iterator[Check]:
        """Spans and events are optional: their absence is worth knowing, no more."""
        unasked = "none asked for (elasticsearch.{}_indices is empty)"
        if spans := self._settings.span_indices:
            query = {"bool": {"filter": [in_window("@timestamp", request.span)]}}
            body = {"size": 0, "track_total_hits": True, "query": query}
            answer = self._client.search([Search("spans", tuple(spans), body)])[0]
            hint = answer.error.hint if answer.error else ""
            detail = f"{', '.join(spans)}: {_found(answer)}"
            yield Check(NAME, "spans", ok=True if answer.total else None, detail=detail, hint=hint)
        else:
            yield Check(NAME, "spans", ok=None, detail=unasked.format("span"))
        if self._settings.event_indices:
            yield self._events(request)
        else:
            yield Check(NAME, "events", ok=None, detail=unasked.format("event"))

    def _events(self, request: Request) -> Check:
        """Recorded changes, and by which fields they are read."""
        indices, own = self._settings.event_indices, self._settings.event_fields
        try:
            found, gaps = collect_events(self._client, indices, request.changes, self._schema, own)
        except SourceError as error:
            return Check(NAME, "events", ok=None, detail=error.message, hint=error.hint)
        kinds = Counter(event.kind.value for event in found)
        said = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"
        facts = tuple(f"{gap.what}: {gap.why}" for gap in gaps)
        detail = f"{', '.join(indices)}: {len(found)} changes in the window and before it ({said})"
        return Check(NAME, "events", ok=True if found and not gaps else None, detail=detail, facts=facts)


def _has_nearly_all(services: Mapping[str, int]) -> str:
    """The name under which nearly all lines stand; empty where there is none."""
    most = max(services, key=lambda name: services[name], default="")
    return most if most and services[most] >= _NEARLY_ALL * sum(services.values()) else ""


def _found(answer: Answer) -> str:
    if answer.error is not None:
        return answer.error.message
    return f"{answer.total:,} documents in the window" if answer.shards else "no index matched"


def _ago(ahead: timedelta) -> str:
    minutes = abs(ahead.total_seconds()) / 60
    amount = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - two hours
    if minutes > 2 * 24 * 60:
        amount = f"{minutes / 1440:.0f} days"
    return f"{amount} {'in the future' if ahead > timedelta(0) else 'ago'}"
