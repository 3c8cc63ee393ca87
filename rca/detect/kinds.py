"""What a series measures and where, inferred from general patterns of metric names (`kinds.toml`)."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from rca.model.scores import Side
from rca.model.signals import Bad, Kind, SignalKey

_WORD = re.compile(r"[A-Za-z0-9_]+|%")
_ALNUM = re.compile(r"[A-Za-z0-9]+")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|%")
_PEER = re.compile(
    r"^(?P<stem>.+?)[_.\s-]?(?P<way>to|from|upstream|downstream|peer|dest|destination|src|source)[:=/](?P<peer>.+)$"
)
_QUANTILE = re.compile(
    r"(?:^|[^A-Za-z0-9])p?(50|75|90|95|99|999)(?:th)?(?=$|[^0-9])|P(50|75|90|95|99|999)(?=$|[^0-9])"
)
_MEAN = re.compile(r"average|avg|mean", re.IGNORECASE)
SIGN: Mapping[Bad, float] = MappingProxyType({Bad.UP: 1.0, Bad.DOWN: -1.0, Bad.BOTH: 0.0})
"""A bad direction as arrays hold it: what is multiplied by it is the worse the greater it is; 0 for either."""
_CALLER_SIDE = frozenset({"to", "upstream", "dest", "destination", "peer"})


@dataclass(frozen=True, slots=True)
class Traits:
    """A key with everything that could be inferred about it.

    Attributes:
        key: The key, with kind, direction and unit filled in where they were unknown.
        side: Where it was measured.
        stem: The metric's name without a peer: two services are compared where their stems are equal.
        peer: The other end, for a series about one edge; None for a service's own.
        quantile: `50`, `99`, `mean`, or empty.
    """

    key: SignalKey
    side: Side
    stem: str
    peer: str | None = None
    quantile: str = ""


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("rca.detect").joinpath("kinds.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a metric's name, capitals and digits being borders too.

    >>> words("PodServerLatencyP99(s)")
    ('pod', 'server', 'latency', 'p', 's')
    """
    return tuple(piece.lower() for piece in _PIECE.findall(name))


def classify(keys: Sequence[SignalKey], services: Collection[str]) -> tuple[Traits, ...]:
    """Everything that names say about these keys.

    Args:
        keys: As the bundle has them. What a key already says is kept.
        services: Known names: the other end of an edge is recognised only among them.
    """
    known = frozenset(services)
    owners: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        owners[key.metric].add(key.service)
    # A name that others use too says what is measured, though it begins as the service does: `redis_memory`.
    return tuple(_traits(key, known, owned=len(owners[key.metric]) == 1) for key in keys)


def infer(metric: str, service: str = "") -> tuple[Kind, Bad, str]:
    """Kind, bad direction and unit of a metric, by its name alone, less its service's name where it has that."""
    stem = bare(metric, service)
    found = _infer(stem)
    return found if stem == metric or found[0] is not Kind.OTHER else _infer(metric)


def measures(key: SignalKey) -> tuple[Kind, Bad]:
    """What a series measures and in which direction it gets worse: as its key says, or else its metric's name."""
    if key.declared:
        return key.kind, key.bad
    kind, bad, _ = infer(key.metric, key.service)
    return kind, bad


@lru_cache(maxsize=4096)
def bare(metric: str, service: str) -> str:
    """A metric's name without its service's at either end.

    >>> bare("orders-db_cpu", "orders-db"), bare("latency.orders_db", "orders-db"), bare("orders", "orders")
    ('cpu', 'latency', 'orders')
    """
    pieces = _ALNUM.findall(service)
    if not pieces or pieces[0].lower() not in metric.lower():  # which is usual, and spares making the pattern
        return metric
    name = r"[^A-Za-z0-9]*".join(pieces)
    match = re.match(rf"{name}[^A-Za-z0-9]+(.+)|(.+?)[^A-Za-z0-9]+{name}$", metric, re.IGNORECASE)
    return (match[1] or match[2]) if match else metric


@lru_cache(maxsize=4096)
def _infer(metric: str) -> tuple[Kind, Bad, str]:
    fine = words(metric)
    coarse = tuple(word.lower() for word in _WORD.findall(metric))
    lowered = metric.lower()
    unit = _unit(metric, fine)
    for rule in _table()["rule"]:
        if _fits(rule, fine, coarse, lowered, unit):
            return Kind(rule["kind"]), Bad(rule["bad"]), unit
    return Kind.OTHER, Bad.BOTH, unit


def _fits(
    rule: Mapping[str, Any], fine: tuple[str, ...], coarse: tuple[str, ...], lowered: str, unit: str
) -> bool:
    if any(word in fine for word in rule.get("without", ())):
        return False
    stems = tuple(rule.get("stems", ()))
    parts, phrase = _parts(coarse), f" {' '.join(fine)} "
    return (
        any(word in fine or word in parts for word in rule.get("words", ()))
        or any(f" {words} " in phrase for words in rule.get("phrases", ()))
        or lowered in rule.get("exact", ())
        or any(word.startswith(stems) for word in (*fine, *coarse) if stems)
        or any(code in part for code in rule.get("codes", ()) for part in parts)
        or any(rate in lowered for rate in rule.get("rates", ()))
        or (unit in {"s", "ms", "us"} and any(word in fine for word in rule.get("timed", ())))
    )


def _parts(coarse: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for word in coarse for part in word.split("_"))


def _unit(metric: str, fine: tuple[str, ...]) -> str:
    bracket = re.search(r"[(\[]\s*([^)\]]+?)\s*[)\]]\s*$", metric)
    if "per" in fine[:-1]:
        return "1/s" if fine[-1] in {"s", "sec", "second", "seconds"} else f"1/{fine[-1]}"
    candidates = (bracket.group(1).lower(),) if bracket else fine[::-1]
    for word in candidates:
        for unit, names in _table()["unit"].items():
            if word in names and (len(word) > 1 or bracket or word == "%" or metric.endswith(f"_{word}")):
                return str(unit)
    return ""


def _traits(key: SignalKey, services: frozenset[str], *, owned: bool) -> Traits:
    stem, peer, caller_side = key.metric, key.peer, key.peer is not None
    if peer is None and (named := _peer(key.metric)) and named[1] in services:
        stem, peer, caller_side = named
    service = key.service if owned else ""
    kind, bad, unit = infer(stem, service)
    stem = bare(stem, service)
    if key.declared:
        kind, bad = key.kind, key.bad
    unit, other = key.unit or unit, peer if caller_side else key.peer
    if (kind, bad, unit, other) != (key.kind, key.bad, key.unit, key.peer):  # or else it says all already
        key = replace(key, kind=kind, bad=bad, unit=unit, peer=other)
    side = _side(stem, kind, has_peer=peer is not None, caller_side=caller_side)
    return Traits(key, side, stem, peer, quantile(stem))


@lru_cache(maxsize=4096)
def _peer(metric: str) -> tuple[str, str, bool] | None:
    """Of a metric that names an edge's other end: its stem, that end, and whether the caller measured it."""
    match = _PEER.match(metric)
    return (match["stem"], match["peer"], match["way"] in _CALLER_SIDE) if match else None


@lru_cache(maxsize=4096)
def _side(stem: str, kind: Kind, *, has_peer: bool, caller_side: bool) -> Side:
    fine = words(stem)
    if has_peer:
        return Side.CALLER if caller_side else Side.OWN
    if kind is Kind.LATENCY and {"net", "network"} & set(fine):
        return Side.CLIENT if {"out", "outgoing", "egress"} & set(fine) else Side.EDGE
    for entry in _table()["side"]:
        if any(word in entry["words"] for word in fine):
            return Side(entry["side"])
    return Side.OWN


@lru_cache(maxsize=4096)
def quantile(stem: str) -> str:
    """The quantile a name speaks of: `99`, `50`, `mean`, or empty.

    >>> quantile("latency_p99"), quantile("lat_50"), quantile("ServerLatencyP95(s)"), quantile("latency_Average")
    ('99', '50', '95', 'mean')
    """
    if match := _QUANTILE.search(stem):
        return match.group(1) or match.group(2)
    return "mean" if _MEAN.search(stem) else ""
