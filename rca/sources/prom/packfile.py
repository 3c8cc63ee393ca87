"""Reading metric packs from TOML files; whatever is wrong is said with the file, the signal and the key."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from rca.errors import ConfigError
from rca.model.incident import EventKind
from rca.model.signals import Bad, Kind
from rca.sources.prom.packs import Across, EdgeRule, EventRule, Naming, Pack, Rule, Signal
from rca.sources.prom.promql import METRIC_NAME, selectors
from rca.sources.prom.table import Table
from topology import NodeKind

QUANTILES = ((50, 0.5), (95, 0.95), (99, 0.99))
DEFAULT_FLOOR = 0.02  # calls a second: about one a minute; a ratio of fewer is noise


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
    table = Table(data, origin)
    name = table.name()
    naming = _naming(table, Naming())
    pack = Pack(
        name=name,
        description=table.text("description"),
        requires=table.patterns("requires"),
        ignore=table.patterns("ignore"),
        unless_labels=table.labels("unless_labels"),
        node_kind=table.choice("node_kind", NodeKind, None),
        exporters=table.patterns("exporters"),
        about_target=table.flag("about_target"),
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


def _naming(table: Table, base: Naming) -> Naming:
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


def _required(table: Table, *templates: str) -> tuple[str, ...]:
    """The metrics a part needs: as stated, else those that its templates select."""
    stated = table.patterns("requires")
    if stated:
        return stated
    found = tuple(dict.fromkeys(name for template in templates for name in selectors(template)))
    for name in found:
        if not METRIC_NAME.fullmatch(name):
            raise table.error(f"requires is needed for the selector {name!r}")
    return found


def _signals(table: Table, base: Naming) -> list[Signal]:
    """One signal, or one for each quantile. It has one of the forms."""
    name = table.name()
    naming = _naming(table, base)
    if not naming.service:
        raise table.error("no service_labels, neither its own nor the pack's")
    form = _form(table)
    defaults = form.defaults
    made = Signal(
        name=name,
        query="",
        requires=form.requires,
        naming=naming,
        kind=table.choice("kind", Kind, defaults[0]),
        bad=table.choice("bad", Bad, defaults[1]),
        unit=table.text("unit", defaults[2]),
        across=table.choice("across", Across, form.across),
        scale=table.number("scale", 1.0),
        buckets=form.buckets,
    )
    table.finish()
    return [replace(made, name=f"{name}{ending}", query=query) for ending, query in form.queries.items()]


@dataclass(frozen=True, slots=True)
class _Form:
    """What one of the forms of a signal stands for.

    Attributes:
        queries: By the ending that its name adds to the signal's.
        defaults: Kind, direction and unit, where the signal states none.
    """

    queries: Mapping[str, str]
    requires: tuple[str, ...]
    defaults: tuple[Kind, Bad, str]
    across: Across = Across.MAX
    buckets: str = ""


def _form(table: Table) -> _Form:
    forms = [form for form in _FORMS if table.has(form)]
    if len(forms) != 1:
        raise table.error(f"needs exactly one of {', '.join(_FORMS)}")
    return _FORMS[forms[0]](table)


def _query(table: Table) -> _Form:
    query = table.template("query")
    return _Form({"": query}, _required(table, query), (Kind.OTHER, Bad.BOTH, ""))


def _rate(table: Table) -> _Form:
    selector = table.template("rate")
    query = f"sum by ($S) (rate({selector}[$w]))"
    return _Form({"": query}, _required(table, selector), (Kind.TRAFFIC, Bad.BOTH, "1/s"), Across.SUM)


def _quantiles(table: Table) -> _Form:
    selector = table.template("quantiles")
    needed = _required(table, selector)
    queries = {
        f"_p{percent}": f"histogram_quantile({q}, sum by ($S, le) (rate({selector}[$w])))"
        for percent, q in QUANTILES
    }
    return _Form(queries, needed, (Kind.LATENCY, Bad.UP, unit_of(needed[0])), buckets=selectors(selector)[0])


def _ratio(table: Table) -> _Form:
    """Failed calls over all of them: 0 where there are calls and no failure's series; missing below the floor."""
    bad, every = _pair(table, "ratio", ("bad", "all"))
    floor = table.number("floor", DEFAULT_FLOOR)
    query = (
        f"(sum by ($S) (rate({bad}[$w])) or 0 * sum by ($S) (rate({every}[$w])))"
        f" / (sum by ($S) (rate({every}[$w])) > {floor:g})"
    )
    return _Form({"": query}, _required(table, every), (Kind.ERRORS, Bad.UP, "ratio"))


def _mean(table: Table) -> _Form:
    total, count = _pair(table, "mean", ("sum", "count"))
    floor = table.number("floor", DEFAULT_FLOOR)
    query = f"sum by ($S) (rate({total}[$w])) / (sum by ($S) (rate({count}[$w])) > {floor:g})"
    return _Form({"": query}, _required(table, total, count), (Kind.LATENCY, Bad.UP, ""))


_FORMS: Mapping[str, Callable[[Table], _Form]] = {
    "query": _query,
    "rate": _rate,
    "ratio": _ratio,
    "quantiles": _quantiles,
    "mean": _mean,
}


def _pair(table: Table, form: str, keys: tuple[str, str]) -> tuple[str, str]:
    value = table.take(form)
    if not isinstance(value, dict):
        raise table.error(f"{form} must be a table with {keys[0]} and {keys[1]}")
    inner = Table(value, f"{table.where}, {form}")
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


def _edge(table: Table, base: Naming) -> EdgeRule:
    name = table.name()
    naming = _naming(table, base)
    if not (naming.service and naming.peer):
        raise table.error("needs service_labels (the caller) and peer_labels (the callee)")
    calls, failures = table.template("calls"), table.template("failures", "")
    rule = EdgeRule(name, calls, failures, _required(table, calls), naming)
    table.finish()
    return rule


def _event(table: Table, base: Naming) -> EventRule:
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
