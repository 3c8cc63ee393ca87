"""Whom a span was addressed to, by its attributes: databases, caches, queues and others that write no spans."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from topology.graph import NodeKind
from topology.names import is_unknown, without_cluster_domain

# OpenTelemetry's semantic conventions, new and old, OpenTracing's, Elastic APM's; the first found counts.
# https://opentelemetry.io/docs/specs/semconv/ · https://www.elastic.co/docs/reference/ecs/ecs-span
_KIND = ("span.kind", "kind", "SpanKind", "span_kind")
_PEER_SERVICE = ("service.peer.name", "peer.service", "span.destination.service.name")
_DB_SYSTEM = ("db.system.name", "db.system", "db.type")
_DB_NAME = ("db.namespace", "db.name", "db.instance")
_MESSAGING_SYSTEM = ("messaging.system",)
_DESTINATION = (
    "messaging.destination.name",
    "messaging.destination",
    "message_bus.destination",
    "messaging.kafka.topic",
)
_ADDRESS = (
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "net.sock.peer.name",
    "destination.address",
    "peer.hostname",
    "peer.address",
)
_RESOURCE = ("span.destination.service.resource",)
_SPAN_TYPE = ("span.type",)
_SPAN_SUBTYPE = ("span.subtype",)

_CACHES = frozenset({"redis", "memcached", "valkey", "keydb", "dragonfly", "hazelcast", "infinispan", "ehcache"})
_BROKERS = frozenset({"kafka", "rabbitmq", "activemq", "nats", "pulsar", "sqs", "sns", "jms", "servicebus"})
_PORT = re.compile(r":\d+$")
_MAPPINGS = (dict, Mapping)  # the usual first, for it is told at once
_LOOPBACK = frozenset({"localhost", "localhost.localdomain"})


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a call, as the calling side names it."""

    name: str
    kind: NodeKind


def span_kind(fields: Mapping[str, Any]) -> str:
    """`client`, `server`, `producer`, `consumer`, `internal`, or empty where the span doesn't say."""
    word = _first(fields, _KIND).lower().removeprefix("span_kind_")
    return {"1": "internal", "2": "server", "3": "client", "4": "producer", "5": "consumer"}.get(word, word)


def peer(fields: Mapping[str, Any]) -> Peer | None:
    """Whom a span was addressed to: a database, cache, queue or named service; None where it doesn't say.

    A bare address says nothing of the kind, and is believed of client spans alone: a server's span holds its own.
    """
    system = _first(fields, _DB_SYSTEM).lower()
    kind = _first(fields, _SPAN_TYPE).lower()
    if not system and kind == "db":
        system = _first(fields, _SPAN_SUBTYPE).lower() or "database"
    if system:
        return _database(fields, system)
    broker = _first(fields, _MESSAGING_SYSTEM).lower()
    if not broker and kind == "messaging":
        broker = _first(fields, _SPAN_SUBTYPE).lower() or "queue"
    if broker:
        name = _first(fields, _DESTINATION) or _first(fields, _PEER_SERVICE) or _host(fields)
        return Peer(name or broker, NodeKind.QUEUE)
    if name := _first(fields, _PEER_SERVICE):
        return Peer(name, NodeKind.EXTERNAL)
    if span_kind(fields) in {"client", "producer"} and (name := _host(fields) or _resource(fields)):
        return Peer(name, NodeKind.EXTERNAL)
    return None


def kind_of_system(system: str) -> NodeKind:
    """What a `db.system` is: caches are told apart from databases."""
    word = system.lower()
    if word in _CACHES:
        return NodeKind.CACHE
    return NodeKind.QUEUE if word in _BROKERS else NodeKind.DATABASE


def _database(fields: Mapping[str, Any], system: str) -> Peer:
    name = _first(fields, _PEER_SERVICE) or _host(fields) or _resource(fields)
    if not name:
        database = _first(fields, _DB_NAME)
        name = f"{system}/{database}" if database and not database.isdigit() else system
    return Peer(name, kind_of_system(system))


def _host(fields: Mapping[str, Any]) -> str:
    """The peer's host name; an address in numbers names nobody, for pods come and go."""
    for key in _ADDRESS:
        host = without_cluster_domain(_PORT.sub("", _first(fields, (key,)).rstrip(".")))
        if host and host not in _LOOPBACK and not _is_ip(host):
            return host
    return ""


def _resource(fields: Mapping[str, Any]) -> str:
    """Elastic APM's resource: `postgresql`, `redis`, `shop.example:443`."""
    resource = without_cluster_domain(_PORT.sub("", _first(fields, _RESOURCE)))
    return "" if resource in _LOOPBACK or _is_ip(resource) else resource


def _is_ip(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _first(fields: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first of these fields that says something, whether dots are in its name or mean nesting."""
    for key in keys:
        value = fields[key] if key in fields else _nested(fields, key) if "." in key else None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = str(value).strip()
            if not is_unknown(text):
                return text
    return ""


def _nested(fields: Mapping[str, Any], key: str) -> Any:
    value: Any = fields
    for step in key.split("."):
        if not isinstance(value, _MAPPINGS) or step not in value:
            return None
        value = value[step]
    return value
