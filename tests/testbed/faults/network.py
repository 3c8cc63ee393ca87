"""Faults between services, of the certificate, of the third party, of the machine, of the load."""

from collections.abc import Callable

from tests.testbed.faults.base import Fault
from tests.testbed.stand import Stand


def _link(**state: object) -> Callable[[Stand, str], None]:
    def set_state(stand: Stand, target: str) -> None:
        caller, _, callee = target.partition(">")
        stand.link(caller, callee, **state)

    return set_state


def _both(*links: str) -> dict[str, tuple[str, ...]]:
    return {link: tuple(reversed(link.split(">"))) for link in links}


def _reindex(stand: Stand, service: str) -> None:
    stand.post(service, "/internal/reindex?seconds=120")


def _mood(stand: Stand, mood: str) -> None:
    stand.control("cardgate", mood=mood)


def _burn(stand: Stand, _target: str) -> None:
    stand.python("batch", "burn.py", 16)


def _surge(stand: Stand, target: str) -> None:
    if target == "search":
        stand.control("users", factor=1.0, searches=90.0)
    else:
        stand.control("users", factor=14.0)


_LATENCY = ("checkout>inventory", "storefront>catalogue")
_LOSS = ("gateway>cart", "storefront>recommendation")
_CUT = ("checkout>shipping", "payment>cardgate")

FAULTS = (
    Fault(
        name="net-latency",
        kind="network_latency",
        summary="every chunk between two services takes 0.35 s longer",
        remedy="mend the route between the two",
        targets=_LATENCY,
        begin=_link(delay=0.35),
        roots=_both(*_LATENCY),
    ),
    Fault(
        name="net-loss",
        kind="network_loss",
        summary="three in ten chunks between two services are lost, and sent again after TCP's timeouts",
        remedy="mend the route between the two",
        targets=_LOSS,
        begin=_link(loss=0.3),
        roots=_both(*_LOSS),
    ),
    Fault(
        name="net-cut",
        kind="network_cut",
        summary="nothing passes between two services",
        remedy="mend the route between the two",
        targets=_CUT,
        begin=_link(cut=True),
        roots=_both(*_CUT),
    ),
    Fault(
        name="certificate",
        kind="certificate_expired",
        summary="the payment service's certificate expires",
        remedy="renew the certificate",
        targets=("payment",),
    ),
    Fault(
        name="third-party",
        kind="third_party",
        summary="the card company fails, takes long, or refuses for its rate limit",
        remedy="nothing here; switch to another provider, tell the company",
        targets=("failing", "slow", "limiting"),
        begin=_mood,
        roots=dict.fromkeys(("failing", "slow", "limiting"), ("cardgate", "payment")),
        first=dict.fromkeys(("failing", "slow", "limiting"), "payment"),
    ),
    Fault(
        name="cpu",
        kind="cpu",
        summary="an operator asks a service to rebuild its index, which burns its processor time",
        remedy="stop the rebuild: restart the service",
        targets=("catalogue", "cart", "recommendation", "checkout"),
        begin=_reindex,
    ),
    Fault(
        name="noisy-neighbour",
        kind="node_cpu",
        summary="somebody else's batch job takes the machine's processors",
        remedy="move or limit the batch job",
        targets=("node-a",),
        begin=_burn,
    ),
    Fault(
        name="surge",
        kind="traffic",
        summary="many more users, or many more searches, than the shop can bear",
        remedy="limit the rate, add capacity",
        targets=("users", "search"),
        begin=_surge,
        roots={"users": ("gateway",), "search": ("gateway", "catalogue", "storefront")},
        first={"users": "gateway", "search": "gateway"},
    ),
)
