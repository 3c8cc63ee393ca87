"""Faults of Redis and PostgreSQL."""

import os
import signal
from collections.abc import Callable

from tests.testbed.faults.base import Fault
from tests.testbed.stand import Stand


def _busy(stand: Stand, _target: str) -> None:
    stand.python("report", "busy_redis.py", stand.ports["redis"], 0.8)


def _signal(which: signal.Signals) -> Callable[[Stand, str], None]:
    def send(stand: Stand, _target: str) -> None:
        os.kill(stand.pid("redis"), which)

    return send


def _lock(stand: Stand, table: str) -> None:
    stand.python("backfill", "hold_lock.py", f"{stand.postgres} user=shop", table)


def _hoard(stand: Stand, _target: str) -> None:
    stand.python("export", "hoard.py", f"{stand.postgres} user=app")


FAULTS = (
    Fault(
        name="redis-slow",
        kind="store_slow",
        summary="a reporting job runs heavy Lua scripts, and Redis has one thread",
        remedy="stop the reporting job",
        targets=("redis",),
        begin=_busy,
    ),
    Fault(
        name="redis-hang",
        kind="store_hang",
        summary="Redis is stopped by SIGSTOP: connections are taken, nothing is answered",
        remedy="continue or restart Redis",
        targets=("redis",),
        begin=_signal(signal.SIGSTOP),
        heal=_signal(signal.SIGCONT),
    ),
    Fault(
        name="redis-down",
        kind="store_down",
        summary="Redis is killed, and nobody starts it again",
        remedy="start Redis",
        targets=("redis",),
        begin=_signal(signal.SIGKILL),
    ),
    Fault(
        name="pg-lock",
        kind="store_lock",
        summary="a backfill holds a table's exclusive lock",
        remedy="end the backfill's session",
        targets=("stock", "products", "charges"),
        begin=_lock,
        roots={
            "stock": ("postgres", "inventory"),
            "products": ("postgres", "catalogue"),
            "charges": ("postgres", "payment"),
        },
        first={"stock": "inventory", "products": "catalogue", "charges": "payment"},
    ),
    Fault(
        name="pg-connections",
        kind="store_connections",
        summary="an export script takes every connection that PostgreSQL gives",
        remedy="end the export's sessions",
        targets=("postgres",),
        begin=_hoard,
    ),
)
