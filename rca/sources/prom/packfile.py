"""Reading metric packs from TOML files; whatever is wrong is said with the file, the signal and the key."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from rca.errors import ConfigError
from rca.model.incident import EventKind
from rca.model.signals import Bad, Kind
from rca.sources.prom.packs import Across, EdgeRule, EventRule, Naming, Pack, Rule, Signal
from rca.sources.prom.promql import LABEL_NAME, METRIC_NAME, faults, selectors
from topology import NodeKind

QUANTILES = ((50, 0.5), (95, 0.95), (99, 0.99))
DEFAULT_FLOOR = 0.02  # calls a second: about one a minute; a ratio of fewer is noise
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def load_packs(folder: Path | None = None) -> tuple[Pack, ...]:
    """The packs that come with the tool, and those of a folder; a folder's pack replaces one of the same name.

    Raises:
        ConfigError: The folder isn't there, or a file isn't a valid pack.
    """
    found: dict[str, Pack] = {}
    own = resources.files("rca") / "packs"
    for entry in sorted(own.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            pack = parse_pack(entry.read_text("utf-8"), entry.name)
            found[pack.name] = pack
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(
                f"no folder of metric packs at {folder}", hint='packs = "…" names a folder of *.toml'
            )
        seen: dict[str, Path] = {}
        for path in sorted(folder.glob("*.toml")):
            pack = parse_pack(_text(path), str(path))
            if pack.name in seen:
                raise ConfigError(f"{path}: the pack {pack.name!r} is also in {seen[pack.name]}")
            seen[pack.name] = path
            found[pack.name] = pack
    packs = tuple(found[name] for name in sorted(found))
    _refuse_twins(packs)
    return packs


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _refuse_twins(packs: Iterable[Pack]) -> None:
    """Alternatives of one signal live in one pack; over packs a name is used once."""
    owner: dict[str, Pack] = {}
    for pack in packs:
        for name in {signal.name for signal in pack.signals}:
            if name in owner:
                raise ConfigError(f"{pack.origin}: the signal {name!r} is also in {owner[name].origin}")
            owner[name] = pack


def parse_pack(text: str, origin: str) -> Pack:
    """Read one pack.

    Args:
        text: The file's TOML.
        origin: Its name, for errors.

    Raises:
        ConfigError: It isn't a pack; the message has the file, the signal and what is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: not TOML: {error}") from error
    table = _Table(data, origin)
    name = table.name()
    naming = _naming(table, Naming())
    pack = Pack(
        name=name,
        description=table.text("description"),
        requires=table.patterns("requires"),
        ignore=table.patterns("ignore"),
        unless_labels=table.labels("unless_labels"),
        node_kind=table.choice("node_kind", NodeKind, None),
        signals=tuple(signal for part in table.tables("signals") for signal in _signals(part, naming)),
        edges=tuple(_edge(part, naming) for part in table.tables("edges")),
        events=tuple(_event(part, naming) for part in table.tables("events")),
        origin=origin,
    )
    table.finish()
    if not pack.requires:
        raise table.error("requires names no metric")
    if not (pack.signals or pack.edges or pack.events):
        raise table.error("has no signals, edges or events")
    return pack


class _Table:
    """A TOML table that is read key by key; what is wrong is said with the place it is at."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._left = dict(data)
        self.where = where

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"{self.where}: {what}", hint="docs/packs.md has the format")

    def take(self, key: str) -> Any:
        return self._left.pop(key, None)

    def has(self, key: str) -> bool:
        return key in self._left

    def finish(self) -> None:
        if self._left:
            raise self.error(f"unknown key {min(self._left)!r}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{key} must be a text" + (" and is missing" if value is None else ""))
        return value

    def name(self) -> str:
        value = self.text("name")
        if not _NAME.fullmatch(value):
            raise self.error(f"the name {value!r} must be lower case letters, digits and _")
        self.where = f"{self.where}: {value}"
        return value

    def number(self, key: str, default: float) -> float:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.error(f"{key} must be a number, zero or above")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(f"{key} must be a list of texts")
        return tuple(value)

    def labels(self, key: str) -> tuple[str, ...]:
        found = self.texts(key)
        for label in found:
            if not LABEL_NAME.fullmatch(label):
                raise self.error(f"{key}: {label!r} is not a label's name")
        return found

    def patterns(self, key: str) -> tuple[str, ...]:
        found = self.texts(key)
        for pattern in found:
            try:
                re.compile(pattern)
            except re.error as error:
                raise self.error(f"{key}: {pattern!r} is not a pattern: {error}") from error
            if "(?" in pattern.replace("(?:", "") or re.search(r"\\\d", pattern):
                raise self.error(f"{key}: {pattern!r} looks around or back, which a server's RE2 cannot")
            if pattern.startswith((".*", ".+")) and not re.search(r"[a-z]{4}", pattern):
                raise self.error(f"{key}: {pattern!r} would match nearly every metric")
        return found

    def choice(self, key: str, choices: type[StrEnum], default: Any) -> Any:
        value = self.take(key)
        if value is None:
            return default
        try:
            return choices(value)
        except ValueError:
            raise self.error(f"{key} is {value!r}, not one of {', '.join(choices)}") from None

    def template(self, key: str, default: str | None = None) -> str:
        query = self.text(key, default)
        for fault in faults(query) if query else ():
            raise self.error(f"{key}: {fault}")
        return query

    def tables(self, key: str) -> list["_Table"]:
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"{key} must be tables: [[{key}]]")
        return [_Table(item, f"{self.where}, {key} {number}") for number, item in enumerate(value, 1)]


def _naming(table: _Table, base: Naming) -> Naming:
    """The labels of a pack, or of a signal that has its own for some of them."""
    changes: dict[str, tuple[str, ...]] = {}
    for key, attribute in (
        ("service_labels", "service"),
        ("namespace_labels", "namespace"),
        ("instance_labels", "instance"),
        ("peer_labels", "peer"),
        ("peer_namespace_labels", "peer_namespace"),
    ):
        if table.has(key):
            changes[attribute] = table.labels(key)
    if table.has("strip_suffixes"):
        changes["strip"] = table.texts("strip_suffixes")
    return replace(base, **changes)


def _required(table: _Table, *templates: str) -> tuple[str, ...]:
    """The metrics a part needs: as stated, else those that its templates select."""
    stated = table.patterns("requires")
    if stated:
        return stated
    found = tuple(dict.fromkeys(name for template in templates for name in selectors(template)))
    for name in found:
        if not METRIC_NAME.fullmatch(name):
            raise table.error(f"requires is needed for the selector {name!r}")
    return found


def _signals(table: _Table, base: Naming) -> list[Signal]:
    """One signal, or one for each quantile. It has one of the forms."""
    name = table.name()
    naming = _naming(table, base)
    if not naming.service:
        raise table.error("no service_labels, neither its own nor the pack's")
    forms = [form for form in ("query", "rate", "ratio", "quantiles", "mean") if table.has(form)]
    if len(forms) != 1:
        raise table.error("needs exactly one of query, rate, ratio, quantiles, mean")
    form = forms[0]
    floor = table.number("floor", DEFAULT_FLOOR)
    buckets = ""
    queries: dict[str, str]
    if form == "query":
        query = table.template("query")
        queries, needed = {name: query}, _required(table, query)
    elif form == "rate":
        selector = table.template("rate")
        queries, needed = {name: f"sum by ($S) (rate({selector}[$w]))"}, _required(table, selector)
    elif form == "quantiles":
        selector = table.template("quantiles")
        needed, buckets = _required(table, selector), selectors(selector)[0]
        queries = {
            f"{name}_p{percent}": f"histogram_quantile({q}, sum by ($S, le) (rate({selector}[$w])))"
            for percent, q in QUANTILES
        }
    else:
        keys = ("bad", "all") if form == "ratio" else ("sum", "count")
        top, bottom = _pair(table, form, keys)
        needed = _required(table, bottom)
        zero = f" or 0 * sum by ($S) (rate({bottom}[$w]))" if form == "ratio" else ""
        queries = {name: f"(sum by ($S) (rate({top}[$w])){zero}) / (sum by ($S) (rate({bottom}[$w])) > {floor:g})"}
    if form == "ratio":
        defaults: tuple[Kind, Bad, str] = (Kind.ERRORS, Bad.UP, "ratio")
    elif form in ("quantiles", "mean"):
        defaults = (Kind.LATENCY, Bad.UP, unit_of(needed[0]))
    elif form == "rate":
        defaults = (Kind.TRAFFIC, Bad.BOTH, "1/s")
    else:
        defaults = (Kind.OTHER, Bad.BOTH, "")
    made = Signal(
        name=name,
        query="",
        requires=needed,
        naming=naming,
        kind=table.choice("kind", Kind, defaults[0]),
        bad=table.choice("bad", Bad, defaults[1]),
        unit=table.text("unit", defaults[2]) if table.has("unit") else defaults[2],
        across=table.choice("across", Across, Across.SUM if form == "rate" else Across.MAX),
        scale=table.number("scale", 1.0),
        buckets=buckets,
    )
    table.finish()
    return [replace(made, name=each, query=query) for each, query in queries.items()]


def _pair(table: _Table, form: str, keys: tuple[str, str]) -> tuple[str, str]:
    value = table.take(form)
    if not isinstance(value, dict):
        raise table.error(f"{form} must be a table with {keys[0]} and {keys[1]}")
    inner = _Table(value, f"{table.where}, {form}")
    pair = inner.template(keys[0]), inner.template(keys[1])
    inner.finish()
    return pair


def unit_of(metric: str) -> str:
    """A duration's unit from its metric's name: `…_seconds_bucket`, `…_milliseconds_sum`, `…_us`."""
    stem = re.sub(r"_(bucket|sum|count)$", "", metric)
    for ending, unit in (("_milliseconds", "ms"), ("_ms", "ms"), ("_us", "us"), ("_seconds", "s")):
        if stem.endswith(ending):
            return unit
    return ""


def _edge(table: _Table, base: Naming) -> EdgeRule:
    name = table.name()
    naming = _naming(table, base)
    if not (naming.service and naming.peer):
        raise table.error("needs service_labels (the caller) and peer_labels (the callee)")
    calls, failures = table.template("calls"), table.template("failures", "")
    rule = EdgeRule(name, calls, failures, _required(table, calls), naming)
    table.finish()
    return rule


def _event(table: _Table, base: Naming) -> EventRule:
    name = table.name()
    naming = _naming(table, base)
    query = table.template("query")
    made = EventRule(
        name=name,
        rule=table.choice("rule", Rule, None),
        event=table.choice("event", EventKind, EventKind.OTHER),
        query=query,
        requires=_required(table, query),
        naming=naming,
        subject=table.text("subject", ""),
        title=table.text("title"),
    )
    table.finish()
    if made.rule is None:
        raise table.error(f"rule must be one of {', '.join(Rule)}")
    if made.rule is Rule.APPEARS and not made.subject:
        raise table.error("rule appears needs subject: the label whose new value is the change")
    if not naming.service:
        raise table.error("no service_labels, neither its own nor the pack's")
    try:
        made.title.format(service="", old="", new="")
    except (KeyError, IndexError, ValueError):
        raise table.error("title may hold {service}, {old} and {new} only") from None
    return made
