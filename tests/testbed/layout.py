"""Who is in the shop, who calls whom, and which links the network's faults can reach."""

import random
import socket
from collections.abc import Iterable, Mapping
from typing import Final

THREADED: Final = ("catalogue", "checkout", "inventory", "payment", "shipping")  # Flask on Werkzeug
LOOPED: Final = ("gateway", "storefront", "cart", "recommendation", "notification")  # aiohttp
SERVICES: Final = (*LOOPED, *THREADED)
STORES: Final = ("redis", "postgres")
THIRD_PARTY: Final = "cardgate"
NODE: Final = "node-a"
TLS: Final = ("payment",)
SPOOLING: Final = ("shipping", "notification")  # write to a disk of their own
EDGES: Final = (
    ("gateway", "storefront"),
    ("gateway", "cart"),
    ("gateway", "checkout"),
    ("storefront", "catalogue"),
    ("storefront", "recommendation"),
    ("recommendation", "catalogue"),
    ("checkout", "cart"),
    ("checkout", "inventory"),
    ("checkout", "shipping"),
    ("checkout", "payment"),
    ("payment", "cardgate"),
)
SPOOL_MEGABYTES: Final = 3
# Outside the range from which the system takes the ports of outgoing connections.
_PORTS = range(12_000, 32_000)


def callers_of(service: str) -> tuple[str, ...]:
    """Who calls a service, directly or not, nearest first."""
    found: list[str] = []
    waiting = [service]
    while waiting:
        here = waiting.pop(0)
        new = [caller for caller, callee in (*EDGES, *STORE_EDGES) if callee == here and caller not in found]
        found += new
        waiting += new
    return tuple(dict.fromkeys(found))


STORE_EDGES: Final = (
    ("catalogue", "redis"),
    ("cart", "redis"),
    ("checkout", "redis"),
    ("shipping", "redis"),
    ("notification", "redis"),
    ("catalogue", "postgres"),
    ("checkout", "postgres"),
    ("inventory", "postgres"),
    ("payment", "postgres"),
    ("shipping", "postgres"),
)


def address(service: str, port: int) -> str:
    """Where a service answers."""
    return f"{'https' if service in TLS else 'http'}://127.0.0.1:{port}"


def through_proxy(links: Iterable[tuple[str, str]], ports: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """By caller, the addresses of the callees it reaches through the proxy."""
    found: dict[str, dict[str, str]] = {}
    for caller, callee in links:
        found.setdefault(caller, {})[callee] = address(callee, ports[f"{caller}>{callee}"])
    return found


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A free loopback port for each name."""
    chance, found = random.SystemRandom(), dict[str, int]()
    for name in names:
        while True:
            port = chance.choice(_PORTS)
            if port not in found.values() and _is_free(port):
                found[name] = port
                break
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
