from typing import Any

import pytest

from topology import NodeKind
from topology.peers import Peer, peer, span_kind


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"span.kind": "client"}, "client"),
        ({"kind": "SPAN_KIND_SERVER"}, "server"),
        ({"SpanKind": "Producer"}, "producer"),
        ({"span": {"kind": "consumer"}}, "consumer"),
        ({"kind": 3}, "client"),
        ({"kind": ["server"]}, "server"),
        ({"kind": ["server", "client"]}, ""),
        ({}, ""),
    ],
)
def test_a_spans_kind_is_read_in_every_dialect(fields: dict[str, Any], kind: str) -> None:
    assert span_kind(fields) == kind


@pytest.mark.parametrize(
    ("fields", "name", "kind"),
    [
        (
            {"db.system": "postgresql", "server.address": "orders-db", "db.name": "o"},
            "orders-db",
            NodeKind.DATABASE,
        ),
        ({"db.system.name": "Redis", "net.peer.name": "redis.shop.svc.cluster.local"}, "redis", NodeKind.CACHE),
        ({"db.system": "mysql", "server.address": "10.0.0.7", "db.name": "o"}, "mysql/o", NodeKind.DATABASE),
        ({"db.system": "redis", "db.namespace": "0", "peer.address": "[::1]:6379"}, "redis", NodeKind.CACHE),
        ({"db.system": "mongodb", "peer.service": "carts"}, "carts", NodeKind.DATABASE),
        ({"db.system": "kafka"}, "kafka", NodeKind.QUEUE),
        ({"span.type": "db", "span.subtype": "postgresql"}, "postgresql", NodeKind.DATABASE),
        (
            {"span": {"type": "db", "destination": {"service": {"resource": "mysql/o"}}}},
            "mysql/o",
            NodeKind.DATABASE,
        ),
        ({"span.type": "db"}, "database", NodeKind.DATABASE),
        ({"messaging.system": "kafka", "messaging.destination.name": "orders"}, "orders", NodeKind.QUEUE),
        ({"messaging.system": "rabbitmq", "server.address": "rabbit:5672"}, "rabbit", NodeKind.QUEUE),
        ({"messaging.system": "nats"}, "nats", NodeKind.QUEUE),
        ({"span.type": "messaging", "span.subtype": "sqs"}, "sqs", NodeKind.QUEUE),
        ({"span.type": "messaging"}, "queue", NodeKind.QUEUE),
        ({"peer.service": "stripe"}, "stripe", NodeKind.EXTERNAL),
        ({"kind": "client", "server.address": "api.pay.example:443"}, "api.pay.example", NodeKind.EXTERNAL),
        (
            {"kind": "client", "span.destination.service.resource": "pay.example:443"},
            "pay.example",
            NodeKind.EXTERNAL,
        ),
    ],
)
def test_a_peer_is_named_by_the_best_hint(fields: dict[str, Any], name: str, kind: NodeKind) -> None:
    assert peer(fields) == Peer(name, kind)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"server.address": "me"},
        {"kind": "server", "server.address": "me"},
        {"kind": "client", "server.address": "localhost"},
        {"kind": "client", "server.address": "10.1.2.3:80", "span.destination.service.resource": "10.1.2.3:80"},
        {"kind": "client", "peer.service": "unknown"},
        {"kind": "client", "peer.service": True, "server.address": {"x": 1}},
    ],
)
def test_a_span_that_names_nobody_has_no_peer(fields: dict[str, Any]) -> None:
    assert peer(fields) is None
