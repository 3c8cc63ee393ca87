"""Where the shop keeps things: how Redis and PostgreSQL are started and made ready, and disks that can be full."""

import os
from collections.abc import Mapping
from pathlib import Path

import psycopg

from tests.testbed.debian import Programs
from tests.testbed.layout import SPOOL_MEGABYTES

SCHEMA = Path(__file__).parent / "schema.sql"


def redis_command(programs: Programs, root: Path, ports: Mapping[str, int]) -> list[str | Path]:
    """Words that start a Redis of 64 MB, which keeps nothing on disk."""
    return [
        *(*programs.redis.command, "--port", str(ports["redis"]), "--bind", "127.0.0.1"),
        *("--pidfile", str(root / "pids" / "redis"), "--logfile", str(root / "logs" / "redis.log")),
        *("--save", "", "--appendonly", "no", "--maxmemory", "64mb"),
    ]


def postgres_command(programs: Programs, root: Path, ports: Mapping[str, int]) -> list[str | Path]:
    """Words that make a PostgreSQL in the folder `data` and start it; its log is made for the user it runs as."""
    log = root / "logs" / "postgres.log"
    log.touch()
    os.chmod(log, 0o666)  # noqa: PTH101, S103 - the database writes it as another user
    options = {
        "port": ports["postgres"],
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": 40,
        "superuser_reserved_connections": 4,
        "shared_buffers": "32MB",
        "fsync": "off",
        "log_lock_waits": "on",
        "max_parallel_workers_per_gather": 0,
        "jit": "off",
    }
    flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    initdb, postgres = (" ".join(map(str, one.command)) for one in (programs.initdb, programs.postgres))
    script = (
        f"{initdb} -D data -U shop -A trust -E UTF8 --locale=C --no-sync >/dev/null\n"
        f"{postgres} -D data {flags} 2>>{log} &\n"
        "server=$!\n"
        "trap 'kill -INT $server' TERM\n"  # a fast shutdown, that doesn't wait for clients
        "wait $server; wait $server\n"
    )
    return ["sh", "-c", script]


def has_database(port: int) -> bool:
    """Whether PostgreSQL answers; when it does, the shop's database has been made."""
    target = f"host=127.0.0.1 port={port} dbname=postgres user=shop connect_timeout=2"
    try:
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute("create database shop")
    except psycopg.OperationalError:
        return False
    return True


def own_disk(spool: Path) -> list[str | Path]:
    """Words that give a command a small disk in a mount namespace, which goes with the command."""
    spool.mkdir(exist_ok=True)
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    mount = f'mount -t tmpfs -o size={SPOOL_MEGABYTES}m tmpfs {spool} && exec "$@"'
    return ["unshare", *rights, "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]
