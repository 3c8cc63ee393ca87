"""Configuration changes and flags that break something, some of them later."""

from pathlib import Path

from tests.testbed.changes import Change, Edit
from tests.testbed.faults.base import Fault
from tests.testbed.layout import SPOOL_MEGABYTES
from tests.testbed.stand import Stand


def _config(service: str, message: str, old: str, new: str, author: str = "priya") -> Change:
    return Change(service, "config", message, (Edit(f"config/{service}.toml", old, new),), author)


def switched_on(service: str, name: str) -> Change:
    old = Path(__file__).parents[1].joinpath("shop/flags.toml").read_text()
    section = old[old.index(f"[{service}]") :]
    before = section[: section.index(f"{name} = false") + len(f"{name} = false")]
    edit = Edit("flags.toml", before, before.replace(f"{name} = false", f"{name} = true"))
    return Change(service, "flag", f"flag {name} of {service} switched on", (edit,), "omar")


def _peak(stand: Stand, _target: str) -> None:
    stand.control("users", factor=3.2)


def _fill(stand: Stand, service: str) -> None:
    """Somebody's core dump lands on the disk."""
    dump = stand.spool_of(service) / "core.4711"
    with dump.open("wb") as file:
        try:
            file.write(b"\0" * SPOOL_MEGABYTES * 2**20)
        except OSError:
            file.close()


def _fill_if_shipping(stand: Stand, service: str) -> None:
    if service == "shipping":
        _fill(stand, service)


def _poison(stand: Stand, service: str) -> None:
    """A producer of another team writes a message of another form."""
    import redis  # noqa: PLC0415 - only this fault writes to it

    if service == "shipping":
        redis.Redis(port=stand.ports["redis"]).xadd("orders", {"body": '{"order": "b2b-7", "lines": []}'})


_REDIRECTED = {
    "checkout": _config(
        "checkout",
        "checkout: reach inventory by its name",
        '[peers.inventory]\nurl = "http://127.0.0.1',
        '[peers.inventory]\nurl = "http://inventroy.shop.internal',
    ),
    "storefront": _config(
        "storefront",
        "storefront: reach the catalogue by its name",
        '[peers.catalogue]\nurl = "http://127.0.0.1',
        '[peers.catalogue]\nurl = "http://catalog.shop.internal',
    ),
    "shipping": _config(
        "shipping",
        "shipping: use the new cache host",
        '[redis]\nhost = "127.0.0.1"',
        '[redis]\nhost = "redis-2.shop.internal"',
    ),
}

FAULTS = (
    Fault(
        name="config-timeout",
        kind="config_timeout",
        summary="a timeout is cut below what the callee usually takes",
        remedy="give the timeout back",
        targets=("checkout", "gateway"),
        changes={
            "checkout": _config(
                "checkout", "checkout: fail fast when payment is slow", "timeout = 3.0", "timeout = 0.09"
            ),
            "gateway": _config("gateway", "gateway: answer users sooner", "timeout = 5.0", "timeout = 0.15"),
        },
        lead=1.0,
    ),
    Fault(
        name="config-pool",
        kind="config_pool",
        summary="a connection pool is cut to one; the harm comes with the day's peak",
        remedy="give the pool its size back",
        targets=("payment",),
        begin=_peak,
        changes={
            "payment": _config(
                "payment",
                "payment: fewer idle connections",
                "pool_size = 8\npool_timeout = 0.5",
                "pool_size = 1\npool_timeout = 0.5",
            )
        },
        lead=24.0,
    ),
    Fault(
        name="config-cache",
        kind="config_cache",
        summary="a cache's time to live is cut; the harm comes as what was cached expires",
        remedy="give the entries their time to live back",
        targets=("catalogue", "recommendation"),
        changes={
            "catalogue": _config(
                "catalogue", "catalogue: show new prices sooner", "ttl_seconds = 45", "ttl_seconds = 1"
            ),
            "recommendation": _config(
                "recommendation",
                "recommendation: show new products sooner",
                "model_ttl_seconds = 60.0",
                "model_ttl_seconds = 0.1",
            ),
        },
        lead=5.0,
    ),
    Fault(
        name="flag",
        kind="feature_flag",
        summary="a feature is switched on that is slow, or fails for some countries",
        remedy="switch the flag off",
        targets=("recommendation", "checkout"),
        changes={
            "recommendation": switched_on("recommendation", "neighbour_scoring"),
            "checkout": switched_on("checkout", "tax_engine_v2"),
        },
    ),
    Fault(
        name="wrong-host",
        kind="config_host",
        summary="a configuration names a host that doesn't exist",
        remedy="correct the host's name",
        targets=tuple(_REDIRECTED),
        changes=_REDIRECTED,
        lead=1.0,
    ),
    Fault(
        name="retry-storm",
        kind="retry_storm",
        summary="a client's timeout is cut and its retries are raised: it multiplies its own load",
        remedy="give the timeout and the retries back",
        targets=("storefront",),
        changes={
            "storefront": _config(
                "storefront",
                "storefront: quick retries against slow catalogue answers",
                "timeout = 3.0\nretries = 1",
                "timeout = 0.012\nretries = 8",
            )
        },
        roots={"storefront": ("storefront", "catalogue")},
        lead=1.0,
    ),
    Fault(
        name="disk-full",
        kind="disk_full",
        summary="a service's disk (a small tmpfs) fills: by a core dump, or by what is no longer deleted",
        remedy="free the disk",
        targets=("shipping", "notification"),
        begin=_fill_if_shipping,
        changes={
            "notification": _config(
                "notification", "notification: keep mails for support", "keep_mails = 20", "keep_mails = 5000"
            )
        },
        lead=40.0,
        late=True,
    ),
    Fault(
        name="consumer-stopped",
        kind="consumer_stopped",
        summary="a queue's consumer stops: a message of another form ends its thread, or a flag pauses it",
        remedy="restart the worker without the message, or switch the flag off",
        targets=("shipping", "notification"),
        begin=_poison,
        changes={"notification": switched_on("notification", "pause_worker")},
    ),
)
